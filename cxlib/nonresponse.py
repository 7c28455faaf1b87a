"""Who did not answer, and what that could do to a result: the funnel of a survey, and tipping points."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from . import changes, engine, scores
from .errors import CxError, refuse, shortened, unknown
from .intervals import quantile
from .periods import stamp_faults
from .schema import TOO_FEW, results
from .shares import Row, group_keys, named, share_row, weight_sums, weighted

POINTS = 100.0
MOST_GROUPS = 12


def survey_funnel(
    data: Any,
    by: str | Sequence[str] | None = None,
    level: float = 0.95,
    score: str = "recommend",
    sent: str = "sent_at",
    answered: str = "answered_at",
) -> pd.DataFrame:
    """From invitations to answers that can be used.

    Parameters
    ----------
    data : frame with one row per invitation, such as `tables.surveys`
    by : column or columns to group by
    level : confidence, between 0 and 1
    score : column of the answer that is wanted; empty = not given
    sent, answered : columns of stamps; answered empty = no answer

    Returns
    -------
    Result columns, term "funnel"; measures sent, answered and usable (invitations), response_rate (answered of sent)
    and usable_rate (with a score, of sent), both shares with Wilson limits.

    Raises
    ------
    CxError : missing columns, texts for stamps, answers before their invitation, scores without an answer.

    Notes
    -----
    Invitations of the last days may still be answered: leave them out, or the rate is too low.

    >>> import datetime as dt
    >>> day = [dt.datetime(2026, 1, 1)] * 4
    >>> asked = pd.DataFrame({"sent_at": day, "answered_at": [*day[:2], None, None], "recommend": [9, *[None] * 3]})
    >>> survey_funnel(asked)["estimate"].tolist()
    [4.0, 2.0, 1.0, 0.5, 0.25]
    """
    groups = scores.grouping(by)
    quantile(level)
    seen = engine.view(data, "surveys")
    refuse(
        unknown("column", name, seen.at, "surveys") for name in (sent, answered, score, *groups) if name not in seen.at
    )
    refuse(stamp_faults(seen, [sent, answered]))
    there, known = ~seen[answered].is_null(), ~seen[score].is_null()
    state = {"answered": there, "usable": there & known, "odd": ~there & known,
             "back": (seen[answered] < seen[sent]).fill_null(False)}  # fmt: skip
    _, sums = weight_sums(seen, None)
    keys = group_keys(seen, groups) | state
    lazy = seen.frame.select(*(e.alias(name) for name, e in keys.items())).group_by(*keys).agg(*sums)
    counts = weighted(engine.collect(lazy, list(keys)), None)
    refuse(_funnel_faults(counts, score, sent, answered))
    rows = []
    for own, group in named(groups, counts):
        fixed = {**own, "term": "funnel"}
        of = {"sent": np.ones(len(group), bool), **{name: group[name].astype(bool) for name in ("answered", "usable")}}
        n = group["rows"].sum()
        rows += [{**fixed, "measure": name, "estimate": group.loc[hit, "rows"].sum(), "n": n, "unit": "invitations",
                  "method": "count"} for name, hit in of.items()]  # fmt: skip
        for name, measure in (("answered", "response_rate"), ("usable", "usable_rate")):
            rows.append({**fixed, "measure": measure, **share_row(group, of[name], int(n), None, level)})
    return results(rows, groups)


def tipping_points(
    data: Any,
    by: str,
    score: str = "recommend",
    level: float = 0.95,
    scale: tuple[int, int] = (0, 10),
) -> pd.DataFrame:
    """How far those who did not answer would have to differ from those who did to overturn a comparison of groups.

    Parameters
    ----------
    data : frame with one row per person asked; an empty score is no answer
    by : column of the groups that are compared, 2 to 12
    score, level, scale : as in `nps`

    Returns
    -------
    Result columns; term "a - b" with the group of higher NPS first; measures, in points,
    difference (of the NPS of those who answered, with its interval),
    lowest and highest (difference if all who are silent in a were detractors and in b promoters, and the reverse),
    one_sided (how much lower the silent of a alone would have to score than its answers to make the two equal),
    alike (the same if the silent of both groups scored lower, by the same amount; below 0 = higher).
    A tipping point that no scores can reach has no estimate, and its note says that silence alone cannot overturn.

    Notes
    -----
    NPS of all asked = r s + (1 - r)(s - d), r the response rate and d the points by which the silent score lower.

    Source: Manski (1989) for the bounds.

    >>> asked = pd.DataFrame({"group": list("aaaabbbb"), "recommend": [9, 9, 9, None, 9, 9, 3, None]})
    >>> tipping_points(asked, "group").set_index("measure")["estimate"].round(1).to_dict()["difference"]
    66.7
    """
    groups, (first, last) = scores.grouping(by), scores.ends(scale)
    quantile(level)
    seen = engine.view(data)
    engine.require(seen, [score, *groups])
    counts = scores.counted(seen, score, groups, {})
    refuse(scores.score_faults(counts, seen, score, first, last))
    counts["u"] = scores.classes(counts["score"], last)
    names = [key[0] for key in scores.levels(counts, groups)]
    if len(groups) != 1 or not 2 <= len(names) <= MOST_GROUPS:
        raise CxError(f"by must name one column of 2 to {MOST_GROUPS} groups, '{shortened(by)}' has {len(names)}")
    table = np.column_stack(scores.class_counts(counts, len(names)))
    asked = scores.per_group(counts, len(names), counts["rows"])
    rows: list[Row] = []
    for i, j in combinations(range(len(names)), 2):
        net = [(table[k, 2] - table[k, 0]) / max(table[k].sum(), 1) for k in (i, j)]
        a, b = (i, j) if net[0] >= net[1] else (j, i)
        shared = {"term": f"{names[a]} - {names[b]}", "level": level, "unit": "points",
                  "n": min(table[a].sum(), table[b].sum())}  # fmt: skip
        rows += [{**shared, **row} for row in _tipping(table[a], table[b], asked[a], asked[b], level)]
    return results(rows)


def _tipping(a: np.ndarray, b: np.ndarray, asked_a: float, asked_b: float, level: float) -> list[Row]:
    if not a.sum() or not b.sum():
        return [{"measure": "difference", "note": TOO_FEW}]
    (s, r), (t, q) = (((x[2] - x[0]) / x.sum(), x.sum() / asked) for x, asked in ((a, asked_a), (b, asked_b)))
    found = changes.differences(b[None, :], a[None, :], level=level)["change"]
    estimate, error, lower, upper = (float(np.squeeze(x)) for x in found)
    numbers = {"estimate": estimate, "std_error": error, "lower": lower, "upper": upper}
    rows: list[Row] = [{"measure": "difference", **numbers, "method": "adjusted Wald, those who answered"}]
    bounds = (r * s - (1 - r)) - (q * t + (1 - q)), (r * s + (1 - r)) - (q * t - (1 - q))
    rows += [{"measure": name, "estimate": value, "method": "all silent at the ends of the scale"}
             for name, value in zip(("lowest", "highest"), bounds, strict=True)]  # fmt: skip
    one = estimate / (1 - r) if r < 1 else np.inf
    both = estimate / (q - r) if q != r else np.inf
    room = min(s, t) + 1 if both > 0 else 1 - max(s, t)  # how far the silent can be from the answers within the scale
    reach = {"one_sided": (one, s + 1), "alike": (both, room)}
    told = {"one_sided": f"response rates {r:.1%} and {q:.1%}; the silent of the first group alone differ",
            "alike": f"response rates {r:.1%} and {q:.1%}; the silent of both differ alike"}  # fmt: skip
    for name, (value, most) in reach.items():
        possible = abs(value) <= most + 1e-12
        note = "" if possible else "no scores of the silent can overturn it in this way"
        rows.append({"measure": name, "estimate": value if possible else np.nan, "method": told[name], "note": note})
    return [
        {k: POINTS * v if k in ("estimate", "std_error", "lower", "upper") else v for k, v in row.items()}
        for row in rows
    ]


def _funnel_faults(counts: pd.DataFrame, score: str, sent: str, answered: str) -> list[str]:
    odd, back = (int(counts.loc[counts[name].astype(bool), "rows"].sum()) for name in ("odd", "back"))
    faults = []
    if back:
        faults.append(
            f"surveys: '{shortened(answered)}' must not lie before '{shortened(sent)}', in {back:,} rows it does"
        )
    if odd:
        faults.append(f"surveys: a score needs an answer, but {odd:,} rows have '{shortened(score)}' and no "
                      f"'{shortened(answered)}'")  # fmt: skip
    return [f"{fault}; correct them or leave them out" for fault in faults]
