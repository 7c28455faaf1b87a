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


# Experience


def both_scales(lead=(0.04, 0.01, 0.08), behind=(-0.03, -0.09, 0.01)) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Importance on the score, where service leads price, and on being a promoter, where it does not."""
    made = []
    for shares, apart in (({"service": 0.52, "price": 0.48}, lead), ({"service": 0.47, "price": 0.53}, behind)):
        rows = [row(term, "share", value, value - 0.03, value + 0.03) for term, value in shares.items()]
        rows += [row("service - price", "difference", *apart), row("model", "r_squared", 0.5, 0.4, 0.6, unit="R²")]
        made.append(results(rows))
    return made[0], made[1]


def unmet(dropped=0.5) -> pd.DataFrame:
    """Service over everyone, where met, and with rows dropped (None: nobody met everything)."""
    gone = {"estimate": float("nan"), "n": 0, "note": "no row"} if dropped is None else {"estimate": dropped, "n": 90}
    point = {"unit": "points per point"}
    return results([
        row("service", "share", 0.26, 0.24, 0.29, rows="everyone", n=2772),
        row("service/staff", "coefficient", 0.8, 0.7, 0.9, rows="everyone", n=2772, **point),
        row("service", "share", 0.39, 0.35, 0.42, rows="met it", n=1200),
        row("service/staff", "coefficient", 0.81, 0.7, 0.92, rows="met it", n=1200, **point),
        row("service", "share", **gone, rows="dropped") if dropped is None else
        row("service", "share", 0.5, 0.4, 0.6, rows="dropped", n=90),
    ], by=["rows"])  # fmt: skip


def gap(n=28) -> pd.DataFrame:
    """Excellent service in a poor experience, the reverse case, and what was rated low; n of those in the gap."""
    rows = [row("excellent service, poor experience", "of_met", 0.01, 0.005, 0.02, n=2600),
            row("excellent service, poor experience", "of_excellent", 0.05, 0.03, 0.06, n=622),
            row("poor service, promoter", "of_met", 0.011, 0.008, 0.016, n=2600),
            row("poor service, promoter", "of_poor", 0.08, 0.06, 0.11, n=381)]  # fmt: skip
    for term, inside, rest, least in (("price", 0.52, 0.15, 0.19), ("app", 0.12, 0.11, -0.1)):
        rows += [row(term, "low_in_gap", inside, inside - 0.1, inside + 0.1, n=n),
                 row(term, "low_in_rest", rest, rest - 0.01, rest + 0.01, n=560),
                 row(term, "difference", inside - rest, least, inside - rest + 0.1, n=n)]  # fmt: skip
    return results(rows)


def overlap() -> pd.DataFrame:
    ends = {"satisfied, promoter": 0.37, "satisfied, not a promoter": 0.3, "not satisfied, promoter": 0.07,
            "neither": 0.26}  # fmt: skip
    rows = [row(term, "overlap", share, share - 0.02, share + 0.02) for term, share in ends.items()]
    return results(
        [*rows, row("promoters", "satisfied", 0.85, 0.83, 0.87), row("satisfied", "promoters", 0.55, 0.53, 0.57)]
    )


def prediction(lower=1.0) -> pd.DataFrame:
    """What two scores tell about leaving; `lower` is the limit of all of them together."""
    unit = {"unit": "log likelihood per 1,000 customers"}
    return results([
        row("recommend", "alone", 4.0, 2.0, 6.0, **unit), row("satisfaction", "alone", 1.0, -1.0, 3.0, **unit),
        row("recommend", "added", 3.0, 1.0, 5.0, **unit), row("satisfaction", "added", 0.2, -1.0, 1.4, **unit),
        row("all", "alone", 4.2, lower, 6.5, **unit),
    ])  # fmt: skip


def penalties(sure=True) -> pd.DataFrame:
    """Penalty, reward and asymmetry of two drivers."""
    rows = []
    for term, cost, gain, least in (("staff", -1.5, 1.0, 0.2 if sure else -0.2), ("price", -0.5, 0.5, -0.3)):
        rows += [row(term, "penalty", cost, cost - 0.2, cost + 0.2, unit="points"),
                 row(term, "reward", gain, gain - 0.2, gain + 0.2, unit="points"),
                 row(term, "asymmetry", -(cost + gain), least, -(cost + gain) + 0.3, unit="points")]  # fmt: skip
    return results([*rows, row("model", "intercept", 7.7, 7.1, 8.2, unit="points")])


def quadrants(**sizes) -> pd.DataFrame:
    """Four drivers, one a quadrant, the second not sure of its place; the sizes of those who met them may be given."""
    at = {"price": (0.4, 3.2, "concentrate here", 1.0), "staff": (0.3, 3.9, "keep up the good work", 0.6),
          "app": (0.2, 3.3, "low priority", 1.0), "delivery": (0.1, 4.2, "possible overkill", 1.0)}  # fmt: skip
    rows = []
    for term, (share, rating, name, sure) in at.items():
        rows += [row(term, "performance", rating, rating - 0.1, rating + 0.1, unit="points", n=sizes.get(term, 900)),
                 row(term, "share", share, share - 0.05, share + 0.05),
                 row(term, "quadrant", sure, note=name)]  # fmt: skip
    return results([*rows, row("model", "performance", 3.65, 3.6, 3.7, unit="points"), row("model", "share", 0.25)])


def lifted(lower=1.0) -> pd.DataFrame:
    points = {"unit": "points"}
    return results([
        row("help", "lifted", 0.02, 0.01, 0.03), row("staff", "lifted", 0.05, 0.04, 0.06),
        row("help", "change", 0.1, -0.2, 0.3, **points), row("staff", "change", 1.3, 1.0, 1.7, **points),
        row("joint", "change", 1.4, lower, 1.9, **points), row("model", "nps", 23, 21, 25, **points),
    ])  # fmt: skip


def ordered(note="") -> pd.DataFrame:
    """Two drivers in a model of ordered classes, one with whether it was met; the note is of the test of staff."""
    odds = {"unit": "log odds"}
    return results([
        row("staff met", "coefficient", 2.5, 1.0, 4.0, std_error=0.8, **odds),
        row("staff", "coefficient", 0.6931, 0.4055, 1.0986, std_error=0.1, **odds),
        row("price", "coefficient", 0.0, -0.2231, 0.2231, std_error=0.1, **odds),
        row("detractor | passive", "threshold", 2.0, 1.0, 3.0, **odds),
        row("staff", "proportional_odds", 0.01, unit="p value", note=note),
        row("price", "proportional_odds", 0.4, unit="p value"),
        row("model", "mcfadden", 0.31, unit="R²"),
    ])  # fmt: skip


def measured() -> pd.DataFrame:
    r = {"unit": "correlation"}
    return results([
        row("staff", "correlation", -0.36, -0.46, -0.24, operational="service_failed", n=426, **r),
        row("help", "correlation", 0.07, -0.05, 0.18, operational="service_failed", n=246, **r),
        row("staff", "correlation", -0.09, -0.19, 0.01, operational="fault_count", n=426, **r),
    ], by=["operational"])  # fmt: skip


def apart(note="differs from the others (false discovery rate 5%)") -> pd.DataFrame:
    """Differences of three segments from all others; the note is north's, of west there are few."""
    points = {"unit": "points", "term": "nps", "measure": "difference"}
    return results([
        row(**points, estimate=-8.0, lower=-14.0, upper=-2.0, segment="north", n=571, note=note),
        row(**points, estimate=3.0, lower=-1.0, upper=7.0, segment="south", n=3149),
        row(**points, estimate=9.0, lower=-1.0, upper=19.0, segment="east", n=400),
    ], by=["segment"])  # fmt: skip


def dots(ax):
    """(estimate, colour, filled) of every dot, from top to bottom."""
    found = [line for line in ax.lines if line.get_marker() == "o"]
    found.sort(key=lambda line: -line.get_ydata()[0])
    return [(line.get_xdata()[0], line.get_color(), line.get_markerfacecolor() != "white") for line in found]


def words(ax):
    """Every label, in the order drawn."""
    return [label.get_text() for label in ax.texts]
