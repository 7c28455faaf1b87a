"""Checks of the third workshop notebook: the naive share, the adjusted one, average, role, reasons, the press."""

from __future__ import annotations

import functools
from collections.abc import Mapping

import numpy as np
import pandas as pd

from . import lessons
from .fractions import attributable_fractions
from .lessons import tolerant
from .marking import Exercise, choice_judge, number_in, number_judge

LETTERS = {"S": "service", "P": "price", "O": "other"}
RULES = ("strict", "wide")


def _table() -> pd.DataFrame:
    return lessons.leavers()


def _sums(rows: pd.DataFrame) -> tuple[float, float]:
    """Customers and leavers."""
    return float(rows["customers"].sum()), float(rows["left"].sum())


def _risk(rows: pd.DataFrame) -> float:
    customers, left = _sums(rows)
    return left / customers


def _failed() -> pd.Series:
    return _table()["contact"] == "failed"


def naive() -> float:
    """1 - risk of those without a failed contact / risk of all."""
    return 1 - _risk(_table()[~_failed()]) / _risk(_table())


def with_failure() -> float:
    """Share of the leavers who had a failed contact."""
    return _sums(_table()[_failed()])[1] / _sums(_table())[1]


def _naive_mistakes() -> Mapping[str, float]:
    table, failed = _table(), _failed()
    bad, fine = _risk(table[failed]), _risk(table[~failed])
    return {
        "That is the share of leavers who had a failed contact. Some of them would have left anyway.": with_failure(),
        "That compares those with a failure to those without. Compare with all: every leaver is in question.":
            1 - fine / bad,
        "That is the difference of the two risks. As a share of what? Divide by the risk of all.": bad - fine,
        "That is the difference between everyone's risk and the one without failures: now divide by everyone's.":
            _risk(table) - fine,
        "That is how many customers had a failed contact, not how many departures go with it.":
            _sums(table[failed])[0] / _sums(table)[0],
        "That is what remains without failures. What has gone is 1 less that.": fine / _risk(table),
    }  # fmt: skip


def standardised(reference: str = "good") -> float:
    """Leavers in excess among failed contacts, within each group of faults, of all leavers."""
    excess = 0.0
    for _, rows in _table().groupby("faults"):
        failed, other = (rows[rows["contact"] == level] for level in ("failed", reference))
        customers, left = _sums(failed)
        excess += left - customers * _risk(other)
    return excess / _sums(_table())[1]


def _adjusted_mistakes() -> Mapping[str, float]:
    table, failed = _table(), _failed()
    customers, left = _sums(table[failed])
    own = []
    for _, rows in table.groupby("faults"):
        bad, good = (rows[rows["contact"] == level] for level in ("failed", "good"))
        own.append((_sums(bad)[1] - _sums(bad)[0] * _risk(good)) / _sums(rows)[1])
    return {
        "That is the naive share again: compare within each group of faults, then add up.": naive(),
        "You compare with no contact at all. The question is what a good contact would have changed.":
            standardised("none"),
        "You compare failed with good, but across all groups of faults at once: faults are still mixed in.":
            (left - customers * _risk(table[table["contact"] == "good"])) / _sums(table)[1],
        "You took the plain mean of the three groups' shares. They do not have equally many leavers: add up people.":
            float(np.mean(own)),
        "That is the share of leavers who had a failed contact, whether or not it made a difference.": with_failure(),
    }  # fmt: skip


@functools.cache
def _fractions() -> tuple[float, float, float]:
    """Fractions of service alone, of price alone, and of both."""
    found = attributable_fractions(lessons.attrition())
    shares = found[found["measure"] == "fraction"].set_index("term")["estimate"]
    return float(shares["service"]), float(shares["price"]), float(shares["joint"])


def average() -> float:
    """Average of service removed first and removed last."""
    service, price, both = _fractions()
    return (service + both - price) / 2


def _average_mistakes() -> Mapping[str, float]:
    service, price, both = _fractions()
    return {
        "That is half of both together. Service and price need not have equal parts.": both / 2,
        "That splits by size: service / (service + price). Average the two orders instead.": service
        / (service + price),
        "That is the average share of price. The question is service.": (price + both - service) / 2,
        "That is what both are worth together.": both,
    }


def _average_judge(answer: object) -> str:
    """The two orders lie close together here, so they are looked for before rounding is allowed for."""
    given, (service, price, both) = number_in(answer), _fractions()
    points = None if given is None else given * (100 if abs(given) <= 1 else 1)
    for said, alone in (("first", service), ("last", both - price)):
        if points is not None and abs(points - 100 * alone) < 0.1:
            return f"That is service removed {said}. There are two orders: take both, and the middle of them."
    nudge = "Not this yet. What does service add when it is removed first, and what when it is removed last?"
    return number_judge(tolerant(average), _average_mistakes, share=True, tolerance=0.3, nudge=nudge)(answer)


def _role_judge(answer: object) -> str:
    """Judge the two bounds of "plays a role in"."""
    if not isinstance(answer, tuple | list) or len(answer) != 2:
        return "Two numbers are asked for, the least and the most: (least, most). One number would say too much."
    ends = [number_in(end) for end in answer]
    if None in ends:
        return "Two numbers are asked for: (least, most)."
    low, high = (end * (100 if abs(end) <= 1 else 1) for end in ends if end is not None)
    least, most = 100 * _fractions()[0], 100 * with_failure()
    if abs(low - least) <= 0.6 and abs(high - most) <= 0.6:
        return ""
    if low > high:
        return "The least comes first, then the most."
    fractions = attributable_fractions(lessons.attrition())
    row = fractions[(fractions["term"] == "service") & (fractions["measure"] == "fraction")].iloc[0]
    if abs(low - 100 * row["lower"]) <= 1.1 and abs(high - 100 * row["upper"]) <= 1.1:
        return "That is the interval of the fraction: how sure we are of one number. Bounds are another thing."
    if low <= 0.1 and high >= 99.9:
        return "True of everything. The data say more: who cannot have been affected by a failure they never had?"
    if abs(high - 100 * naive()) <= 0.6:
        return "The naive share is no bound. At most: everyone who had a failed contact before leaving."
    if abs(low - least) <= 0.6:
        return "The least is right. At most it played a role for everyone who had a failed contact before leaving."
    if abs(high - most) <= 0.6:
        return "The most is right. At least for those who would not have left without: the adjusted fraction."
    return "Not these yet. Least: who would have stayed without failures. Most: whoever had one before leaving."


def codes(letters: object) -> list[str]:
    """Twelve letters, S, P or O, as the causes they stand for; anything else stays as it is."""
    return [LETTERS.get(letter, letter) for letter in "".join(str(letters).split()).upper()]


def _codes_judge(answer: object) -> str:
    """Judge twelve reasons coded by two rules, as a pair of texts of twelve letters."""
    if not isinstance(answer, tuple | list) or len(answer) != 2:
        return "Check both together: (strict, wide)."
    told = lessons.full("workshop_reasons.csv").set_index("number")
    both = {rule: codes(letters) for rule, letters in zip(RULES, answer, strict=True)}
    for rule, said in both.items():
        if len(said) != len(told):
            return f"The {rule} rule has {len(said)} letters; one for each of the {len(told)} reasons."
        if set(said) - set(LETTERS.values()):
            return f"The {rule} rule: S for service, P for price, O for other; nothing else."
    off = {rule: told.index[[a != b for a, b in zip(said, told[rule], strict=True)]] for rule, said in both.items()}
    if not any(len(numbers) for numbers in off.values()):
        return ""
    if both["strict"] == both["wide"]:
        return "Both rules are coded alike. What does the wide rule count as service that the strict one does not?"
    if both["strict"] == list(told["wide"]) and both["wide"] == list(told["strict"]):
        return "The two rules are swapped: the strict one counts less as service."
    wrong = {(told["wide"][n], both[rule][n - 1]) for rule, numbers in off.items() for n in numbers}
    if any(right == "price" or said == "price" for right, said in wrong):
        return (
            "Look again at price: what one pays, here or with a rival, is price under both rules; a need gone is not."
        )
    if any(right == "other" and said == "service" for right, said in wrong):
        return "A fault, a feature or a move is not service under either rule, however annoying."
    rule = max(off, key=lambda name: len(off[name]))
    return f"Read the {rule} rule again: {len(off[rule])} of {len(told)} are coded otherwise there."


EXERCISES = (
    Exercise("3.1", "The naive share", number_judge(tolerant(naive), _naive_mistakes, share=True, nudge=
        "Not this yet. One minus the risk without failures over the risk of all."),
        "This is the figure that gets into headlines. Whatever else differs between the two groups is in it."),
    Exercise("3.2", "What turning a knob does", choice_judge("3.2", "abcd"),
             "The more those with faults call, the more faults pass for service."),
    Exercise("3.3", "Within groups of faults", number_judge(tolerant(standardised), _adjusted_mistakes, True, nudge=
        "Not this yet. In each group of faults: leavers among the failed, less those at the risk of the good."),
        "Like with like. The kit's model does it for faults, prices on the market, tenure, segment and plan at once."),
    Exercise("3.4", "Average fraction", _average_judge,
             "The average over both orders adds up: with price's it gives exactly what both are worth together."),
    Exercise("3.5", "Plays a role in", _role_judge,
             "Between these two no data can tell. They are bounds, not an interval of confidence."),
    Exercise("3.6", "Twelve reasons, two rules", _codes_judge,
             "The same twelve people, and the headline has moved: always ask for the rule."),
    Exercise("3.7", "First claim of the press", choice_judge("3.7", "abcd"),
             "A claim about a role has two bounds; one number cannot prove it, and can fall outside."),
    Exercise("3.8", "Second claim of the press", choice_judge("3.8", "abcd"),
             "Without its denominator a share is half a sentence."),
)  # fmt: skip
