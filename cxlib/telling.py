"""Word of mouth: who told others about us, how many, and who came by it, by NPS class."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import narwhals as nw
import pandas as pd

from . import engine, scores
from .bands import nps_class
from .engine import NUMBER, View
from .errors import CxError, refuse
from .intervals import quantile
from .ratios import Row, unit_means, unit_shares
from .schema import NPS_LEVELS, results

EVERYONE = "everyone"
CLASS = "nps_class"


def word_of_mouth(
    data: Any,
    score: str = "recommend",
    told: str = "told_others",
    customer: str | None = None,
    scale: tuple[int, int] = (0, 10),
    level: float = 0.95,
) -> pd.DataFrame:
    """How many promoters, passives and detractors told others, and how many people they told.

    Parameters
    ----------
    data : frame with a row per person asked
    score : number column, 0 to 10; a gap is no answer
    told : number column, how many people were told, 0 or more; a gap is no answer to this question
    customer : column, where a customer may have several rows (default: rows are customers)
    scale : first and last point of the score

    Returns
    -------
    DataFrame in the result shape, first nps_class (or "everyone"): term "told"; measures share (who told anybody, of
    those who say, with Wilson limits), people (mean number told), blank_is_nobody (naive: the share if a gap meant
    nobody; nor can it be less) and at_most (the share if everyone who does not say told others).

    Raises
    ------
    CxError: missing columns, words for numbers, a number of people below 0 or not whole, nobody who says.

    Notes
    -----
    The share of those who say stands for all if who says has nothing to do with having told; the two ends need no such
    thing (Manski 1989). By customer: linearised. Checked against statsmodels and the simulator's truth.

    >>> asked = pd.DataFrame({"recommend": [9, 10, 3, 3], "told_others": [2, 0, 5, None]})
    >>> found = word_of_mouth(asked)
    >>> found[found["measure"] == "share"].set_index("nps_class")["estimate"].to_dict()["detractor"]
    1.0
    """
    quantile(level)
    seen, (_, last) = engine.view(data), scores.ends(scale)
    engine.require(seen, [score, told, *filter(None, (customer,))])
    refuse(f"column '{name}' must hold numbers, it is {seen.kind[name]}; recode it"
           for name in (score, told) if seen.kind[name] != NUMBER)  # fmt: skip
    said = seen[told].cast(nw.Float64)
    _check(seen, said, told)
    columns = {"group": nps_class(seen[score].cast(nw.Float64), last), "people": said, "knows": ~said.is_null(),
               "any": nw.when(said > 0).then(nw.lit(True)).otherwise(nw.lit(False))}  # fmt: skip
    lazy = engine.bucketed(seen, customer, None).select("bucket", *(e.alias(name) for name, e in columns.items()))
    rows: list[Row] = []
    for name, part in ((CLASS, lazy), (EVERYONE, lazy.with_columns(nw.lit(EVERYONE).alias("group")))):
        rows += _told(part, level, [EVERYONE] if name == EVERYONE else NPS_LEVELS)
    return results(({"term": "told", **row} for row in rows), by=[CLASS])


def referrals(
    data: Any, referred: str = "referred", referrer: str = "referred_by", by: str = CLASS, level: float = 0.95
) -> pd.DataFrame:
    """How many newcomers came by a recommendation, and by whose.

    Parameters
    ----------
    data : frame with a row per new customer, as from `newcomers`
    referred : true/false or 0/1, whether anybody recommended us to them
    referrer : column of who did, the unit of sampling
    by : column of the referrer's class

    Returns
    -------
    DataFrame in the result shape, first nps_class: ("everyone", share): of the newcomers, who came by a recommendation
    (Wilson); for each class, of_referred: of these, who came by one of it (linearised by referrer). Term "newcomers".

    Notes
    -----
    The class is that of the referrer's last answer before the sign-up; which answer went with the word nobody knows.

    >>> new = pd.DataFrame({"referred": [True, False], "referred_by": ["A", None], "nps_class": ["promoter", None]})
    >>> referrals(new)["estimate"].tolist()
    [0.5, 1.0]
    """
    quantile(level)
    seen = engine.view(data)
    engine.require(seen, [referred, referrer, by])
    came = (seen[referred].cast(nw.Float64) == 1).fill_null(False)
    lazy = engine.bucketed(seen, None, None).select("bucket", seen[referrer].cast(nw.String).alias("referrer"),
                                                    seen[by].alias("group"), came.alias("any"))  # fmt: skip
    fixed = {"term": "newcomers"}
    whole = next(_share(unit_shares(lazy, "bucket", ["any"], level)))
    rows: list[Row] = [{**fixed, CLASS: EVERYONE, "measure": "share", **whole, "method": "Wilson"}]
    if whole["estimate"] > 0:
        shares = unit_shares(lazy.filter(nw.col("any")), "referrer", ["group"], level).set_index("group")
        rows += [{**fixed, CLASS: name, "measure": "of_referred", **shares.loc[name]} for name in NPS_LEVELS
                 if name in shares.index]  # fmt: skip
    return results(rows, by=[CLASS])


def _told(lazy: nw.LazyFrame[Any], level: float, levels: Any) -> Iterator[Row]:
    """Rows of every class: shares of those who say, of all, and the two ends."""
    known = lazy.filter(nw.col("knows"))
    most = nw.col("any") | ~nw.col("knows")
    shares = {
        "share": _by_class(known, level),
        "blank_is_nobody": _by_class(lazy, level),
        "at_most": _by_class(lazy.with_columns(most.alias("any")), level),
    }
    people = unit_means(known, "bucket", ["group"], "people", level).set_index("group")
    for name in levels:
        if name not in shares["at_most"]:
            continue
        if name in shares["share"]:
            yield {CLASS: name, "measure": "share", **shares["share"][name]}
            told = people.loc[name].drop("units").to_dict()
            yield {CLASS: name, "measure": "people", **told, "unit": "people"}
        for measure in ("blank_is_nobody", "at_most"):
            yield {CLASS: name, "measure": measure, **shares[measure][name]}


def _by_class(lazy: nw.LazyFrame[Any], level: float) -> dict[str, Row]:
    found = unit_shares(lazy, "bucket", ["any"], level, within=["group"])
    return {str(name): next(_share(part.drop(columns="group"))) for name, part in found.groupby("group")}


def _share(found: pd.DataFrame) -> Iterator[Row]:
    """The share for which `any` holds; of the two shares only those that occur are there."""
    own = found.set_index("any")
    true = next((key for key in own.index if str(key).lower() in ("true", "1")), None)
    if true is not None:
        yield own.loc[true].to_dict()
        return
    rest = own.iloc[0].to_dict()
    yield rest | {"estimate": 1 - rest["estimate"], "lower": 1 - rest["upper"], "upper": 1 - rest["lower"]}


def _check(seen: View, said: nw.Expr, told: str) -> None:
    odd = ((said < 0) | (said != said.round(0))).fill_null(False).cast(nw.Float64)
    found = engine.collect(seen.frame.select(odd.sum().alias("odd"), said.count().alias("n"))).iloc[0].fillna(0)
    if found["odd"]:
        raise CxError(f"column '{told}' must hold whole numbers of people, 0 or more, but {found['odd']:,.0f} do not; "
                      "recode what stands for no answer as empty")  # fmt: skip
    if not found["n"]:
        raise CxError(f"column '{told}' must be known for somebody, but nobody says how many people were told")
