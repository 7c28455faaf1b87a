"""Checks of the first workshop notebook: scenes sorted four ways, and one's own touchpoints."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd

from . import lessons
from .errors import nearest
from .marking import Exercise

SERVICE, BEYOND = "service", "experience beyond service"
STAGES = ("discover", "buy", "use", "support", "renew")
DEPARTMENTS = ("marketing", "sales", "product", "operations", "finance", "customer service")
INITIATIVES = ("reactive", "proactive")
# Aspect -> exercise, first and last scene, choices.
ASPECTS: dict[str, tuple[str, int, int, tuple[str, ...]]] = {
    "scope": ("1.1", 1, 12, (SERVICE, BEYOND)),
    "stage": ("1.2", 13, 20, STAGES),
    "department": ("1.3", 21, 28, DEPARTMENTS),
    "initiative": ("1.4", 29, 36, INITIATIVES),
}
PAIRS = ((3, 4), (5, 6), (7, 8), (11, 12))  # scenes of one company, one of them service and one not
FEWEST = 6  # touchpoints of one's own

Look = Callable[[dict[int, str], pd.DataFrame], str]


def aspect_judge(aspect: str, looks: list[Look]) -> Callable[[Any], str]:
    """Judge scenes sorted by one aspect; `looks` recognise ways of thinking, the first that does speaks."""
    _, first, last, choices = ASPECTS[aspect]

    def judge(answer: object) -> str:
        if not isinstance(answer, Mapping):
            return "Sort the scenes on the board above, or give a dictionary: {number of the scene: choice}."
        said = {int(number): str(choice).strip() for number, choice in answer.items()}
        told = lessons.full("workshop_scenes.csv").set_index("number").loc[first:last]
        strange = sorted({choice for choice in said.values() if choice.strip("?") and choice not in choices})
        if strange:
            return (
                f"'{strange[0]}' is none of the choices; did you mean '{nearest(strange[0], choices) or choices[0]}'?"
            )
        left = [number for number in told.index if not said.get(number, "").strip("?")]
        if left:
            return f"Still to be sorted: {_numbers(left)}."
        # What is disputed has no right answer: it is there to be talked about.
        counted = told[(told["disputed"] == "no") | (aspect != "scope")]
        wrong = counted[[said[number] != right for number, right in counted[aspect].items()]]
        if wrong.empty:
            return ""
        found = next(filter(None, (look(said, wrong) for look in looks)), "")
        return f"{found or 'Read once more what happens in each.'} {_count(len(wrong), len(counted))}"

    return judge


def _count(wrong: int, of: int) -> str:
    return f"({of - wrong} of {of} are as most experts sort them.)"


def _numbers(numbers: Any) -> str:
    return ", ".join(map(str, numbers))


def _all_alike(words: Mapping[str, str]) -> Look:
    """All scenes sorted alike: what to say for each choice."""

    def look(said: dict[int, str], wrong: pd.DataFrame) -> str:
        one = set(said.values())
        return words.get(one.pop(), "Not all of them can be the same.") if len(one) == 1 else ""

    return look


def _all_swapped(said: dict[int, str], wrong: pd.DataFrame) -> str:
    kept = lessons.full("workshop_scenes.csv").set_index("number").loc[list(said)]
    if len(wrong) == (kept["disputed"] == "no").sum():
        return "The two words are swapped: look again at which of them is a part of the other."
    return ""


def _pairs_alike(said: dict[int, str], wrong: pd.DataFrame) -> str:
    alike = [pair for pair in PAIRS if said.get(pair[0]) == said.get(pair[1]) and set(pair) & set(wrong.index)]
    told = " and ".join(f"{a} with {b}" for a, b in alike[:2])
    return f"Compare {told}: in one somebody is helped, in the other is what made help necessary." if alike else ""


def _only_people(said: dict[int, str], wrong: pd.DataFrame) -> str:
    if 10 in wrong.index:
        return "Is help only help when a person gives it? Think of customers who find it themselves."
    return ""


def _generous(said: dict[int, str], wrong: pd.DataFrame) -> str:
    if {1, 2} & set(wrong.index):
        return "Something pleasant, or annoying, from the company is not yet help for someone who needs it."
    return ""


def _everything_support(said: dict[int, str], wrong: pd.DataFrame) -> str:
    many = sum(choice == "support" for choice in said.values())
    return "A stage says where on the way the customer is, not whether something went wrong." if many >= 3 else ""


def _late(said: dict[int, str], wrong: pd.DataFrame) -> str:
    if 15 in wrong.index and said[15] == "buy":
        return "When the contract is signed, buying is over: what begins then?"
    if 20 in wrong.index:
        return "Is a purchase complete before the thing is there?"
    if 16 in wrong.index:
        return "One scene is about the moment at which a customer decides whether to stay."
    return ""


def _all_to_service(said: dict[int, str], wrong: pd.DataFrame) -> str:
    many = sum(choice == "customer service" for choice in said.values())
    if many >= 3:
        return "Customer service hears of it. Who could make it not happen again?"
    return ""


def _callers(said: dict[int, str], wrong: pd.DataFrame) -> str:
    if 23 in wrong.index:
        return "Answering the same question well six times of ten is not the end of it: who could make the question go?"
    if {24, 26} & set(wrong.index):
        return "Two scenes are about promises: who made them, and to whom?"
    if {25, 27} & set(wrong.index):
        return "Think of stock, routes and rosters: whose are they?"
    return ""


def _by_channel(said: dict[int, str], wrong: pd.DataFrame) -> str:
    if {31, 33} & set(wrong.index):
        return "The channel does not decide it. Who made the first move, the customer or the company?"
    if {29, 32, 34} & set(wrong.index):
        return "Something had gone wrong, but had anybody asked? Who made the first move?"
    return "Credit for those who ask: who made the first move?" if 30 in wrong.index else ""


def touchpoints_judge(answer: object) -> str:
    """Judge the touchpoints of one's own company."""
    if not isinstance(answer, pd.DataFrame):
        return "Make a table of your lines with cx.workshop.touchpoints(...), then check that."
    table = answer
    if len(table) < FEWEST:
        return f"{len(table)} touchpoints so far: think of the whole way, and find {FEWEST} or more."
    blank = table.index[table[["touchpoint", "stage", "department"]].eq("").any(axis=1)]
    if len(blank):
        return f"Line {blank[0] + 1} lacks a part: touchpoint | stage | department | service yes or no."
    for stage in table["stage"]:
        if stage not in STAGES:
            return (
                f"No stage is called '{stage}'; did you mean '{nearest(stage, STAGES) or STAGES[0]}'? {_listed(STAGES)}"
            )
    twice = table["touchpoint"][table["touchpoint"].duplicated()]
    if len(twice):
        return f"'{twice.iloc[0]}' is there twice: one line for each touchpoint."
    if table["is_service"].isna().any():
        return "The last part of a line is yes or no: is the touchpoint service?"
    if table["is_service"].all():
        return "All of it is service? Then the product, the price and the bill are not on your list yet."
    if not table["is_service"].any():
        return "None of it is service? Where do your customers go when they need help?"
    if (table["is_service"] != (table["stage"] == "support")).sum() == 0 and table["stage"].nunique() < 3:
        return "Walk the whole way once: how do customers find you, buy, use, and decide to stay?"
    if table["stage"].nunique() < 4:
        return f"Only {table['stage'].nunique()} of the five stages occur: {_listed(STAGES)}"
    return ""


def _listed(words: tuple[str, ...]) -> str:
    return f"There are: {', '.join(words)}."


def touchpoints(lines: object) -> pd.DataFrame:
    """Lines "touchpoint | stage | department | yes or no" as the kit's table of touchpoints.

    The last part says whether the touchpoint is service. Nothing is refused here: the check says what is wrong.
    """
    rows = []
    for line in str("" if lines is ... else lines).splitlines():
        parts = [part.strip() for part in line.split("|")]
        if any(part.strip(". ") for part in parts):
            rows.append([*parts, *[""] * 4][:4])
    table = pd.DataFrame(rows, columns=["touchpoint", "stage", "department", "is_service"], dtype=object)
    table["stage"] = table["stage"].str.casefold()
    yes = {"yes": True, "y": True, "true": True, "no": False, "n": False, "false": False}
    return table.assign(is_service=table["is_service"].astype(str).str.casefold().map(yes))


EXERCISES = (
    Exercise("1.1", "Service, or experience beyond service", aspect_judge("scope", [
        _all_alike({SERVICE: "If all of it is service, the word says nothing: who is helped by a price on a menu?",
                    BEYOND: "If none of it is service, what is a call to support?"}),
        _all_swapped, _pairs_alike, _generous, _only_people,
    ]), "Help, asked for or offered, is service; all the rest of what customers meet is experience too. What is "
        "disputed you may sort either way: it comes back below."),
    Exercise("1.2", "The stage of the journey", aspect_judge("stage", [
        _all_alike({"support": "A stage says where on the way the customer is, not whether something went wrong."}),
        _everything_support, _late,
    ]), "From the poster to the renewal: most of the way lies outside support."),
    Exercise("1.3", "The department that could change it", aspect_judge("department", [
        _all_alike({"customer service": "Customer service hears of it. Who could make it not happen again?"}),
        _all_to_service, _callers,
    ]), "Most causes of contacts lie where no agent sits."),
    Exercise("1.4", "Reactive or proactive", aspect_judge("initiative", [
        _all_alike({"reactive": "Look for those in which nobody had asked yet.",
                    "proactive": "Look for those in which a customer had asked first."}),
        _by_channel,
    ]), "Whoever makes the first move decides it, not the channel and not whether something broke."),
    Exercise("1.5", "Touchpoints of your own", touchpoints_judge,
             "That is the table touchpoints of a study: the kit now knows what counts as service with you."),
)  # fmt: skip
