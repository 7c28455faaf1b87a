"""What comments talk about, read from an editable file: themes and tones as words and phrases, checked line by line."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .errors import CxError, refuse, shortened, unknown

BUNDLED = Path(__file__).resolve().parent.parent / "data" / "comment_themes.toml"
TONES = ("positive", "negative")
WORDS = ("negators", "breaks")
RESERVED = ("no theme", "all comments", *TONES)
LARGEST = 1_000_000  # bytes; one written by a person is far smaller
MOST_THEMES, MOST_PATTERNS, LONGEST = 40, 600, 80
MOST_WORDS = 6
# A word of a pattern: letters and digits, with * before or after at least two of them.
WORD = re.compile(r"(?:\*?[^\W_]{2,}\*?|[^\W_])")
APART = re.compile(r"[^\w*]+|_+")


@dataclass(frozen=True)
class Lexicon:
    """Patterns as regular expressions over words that stand between single spaces (see `spelled`)."""

    path: Path
    themes: Mapping[str, str]  # theme -> what counts
    except_for: Mapping[str, str]  # theme -> what does not
    tones: tuple[tuple[str, str], ...]  # tone, expression; phrases first
    negators: str
    breaks: str


def read_lexicon(path: str | Path | None = None) -> Lexicon:
    """The themes and tones of a file, `data/comment_themes.toml` by default; every fault names file and line."""
    path = Path(path) if path is not None else BUNDLED
    text = _text(path)
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise CxError(f"{path.name}: not valid TOML: {shortened(error)}") from None
    except RecursionError:
        raise CxError(f"{path.name}: not valid TOML: nested too deeply") from None
    lines = text.splitlines()
    refuse(f"{path.name}, line {line}: {fault}" for line, fault in sorted(_faults(raw, lines)))
    themes, tone = raw["themes"], raw.get("tone", {})
    counts = {name: [one for one in patterns if not one.startswith("!")] for name, patterns in themes.items()}
    excluded = {name: [one[1:] for one in patterns if one.startswith("!")] for name, patterns in themes.items()}
    return Lexicon(
        path,
        {name: expression(patterns) for name, patterns in counts.items()},
        {name: expression(patterns) for name, patterns in excluded.items() if patterns},
        tuple(_by_length(tone)),
        *(expression(tone.get(name, [])) for name in WORDS),
    )


def expression(patterns: Iterable[str]) -> str:
    """One regular expression for patterns, "" for none: linear in RE2, and without anything a file could inject."""
    spelt = sorted({"  ".join(word.replace("*", "[^ ]*") for word in spelled(one)) for one in patterns})
    return f" (?:{'|'.join(sorted(spelt, key=len, reverse=True))}) " if spelt else ""


def spelled(pattern: str) -> list[str]:
    """The words of a pattern as they stand in comments that are made plain: small letters, "don't" as "do not"."""
    return [word for word in APART.split(re.sub("n['’ʼ]t", " not ", pattern.lower())) if word]


def _text(path: Path) -> str:
    try:
        if (size := path.stat().st_size) > LARGEST:
            raise CxError(
                f"{path.name}: a file of themes must have at most {LARGEST:,} bytes, not {size:,}; keep only words"
            )
        return path.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        raise CxError(f"{path.name}: must be UTF-8, it is not at byte {error.start}; save it as UTF-8") from None
    except OSError as error:
        raise CxError(f"{path.name}: cannot be read: {error.strerror}") from None


def _by_length(tone: Mapping[str, list[str]]) -> Iterator[tuple[str, str]]:
    """Phrases before words, or "did not answer" would lose its "answer"."""
    for phrases in (True, False):
        for name in TONES:
            part = [one for one in tone.get(name, []) if (len(spelled(one)) > 1) is phrases]
            if part:
                yield name, expression(part)


def _faults(raw: Mapping[str, Any], lines: list[str]) -> Iterator[tuple[int, str]]:
    """Line and text of all that is wrong."""
    for key in raw:
        if key not in ("themes", "tone"):
            yield _line(lines, key), unknown("table", key, ("themes", "tone"))
    themes, tone = raw.get("themes"), raw.get("tone", {})
    if not isinstance(themes, dict) or not themes:
        yield _line(lines, "themes"), 'there must be [themes] with at least one, such as service = ["support"]'
        themes = {}
    if not isinstance(tone, dict):
        yield (
            _line(lines, "tone"),
            f'[tone] must be a table, not {shortened(tone)}; write [tone] and negative = ["slow"]',
        )
        tone = {}
    if len(themes) > MOST_THEMES:
        yield _line(lines, "themes"), f"there must be at most {MOST_THEMES} themes, not {len(themes)}; merge some"
    for name, patterns in themes.items():
        if name in RESERVED or not name.strip():
            yield _line(lines, name), f"a theme cannot be named '{shortened(name)}'; give it another name"
        yield from _list_faults(name, patterns, lines, "!")
    for name, patterns in tone.items():
        if name not in (*TONES, *WORDS):
            yield _line(lines, name), unknown("key", name, (*TONES, *WORDS), "[tone]")
        yield from _list_faults(name, patterns, lines)
    yield from _two_tones(tone, lines)


def _list_faults(name: str, patterns: Any, lines: list[str], first: str = "") -> Iterator[tuple[int, str]]:
    if not isinstance(patterns, list) or not 0 < len(patterns) <= MOST_PATTERNS:
        told = f"'{shortened(name)}' must be a list of 1 to {MOST_PATTERNS} patterns"
        yield _line(lines, name), f"{told}, not {shortened(patterns, 40)}"
        return
    for one in patterns:
        if fault := _pattern_fault(one, first):
            yield _line(lines, name, one), f"pattern {shortened(repr(one), 60)} of '{shortened(name)}' {fault}"
    if first and all(isinstance(one, str) and one.startswith(first) for one in patterns):
        yield _line(lines, name), f"theme '{shortened(name)}' must have a pattern that counts, not only exceptions"


def _pattern_fault(pattern: Any, first: str) -> str:
    """What is wrong with a pattern, or nothing."""
    if not isinstance(pattern, str):
        return "must be a text; put it in quotes"
    words = pattern.removeprefix(first) if first else pattern
    if odd := re.search(r"[^\w\s*'’ʼ-]|_", words):
        return f"must hold words, spaces, hyphens, apostrophes and *, but holds '{odd[0]}'; leave it out"
    if len(words) > LONGEST:
        return f"must have at most {LONGEST} signs, not {len(words)}"
    parts = spelled(words)
    if not 0 < len(parts) <= MOST_WORDS:
        return f"must have 1 to {MOST_WORDS} words, not {len(parts)}"
    if bad := [word for word in parts if not WORD.fullmatch(word)]:
        return f"has '{bad[0]}': a * must come before or after at least two letters, as in deliver*"
    return ""


def _two_tones(tone: Mapping[str, Any], lines: list[str]) -> Iterator[tuple[int, str]]:
    lists = [tone[name] for name in TONES if isinstance(tone.get(name), list)]
    if len(lists) == len(TONES):
        texts = [{" ".join(spelled(one)): one for one in part if isinstance(one, str)} for part in lists]
        for both in sorted(set(texts[0]) & set(texts[1])):
            yield (
                _line(lines, TONES[1], texts[1][both]),
                f"pattern '{shortened(both)}' must have one tone, it has both; keep one",
            )


def _line(lines: list[str], key: str, pattern: Any = None) -> int:
    """The line of a key, or of a pattern of its list; 1 where the file spells it in a way not looked for."""
    bare = re.escape(str(key))
    start = re.compile(rf"""\s*(?:\[+\s*)?["']?{bare}["']?\s*(?:=|\])""")
    first = next((i for i, line in enumerate(lines) if start.match(line)), 0)
    if pattern is None:
        return first + 1
    quoted = (f'"{pattern}"', f"'{pattern}'") if isinstance(pattern, str) else (str(pattern),)
    return next((i for i, line in enumerate(lines[first:], first) if any(q in line for q in quoted)), first) + 1
