"""Comments read clause by clause: what each clause names and in which tone, added up for each comment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

import narwhals as nw

from . import engine
from .errors import CxError, shortened
from .lexicon import Lexicon

NEAR = 2  # words between a negator and the tone it turns


@dataclass(frozen=True)
class Read:
    """Comments classified, a row each: `total` (tone of the whole), `m0`… (theme told of) and `t0`… (its tone)."""

    frame: nw.LazyFrame[Any]
    themes: tuple[str, ...]


def text_view(data: Any, comment: str, others: Sequence[str]) -> engine.View:
    """A frame whose column `comment` holds text, and that has the `others`."""
    seen = engine.view(data)
    engine.require(seen, [comment, *others])
    if seen.frame.collect_schema()[seen.at[comment]] not in (nw.String, nw.Categorical, nw.Enum):
        raise CxError(f"column '{shortened(comment)}' must hold text, it does not; name the column of the comments")
    return seen


def classified(seen: engine.View, comment: str, kept: Mapping[str, nw.Expr], words: Lexicon) -> Read:
    """Themes and tones of each comment, the engine's own regular expressions at work on one clause after the other."""
    # What is no comment goes before it is made plain: engines would make it so once more for the filter.
    said = seen[comment].cast(nw.String)
    spoken = engine.View(seen.frame.filter(said.str.contains(r"[\p{L}\p{N}]")), seen.at, seen.kind)
    lazy = engine.bucketed(spoken, None, None).select(
        nw.col("bucket"), *(value.alias(name) for name, value in kept.items()),
        _plain(said, words).alias("text"),
    )  # fmt: skip
    signs = _turned(reduce(_marked, words.tones, nw.col("text")), words)
    lazy = engine.by_line(lazy.with_columns(signs.str.replace_all("[^+<>\n-]+", "").alias("signs")), ("text", "signs"))
    hits = [_names(words, name).alias(f"m{i}") for i, name in enumerate(words.themes)]
    up, down = (nw.col("signs").str.replace_all(sign, "").str.len_chars() for sign in ("[-<]+", "[+>]+"))
    lazy = lazy.select("bucket", *kept, *hits, (up - down).cast(nw.Float64).alias("tone"))
    tones = [nw.when(nw.col(f"m{i}")).then(nw.col("tone")).otherwise(0.0).alias(f"t{i}") for i in range(len(hits))]
    sums = [nw.col("tone").sum().alias("total")]
    for i in range(len(hits)):
        sums += [nw.col(f"m{i}").any(), nw.col(f"t{i}").sum()]
    lazy = lazy.with_columns(*tones).group_by("bucket", *kept).agg(*sums)
    # Clauses on a theme that balance or say nothing: the comment as a whole speaks for them.
    settled = [nw.when(nw.col(f"t{i}") == 0).then(nw.col("total")).otherwise(nw.col(f"t{i}")).alias(f"t{i}")
               for i in range(len(hits))]  # fmt: skip
    return Read(lazy.with_columns(*settled), tuple(words.themes))


def _plain(text: nw.Expr, words: Lexicon) -> nw.Expr:
    """Words in small letters, each between spaces of its own, a clause a line: patterns need no look-around."""
    text = text.str.to_lowercase().str.replace_all("n['’ʼ]t", " not ").str.replace_all(r"[.!?;:()\n\r]+", " \n ")
    text = text.str.replace_all(r"[^\p{L}\p{N}\n]+", "  ").str.replace_all("^|$", " ")
    return text.str.replace_all(words.breaks, " \n ") if words.breaks else text


def _marked(text: nw.Expr, tone: tuple[str, str]) -> nw.Expr:
    return text.str.replace_all(tone[1], " + " if tone[0] == "positive" else " - ")


def _turned(signs: nw.Expr, words: Lexicon) -> nw.Expr:
    """A sign that follows a negator, with at most NEAR words between them, turned."""
    if not words.negators:
        return signs
    before = f"{words.negators}(?: [^ \n+<>-]+ ){{0,{NEAR}}} "
    return signs.str.replace_all(before + r"\+ ", " < ").str.replace_all(before + "- ", " > ")


def _names(words: Lexicon, theme: str) -> nw.Expr:
    text = nw.col("text")
    if theme in words.except_for:
        text = text.str.replace_all(words.except_for[theme], "  ")
    return text.str.contains(words.themes[theme])
