"""Published figures beside a study's own: which it can test, how they compare, what hangs on definitions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd
from great_tables import GT

from .layout import laid_out
from .published import CONSISTENT, UNTESTABLE, Verdict, claim_margins, claim_verdict
from .schema import results
from .wording import Sentence, capital, estimate, listed, number, percent, visible

At = tuple[str, str]  # term and measure of an estimate
Test = tuple[Any, *tuple[At, ...]]  # a result of the study, or None, and where in it the estimate or its bounds are
PUBLISHED, DIFFERENCE = "published", "difference"


def held_against(
    claims: pd.DataFrame, tests: Mapping[str, Test], because: Mapping[str, str] | None = None, level: float = 0.95
) -> pd.DataFrame:
    """Every published figure with its margin, the study's own estimate of it, and what that says.

    Parameters
    ----------
    claims : from `published_claims`
    tests : name of a claim -> (result of the study, (term, measure) of the estimate or of its lower and upper bound)
    because : name of a claim -> why these data cannot test it, where there is more to say than the claim itself does
    level : confidence of the published margins

    Returns
    -------
    Result columns, first the column claim; for every claim measure "published" (limits where its n allows any), the
    study's own rows, and measure "difference" (own less published, with limits), whose note is the verdict and whose
    method says why a claim cannot be tested. Small groups are hidden before anything is compared.
    """
    sure, rows = claim_margins(claims, level).set_index("term"), []
    for name, claim in claims.iterrows():
        alone = {"estimate": claim["value"], "unit": claim["unit"]}
        margin = sure.loc[name].to_dict() if name in sure.index else alone
        rows.append({"claim": name, **margin, "term": PUBLISHED, "measure": PUBLISHED})
        result, *at = tests.get(str(name), (None,))
        seen = visible(result) if isinstance(result, pd.DataFrame) else None
        found = claim_verdict(claim, seen, *at, because=(because or {}).get(str(name), ""))
        own = [] if seen is None else [row for one in dict.fromkeys(at) for row in _own(seen, *one)]
        rows += [{"claim": name, **row} for row in own]
        rows.append({"claim": name, **_told(found), "n": own[0]["n"] if own else 0, "unit": claim["unit"]})
    return results(rows, ["claim"])


def _own(seen: pd.DataFrame, term: str, measure: str) -> list[dict[str, Any]]:
    rows = seen[(seen["term"] == term) & (seen["measure"] == measure) & seen["estimate"].notna()]
    return rows[[name for name in rows if name != "claim"]].to_dict("records")


def _told(found: Verdict) -> dict[str, Any]:
    return {"term": DIFFERENCE, "measure": DIFFERENCE, "estimate": found.difference, "lower": found.lower,
            "upper": found.upper, "note": found.verdict, "method": found.because}  # fmt: skip


def judged(held: pd.DataFrame) -> list[str]:
    """Names of the claims that the study can test; from `held_against`."""
    found = held[held["measure"].eq(DIFFERENCE) & held["note"].ne(UNTESTABLE)]
    return list(found["claim"])


def verdict_of(held: pd.DataFrame, name: str) -> str:
    """The verdict on one claim."""
    return str(_row(held, name, DIFFERENCE)["note"])


def own_rows(held: pd.DataFrame, name: str) -> list[Any]:
    """The study's own estimate of a claim, or its two bounds."""
    own = held[held["claim"].eq(name) & ~held["measure"].isin([PUBLISHED, DIFFERENCE])]
    return list(own.itertuples(index=False))


def published_row(held: pd.DataFrame, name: str) -> Any:
    """The published figure of a claim, with its margin where there is one."""
    return next(held[held["claim"].eq(name) & held["measure"].eq(PUBLISHED)].itertuples(index=False))


def verdicts(held: pd.DataFrame, claims: pd.DataFrame) -> GT | None:
    """The claims that the study can test: published with its margin, here with its interval, and the verdict."""
    names = judged(held)
    if not names:
        return None
    shown = pd.DataFrame({
        "claim": [capital(claims.loc[name, "label"]) for name in names],
        "verdict": [verdict_of(held, name) for name in names],
        "published": [published_words(held, claims, name) for name in names],
        "here": [_here(held, name) for name in names],
        "n": [number(own_rows(held, name)[0].n) for name in names],
    })  # fmt: skip
    level = percent(own_rows(held, names[0])[0].level)
    note = f"In brackets: {level} intervals. Consistent: not contradicted; a wide interval contradicts little."
    return laid_out(shown, "What these data say of the published figures", note)


def untestable(held: pd.DataFrame, claims: pd.DataFrame) -> GT | None:
    """The claims that the study cannot test, by the reason why, with its own estimate where there is one."""
    rest = held[held["measure"].eq(DIFFERENCE) & held["note"].eq(UNTESTABLE)]
    if rest.empty:
        return None
    rows = []
    for because, own in rest.groupby("method", sort=False):
        quoted = [str(claims.loc[name, "label"]) + _beside(held, str(name)) for name in own["claim"]]
        rows.append((capital(str(because)), "; ".join(quoted), number(len(quoted))))
    return laid_out(pd.DataFrame(rows, columns=["because", "published", "claims"]), f"What {UNTESTABLE}")


def as_cited(held: pd.DataFrame, claims: pd.DataFrame) -> GT:
    """Every published figure as it is cited, with the margin that its own number of respondents allows.

    Of whom, by whom and when is told once where it stays the same from row to row.
    """
    rows = []
    for name, claim in claims.iterrows():
        row = published_row(held, str(name))
        told = pd.isna(claim["year"]) or str(claim["year"]) in claim["source"]
        year = "" if told else f", {claim['year']}"
        rows.append({
            "claim": claim["claim"], "n": "" if pd.isna(claim["n"]) else number(claim["n"]),
            "margin": "" if pd.isna(row.lower) else estimate(row, first=False).replace(" ", "\N{NO-BREAK SPACE}"),
            "of": claim["population"], "source": f"{claim['source']}{year}",
        })  # fmt: skip
    shown = pd.DataFrame(rows)
    same = shown[["of", "source"]].eq(shown[["of", "source"]].shift()).all(axis=1)
    shown.loc[same, ["of", "source"]] = ""
    return laid_out(
        shown, "What was published, as cited", "Margin: Wilson, as if the respondents were drawn at random."
    )


def ways_to_count(claims: pd.DataFrame, ways: Iterable[tuple[str, str, *tuple[Any, ...]]]) -> GT | None:
    """The same claim counted in other ways: what each gives here, and what it would say of the claim.

    `ways` are (name of the claim, how it is counted, result, (term, measure), ...); those of no result are left out.
    """
    rows = []
    for name, words, result, *at in ways:
        if isinstance(result, pd.DataFrame):
            seen = visible(result)
            own = [row for one in dict.fromkeys(at) for row in _own(seen, *one)]
            found = claim_verdict(claims.loc[name], seen, *at)
            told = " to ".join(estimate(pd.Series(row), first=False) for row in own) or "too few"
            rows.append((capital(claims.loc[name, "label"]), words, found.verdict, told))
    if not rows:
        return None
    shown = pd.DataFrame(rows, columns=["claim", "counted as", "verdict", "here"])
    shown["claim"] = shown["claim"].where(~shown["claim"].duplicated(), "")
    return laid_out(shown, "The same claim, counted in other ways")


def claims_answer(held: pd.DataFrame, claims: pd.DataFrame, who: Mapping[str, str] | None = None) -> Sentence:
    """The one sentence of the notebook on published figures; `who` says whom the estimate of a claim counts."""
    names, whole = judged(held), number(len(claims))
    if not names:
        return Sentence(f"None of {whole} published claims can be tested with these data.")
    bad = [name for name in names if verdict_of(held, name) != CONSISTENT]
    told = f"Of {whole} published claims these data can test {number(len(names))}, and "
    told += "contradict none" if not bad else f"contradict {number(len(bad))}: "
    told += listed([f'"{claims.loc[name, "claim"]}" (here {number(own_rows(held, name)[0].estimate, "share")})'
                    for name in bad])  # fmt: skip
    first = names[0]
    place = f'for "{claims.loc[first, "claim"]}" they give {_here(held, first, first=True)}'
    return Sentence(f"{told}; {place}; n = {number(own_rows(held, first)[0].n)} {(who or {}).get(first, 'rows')}.")


def _row(held: pd.DataFrame, name: str, measure: str) -> pd.Series:
    return held[held["claim"].eq(name) & held["measure"].eq(measure)].iloc[0]


def published_words(held: pd.DataFrame, claims: pd.DataFrame, name: str) -> str:
    """A published figure with its margin: "58% (53% to 63%)", "more than 50%", "more than none"."""
    row, relation = published_row(held, name), claims.loc[name, "relation"]
    if relation != "equals" and row.estimate == 0:
        return f"{relation} none"
    return ("" if relation == "equals" else f"{relation} ") + estimate(row, first=False)


def _here(held: pd.DataFrame, name: str, first: bool = False) -> str:
    own = own_rows(held, name)
    told = [estimate(row, first and not i) for i, row in enumerate(own)]
    return f"between {told[0]} and {told[1]}" if len(told) > 1 else told[0]


def _beside(held: pd.DataFrame, name: str) -> str:
    own = own_rows(held, name)
    return f" (here {_here(held, name)})" if own else ""
