"""How numbers are written and which of them may be shown: the one place for both."""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from .errors import CxError, unknown
from .schema import RESULT_COLUMNS, SPOKEN, TOO_FEW
from .withheld import hidden_groups

_MARKUP = re.compile(r"([\\`*_{}\[\]()#+!|<>~&$^-])")
_DECIMALS = {"R²": 2, "risk ratio": 1, "hazard ratio": 1, "odds ratio": 1, "kappa": 2, "correlation": 2,
             "points per point": 2}  # fixed ones  # fmt: skip
_SPANS = (2, 0.1, 0.01)  # an interval narrower than these takes one decimal, two, three
CLASSES = {
    "promoter": "promoters",
    "passive": "passives",
    "detractor": "detractors",
    "no answer": "those who gave no answer",
}
MOST_SINGLE = 20  # groups of one person, of which a table may name so many
FEWEST_MINUTES = 2.0  # hours up to which durations are told in minutes
COUNTS = ("rows", "customers", "people", "answers", "tickets", "interactions")  # units
_smallest = {"group": 10}  # people


class Sentence(str):
    """Plain text that a notebook shows as Markdown, with every sign of markup in it taken literally."""

    def _repr_markdown_(self) -> str:
        return escaped(self)


def escaped(text: object) -> str:
    """Text for Markdown in which names from the data stay text, whatever they hold."""
    return _MARKUP.sub(r"\\\1", " ".join(str(text).split()))


def percent(share: float, digits: int = 0) -> str:
    """A share as per cent: .243 is "24%"."""
    return number(share, "share", digits)


def number(value: float, unit: str = "", digits: int = 0) -> str:
    """A value of a result: shares as per cent, R² with two more decimals, ratios with one; "–" for none."""
    if not math.isfinite(value):
        return "–"
    told = f"{abs(100 * value if unit == 'share' else value):,.{digits + _DECIMALS.get(unit, 0)}f}"
    sign = "−" if value < 0 and told.strip("0.,") else ""
    return f"{sign}{told}{'%' if unit == 'share' else ''}"


def estimate(row: Any, first: bool = True) -> str:
    """An estimate with its interval: "24% (95% interval 20% to 28%)"; `first=False` leaves the level out."""
    told = number(row.estimate, row.unit, digits(row))
    if not math.isfinite(row.estimate):
        return TOO_FEW
    if not (math.isfinite(row.lower) and math.isfinite(row.upper)):
        return told
    return f"{told} ({f'{percent(row.level)} interval ' if first else ''}{interval(row)})"


def interval(row: Any) -> str:
    """The limits of an estimate: "20% to 28%"."""
    return " to ".join(number(limit, row.unit, digits(row)) for limit in (row.lower, row.upper))


def digits(row: Any) -> int:
    """Decimals that the interval supports: none where it spans two per cent or points, one down to a tenth, and so on.

    They come to those that its unit always has.
    """
    width = (row.upper - row.lower) * (100 if row.unit == "share" else 1)
    if not math.isfinite(width):
        return 0
    wanted = sum(width < least for least in _SPANS) if width > 0 else 1
    return max(0, wanted - _DECIMALS.get(row.unit, 0))


def tick_digits(ticks: Iterable[float], unit: str) -> int:
    """Decimals with which ticks read as what they are: .25 is not .2."""
    shown = [100 * tick if unit == "share" else tick for tick in ticks]
    fixed = _DECIMALS.get(unit, 0)
    near = 1e-6 * max((abs(tick) for tick in shown), default=0.0)
    exact = (d for d in range(5) if all(abs(tick - round(tick, d + fixed)) <= near for tick in shown))
    return next(exact, 5)


def in_minutes(result: pd.DataFrame) -> pd.DataFrame:
    """The result with durations of less than two hours in minutes."""
    short = result["unit"].eq("hours") & result["upper"].fillna(result["estimate"]).lt(FEWEST_MINUTES)
    out = result.copy()
    out.loc[short, ["estimate", "std_error", "lower", "upper"]] *= 60
    out.loc[short, "unit"] = "minutes"
    return out


def listed(parts: Sequence[str]) -> str:
    """The parts as a list in a sentence: "a", "a and b", "a, b and c"."""
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)


def periods(starts: Sequence[str]) -> dict[str, str]:
    """Periods by their first days, as people write them: 2026-03 where all of them begin with a month."""
    monthly = all(str(start).endswith("-01") for start in starts)
    return {start: str(start)[:7] if monthly else str(start) for start in starts}


def column_name(row: Any) -> str:
    """The column of a result by table, and the table where there are several."""
    return plain_name(row.term) + (f" ({row.table})" if row.table != "frame" else "")


def plain_name(name: object) -> str:
    """A column or level as people write it: underscores as spaces, on one line; the kit's bands by what they band."""
    return SPOKEN.get(str(name)) or " ".join(str(name).replace("_", " ").split())


def member_name(term: str) -> str:
    """The driver of a term that may name its group before it: "service/contact_support" is "contact support"."""
    return plain_name(term.rpartition("/")[2])


def capital(text: str) -> str:
    """The text with a capital first letter."""
    return text[:1].upper() + text[1:]


def hide_below(people: int) -> None:
    """Hide groups of fewer people in every table, figure, sentence and answer, for the rest of the session.

    A setting and not an argument: an argument forgotten once would show what must not be shown.
    """
    if isinstance(people, bool) or not isinstance(people, int) or people < 1:
        raise CxError(f"hide_below takes a whole number of people, 1 or more, not {people!r}")
    _smallest["group"] = people


def smallest_group() -> int:
    """The fewest people of a group that is shown."""
    return _smallest["group"]


def people(count: float) -> str:
    """A number of people or of their rows; "under 10" where they are too few to be counted on a page."""
    return f"under {number(_smallest['group'])}" if 0 < count < _smallest["group"] else number(count)


def count_of(row: Any) -> str:
    """The estimate of a row that is a count; "under 10" where it is hidden as such."""
    return people(1) if row.note == TOO_FEW else people(row.estimate)


def visible(result: pd.DataFrame) -> pd.DataFrame:
    """The result without the numbers of small groups: nan, n too, and "too few" in their note.

    The total less the groups shown would give a hidden one away: others are hidden with them, see `hidden_groups`. A
    group that is hidden is hidden in every measure, and each measure is a table of its own. An estimate that is a count
    of a few is hidden however many it is of.
    """
    few = result["unit"].isin(COUNTS) & result["estimate"].between(0, _smallest["group"], "neither")
    few &= result["lower"].isna() & result["measure"].ne("alarm")  # what has an interval is no count; alarms are words
    hidden = ((result["n"] < _smallest["group"]) | few).to_numpy(copy=True)
    if keys := groups_of(result):
        places = result.groupby(keys, dropna=False, observed=True).ngroup().to_numpy()
        sizes = result["n"].groupby(places).max()
        _name_nobody(keys, sizes)
        if hidden.any():
            each = result[keys].iloc[np.unique(places, return_index=True)[1]]
            hidden |= hidden_groups(each.reset_index(drop=True), sizes, _smallest["group"])[places]
            for rows in result.groupby(["term", "measure"]).indices.values():
                own = result.iloc[rows].reset_index(drop=True)
                hidden[rows] |= hidden_groups(own[keys], own["n"], _smallest["group"])
    out = result.astype({"n": float})
    if not hidden.any():
        return out
    out.loc[hidden, ["estimate", "std_error", "lower", "upper", "n"]] = np.nan
    out.loc[hidden, "note"] = TOO_FEW
    return out


def _name_nobody(keys: Sequence[str], sizes: pd.Series) -> None:
    """Refuse groups most of which are single people: their names would be on the page, if not their numbers."""
    single = int((sizes == 1).sum())
    if single > MOST_SINGLE and 2 * single > len(sizes):
        raise CxError(
            f"groups by {listed([plain_name(key) for key in keys])}: most must be of several people, {single:,} of "
            f"{len(sizes):,} are of one, so that their names tell who it is; choose a column of groups"
        )


def groups_of(result: pd.DataFrame) -> list[str]:
    """The `by` columns of a result."""
    return [name for name in result.columns if name not in RESULT_COLUMNS]


def sentence(write: Callable[..., str]) -> Callable[..., Sentence | None]:
    """Make a writer of text a sentence function: small groups hidden in every result, None in and None out.

    Where all of the first result is hidden, the sentence says so: there is nothing left to write about.
    """

    @functools.wraps(write)
    def told(result: pd.DataFrame | None, *args: Any, **kwargs: Any) -> Sentence | None:
        if not isinstance(result, pd.DataFrame):
            return None
        if all_hidden(result):
            return not_shown()
        shown = [only_visible(one) for one in args]
        return Sentence(capital(write(visible(result), *shown, **{key: only_visible(x) for key, x in kwargs.items()})))

    return told


def only_visible(given: Any) -> Any:
    """What is given, without the numbers of small groups where it is a result."""
    return visible(given) if isinstance(given, pd.DataFrame) and set(RESULT_COLUMNS) <= set(given.columns) else given


def all_hidden(result: pd.DataFrame) -> bool:
    """Whether a result has estimates, and none that may be shown."""
    return bool(result["estimate"].notna().any() and visible(result)["estimate"].isna().all())


def not_shown() -> Sentence:
    """What stands where nothing may be shown."""
    return Sentence(f"Not shown: too few, as fewer than {number(_smallest['group'])} stand behind each figure.")


def pick(result: pd.DataFrame, term: str, measure: str) -> Any:
    """The one row of a term and a measure, as a named tuple."""
    found = result[(result["term"] == term) & (result["measure"] == measure)]
    if len(found) != 1:
        raise CxError(unknown("estimate", f"{term}.{measure}", result["term"] + "." + result["measure"]))
    return next(found.itertuples(index=False))


def sample_size(row: Any, who: str) -> str:
    """How many a result counts, and whom: "n = 1,234 answers"."""
    return f"n = {number(row.n)} {who}"
