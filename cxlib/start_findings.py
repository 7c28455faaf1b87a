"""The first page in words: service beside the experience, what each notebook asks, what intervals hold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd
from great_tables import GT

from .feeds import describe_study
from .layout import laid_out
from .questions import questions
from .sampling import EVERYONE, MISSES
from .study import Study
from .wording import Sentence, estimate, listed, number, percent, plain_name, sentence, visible

SERVICE, REST = "service", "rest"
MOST_NAMED = 4  # departments


def distinction(
    extent: pd.DataFrame | None, places: pd.DataFrame | None, score: pd.DataFrame | None, csat: pd.DataFrame | None
) -> GT:
    """Service beside the whole experience in seven respects, with the study's own figures where it has them.

    Parameters
    ----------
    extent : from `interaction_scope`
    places : from `experience_map`
    score, csat : from `nps` and `csat`
    """
    found = {} if extent is None else {(row.term, row.measure): row for row in visible(extent).itertuples(index=False)}
    rows = [
        ("scope", *_scope(places)),
        ("focus", "the whole journey, as the customer lives it", "one request, as it comes in"),
        ("nature", *_nature(found)),
        ("impact", *_impact(found)),
        ("responsibility", *_responsibility(places)),
        ("measures", f"NPS{_here(score, ' points')}, ease, attrition", f"CSAT{_here(csat)}, response, resolution"),
        ("goal", "customers who stay and recommend, and need not ask", "a request solved at once, and for good"),
    ]
    return laid_out(pd.DataFrame(rows, columns=["", "the experience", "service, a part of it"]), "The distinction")


def _scope(places: pd.DataFrame | None) -> tuple[str, str]:
    if places is None:
        return "every touchpoint, from the first sight to the last bill", "those at which customers seek or get help"
    # Of a frame groups of drivers stand in place of stages.
    stage = "group" if places["department"].isna().all() else "stage"
    told = []
    for own in (places, places[places["is_service"]]):
        stages = own["stage"].nunique()
        told.append(_plural(len(own), "touchpoint") + f" in {_plural(stages, stage)}" * bool(stages))
    return told[0], told[1]


def _nature(found: Mapping[tuple[str, str], Any]) -> tuple[str, str]:
    told = []
    for words, term, which in (("can act before anybody asks", REST, "all other interactions"),
                               ("answers when somebody asks", SERVICE, "these interactions")):  # fmt: skip
        row: Any = found.get((term, "proactive"))
        alone = row is None or pd.isna(row.estimate)
        told.append(words if alone else f"{words}: the company starts {percent(row.estimate)} of {which}")
    return told[0], told[1]


def _impact(found: Mapping[tuple[str, str], Any]) -> tuple[str, str]:
    met = found.get((SERVICE, "reach"))
    if met is None or pd.isna(met.estimate):
        return "everybody, those who never ask too", "those who ask"
    return f"everybody: {number(met.n)} customers here", f"those who met it: {estimate(met)} of them"


def _responsibility(places: pd.DataFrame | None) -> tuple[str, str]:
    if places is None or places["department"].isna().all():
        return "every department", "customer service"
    told = []
    for own in (places, places[places["is_service"]]):
        names = [plain_name(name) for name in own["department"].dropna().unique()]
        few = listed(names) if len(names) <= MOST_NAMED else f"{', '.join(names[: MOST_NAMED - 1])} and others"
        told.append(f"{_plural(len(names), 'department')}: {few}" if names else "nobody")
    return told[0], told[1]


def _here(result: pd.DataFrame | None, unit: str = "") -> str:
    """The first estimate in brackets, where there is one."""
    if not isinstance(result, pd.DataFrame):
        return ""
    row = next(visible(result).itertuples(index=False))
    return "" if pd.isna(row.estimate) else f" ({number(row.estimate, row.unit)}{unit} here)"


def _plural(count: float, name: str) -> str:
    return f"{number(count)} {name}{'s' * (count != 1)}"


def service_extent(result: pd.DataFrame | None, places: pd.DataFrame | None) -> Sentence | None:
    """How much of the experience is service; from `cx.interaction_scope` and `cx.experience_map`."""
    if places is None:
        return None
    seen = None if result is None else visible(result)
    told = [_part_of(places)]
    told += [f"{estimate(row)} of the {number(row.n)} interactions" for row in _row(seen, "share")]
    reach = [f"it was met by {estimate(row, len(told) == 1)} of the {number(row.n)} customers"
             for row in _row(seen, "reach")]  # fmt: skip
    words = "; ".join([f"Service is {listed(told)}", *reach])
    return Sentence(f"{words}. How much a part weighs is another question than how large it is.")


def _part_of(places: pd.DataFrame) -> str:
    return f"{number(places['is_service'].sum())} of {_plural(len(places), 'touchpoint')}"


@sentence
def without_touchpoint(result: pd.DataFrame) -> str:
    """How many customers would have met service if one of its touchpoints did not count as it."""
    each = result[result["measure"].eq("reach_without") & result["estimate"].notna()]
    told = [f"{estimate(row, not i)} without {plain_name(row.term)}"
            for i, row in enumerate(each.itertuples(index=False))]  # fmt: skip
    if not told:
        return "too few customers met service to tell how much hangs on one touchpoint."
    return f"what counts as service is a choice: of the customers, service would have been met by {listed(told)}."


def notebooks(study: Study, here: str = "00-start-here") -> GT:
    """What each notebook but this one asks, the decision it serves, and whether the study feeds it."""
    asked, parts = questions(), describe_study(study)
    asked = asked[asked["notebook"] != here]
    feeds = parts.groupby("notebook")["feeds"].agg(lambda column: column.eq("yes").mean())
    told = asked["notebook"].map(feeds).map(lambda share: "" if pd.isna(share) else _runs(share))
    shown = pd.DataFrame({"notebook": asked["notebook"], "question": asked["question"],
                          "helps to decide": asked["decision"].str.replace("`", ""), "runs here": told})  # fmt: skip
    return laid_out(shown, "The notebooks and their questions")


def _runs(share: float) -> str:
    return "yes" if share == 1 else "in part" if share > 0 else "no"


def fed(study: Study) -> Sentence:
    """How many parts of the notebooks a study feeds."""
    return Sentence(f"This study feeds {_fed_parts(study)}.")


def missing_parts(study: Study) -> GT | None:
    """The parts of the notebooks that a study does not feed, and what is missing for each; None where it feeds all."""
    parts = describe_study(study)
    lacking = parts[parts["feeds"] == "no"]
    if lacking.empty:
        return None
    shown = pd.DataFrame({"notebook": lacking["notebook"], "part": lacking["part"], "because": lacking["missing"]})
    return laid_out(shown, "What this study lacks")


def _fed_parts(study: Study) -> str:
    there = describe_study(study)["feeds"].eq("yes")
    few = "all" if there.all() else f"{number(there.sum())} of"
    return f"{few} {number(len(there))} parts of the notebooks"


def repeated_samples(result: pd.DataFrame, whose: str = "a made-up company") -> Sentence:
    """How many of the intervals hold what is true of everyone; `whose` are the answers drawn from."""
    whole, drawn = result[result["sample"] == EVERYONE].iloc[0], result[result["sample"] != EVERYONE]
    missed, n = int((drawn["note"] == MISSES).sum()), len(drawn)
    return Sentence(
        f"Each line is a survey of {number(drawn['n'].iloc[0])} answers drawn from {whose}, whose NPS is "
        f"{number(whole['estimate'])} points. Of {number(n)} intervals {number(n - missed)} hold that value and "
        f"{number(missed)} {'miss' if missed != 1 else 'misses'} it; in the long run {percent(drawn['level'].iloc[0])} "
        "hold it. A real survey is one of these lines, and does not say which."
    )


def start_answer(study: Study, extent: pd.DataFrame | None, places: pd.DataFrame | None) -> Sentence:
    """The one sentence of the first page: how much of the experience is service, and how far the study goes."""
    if places is None:
        told = f"it feeds {_fed_parts(study)}"
        return Sentence(f"This study names no touchpoints, so what is service in them cannot be told; {told}.")
    seen = None if extent is None else visible(extent)
    reach = [f", met by {estimate(row)} of its customers" for row in _row(seen, "reach")]
    n = [f"; n = {number(row.n)} customers" for row in _row(seen, "reach")]
    told = f"{_part_of(places)} of this study{''.join(reach)}, and the study feeds {_fed_parts(study)}{''.join(n)}"
    return Sentence(f"Service is {told}.")


def _row(result: pd.DataFrame | None, measure: str) -> Iterator[Any]:
    """The row of service, where there is one large enough to be shown."""
    if result is not None:
        found = result[result["term"].eq(SERVICE) & result["measure"].eq(measure) & result["estimate"].notna()]
        yield from found.itertuples(index=False)
