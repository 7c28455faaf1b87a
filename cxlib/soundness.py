"""Data health in words and tables: rules and the rows that break them, empty cells, leaks, what each notebook lacks."""

from __future__ import annotations

import pandas as pd
from great_tables import GT

from . import engine
from .data import SEEN
from .feeds import describe_study
from .layout import laid_out
from .schema import TOO_FEW
from .study import Study
from .wording import (
    Sentence,
    capital,
    column_name,
    estimate,
    listed,
    number,
    people,
    percent,
    periods,
    plain_name,
    sentence,
    smallest_group,
    visible,
)

VERDICTS = {"fails": "fails", "look": "look at it", "ok": "holds"}
BACKWARDS = "is not before"  # in the rules about stamps


def tables_held(study: Study) -> GT:
    """What a study holds: its tables, their rows, and the days they cover."""
    if study.tables is None:
        assert study.frame is not None
        rows = [("frame", people(engine.rows(study.frame)), number(len(study.frame.at)), "")]
    else:
        rows = [(name, people(engine.rows(seen)) if name != "touchpoints" else number(engine.rows(seen)),
                 number(len(seen.at)), _days(seen, name))
                for name, seen in study.tables.present.items()]  # fmt: skip
    shown = pd.DataFrame(rows, columns=["table", "rows", "columns", "days"])
    return laid_out(shown.loc[:, (shown != "").any()], "What the study holds")


def _days(seen: engine.View, table: str) -> str:
    stamps = [name for name in SEEN.get(table, ()) if name in seen.at]
    if not stamps:
        return ""
    asked = [seen[name].min().alias(f"a{i}") for i, name in enumerate(stamps)]
    asked += [seen[name].max().alias(f"b{i}") for i, name in enumerate(stamps)]
    known = [pd.Timestamp(value) for value in engine.collect(seen.frame.select(*asked)).iloc[0] if not pd.isna(value)]
    return f"{min(known):%Y-%m-%d} to {max(known):%Y-%m-%d}" if known else ""


def contract(found: pd.DataFrame) -> Sentence:
    """How many rules hold, fail, or ask to be looked at; from `data_health`."""
    counts = found["verdict"].value_counts()
    failing, odd = int(counts.get("fails", 0)), int(counts.get("look", 0))
    told = [f"{number(len(found))} rules were checked"]
    good = int(counts.get("ok", 0))
    told.append("all hold" if not failing and not odd else f"{number(good)} hold{'s' * (good == 1)}")
    told += [f"{number(failing)} {'fail' if failing > 1 else 'fails'}"] * bool(failing)
    told += [f"{number(odd)} {'ask' if odd > 1 else 'asks'} for a look"] * bool(odd)
    return Sentence(f"{listed(told)}.")


def broken_rules(found: pd.DataFrame) -> GT | None:
    """The rules that do not hold, with the rows that break them.

    Not the values: a page may be passed on, and who is to mend the data has them. `cx check` tells up to three a rule.
    """
    shown = found[found["verdict"] != "ok"]
    note = "Not on this page: the values. `cx check` tells some of each rule to whoever has the data."
    return None if shown.empty else laid_out(_as_told(shown), "Rules that do not hold", note)


def rules_about(found: pd.DataFrame, words: str, title: str) -> GT | None:
    """The rules whose text has these words, whether they hold or not; None where there is none."""
    shown = found[found["rule"].str.contains(words, regex=False)]
    return None if shown.empty else laid_out(_as_told(shown), title)


def every_rule(found: pd.DataFrame) -> GT:
    """All rules of the contract with the rows that were looked at and those that break them."""
    return laid_out(_as_told(found), "The whole contract")


def _as_told(found: pd.DataFrame) -> pd.DataFrame:
    # Touchpoints are no people.
    told = [number if table == "touchpoints" else people for table in found["table"]]
    shown = pd.DataFrame({
        "table": found["table"], "what must hold": found["rule"].map(plain_name),
        "rows": [tell(rows) for tell, rows in zip(told, found["rows"], strict=True)],
        "not so": [tell(rows) for tell, rows in zip(told, found["failing"], strict=True)],
        "verdict": found["verdict"].map(VERDICTS),
    })  # fmt: skip
    return shown if shown["verdict"].ne(VERDICTS["ok"]).any() else shown.drop(columns="verdict")


def backwards(found: pd.DataFrame) -> Sentence | None:
    """How many stamps run backwards, and what the measures do with them."""
    rules = found[found["rule"].str.contains(BACKWARDS, regex=False)]
    if rules.empty:
        return None
    wrong = rules[rules["failing"] > 0]
    if wrong.empty:
        return Sentence("No stamp runs backwards.")
    told = [f"{people(row.failing)} of {people(row.rows)} rows of {row.table}, {plain_name(row.rule)}"
            for row in wrong.itertuples(index=False)]  # fmt: skip
    return Sentence(f"Stamps run backwards in {'; '.join(told)}. Durations of these rows are refused, never averaged.")


@sentence
def missing_values(result: pd.DataFrame) -> str:
    """Which columns are emptiest, and how many have no gap."""
    shown = result[result["estimate"] > 0].sort_values("estimate", ascending=False, kind="stable")
    full, few = int((result["estimate"] == 0).sum()), int(result["note"].eq(TOO_FEW).sum())
    hidden = f" Not shown, of tables too small: {number(few)} column{'s' * (few != 1)}." if few else ""
    if shown.empty:
        return f"no column{' that is shown' * bool(few)} has an empty cell.{hidden}"
    told = [f"{column_name(row)} in {estimate(row, not i)}"
            for i, row in enumerate(shown.head(3).itertuples(index=False))]  # fmt: skip
    of_all = f"{number(full)} of {number(full + len(shown))} columns have no gap"
    return f"empty most often: {listed(told)} of the rows; {of_all}.{hidden}"


@sentence
def missing_ratings(result: pd.DataFrame) -> str:
    """Which touchpoints are rated least and most: those not met are missing by design, and not at random."""
    shown = result[result["estimate"].notna()].sort_values("estimate", ascending=False, kind="stable")
    if shown.empty:
        return "too few answers to tell which touchpoints are not rated."
    first, last = (next(part.itertuples(index=False)) for part in (shown, shown.tail(1)))
    return (f"{plain_name(first.touchpoint)} has no rating in {estimate(first)} of the answers, "
            f"{plain_name(last.touchpoint)} in {estimate(last, False)}; who never met a touchpoint cannot rate it, so "
            "leaving out answers with a gap leaves out those who had no need of it.")  # fmt: skip


@sentence
def leaks(result: pd.DataFrame) -> str:
    """Which columns all but decide the outcome."""
    shown = result[result["estimate"].notna()].sort_values("estimate", ascending=False, kind="stable")
    if shown.empty:
        return "too few rows to look for columns that know the outcome."
    suspect = [f"{plain_name(row.term)} ({percent(row.estimate)})" for row in shown.itertuples() if row.note]
    if suspect:
        return f"these columns all but decide the outcome, and were perhaps made from it: {listed(suspect)}."
    first = next(shown.itertuples(index=False))
    return (f"no column gives the outcome away: the most telling, {plain_name(first.term)}, tells "
            f"{percent(first.estimate)} of it, n = {number(first.n)}.")  # fmt: skip


def rows_by_period(result: pd.DataFrame | None) -> Sentence | None:
    """Whether a period of a table has no or hardly any rows."""
    if not isinstance(result, pd.DataFrame):
        return None
    names = periods(sorted(result["period"].unique()))
    holes = result[result["n"] < smallest_group()]
    few = [f"{table} in {listed([names[when] for when in own['period']][:6])}"
           for table, own in holes.groupby("table", sort=False)]  # fmt: skip
    if few:
        return Sentence(f"Hardly any rows, or none: {'; '.join(few)}. Was everything loaded?")
    return Sentence("No month between the first and the last is without rows.")


def coverage(study: Study) -> GT:
    """Which part of which notebook a study can run, and what the others lack."""
    told = describe_study(study)
    shown = pd.DataFrame({"notebook": told["notebook"], "part": told["part"],
                          "can run": told["feeds"], "because": told["missing"]})  # fmt: skip
    return laid_out(shown if shown["because"].ne("").any() else shown.drop(columns="because"), "What can run")


def health_answer(study: Study, found: pd.DataFrame, gaps: pd.DataFrame | None = None) -> Sentence:
    """The one sentence of the notebook on data health."""
    counts, parts = found["verdict"].value_counts(), describe_study(study)
    failing, odd = int(counts.get("fails", 0)), int(counts.get("look", 0))
    rules = f"all {number(len(found))} rules hold" if not failing else f"{number(failing)} of {number(len(found))} fail"
    told = [rules if failing or not odd else f"none of {number(len(found))} rules fails"]
    told += [f"{number(odd)} {'ask' if odd > 1 else 'asks'} for a look"] * bool(odd)
    feeds = int((parts["feeds"] == "yes").sum())
    told.append(f"{number(feeds)} of {number(len(parts))} parts of the notebooks can run")
    worst = visible(gaps).dropna(subset="estimate").head(1) if isinstance(gaps, pd.DataFrame) else pd.DataFrame()
    tail = "".join(f"; the touchpoint rated least, {plain_name(row.touchpoint)}, has no rating in {estimate(row)} of "
                   f"n = {number(row.n)} answers" for row in worst.itertuples(index=False))  # fmt: skip
    return Sentence(f"{listed(told)[:1].upper()}{listed(told)[1:]}{tail}.")


def duplicates(result: pd.DataFrame | None) -> Sentence | None:
    """How many rows repeat another one in every column."""
    if not isinstance(result, pd.DataFrame):
        return None
    row = next(result.itertuples(index=False))
    if not row.note:
        return Sentence(f"None of {people(row.n)} rows repeats another one.")
    return Sentence(f"{capital(people(row.estimate))} of {people(row.n)} rows {row.note.partition(' rows ')[2]}.")
