"""What must hold before importance is shared out: names, groups, values, and drivers that vary on their own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from .cells import LARGEST, MOST_LEVELS
from .engine import FACTOR, NUMBER, OTHER, STAMP
from .errors import CxError, listed, refuse, unknown
from .moments import Moments
from .regression import FLAT, covariance, sweep

MISSING = (None, "drop", "not_met")
MOST_PLAYERS = 15
WORDS = {FACTOR: "text or yes/no", NUMBER: "a number", STAMP: "a stamp", OTHER: "a list or a duration"}


def check_names(seen, outcome, drivers, groups, weights, customer, missing, most):
    faults = [unknown("column", d, seen.at, "drivers") for d in drivers if d not in seen.at]
    others = {"outcome": outcome, "weights": weights, "customer": customer}
    faults += [unknown("column", name, seen.at, what) for what, name in others.items() if name and name not in seen.at]
    faults += [unknown("choice of missing", missing, MISSING[1:])] if missing not in MISSING else []
    faults += [] if drivers else ["drivers must name at least one column"]
    faults += [f"driver '{d}' is named twice" for d in dict.fromkeys(drivers) if drivers.count(d) > 1]
    faults += [f"'{outcome}' is the outcome; it cannot also explain it"] if outcome in drivers else []
    players = len(drivers) - sum(len(group) - 1 for group in groups.values())
    if players > most:
        what = "drivers or groups of them" if groups else "drivers"
        faults.append(f"at most {most} {what} can be shared out exactly, not {players}; put those that belong together "
                      "into groups={'name': [drivers]}, or choose among them")  # fmt: skip
    for what in ("outcome", "weights"):
        if others[what] in seen.at and seen.kind[others[what]] != NUMBER:
            faults.append(f"{what} '{others[what]}' must be a number, not {WORDS[seen.kind[others[what]]]}")
    odd = [d for d in drivers if d in seen.at and seen.kind[d] not in (NUMBER, FACTOR)]
    faults += [f"driver '{d}' must be a number, text or yes/no, not {WORDS[seen.kind[d]]}" for d in odd]
    refuse(faults + _group_faults(drivers, groups))


def _group_faults(drivers: Sequence[str], groups: Mapping[str, Sequence[str]]) -> list[str]:
    members = [m for group in groups.values() for m in group]
    faults = [unknown("driver", m, drivers, "groups") for m in members if m not in drivers]
    faults += [f"driver '{m}' belongs to two groups" for m in dict.fromkeys(members) if members.count(m) > 1]
    faults += [f"group '{name}' must name at least one driver" for name, group in groups.items() if not group]
    faults += [f"group '{name}' must not bear the name of a driver outside it; call it something else"
               for name, group in groups.items() if name in drivers and name not in group]  # fmt: skip
    return faults


def check_values(facts, drivers, outcome, weights, customer, missing):
    empty, endless = facts["empty"].astype(int), facts["endless"].astype(int)
    if not empty["rows"]:
        raise CxError(f"no row has a value of '{outcome}'" + (" and of every driver" if missing == "drop" else ""))
    faults, gaps = [], [d for d in drivers if empty[d]]
    if missing is None and gaps:
        told = ", ".join(f"'{d}' ({empty[d]:,})" for d in gaps)
        faults.append(f"drivers must have a value in every row, but some are empty: {told}; say missing='not_met' to "
                      "keep those rows (the touchpoint was not met) or missing='drop' to leave them out")  # fmt: skip
    faults += [f"column '{name}' must hold finite numbers, but {endless[name]:,} are infinite or beyond {LARGEST:g}; "
               "recode them or leave those rows out" for name in (*drivers, outcome) if endless[name]]  # fmt: skip
    if weights and empty["weights"] + endless["weights"]:
        faults.append(f"weights '{weights}' must be finite and 0 or more in every row, but {endless['weights']:,} are "
                      f"not and {empty['weights']:,} are empty")  # fmt: skip
    elif weights and not facts.at["weights", "mean"] > 0:
        faults.append(f"weights '{weights}' must not all be 0")
    if customer and empty["customer"]:
        faults.append(f"column '{customer}' must name the customer in every row, but {empty['customer']:,} are empty")
    refuse(faults)


def check_levels(driver: str, levels: Sequence[object]) -> None:
    """Refuse a factor with very many levels, and ratings among which a few words turned the column into text."""
    if len(levels) > MOST_LEVELS:
        raise CxError(f"driver '{driver}' has {len(levels):,} levels, more than {MOST_LEVELS}: merge some")
    texts = [level for level in levels if isinstance(level, str)]
    words = sorted(level for level in texts if not level.strip().lstrip("+-").replace(".", "", 1).isdecimal())
    if words and len(texts) - len(words) > 1:
        raise CxError(f"driver '{driver}' must hold numbers or words, but holds numbers and {listed(words, 3)}; "
                      "make it numbers, empty where there is no rating (in a study: missing = [...])")  # fmt: skip


def check_variation(
    moments: Moments, drivers: Sequence[str], columns: Sequence[Sequence[int]], means: Sequence[float], outcome: str
) -> None:
    if moments.rows < len(moments.names) + 1:
        raise CxError(f"{moments.rows} rows with an outcome and all drivers are too few for {len(moments.names)} "
                      "terms; use fewer drivers or missing='not_met'")  # fmt: skip
    c = covariance(moments.products.sum(axis=0))
    where = [*columns, (len(c) - 1,)]
    # What the mean's rounding leaves of a column with one value is no variation.
    still = [all(c[j, j] <= 1e-20 * mean**2 for j in own) for own, mean in zip(where, means, strict=True)]
    refuse(f"'{name}' must vary, but has one value in all {moments.rows:,} rows; leave it out"
           for name, flat in zip([*drivers, outcome], still, strict=True) if flat)  # fmt: skip
    copies, residual = [], c[..., None]
    for driver, own in zip(drivers, columns, strict=True):
        left = []
        for j in own:
            left.append(residual[0, 0, 0] / max(c[j, j], 1e-300))
            residual = sweep(residual, np.array([FLAT * c[j, j]]))
        # Touchpoints met together have the same "met"; only a driver that adds nothing at all is a copy.
        copies += [driver] if max(left) < 1e-8 else []
    refuse([f"driver {listed(copies)} is determined by the drivers before it (a copy, or a sum of them); leave it out"]
           if copies else [])  # fmt: skip


def promoter_faults(outcome: str, highest: float, promoters_from: float) -> list[str]:
    if promoters_from <= highest <= promoters_from + 1:
        return []
    return [f"outcome '{outcome}' must end at {promoters_from + 1:g}, since promoters are the top two points of the "
            f"scale, but its highest value is {highest:g}; name the lower of its top two points, such as "
            f"promoters_from={highest - 1:g}"]  # fmt: skip
