"""Masking: what must go, what must stay, what hides, and that no text takes long."""

import re
import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cxlib.errors import CxError
from cxlib.masking import ACCOUNT, ADDRESS, CARD, LINK, NAME, NUMBER, luhn, masked

LABELS = {NAME, ADDRESS, CARD, NUMBER, ACCOUNT, LINK}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Dear Anna, thanks", "Dear [name], thanks"),
        ("Hi Jean-Luc O'Neil!", "Hi [name]!"),
        ("Hello Mr. van der Berg. He was late", "Hello [name]. He was late"),
        ("Mrs SMITH was rude", "Mrs [name] was rude"),
        ("my name is anna kowalska, and", "my name is [name], and"),
        ("I spoke to Sarah about it", "I spoke to [name] about it"),
        ("Too slow. Regards, J. P. Smith", "Too slow. Regards, [name]"),
        ("Too slow.\nKind regards\nmaria garcía\n", "Too slow.\nKind regards\n[name]\n"),
        ("Yours sincerely,\nZoë Müller-Lüdenscheidt", "Yours sincerely,\n[name]"),
        ("Too slow. Thanks, Peter", "Too slow. Thanks, [name]"),
        ("Never again. – Maria K.", "Never again. – [name]"),
        ("Never again.\nJohn Smith", "Never again.\n[name]"),
        ("您好, Dear 王小明", "您好, Dear [name]"),
        ("REGARDS, JOHN SMITH", "REGARDS, [name]"),
    ],
)
def test_names_where_they_can_be_recognised(text, expected):
    """Authority: a reader."""
    assert masked(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "Thanks for nothing", "Hi I am upset", "I miss the old app", "The price of 1,000,000 is too much",
        "Best regards and a nice day to all", "I waited 45 minutes, 3 times, and paid 1299.50",
        "Good service – very good", "My dear friends love it", "We called twice in 2024", "5/5, 10 of 10",
    ],
)  # fmt: skip
def test_what_tells_nobody_stays(text):
    assert masked(text) == text


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("jo@example.org", ADDRESS), ("jo.smith+tag@post.example.co.uk", ADDRESS), ("JO@EXAMPLE.ORG", ADDRESS),
        ("jo @ example.org", ADDRESS), ("jo (at) example (dot) org", ADDRESS), ("jo[at]example.org", ADDRESS),
        ("jo at example dot org", ADDRESS), ("jö@exämple.org", ADDRESS), ('"jo smith"@example.org', ADDRESS),
        ("jo\u200b@exa\u200bmple.org", ADDRESS), ("jo＠example．org", ADDRESS), ("jo@exam\u00adple.org", ADDRESS),
        ("\u202egro.elpmaxe@oj", ADDRESS), ("root@localhost", ADDRESS), ("@jo_smith", NAME),
        ("020 7946 0018", NUMBER), ("+44 (0)20 7946 0018", NUMBER), ("(555) 010-9999", NUMBER),
        ("0 2 0 7 9 4 6 0 0 1 8", NUMBER), ("020.7946.0018", NUMBER), ("020/7946/0018", NUMBER),
        ("٠٢٠٧٩٤٦٠٠١٨", NUMBER), ("０２０７９４６００１８", NUMBER), ("020\u200b7946\u200b0018", NUMBER),
        ("020\n7946\n0018", NUMBER), ("1985-03-14", NUMBER), ("020😀7946😀0018", NUMBER),
        ("4111 1111 1111 1111", CARD), ("4111-1111-1111-1111", CARD), ("4111111111111111", CARD),
        ("4111.1111.1111.1111", CARD), ("4111,1111,1111,1111", CARD), ("3782 822463 10005", CARD),
        ("４１１１ １１１１ １１１１ １１１１", CARD), ("4111 1111 1111 1112", NUMBER),
        ("GB29 NWBK 6016 1331 9268 19", ACCOUNT), ("de89370400440532013000", ACCOUNT),
        ("https://example.org/jo?id=5", LINK), ("www.example.org/jo", LINK),
    ],
)  # fmt: skip
@pytest.mark.parametrize("around", ["{}", "Write to {} now", "x,{}.", "({})", "<b>{}</b>"])
def test_addresses_and_numbers_go_however_they_hide(text, label, around):
    """Card and account numbers are the test numbers that the schemes publish; telephone numbers are reserved ones."""
    told = masked(around.format(text))
    assert label in told
    for piece in re.findall(r"\w{3,}", text):
        assert piece not in told


@pytest.mark.parametrize(
    ("number", "valid"), [("4111111111111111", True), ("79927398713", True), ("79927398710", False), ("0", True)]
)
def test_the_check_digit(number, valid):
    """Authority: the worked example of Luhn's formula, and the schemes' test card."""
    assert luhn(number) is valid


@given(st.text(alphabet="0123456789", min_size=12, max_size=18))
def test_one_of_ten_last_digits_makes_a_card(digits):
    """Identity: Luhn's formula leaves exactly one check digit."""
    assert sum(luhn(digits + last) for last in "0123456789") == 1
    assert sum(masked(digits + last) == CARD for last in "0123456789") == 1


@given(st.text(max_size=80))
@example("Regards,")
@example("Dear ")
@example("@" * 50)
@example("+")
def test_any_text_is_masked_once_and_for_all(text):
    """Identity: what is masked holds nothing more to mask."""
    assert masked(masked(text)) == masked(text)


@pytest.mark.parametrize(
    "piece",
    ["a.", "a@", "@", "1 ", "+", "Dear ", "Dear A ", "de ", "Regards,\n", "A-", "aa11 ", "at dot ", "(at)",
     "x" * 50 + "@", '"', "www.", "\n", "- ", "Mr. ", "A'", "1" * 19 + "x", "a at b dot "],
)  # fmt: skip
def test_time_grows_no_faster_than_the_text(piece):
    """A hostile text of 50,000 signs takes a second or so; quadratic matching would take minutes."""
    text = piece * (50_000 // len(piece))
    start = time.process_time()
    masked(text)
    assert time.process_time() - start < 5


@pytest.mark.parametrize("value", [None, 5, b"jo@example.org", ["jo@example.org"]])
def test_only_text_is_masked(value):
    with pytest.raises(
        CxError, match=f"^masked takes a text, not {type(value).__name__}; give it one comment at a time$"
    ):
        masked(value)
