"""Comments without what tells who wrote them: names where they can be recognised, addresses, numbers of all kinds."""

from __future__ import annotations

import re
import unicodedata

from .errors import CxError

NAME, ADDRESS, CARD, NUMBER, ACCOUNT, LINK = "[name]", "[e-mail]", "[card]", "[number]", "[account]", "[link]"
CARD_DIGITS = range(13, 20)
SHORTEST = 7  # digits of a phone number, or of any number that could name somebody
MOST_NAMES = 3  # words of a name

# Anchored and possessive (`++` never gives back), so that no text, however hostile, takes more than one pass.
_LINK = re.compile(r"(?i)(?<![^\W_])(?:https?://|www\.)\S++")
_LOCAL = r"""(?<![^\s@<>()\[\]{},;:"])(?:"[^"\n]{1,64}+"|[^\s@<>()\[\]{},;:"]++)"""
_AT, _DOT = (rf"(?:\s?[(\[{{]\s?{word}\s?[)\]}}]\s?|\s{word}\s)" for word in ("at", "dot"))
_ADDRESS = re.compile(
    rf"(?i){_LOCAL}(?:@[\w-]++(?:\.[\w-]++)*+|\s?@\s?[\w-]++(?:\.[\w-]++)++|(?:@|{_AT})[\w-]++(?:(?:{_DOT}|\.)[\w-]++)++)"
)
_HANDLE = re.compile(r"(?<![\w@])@\w[\w.]*+")
_ACCOUNT = re.compile(r"(?i)(?<![^\W_])[a-z]{2}\d{2}(?:[ -]?[a-z0-9]{4}){2,7}(?:[ -]?[a-z0-9]{1,3})?(?![^\W_])")
_DIGITS = re.compile(r"\+?\(?\d(?:[\W_]{0,3}\d)*+")
_THOUSANDS = re.compile(r"\d{1,3}(?:[,'’]\d{3})+(?:\.\d+)?")

_WORD = re.compile(r"[^\W\d_]++(?:['’-][^\W\d_]++)*+\.?")
_INNER = frozenset("van von der den de da di du del la le el al bin ibn zu and und et y e".split())
_ORDINARY = frozenset("i i'm i’m i've i’ve the this that it it's we my your you our there a an no not to for".split())
_TITLES = frozenset("mr mrs ms miss mx dr prof professor herr frau mme monsieur".split())
_TITLE = r"mr|mrs|ms|mx|dr|prof|professor|herr|frau|mme|monsieur|señora?|signora?|my name is|(?-i:Miss)"
_WEAK = (
    r"dear|hi|hello|hey|good (?:morning|afternoon|evening|day)|hallo|bonjour|hola|ciao|liebe[rs]?|"
    r"(?:spoke|talked|speaking) (?:to|with)|(?:served|helped) by|named|called|agent|advis[oe]r|waiter|waitress|barman|"
    r"bartender|receptionist|technician|engineer|manager|representative|colleague"
)
_CLOSING = (
    r"(?:(?:kind|best|warm|kindest|warmest) )?(?:regards|wishes|greetings)|sincerely(?: yours)?|yours "
    r"(?:sincerely|faithfully|truly)|cordially|respectfully|mit freundlichen grüßen|cordialement|saludos"
)
_THANKS = r"(?:many )?thanks(?: again)?|thank you|cheers|signed"
_CUE = re.compile(
    rf"(?i)(?<![^\W_])(?:(?P<title>{_TITLE})|(?P<closing>{_CLOSING})|(?P<thanks>{_THANKS})|(?:{_WEAK}))(?![^\W_])"
)
_GAP, _LONG_GAP = re.compile(r"[^\S\n]?[.,:]?[^\S\n]*+"), re.compile(r"[\s,.!:–—-]*+")
_LINE_END = re.compile(r"[^\S\n]*+[.!]*+[^\S\n]*+(?:\n|$)")
_LAST = re.compile(r"(?:\n|[–—-])[^\S\n]*+(?=[^\n–—-]{1,60}$)")


def masked(text: str) -> str:
    """A text with what would tell a person replaced: [name], [e-mail], [card], [number], [account], [link].

    Parameters
    ----------
    text : a comment, of any length and in any script

    Returns
    -------
    Text in Unicode's compatible spelling (NFKC), without invisible signs: both serve to hide an address from a search.

    Raises
    ------
    CxError : something else than text.

    Notes
    -----
    Names are recognised after a greeting or a title, in a signature, and after words such as "spoke to" or "my name
    is"; elsewhere a name cannot be told from a word: a masked comment is less personal, not anonymous. Digits in a
    row, however set apart, are a [card] if there are 13 to 19 and the check digit is right (Luhn), else a [number]
    from seven of them on, dates too. In doubt it masks. Time grows with the length of the text and no faster.

    Source: ISO/IEC 7812-1 (check digit; Luhn 1960), ISO 13616 (account numbers).

    >>> masked("Dear Anna, ring 020 7946 0018 or write to jo@example.org. Regards, Jo Smith")
    'Dear [name], ring [number] or write to [e-mail]. Regards, [name]'
    """
    if not isinstance(text, str):
        raise CxError(f"masked takes a text, not {type(text).__name__}; give it one comment at a time")
    plain = "".join(sign for sign in unicodedata.normalize("NFKC", text) if _visible(sign))
    for pattern, label in ((_LINK, LINK), (_ADDRESS, ADDRESS), (_HANDLE, NAME), (_ACCOUNT, ACCOUNT)):
        plain = pattern.sub(label, plain)
    return _without_names(_DIGITS.sub(_number, plain))


def luhn(digits: str) -> bool:
    """Whether the last digit is the check digit of the others (Luhn 1960)."""
    values = [int(digit) for digit in reversed(digits)]
    return sum(values[::2] + [sum(divmod(2 * value, 10)) for value in values[1::2]]) % 10 == 0


def _visible(sign: str) -> bool:
    return sign in "\n\t" or unicodedata.category(sign) not in ("Cc", "Cf", "Co", "Cs", "Cn")


def _number(found: re.Match[str]) -> str:
    digits = "".join(sign for sign in found[0] if sign.isdecimal())
    if len(digits) in CARD_DIGITS and luhn(digits):
        return CARD
    return found[0] if len(digits) < SHORTEST or _THOUSANDS.fullmatch(found[0]) else NUMBER


def _without_names(text: str) -> str:
    """Names by their cues, from left to right."""
    parts, done = [], 0
    for cue in _CUE.finditer(text):
        if cue.start() >= done and (span := _named(text, cue)):
            parts += [text[done : span[0]], NAME]
            done = span[1]
    rest = text[done:]
    # A signature without a closing: the last line, or what follows the last dash.
    if (last := _LAST.search(rest)) and (end := _run(rest, last.end())) > last.end() and _LINE_END.match(rest, end):
        rest = rest[: last.end()] + NAME + rest[end:]
    return "".join(parts) + rest


def _named(text: str, cue: re.Match[str]) -> tuple[int, int] | None:
    """Where the name that a cue announces begins and ends."""
    ends_a_text = cue["closing"] or cue["thanks"]
    start = (_LONG_GAP if ends_a_text else _GAP).match(text, cue.end()).end()  # type: ignore[union-attr]
    # In a shouted text capitals tell nothing: one word is taken.
    most = 1 if cue[0].isupper() and len(cue[0]) > 2 and not ends_a_text else MOST_NAMES
    end = _run(text, start, most, any_case=bool(cue["title"] or cue["closing"]))
    if end == start or (cue["thanks"] and not _LINE_END.match(text, end)):
        return None
    return start, end


def _run(text: str, start: int, most: int = MOST_NAMES, any_case: bool = False) -> int:
    """The end of the words from `start` on that may be a name: capital first letters, or a script without any."""
    end, at, names, inner, small = start, start, 0, 0, any_case
    while names < most and inner <= MOST_NAMES and (word := _WORD.match(text, at)):
        bare = word[0].rstrip(".")
        at = word.end() + (text[word.end() : word.end() + 1] == " ")
        if bare in _INNER or bare.lower() in _TITLES:
            inner += 1
            continue
        # "my name is anna kowalska", but "Mrs Smith was".
        small &= bare[0].islower() and names < 2
        if bare.lower() in _ORDINARY or (bare[0].islower() and not small):
            break
        names += 1
        sentence_ends = word[0].endswith(".") and len(bare) > 1
        end = word.end() - sentence_ends
        if sentence_ends:
            break
    return end
