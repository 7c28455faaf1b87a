"""What every notebook says around its results: the study, whom it counts, what it lacks, the answer, the sources."""

from __future__ import annotations

import math
import platform
from collections.abc import Iterator, Mapping
from datetime import date
from importlib import import_module
from typing import Any

import pandas as pd
from great_tables import GT

from .engine import NUMBER, View, collect
from .feeds import lacks
from .frame import landmark_day
from .layout import laid_out
from .schema import TOO_FEW
from .study import Study
from .study_file import SPARK, AttritionPart, ExperiencePart, LandmarkPart
from .wording import Sentence, all_hidden, escaped, groups_of, listed, not_shown, plain_name, visible

ANSWER = "application/vnd.cxlib.answer+json"
LOW, HIGHEST = 2.0, 5.0  # of five points


def part(study: Study, name: str) -> Any:
    """A part of a study ("attrition", "experience", "reasons"); where the study lacks it, say so and return None."""
    from IPython.display import display

    if missing := lacks(study, name):
        display(Sentence(f"{missing} What would need it is left out below."))
        return None
    return getattr(study, name)


def without(study: Study, *names: str) -> Sentence | None:
    """What the study lacks for one thing, the first of the parts or tables it needs; None where it has them all."""
    missing = next(filter(None, (lacks(study, name) for name in names)), "")
    return Sentence(f"Left out: {missing[:1].lower()}{missing[1:]}") if missing else None


def about(study: Study, as_of: str = "") -> Sentence:
    """Which study an attrition report is about, its unit of analysis and its period."""
    if study.frame is not None:
        return Sentence(f"Study: {study.title}. Each row of its frame counts once; the frame holds no dates.")
    assert study.tables is not None
    if study.tables.customers is None:
        return Sentence(f"Study: {study.title}. It holds tickets and no customers.")
    when = study.landmark or LandmarkPart()
    return Sentence(
        f"Study: {study.title}. Customers are looked at on {_day(study, as_of)}: what happened to them in the "
        f"{when.lookback_days} days before, and whether they left of their own accord in the {when.horizon_days} after."
    )


def about_answers(study: Study, who: str) -> Sentence:
    """Which study an experience report is about, and whose answers count; `who` is from `answered`."""
    undated = "" if study.frame is None else "; the frame holds no dates"
    return Sentence(f"Study: {study.title}. What counts: {who}{undated}.")


def rating_ends(frame: View | None, part: ExperiencePart | None) -> tuple[float, float] | None:
    """What counts as a low and as a high rating: the study's words, else 2 and 5; beyond 5, say what is missing."""
    from IPython.display import display

    if frame is None or part is None:
        return None
    if part.low_high:
        return part.low_high[0], part.low_high[1]
    ratings = [frame[driver] for driver in part.drivers if frame.kind[driver] == NUMBER]
    found = collect(frame.frame.select(rating.max().alias(f"m{i}") for i, rating in enumerate(ratings))).iloc[0]
    if found.max() > HIGHEST:
        display(Sentence(
            f"Ratings go up to {found.max():g}, so the study must say which are low and which are high: low_high in "
            f"[experience]. What would need it is left out below."
        ))  # fmt: skip
        return None
    return LOW, HIGHEST


def model(attrition: AttritionPart | None) -> Sentence | None:
    """What counts as a failure of each cause, against what, and what is held alike."""
    if attrition is None:
        return None
    causes = [f"{cause}: {', or '.join(_failures(columns))}" for cause, columns in attrition.causes.items()]
    alike = listed([plain_name(column) for column in attrition.adjust]) or "nothing"
    return Sentence(f"What counts as a failure of {'; of '.join(causes)}. Confounders that are held alike: {alike}.")


def _failures(columns: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """Each column of a cause: the levels that are failures, and what they are set against."""
    for column, to in columns.items():
        for reference in dict.fromkeys(to.values()):
            bad = " or ".join(str(level) for level, good in to.items() if good == reference)
            yield f"{plain_name(column)} {bad}, against {reference}"


def horizon_days(study: Study) -> int:
    """The days within which a study counts departures; of a frame, which holds no dates, the kit's usual ones."""
    return (study.landmark or LandmarkPart()).horizon_days


def at_risk(study: Study, as_of: str = "", only_column: str = "", only_value: str = "") -> str:
    """Whom an attrition result counts, and when, for the end of a sentence."""
    group = f"customers{_group(only_column, only_value)}"
    if study.frame is not None:
        return group
    when = study.landmark or LandmarkPart()
    return f"{group} at risk on {_day(study, as_of)}, followed for {when.horizon_days} days"


def answered(frame: View | None, only_column: str = "", only_value: str = "") -> str:
    """Whose answers an experience result counts, and when they came, for the end of a sentence."""
    group = f"answers{_group(only_column, only_value)}"
    if frame is None or "answered_at" not in frame.at:
        return group
    stamp = frame["answered_at"]
    ends = collect(frame.frame.select(stamp.min().alias("first"), stamp.max().alias("last"))).iloc[0]
    return f"{group} given from {ends['first']:%Y-%m-%d} to {ends['last']:%Y-%m-%d}"


def beside(naive: pd.DataFrame | None, adjusted: pd.DataFrame | None) -> pd.DataFrame | None:
    """Two results as one, with a first column "model": naive or adjusted."""
    if not (isinstance(naive, pd.DataFrame) and isinstance(adjusted, pd.DataFrame)):
        return None
    both = pd.concat([naive.assign(model="naive"), adjusted.assign(model="adjusted")], ignore_index=True)
    return both[["model", *naive.columns]]


def answer(notebook: str, parameters: Mapping[str, Any], sentence: str, *results: pd.DataFrame | bool | None) -> None:
    """Display the notebook's one answer: the sentence, and as JSON the estimates behind it.

    Parameters
    ----------
    notebook : stem of the notebook
    parameters : its parameters
    sentence : the answer in one sentence
    *results : result tables; rows of small groups are left out, and what is no table, where the study feeds none
    """
    from IPython.display import display

    there = [result for result in results if isinstance(result, pd.DataFrame)]
    rows = [row for result in there for row in _rows(result)]
    sentence = sentence or (not_shown() if any(map(all_hidden, there)) else "")
    content = {"schema": 1, "notebook": notebook, "parameters": dict(parameters), "sentence": str(sentence)}
    shown = {"text/markdown": f"**{escaped(sentence)}**", "text/plain": str(sentence)}
    display(shown | {ANSWER: content | {"answers": rows}}, raw=True)


def provenance(study: Study, parameters: Mapping[str, Any], *results: pd.DataFrame | bool | None) -> GT:
    """Where the numbers come from: study, files, parameters, methods, versions."""
    shown = [visible(result) for result in results if isinstance(result, pd.DataFrame)]
    # A method may say how many it counts.
    methods = dict.fromkeys(m for result in shown for m in result.loc[result["note"] != TOO_FEW, "method"] if m)
    engine = "pyspark" if study.engine == SPARK else "duckdb"
    versions = (f"{name} {import_module(name).__version__}" for name in ("numpy", "pandas", engine, "statsmodels"))
    rows = {
        "study": study.title,
        "files": ", ".join(dict.fromkeys([*(path.name for path in study.files), *study.catalog])),
        "parameters": ", ".join(f"{name} = {value}" for name, value in parameters.items() if value != ""),
        "methods": "; ".join(methods) or "none shown",
        "software": ", ".join([f"Python {platform.python_version()}", *versions]),
    }
    return laid_out(pd.DataFrame(rows.items(), columns=["of", "what"]), "Where these numbers come from")


def _rows(result: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows of a result for JSON: not a number is null, rows of small groups are left out."""
    keys, seen, rows = groups_of(result), visible(result), []
    for row in seen[seen["n"].notna()].to_dict("records"):
        plain = {name: _plain(value) for name, value in row.items()} | {"n": int(row["n"])}
        by = {key: plain.pop(key) for key in keys}
        name = plain["term"] if plain["term"] == plain["measure"] else f"{plain['term']}.{plain['measure']}"
        rows.append({"name": name, "by": by, **plain})
    return rows


def _plain(value: Any) -> Any:
    """A value that JSON has a word for."""
    value = value.item() if hasattr(value, "item") else value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if value is None or isinstance(value, bool | int) else str(value)


def _day(study: Study, as_of: str) -> date:
    when = study.landmark or LandmarkPart()
    assert study.tables is not None
    return landmark_day(study.tables, as_of or when.as_of, when.lookback_days, when.horizon_days, when.slow_hours)


def _group(column: str, value: str) -> str:
    return f" with {plain_name(column)} {value}" if column else ""
