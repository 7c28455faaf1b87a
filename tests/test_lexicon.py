"""The file of themes: what it holds, what a pattern may be, and every fault with file and line."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cxlib.errors import CxError
from cxlib.lexicon import BUNDLED, expression, read_lexicon, spelled

GOOD = """# themes
[themes]
service = ["support", "help desk"]
price = [
    "price*",
    "expensive", "!price list",
]

[tone]
positive = ["good"]
negative = ["bad", "slow*"]
negators = ["not"]
breaks = ["but"]
"""


def lexicon(folder, text):
    path = folder / "themes.toml"
    path.write_text(text, encoding="utf-8")
    return read_lexicon(path)


def test_the_bundled_file_holds_the_themes_that_are_asked_for():
    words = read_lexicon()
    assert words.path == BUNDLED and BUNDLED.parent.name == "data"
    assert {"service", "price", "product", "delivery", "website", "billing", "staff", "premises"} <= set(words.themes)
    assert words.negators and words.breaks and {tone for tone, _ in words.tones} == {"positive", "negative"}


def test_a_good_file_is_read(tmp_path):
    words = lexicon(tmp_path, GOOD)
    assert list(words.themes) == ["service", "price"]
    assert words.except_for == {"price": " (?:price  list) "}
    assert words.themes["price"] == " (?:price[^ ]*|expensive) "
    assert lexicon(tmp_path, '[themes]\nfood = ["tea"]').tones == ()


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ('"expensive"', '"expens("', "line 6: pattern 'expens(' of 'price' must hold words, spaces, hyphens, "
         "apostrophes and *, but holds '('; leave it out"),
        ('"expensive"', '"[ab"', "line 6: pattern '[ab' of 'price' must hold words"),
        ('"expensive"', '"a|b"', "line 6: pattern 'a|b' of 'price'"),
        ('"expensive"', "'\\d+'", "line 6: pattern '\\\\d+' of 'price' must hold words"),
        ('"expensive"', '"*"', "line 6: pattern '*' of 'price' has '*': a * must come before or after"),
        ('"expensive"', '"a*"', "line 6: pattern 'a*' of 'price' has 'a*': a * must come before or after at least two"),
        ('"expensive"', '"pri*ce"', "line 6: pattern 'pri*ce' of 'price' has 'pri*ce'"),
        ('"expensive"', '""', "line 6: pattern '' of 'price' must have 1 to 6 words, not 0"),
        ('"expensive"', '"a b c d e f g"', "line 6: pattern 'a b c d e f g' of 'price' must have 1 to 6 words, not 7"),
        ('"expensive"', f'"{"x" * 81}"', "must have at most 80 signs, not 81"),
        ('"expensive"', "5", "line 6: pattern 5 of 'price' must be a text; put it in quotes"),
        ('"slow*"', '"sl{ow"', "line 11: pattern 'sl{ow' of 'negative' must hold words"),
        ('"slow*"', '"!slow"', "line 11: pattern '!slow' of 'negative' must hold words"),
        ('"slow*"', '"Good"', "line 11: pattern 'good' must have one tone, it has both; keep one"),
        ('["support", "help desk"]', "[]", "line 3: 'service' must be a list of 1 to 600 patterns, not []"),
        ('["support", "help desk"]', '["!support"]', "line 3: theme 'service' must have a pattern that counts"),
        ("service =", "positive =", "line 3: a theme cannot be named 'positive'; give it another name"),
        ("negators", "negator", "line 12: [tone]: no key 'negator'; did you mean 'negators'?"),
        ("[tone]", "[tones]", "line 9: no table 'tones'; did you mean 'tone'?"),
        ("[themes]", "[theme]", "line 2: no table 'theme'; did you mean 'themes'?"),
        ('"expensive",', '"expensive" "x",', "not valid TOML: "),
        (GOOD, "# no line", 'line 1: there must be [themes] with at least one, such as service = ["support"]'),
        (GOOD, "tone = 3\n[themes]\nfood = ['tea']", "line 1: [tone] must be a table, not 3; write [tone] and "
         'negative = ["slow"]'),
        ("service =", "\n".join(f"t{i} = ['x']" for i in range(40)) + "\nservice =", "line 2: there must be at most 40 "
         "themes, not 42; merge some"),
    ],
)  # fmt: skip
def test_a_fault_is_told_with_file_and_line(tmp_path, old, new, fault):
    assert old in GOOD
    with pytest.raises(CxError) as error:
        lexicon(tmp_path, GOOD.replace(old, new, 1))
    assert any(line.startswith("themes.toml") and fault in line for line in error.value.faults), error.value
    assert "line" in str(error.value)


def test_all_faults_are_told_at_once_in_order(tmp_path):
    with pytest.raises(CxError) as error:
        lexicon(tmp_path, GOOD.replace('"support"', '"sup(port"').replace('"expensive"', '"ex[pensive"'))
    assert [line[:19] for line in error.value.faults] == ["themes.toml, line 3", "themes.toml, line 6"]


def test_a_file_that_is_none_is_refused(tmp_path):
    with pytest.raises(CxError, match=r"gone\.toml: cannot be read"):
        read_lexicon(tmp_path / "gone.toml")
    (tmp_path / "latin.toml").write_bytes("[themes]\nfood = ['café']".encode("latin-1"))
    with pytest.raises(CxError, match="must be UTF-8, it is not at byte"):
        read_lexicon(tmp_path / "latin.toml")
    with pytest.raises(CxError, match=r"^themes\.toml: not valid TOML: nested too deeply$"):
        lexicon(tmp_path, "x = " + "[" * 5000 + "]" * 5000)
    told = r"^themes\.toml: a file of themes must have at most 1,000,000 bytes, not 1,000,002; keep only words$"
    with pytest.raises(CxError, match=told):
        lexicon(tmp_path, "# " + "x" * 1_000_000)


@pytest.mark.parametrize(
    ("pattern", "text", "found"),
    [
        ("deliver*", "delivery", True), ("deliver*", "undelivered", False), ("*coin", "bitcoin", True),
        ("help desk", "help  desk", True), ("help desk", "help the desk", False), ("e-mail", "e  mail", True),
        ("don't", "do  not", True), ("Café", "café", True), ("app", "apple", False),
    ],
)  # fmt: skip
def test_what_a_pattern_finds(pattern, text, found):
    """Authority: a reader. Texts are spelled as comments are once they are made plain."""
    assert bool(re.search(expression([pattern]), f" {text} ")) is found


@given(st.text(max_size=30))
def test_no_pattern_becomes_an_expression(text):
    """Whatever a file holds, what is left of it between the signs of ours is letters and digits."""
    assert all(word.replace("*", "").isalnum() or set(word) == {"*"} for word in spelled(text))
