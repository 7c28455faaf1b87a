"""The answer that a notebook displays in its `answer` cell: found, checked against its schema, made ready for JSON."""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal

from nbformat import NotebookNode
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from .errors import CxError

MIME = "application/vnd.cxlib.answer+json"
# JSON has no word for "not a number": it is null in every answer.
Number = Annotated[float | None, AfterValidator(lambda value: value if value is None or math.isfinite(value) else None)]
Count = Annotated[int | float | None, AfterValidator(lambda n: n if n is None or math.isfinite(n) else None)]


class Estimate(BaseModel):
    """One row of the one result shape."""

    model_config = ConfigDict(extra="forbid")
    name: str
    by: dict[str, str | int | float | bool | None] = {}
    term: str
    measure: str
    estimate: Number
    std_error: Number
    lower: Number
    upper: Number
    level: Number
    n: Count
    unit: str
    method: str
    note: str


class Answer(BaseModel):
    """One sentence and the estimates behind it. Notebook and parameters are the runner's to say."""

    model_config = ConfigDict(extra="forbid")
    version: Literal[1] = Field(alias="schema")
    notebook: str | None = None
    parameters: dict[str, Any] | None = None
    sentence: str = Field(min_length=1)
    answers: list[Estimate]


def read_answer(notebook: NotebookNode, name: str, parameters: dict[str, object]) -> dict[str, Any]:
    """The content of answers.json.

    Parameters
    ----------
    notebook : executed notebook; its cell tagged `answer` displays one output of the type `MIME`.
    name, parameters : the notebook's stem and all its values, which are written into the answer.

    Returns
    -------
    dict with schema, notebook, parameters, sentence and answers. A notebook without an answer cell has sentence None.

    Raises
    ------
    CxError when the answer cell displays no answer, several, or one that breaks the schema: one line each.
    """
    record: dict[str, Any] = {"schema": 1, "notebook": name, "parameters": parameters, "sentence": None, "answers": []}
    cells = [cell for cell in notebook.cells if "answer" in cell.metadata.get("tags", [])]
    if not cells:
        return record
    found = [
        output.data[MIME] for cell in cells for output in cell.get("outputs", []) if MIME in output.get("data", {})
    ]
    if len(found) != 1:
        raise CxError(f"the answer cell must display one output of type {MIME}, not {len(found)}; use cx.text.answer")
    try:
        answer = Answer.model_validate(found[0])
    except ValidationError as error:
        raise CxError(*(f"answer cell: {_place(fault['loc'])}: {fault['msg']}" for fault in error.errors())) from None
    return record | answer.model_dump(include={"sentence", "answers"})


def estimates_in(answers: Any) -> list[dict[str, Any]]:
    """The answers that an earlier run left; none where they are not rows of the one result shape."""
    try:
        TypeAdapter(list[Estimate]).validate_python(answers, strict=True)
    except ValidationError:
        return []
    return answers


def _place(steps: tuple[int | str, ...]) -> str:
    return ".".join(map(str, steps)) or "answer"
