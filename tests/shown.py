"""Handmade result tables for the tests of what is shown: tables, figures, sentences."""

import pandas as pd

from cxlib.schema import results

SHARE = {"unit": "share", "level": 0.95, "n": 2772, "method": "by hand"}


def row(term, measure, estimate, lower=float("nan"), upper=float("nan"), **more):
    """One row of a result, a share unless told otherwise."""
    return SHARE | {"term": term, "measure": measure, "estimate": estimate, "lower": lower, "upper": upper} | more


def fractions(average=True) -> pd.DataFrame:
    """Fractions of service and price as `attributable_fractions` returns them."""
    rows = []
    for cause, (estimate, lower, upper) in {"service": (0.287, 0.203, 0.368), "price": (0.178, -0.02, 0.243)}.items():
        rows.append(row(cause, "fraction", estimate, lower, upper))
        rows.append(row(cause, "average_fraction", estimate - 0.01, lower - 0.01, upper - 0.01))
    return results([*rows, row("joint", "fraction", 0.45, 0.36, 0.54)])


def naive() -> pd.DataFrame:
    """Unadjusted fractions beside them."""
    return results([
        row("service", "fraction", 0.407, 0.335, 0.478), row("price", "fraction", 0.197, 0.123, 0.264),
        row("joint", "fraction", 0.55, 0.47, 0.63),
    ])  # fmt: skip


def role() -> pd.DataFrame:
    return results([
        row("service", "lower_bound", 0.29, 0.20, 0.37), row("service", "upper_bound", 0.47, 0.41, 0.54),
        row("price", "lower_bound", 0.18, 0.10, 0.24), row("price", "upper_bound", 0.38, 0.31, 0.43),
    ])  # fmt: skip


def weighing(both=0.10) -> pd.DataFrame:
    rows = []
    for measure, share in (("of_all", 0.21), ("of_any", 0.31), ("of_both", both)):
        rows.append(row("price > service", measure, share, share - 0.07, share + 0.12))
        rows.append(row("service > price", measure, 1 - share, 0.88 - share, 1.07 - share))
        rows += [row("tie", measure, 0.0, 0.0, 0.0), row("neither", measure, 0.0, 0.0, 0.0)]
    return results(rows)


def importance() -> pd.DataFrame:
    """Three groups, one of them with members, as `relative_importance` returns them."""
    rows = []
    for term, value in {
        "price": 0.24,
        "product": 0.5,
        "service": 0.26,
        "service/staff": 0.2,
        "service/wait": 0.06,
    }.items():
        rows.append(row(term, "importance", value / 2, value / 2 - 0.05, value / 2 + 0.05, unit="R²", n=812))
        rows.append(row(term, "share", value, value - 0.03, value + 0.03, n=812))
        rows.append(row(term, "rank", 1, 1, 2, unit="rank", n=812))
    return results([*rows, row("model", "r_squared", 0.5, 0.46, 0.55, unit="R²", n=812)])


def nps(sizes=None) -> pd.DataFrame:
    """NPS of all, or of groups of the given sizes; the larger the group, the higher the score."""
    if sizes is None:
        return results([row("nps", "nps", 25.03, 23.02, 27.05, unit="points", n=5425)])
    rows = [
        row("nps", "nps", 10.0 * i, 10.0 * i - 4, 10.0 * i + 4, unit="points", n=n, segment=name)
        for i, (name, n) in enumerate(sizes.items())
    ]
    return results(rows, by=["segment"])


def avoided() -> pd.DataFrame:
    """What would be gone with half of the failures, as `what_if` returns it."""
    ends = {"service": (0.14, 0.10, 0.18), "price": (0.09, 0.05, 0.12), "joint": (0.23, 0.18, 0.28)}
    return results(row(term, "impact_fraction", *values) for term, values in ends.items())


def by_segment(service=(0.2, 0.5), note="differs from all (false discovery rate 5%)") -> pd.DataFrame:
    """Average fractions in two segments; the note is north's."""
    rows = []
    for place, share, price, said in zip(("south", "north"), service, (0.16, 0.17), ("", note), strict=True):
        rows.append(row("service", "average_fraction", share, share - 0.1, share + 0.1, segment=place, note=said))
        rows.append(row("price", "average_fraction", price, price - 0.1, price + 0.1, segment=place))
    return results(rows, by=["segment"])


def kept(good=0.9) -> pd.DataFrame:
    """Survival of two bands at four times, as `kaplan_meier` returns it."""
    curves = {"good": ((1, 0.98, 0.94, good), (1000, 990, 970, 900), 0.02),
              "failed": ((1, 0.9, 0.8, 0.6), (200, 180, 170, 160), 0.05)}  # fmt: skip
    return results([
        row("survival", "survival", share, share - half, min(share + half, 1), n=n, band=band, time=time)
        for band, (shares, sizes, half) in curves.items()
        for time, share, n in zip((0, 30, 60, 90), shares, sizes, strict=True)
    ], by=["band", "time"])  # fmt: skip


def by_horizon() -> pd.DataFrame:
    """Average fractions at two horizons, as `fraction_by_horizon` returns them."""
    values = {(30, "service"): (0.34, 0.25, 0.43), (30, "price"): (0.18, 0.11, 0.26),
              (60, "service"): (0.28, 0.21, 0.36), (60, "price"): (0.17, 0.10, 0.26)}  # fmt: skip
    return results([row(term, "average_fraction", *ends, horizon_days=days) for (days, term), ends in values.items()],
                   by=["horizon_days"])  # fmt: skip


def ratios(note="") -> pd.DataFrame:
    """Hazard ratios of a cause and a confounder, as `cox` returns them."""
    return results([
        row("service_band = failed", "hazard_ratio", 3.8, 2.6, 5.6, unit="hazard ratio"),
        row("plan = b", "hazard_ratio", 1.1, 0.9, 1.4, unit="hazard ratio"),
        row("service_band", "proportionality_p", 0.3, unit="probability", note=note),
    ])  # fmt: skip


def coded() -> pd.DataFrame:
    """Stated reasons under two rules, as `reason_shares` returns them."""
    pair = "price / (price + service)"
    return results([
        row("service", "share", 0.13, 0.09, 0.18, n=253, rule="strict"),
        row("service", "share", 0.33, 0.28, 0.38, n=253, rule="broad"),
        row(pair, "share_of_pair", 0.46, 0.34, 0.58, n=61, rule="strict"),
        row(pair, "share_of_pair", 0.34, 0.26, 0.42, n=127, rule="broad"),
    ], by=["rule"])  # fmt: skip
