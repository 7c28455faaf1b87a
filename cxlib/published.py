"""What has been published about service and experience: how sure it is, whether it adds up, whether it holds here."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from .errors import CxError, beginning, ending, refuse, shortened, unknown
from .intervals import quantile, wilson
from .schema import TOO_FEW, results

CLAIMS = Path(__file__).resolve().parent.parent / "data" / "published_claims.csv"
COLUMNS = ("label", "claim", "about", "value", "relation", "unit", "population", "n", "part_of", "year", "source",
           "test", "untestable")  # fmt: skip
RELATIONS = ("equals", "more than", "less than")
SHARE, PEOPLE = "share", "respondents"
ROUNDED = 0.005  # shares are published in whole per cent
CONSISTENT, NOT_CONSISTENT, UNTESTABLE = "consistent", "not consistent", "cannot be tested with these data"


@dataclass(frozen=True)
class Verdict:
    """What a study says of a claim, why, and by how much its estimate exceeds the published value (with limits)."""

    verdict: str
    because: str
    difference: float = np.nan
    lower: float = np.nan
    upper: float = np.nan


def published_claims(path: str | Path | None = None) -> pd.DataFrame:
    """The published claims, one row each by name, as cited and with how each is tested.

    Parameters
    ----------
    path : CSV file with the columns below; default data/published_claims.csv

    Returns
    -------
    Columns label (the claim in a few words), claim, about, value (shares as fractions; not a number where the claim
    gives none), relation ("equals", "more than", "less than"), unit, population, n and year (empty where the source is
    cited without), part_of (name of the claim that this one is a part of), source, test, untestable (what would make
    it untestable).

    Raises
    ------
    CxError : a file that cannot be read; a missing column; names given twice; a value, n or relation that is none.

    >>> float(published_claims().loc["cx_marketing", "value"])
    0.58
    """
    path = Path(path) if path is not None else CLAIMS
    try:
        raw = pd.read_csv(path, dtype=str, keep_default_na=False)
    except (OSError, ValueError) as error:  # pandas tells of bytes, lines and signs that are none as values
        raise CxError(f"{ending(path.name)}: cannot be read as CSV: {beginning(error)}") from None
    refuse(unknown("column", name, raw.columns, path.name) for name in ("name", *COLUMNS) if name not in raw)
    claims = raw.set_index("name")[list(COLUMNS)]
    refuse(f"{path.name}: {fault}" for fault in _faults(claims))
    numbers = {name: pd.to_numeric(claims[name].where(claims[name] != "")) for name in ("value", "n", "year")}
    return claims.assign(value=numbers["value"].astype(float), n=numbers["n"].astype("Int64"),
                         year=numbers["year"].astype("Int64"))  # fmt: skip


def claim_margins(claims: pd.DataFrame | None = None, level: float = 0.95) -> pd.DataFrame:
    """The margin that the published number of respondents allows, for each claim that gives one.

    Parameters
    ----------
    claims : from `published_claims`, the default
    level : confidence, between 0 and 1

    Returns
    -------
    Result columns, one row per share with an n, and per number of respondents that is a part of n: term = name of the
    claim, measure "published" (share).

    Notes
    -----
    Wilson, as if the respondents were a random sample of the population named; a panel that volunteers is not, and its
    true margin is wider by an amount that nobody can compute. Claims without n have no margin and no row.

    Source: Wilson (1927), by statsmodels.

    >>> claim_margins().query("term == 'cx_marketing'")[["estimate", "lower", "upper"]].round(3).to_numpy().tolist()
    [[0.58, 0.531, 0.627]]
    """
    quantile(level)
    claims = _given(claims)
    rows = []
    for name, claim in claims[claims["n"].notna() & claims["value"].notna()].iterrows():
        n = int(claim["n"])
        share = float(claim["value"]) / (n if claim["unit"] == PEOPLE else 1)
        if claim["unit"] in (SHARE, PEOPLE) and n > 0 and not (claim["unit"] == PEOPLE and not claim["part_of"]):
            lower, upper = (float(limit) for limit in wilson(share * n, n, level))
            rows.append({"term": name, "measure": "published", "estimate": share, "lower": lower, "upper": upper,
                         "std_error": np.sqrt(share * (1 - share) / n), "level": level, "n": n, "unit": SHARE,
                         "method": "Wilson, published n"})  # fmt: skip
    return results(rows)


def claim_consistency(claims: pd.DataFrame | None = None) -> pd.DataFrame:
    """Whether the published parts of a whole add up to it.

    Parameters
    ----------
    claims : from `published_claims`, the default

    Returns
    -------
    Result columns; term = name of the whole, with the unit of its parts where they are of two. Measures parts (their
    sum), whole, and unnamed (whole less parts), each with the limits that rounding leaves (shares are published in
    whole per cent, numbers of respondents exactly); n = the published n. note = "adds up", "leaves a part unnamed" or
    "parts exceed the whole".

    Raises
    ------
    CxError : a part of a claim that is not there.

    Notes
    -----
    Shares that are parts of a number of respondents are shares of all of them, so their whole is 1.

    >>> claim_consistency().query("measure == 'unnamed'")[["term", "estimate"]].round(2).to_numpy().tolist()
    [['cx_survey', 0.0], ['cx_survey (share)', 0.0], ['cx_elsewhere', 0.19]]
    """
    claims = _given(claims)
    parts = claims[claims["part_of"].ne("") & claims["value"].notna()]
    refuse(unknown("claim", name, claims.index, "part_of") for name in parts["part_of"] if name not in claims.index)
    rows: list[dict[str, object]] = []
    wholes = sorted(parts.groupby(["part_of", "unit"]), key=lambda pair: _place(claims, *pair[0]))
    for (name, unit), own in wholes:
        whole = claims.loc[name]
        of_all = unit == SHARE and whole["unit"] != SHARE
        term = f"{name} ({unit})" if unit != whole["unit"] else name
        rows += _added(term, own["value"], 1.0 if of_all else float(whole["value"]), of_all, unit, whole["n"])
    return results(rows)


def claim_verdict(
    published: Mapping[str, Any] | pd.Series,
    result: pd.DataFrame | None = None,
    *at: tuple[str, str],
    because: str = "",
) -> Verdict:
    """Whether a published figure is consistent with a study's estimate, is not, or cannot be tested with these data.

    Parameters
    ----------
    published : a row of `published_claims`
    result : result table of the study; None where it feeds none
    *at : (term, measure) of the estimate, or of a lower and an upper bound between which the share lies
    because : why the data cannot test the claim, where that is known; default what the claim itself says

    Returns
    -------
    Verdict, with verdict, because, and for a tested claim the difference (estimate less published value; of two bounds
    that of the nearer one, 0 between them) and its limits, in the estimate's unit.

    Notes
    -----
    Consistent means not contradicted: the interval of the difference holds 0, or for "more than" something above it.
    Where the source gives an n, its margin is part of that interval (by the method of variance estimates recovery, for
    two shares Newcombe's); a share is taken as rounded to whole per cent. A wide interval is consistent with much. Of a
    claim that there are some, one is enough; none seen does not contradict it.

    Source: Newcombe (1998); Zou & Donner (2008).

    >>> claim = published_claims().loc["service_role"]
    >>> claim_verdict(claim).verdict
    'cannot be tested with these data'
    """
    value = float(published["value"])
    if because or not isinstance(result, pd.DataFrame) or not at or not np.isfinite(value):
        return Verdict(UNTESTABLE, because or str(published["untestable"]))
    found = [result[(result["term"] == term) & (result["measure"] == measure)] for term, measure in at]
    for rows, (term, measure) in zip(found, at, strict=True):
        if len(rows) > 1:
            raise CxError(f"claim_verdict: {term}.{measure} must be one row, not {len(rows)}; keep one group")
        if rows.empty or (rows["note"] == TOO_FEW).any() or rows[["lower", "upper"]].isna().any(axis=None):
            return Verdict(UNTESTABLE, f"this study gives no interval for {term}")
    units = {row["unit"].iloc[0] for row in found} | {published["unit"]}
    if len(units) > 1:
        raise CxError(f"claim_verdict: the estimate must be in the claim's unit, not {' and '.join(sorted(units))}")
    level = float(found[0]["level"].iloc[0])
    if published["relation"] == "more than" and value == 0 and not found[-1]["estimate"].iloc[0] > 0:
        n = int(found[-1]["n"].iloc[0])
        return Verdict(UNTESTABLE, f"none was seen among {n:,}, which does not show that there is none")
    low, high = (row[["estimate", "lower", "upper"]].iloc[0].astype(float) for row in (found[0], found[-1]))
    return _compared(published, value, low, high, level)


def _given(claims: pd.DataFrame | None) -> pd.DataFrame:
    """The claims given, else those of the kit."""
    if claims is None:
        return published_claims()
    columns = list(getattr(claims, "columns", ()))
    refuse(
        unknown("column", name, columns, "claims") for name in ("value", "unit", "n", "part_of") if name not in columns
    )
    return claims


def _compared(published: Any, value: float, low: Any, high: Any, level: float) -> Verdict:
    below, above = _margin(published, value, level)
    lower = low["estimate"] - value - np.hypot(low["estimate"] - low["lower"], above - value)
    upper = high["estimate"] - value + np.hypot(high["upper"] - high["estimate"], value - below)
    slack = ROUNDED if published["unit"] == SHARE and published["relation"] == "equals" else 0.0
    difference = max(low["estimate"] - value, 0.0) + min(high["estimate"] - value, 0.0)
    holds = {"equals": lower <= slack and upper >= -slack, "more than": upper > 0, "less than": lower < 0}
    verdict = CONSISTENT if holds[published["relation"]] else NOT_CONSISTENT
    return Verdict(verdict, "", float(difference), float(lower), float(upper))


def _margin(published: Any, value: float, level: float) -> tuple[float, float]:
    """Limits of the published value by its own n; the value itself where none is given."""
    if published["unit"] != SHARE or pd.isna(published["n"]):
        return value, value
    lower, upper = wilson(value * int(published["n"]), int(published["n"]), level)
    return float(lower), float(upper)


def _added(term: str, parts: pd.Series, whole: float, exact: bool, unit: str, n: Any) -> list[dict[str, object]]:
    """The rows of one whole; `exact` = the whole is no rounded figure."""
    each = ROUNDED if unit == SHARE else 0.0
    total, slack = float(parts.sum()), each * len(parts)
    room = slack + (0.0 if exact else each) + 1e-9
    unnamed = whole - total
    note = "adds up" if abs(unnamed) <= room else "leaves a part unnamed" if unnamed > 0 else "parts exceed the whole"
    widths = {"parts": (total, slack), "whole": (whole, 0.0 if exact else each), "unnamed": (unnamed, room - 1e-9)}
    return [
        {"term": term, "measure": measure, "estimate": value, "lower": value - width, "upper": value + width, "n": n,
         "unit": unit, "method": "sum of published figures, limits of rounding", "note": note}
        for measure, (value, width) in widths.items()
    ]  # fmt: skip


def _place(claims: pd.DataFrame, name: str, unit: str) -> tuple[int, bool]:
    return list(claims.index).index(name), unit != claims.loc[name, "unit"]


def _faults(claims: pd.DataFrame) -> list[str]:
    """What the file holds that is no claim."""
    faults = [f"'{shortened(name)}' is there {n} times; give each claim its own name"
              for name, n in claims.index.value_counts().items() if n > 1]  # fmt: skip
    for name, claim in claims.iterrows():
        for column in ("value", "n", "year"):
            if claim[column] and not _is_number(claim[column], whole=column != "value"):
                kind = "a number" if column == "value" else "a whole number of at most nine digits"
                faults.append(
                    f"'{shortened(name)}': {column} must be {kind} or empty, not '{shortened(claim[column])}'"
                )
        faults += _odd_shares(name, claim)
        if claim["relation"] not in RELATIONS:
            faults.append(unknown("relation", claim["relation"], RELATIONS, f"'{name}'"))
        faults += [f"'{name}': {column} must be given" for column in ("label", "claim", "source", "test", "untestable")
                   if not claim[column].strip()]  # fmt: skip
    return faults


def _odd_shares(name: str, claim: pd.Series) -> list[str]:
    """A share outside 0 to 1, or more respondents than there were."""
    if not _is_number(claim["value"], whole=False):
        return []
    most = 1.0 if claim["unit"] == SHARE else np.inf
    if claim["unit"] == PEOPLE and _is_number(claim["n"], whole=True):
        most = float(claim["n"])
    if claim["unit"] not in (SHARE, PEOPLE) or 0 <= float(claim["value"]) <= most:
        return []
    return [f"'{shortened(name)}': value must lie between 0 and {most:g} for {claim['unit']}, not {claim['value']}"]


def _is_number(text: str, whole: bool) -> bool:
    """As every program writes them: Python's own reading takes 1_0 and digits of other scripts, pandas does not."""
    wanted = r"[0-9]{1,9}" if whole else r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,2})?"
    return bool(re.fullmatch(wanted, text.strip(" ")))
