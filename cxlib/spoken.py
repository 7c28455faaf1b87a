"""The comments of a study, and of simulated ones what is truly in them."""

from __future__ import annotations

from typing import Any

import narwhals as nw
import pandas as pd

from . import engine
from .lexicon import TONES, read_lexicon
from .respondents import sentences
from .study import Study, study_answers


def study_comments(
    study: Study, as_of: str = "", only_column: str = "", only_value: str = "", comment: str = ""
) -> engine.View | None:
    """The answers of `study_answers` with what was said in them, for `comment_themes`.

    Parameters as for `study_answers`; `comment` names the column of a study of one frame, "" = the one that [comments]
    names, else "comment". Whatever its name, the column is "comment" too. None where the study holds no comments.

    Examples
    --------
    >>> view = cx.study_comments(cx.read_study("example"))
    >>> {"comment", "recommend", "region"} <= set(view.at)
    True
    """
    named = comment or (study.comments.column if study.comments else "comment")
    if study.tables is None:
        if study.frame is None or named not in study.frame.at:
            return None
        seen = study_answers(study, as_of, only_column, only_value)
        return engine.View(
            seen.frame, {**seen.at, "comment": seen.at[named]}, {**seen.kind, "comment": seen.kind[named]}
        )
    surveys = study.tables.surveys
    if surveys is None or "comment" not in surveys.at:
        return None
    seen = study_answers(study, as_of, only_column, only_value)
    said = surveys.frame.filter(~surveys["comment"].is_null())
    said = said.select(surveys["survey_id"].alias("survey_id"), surveys["comment"].alias("comment"))
    joined = seen.frame.join(said, on="survey_id", how="inner")
    return engine.View(joined, {**seen.at, "comment": "comment"}, {**seen.kind, "comment": engine.FACTOR})


def comment_labels(study: Study, comments: engine.View | None) -> tuple[Any, dict[str, str]] | None:
    """What people who read the comments of a study say is in them: a frame and its labels, for `comment_agreement`.

    Parameters
    ----------
    study : from `read_study`, whose [comments] names labels or says that the comments are simulated
    comments : from `study_comments`

    Returns
    -------
    A frame with the column "comment", and theme or tone -> column of true/false; None without labels or comments. Of
    simulated comments each different one counts once.

    Examples
    --------
    >>> study = cx.read_study("example")
    >>> frame, labels = cx.comment_labels(study, cx.study_comments(study))
    >>> {"service", "price", "positive"} <= set(labels)
    True
    """
    part = study.comments
    if comments is None or part is None:
        return None
    if not part.simulated:
        return (comments, dict(part.labels)) if part.labels else None
    assert study.tables is not None
    frame = simulated_themes(comments, study.tables.need("touchpoints", "what is service is written there"))
    known = [*read_lexicon(part.themes).themes, *TONES]
    return frame, {name: name for name in known if name in frame}


def simulated_themes(data: Any, touchpoints: Any, comment: str = "comment") -> pd.DataFrame:
    """What is truly in the comments of `simulate`, as labels for `comment_agreement`.

    Parameters
    ----------
    data : frame with simulated comments, at least one
    touchpoints : the table of that name: touchpoints that are service are one theme, "service"
    comment : column of the comments

    Returns
    -------
    One row per different comment: the comment, then true/false for each theme of which one of its sentences is, and
    for positive and negative. Themes are named like the touchpoints. Other comments than simulated ones hold none.

    Examples
    --------
    >>> tables, _ = cx.simulate(customers=300, seed=1)
    >>> labels = cx.simulated_themes(tables["surveys"], tables["touchpoints"])
    >>> {"service", "price", "positive"} <= set(labels)
    True
    """
    seen, places = engine.view(data), engine.view(touchpoints).to_pandas("touchpoint", "is_service")
    engine.require(seen, [comment])
    service = set(places.loc[places["is_service"].astype(bool), "touchpoint"])
    said = engine.distinct(seen.frame.filter(~seen[comment].is_null()).select(seen[comment].alias("comment")))
    folded = nw.col("comment").str.to_lowercase()
    holds: dict[str, nw.Expr] = {}
    for theme, tone, text in sentences():
        here = folded.str.contains(text.lower(), literal=True)
        names = ["service" if theme in service else theme] if theme not in ("opening", "closing") else []
        for name in (*names, *([tone] if tone else [])):
            holds[name] = holds[name] | here if name in holds else here
    return engine.collect(said.select("comment", *(held.alias(name) for name, held in holds.items())), ["comment"])
