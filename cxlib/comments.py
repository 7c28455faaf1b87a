"""What comments talk about, how often and in which tone, by a lexicon anyone can edit; and how well that does."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import reduce
from pathlib import Path
from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd

from . import engine, scores
from .clauses import Read, classified, text_view
from .errors import CxError, refuse, shortened, unknown
from .intervals import quantile
from .lexicon import TONES, read_lexicon
from .masking import masked
from .schema import TOO_FEW, results
from .shares import Row, group_keys, kappa_row, named, net_row, share_row, weight_sums, weighted

NO_THEME, WHOLE = "no theme", "all comments"
NEGATIVE, UNCLEAR, POSITIVE = -1, 0, 1
STATES = {NEGATIVE: "neg", UNCLEAR: "none", POSITIVE: "pos"}
METHOD = "lexicon"
CELLS = ("tp", "fp", "fn", "tn")  # found and labelled, found only, labelled only, neither
SUMS = ("rows", "weight", "square", "least", "weighted")  # of `weight_sums`
LOOKED_THROUGH = 5_000  # comments that examples are taken from


def comment_themes(
    data: Any,
    comment: str = "comment",
    by: str | Sequence[str] | None = None,
    level: float = 0.95,
    weights: str | None = None,
    lexicon: str | Path | None = None,
) -> pd.DataFrame:
    """Share of comments by theme, several themes a comment, and the tone in which each theme is told of.

    Parameters
    ----------
    data : frame with one row per comment, answer or ticket
    comment : column of free text; rows without a letter or digit are no comments
    by : column or columns to group by
    level : confidence, between 0 and 1
    weights : column of weights, 0 or more
    lexicon : file of themes and tones; default data/comment_themes.toml

    Returns
    -------
    Result columns. term = theme or "no theme": share (of all comments, n). term = theme or "all comments": positive
    and negative (shares of the comments on it, n) and net (points from -100 to 100). The rest are of unclear tone.

    Raises
    ------
    CxError : a missing column or one that is not text; no comment; a bad pattern, with file and line.

    Notes
    -----
    The tone of a theme is that of the clauses that name it, positive less negative words, a negator turning the next
    one; where these balance, that of the whole comment. Wilson and Tango intervals; they hold sampling error, not what
    the lexicon gets wrong: see `comment_agreement`. Checked against sentences whose themes and tones are known.

    Source: Wilson (1927); Tango (1998).

    >>> said = ["Not expensive, but support was rude.", "No problem with delivery!", "", None]
    >>> found = comment_themes(pd.DataFrame({"comment": said})).query("measure == 'net' and n > 0")
    >>> found[["term", "estimate"]].to_numpy().tolist()[:3]
    [['all comments', 50.0], ['service', -100.0], ['staff', -100.0]]
    """
    groups = scores.grouping(by)
    quantile(level)
    seen = text_view(data, comment, groups)
    w, sums = weight_sums(seen, weights)
    kept = {**group_keys(seen, groups), **w}
    read = classified(seen, comment, kept, read_lexicon(lexicon))
    keys = list(group_keys(seen, groups))
    summed = _summed(read, keys, bool(w), sums)
    counts = weighted(summed[[*keys, *(name for name in SUMS if name in summed)]], weights)
    if not counts["rows"].sum():
        raise CxError(f"column '{shortened(comment)}' must hold at least one comment; it has none; name another column")
    sample = int(counts["rows"].sum())
    rows = [{**own, **row} for own, group in named(groups, counts)
            for row in _rows(summed.loc[group.index], read.themes, sample, weights, level)]  # fmt: skip
    return results(rows, groups)


def comment_agreement(
    data: Any,
    labels: Mapping[str, str],
    comment: str = "comment",
    level: float = 0.95,
    lexicon: str | Path | None = None,
) -> pd.DataFrame:
    """How well the lexicon finds what people who read the comments say is in them.

    Parameters
    ----------
    labels : theme, or "positive" or "negative" for the tone of the whole comment -> column of true/false (or 0/1) that
        says whether the comment is about it; empty = not read
    data, comment, level, lexicon : as in `comment_themes`

    Returns
    -------
    Result columns, term = theme or tone; measures precision (share of the comments found that are labelled so),
    recall (share of those labelled so that are found) and kappa (0 = as by chance, 1 = always; n = comments labelled).

    Raises
    ------
    CxError : as `comment_themes`; a theme the lexicon does not have; labels other than true/false or 0/1.

    Notes
    -----
    A rating is no label of a tone, yet tells: agreement above chance is what to ask of it. Wilson intervals; kappa's
    error is the asymptotic one, from statsmodels. Comments count as independent.

    Source: Cohen (1960); Fleiss, Cohen & Everitt (1969).

    >>> read = pd.DataFrame({"comment": ["Support was slow", "Too expensive"] * 10, "on_service": [True, False] * 10})
    >>> comment_agreement(read, {"service": "on_service"})["estimate"].tolist()
    [1.0, 1.0, 1.0]
    """
    quantile(level)
    if not isinstance(labels, Mapping) or not labels:
        raise CxError(f"labels must be {{theme: column}}, not {shortened(labels)}")
    seen, words = text_view(data, comment, list(labels.values())), read_lexicon(lexicon)
    refuse(unknown("theme", name, [*words.themes, *TONES], "labels")
           for name in labels if name not in words.themes and name not in TONES)  # fmt: skip
    kept = {f"l{i}": _flag(seen, column) for i, column in enumerate(labels.values())}
    read = classified(seen, comment, kept, words)
    sums: list[nw.Expr] = []
    for i, name in enumerate(labels):
        label, found = nw.col(f"l{i}"), _found(read, name)
        parts = (found & (label == 1), found & (label == 0), ~found & (label == 1), ~found & (label == 0))
        sums += [part.cast(nw.Float64).sum().alias(f"{name}{i}") for name, part in zip(CELLS, parts, strict=True)]
        sums.append((~label.is_null() & (label != 0) & (label != 1)).cast(nw.Float64).sum().alias(f"odd{i}"))
    counted = engine.collect(read.frame.select(*sums)).fillna(0.0).iloc[0]
    refuse(f"labels: column '{shortened(column)}' must hold true/false or 0/1, but {counted[f'odd{i}']:,.0f} rows hold "
           "another value; recode them" for i, column in enumerate(labels.values()) if counted[f"odd{i}"])  # fmt: skip
    return results(
        row for i, name in enumerate(labels)
        for row in _agreed(name, {state: counted[f"{state}{i}"] for state in CELLS}, level)
    )  # fmt: skip


def comment_examples(
    data: Any,
    show_comments: bool,
    comment: str = "comment",
    most: int = 2,
    minimum_group: int = 10,
    lexicon: str | Path | None = None,
) -> pd.DataFrame | None:
    """Some comments on each theme, masked; None unless the study says that comments may be shown.

    Parameters
    ----------
    show_comments : `study.privacy.show_comments`; anything but True shows nothing
    most : comments a theme, 1 or more
    minimum_group : themes with fewer comments are left out
    data, comment, lexicon : as in `comment_themes`

    Returns
    -------
    Columns theme, tone (positive, negative, unclear) and comment, in the order of the lexicon: the first comments of
    the data, no sample of them. Who wrote them is not among the columns.

    Notes
    -----
    Masking takes out what can be recognised (see `masked`); a name in the middle of a sentence cannot.

    >>> comment_examples(pd.DataFrame({"comment": ["Support was slow"]}), show_comments=False) is None
    True
    """
    if show_comments is not True:
        return None
    seen = text_view(data, comment, [])
    first = seen.frame.filter(~seen[comment].is_null()).head(LOOKED_THROUGH)
    few = engine.View(first, seen.at, seen.kind)
    read = classified(few, comment, {"raw": few[comment]}, read_lexicon(lexicon))
    found, parts = engine.collect(read.frame, order=["bucket"]), []
    for i, theme in enumerate(read.themes):
        own = found[found[f"m{i}"].astype(bool)]
        if len(own) >= minimum_group:
            tone = np.select([own[f"t{i}"] > 0, own[f"t{i}"] < 0], ["positive", "negative"], "unclear")
            part = pd.DataFrame({"theme": theme, "tone": tone, "comment": own["raw"]})
            parts.append(part.drop_duplicates("comment").head(most))
    shown = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=["theme", "tone", "comment"])
    return shown.assign(comment=shown["comment"].map(masked))


def _flag(seen: engine.View, column: str) -> nw.Expr:
    if seen.kind[column] != engine.NUMBER and seen.frame.collect_schema()[seen.at[column]] != nw.Boolean:
        raise CxError(f"labels: column '{shortened(column)}' must hold true/false or 0/1, not words; compare it first")
    return seen[column].cast(nw.Float64)


def _found(read: Read, name: str) -> nw.Expr:
    if name in TONES:
        return nw.col("total") > 0 if name == "positive" else nw.col("total") < 0
    return nw.col(f"m{read.themes.index(name)}")


def _summed(read: Read, keys: Sequence[str], weighs: bool, sums: Sequence[nw.Expr]) -> pd.DataFrame:
    """By group: rows, weight and squared weight of comments without a theme, of all by tone, of each theme by tone."""
    w = nw.col("w") if weighs else nw.lit(1.0)
    any_theme = reduce(lambda a, b: a | b, (nw.col(f"m{i}") for i in range(len(read.themes))))
    inside = {"no_theme": ~any_theme}
    for sign, state in STATES.items():
        inside[f"total_{state}"] = _has(nw.col("total"), sign)
        inside |= {f"t{i}_{state}": nw.col(f"m{i}") & _has(nw.col(f"t{i}"), sign) for i in range(len(read.themes))}
    parts = {"rows": nw.lit(1.0)} | ({"weight": w, "square": w * w} if weighs else {})
    lazy = read.frame.with_columns(
        *(nw.when(part).then(value).otherwise(0.0).alias(f"{name}_{what}")
          for name, part in inside.items() for what, value in parts.items())
    )  # fmt: skip
    added = [nw.col(f"{name}_{what}").sum() for name in inside for what in parts]
    asked = lazy.group_by(*keys).agg(*sums, *added) if keys else lazy.select(*sums, *added)
    return engine.collect(asked, list(keys))


def _has(tone: nw.Expr, sign: int) -> nw.Expr:
    return tone > 0 if sign == POSITIVE else tone < 0 if sign == NEGATIVE else tone == 0


def _rows(
    group: pd.DataFrame, themes: Sequence[str], sample: int, weights: str | None, level: float
) -> Iterator[dict[str, object]]:
    """The rows of one group."""
    whole = _parts(group, [f"total_{state}" for state in STATES.values()])
    yield from ({"term": WHOLE, **row} for row in _toned(whole, sample, weights, level))
    for i, theme in enumerate(themes):
        states = _parts(group, [f"t{i}_{state}" for state in STATES.values()])
        yield {"term": theme, "measure": "share", **_among(states, whole, sample, weights, level)}
        yield from ({"term": theme, **row} for row in _toned(states, sample, weights, level))
    none = _parts(group, ["no_theme"])
    yield {"term": NO_THEME, "measure": "share", **_among(none, whole, sample, weights, level)}


def _parts(group: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    """Rows, weight and squared weight of each part, as the measures of `shares` take them."""
    return pd.DataFrame(
        {what: [float(group.get(f"{name}_{what}", group[f"{name}_rows"]).sum()) for name in names]
         for what in ("rows", "weight", "square")}
    )  # fmt: skip


def _among(part: pd.DataFrame, whole: pd.DataFrame, sample: int, weights: str | None, level: float) -> Row:
    inside, every = part.sum(), whole.sum()
    row = share_row(pd.DataFrame([inside, every - inside]), np.array([True, False]), sample, weights, level)
    return {**row, "method": f"{METHOD}; {row['method']}"}


def _toned(states: pd.DataFrame, sample: int, weights: str | None, level: float) -> Iterator[Row]:
    """Positive, negative and net of the comments of one theme; `states` in the order of STATES."""
    sides, note = np.array(list(STATES)), "" if states["rows"].sum() else TOO_FEW
    rows = {"positive": share_row(states, sides == POSITIVE, sample, weights, level),
            "negative": share_row(states, sides == NEGATIVE, sample, weights, level),
            "net": net_row(states, sides, sample, weights, level)}  # fmt: skip
    for measure, row in rows.items():
        yield {"measure": measure, **row, "method": f"{METHOD}; {row['method']}", "note": note}


def _agreed(term: str, cells: Mapping[str, float], level: float) -> Iterator[Row]:
    tp, fp, fn, tn = (float(cells[name]) for name in CELLS)
    for measure, miss in (("precision", fp), ("recall", fn)):
        counts = pd.DataFrame({what: [tp, miss] for what in ("rows", "weight", "square")})
        row = share_row(counts, np.array([True, False]), int(tp + miss), None, level)
        yield {"term": term, "measure": measure, **row, "note": "" if tp + miss else TOO_FEW}
    yield {"term": term, "measure": "kappa", **kappa_row(np.array([[tp, fp], [fn, tn]]), level)}
