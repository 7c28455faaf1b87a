"""The answer a notebook displays: taken as it is, or refused by the place of its fault."""

import math

import pytest
from nbformat.v4 import new_output

from cxlib.answercell import MIME, read_answer
from cxlib.errors import CxError
from tests import small_notebooks as small

ESTIMATE = {
    "name": "service.fraction", "by": {"region": "N"}, "term": "service", "measure": "fraction", "estimate": 0.24,
    "std_error": 0.02, "lower": 0.2, "upper": 0.28, "level": 0.95, "n": 4873, "unit": "share", "method": "m",
    "note": "",
}  # fmt: skip


def answered(*payloads):
    notebook = small.plain()
    notebook.cells[-1].outputs = [new_output("display_data", data={MIME: payload}) for payload in payloads]
    return notebook


def payload(**changes):
    return {"schema": 1, "sentence": "It is so.", "answers": [ESTIMATE | changes]}


def test_notebook_and_parameters_are_the_runners_to_say():
    told = payload() | {"notebook": "someone-else", "parameters": {"seed": 9}}
    found = read_answer(answered(told), "nps", {"seed": 0})
    assert list(found) == ["schema", "notebook", "parameters", "sentence", "answers"]
    assert (found["notebook"], found["parameters"], found["sentence"]) == ("nps", {"seed": 0}, "It is so.")
    assert found["answers"] == [ESTIMATE]


@pytest.mark.parametrize("nothing", [None, math.nan, math.inf, "nan"])
def test_what_is_not_a_number_is_null(nothing):
    found = read_answer(answered(payload(std_error=nothing, lower=nothing)), "nps", {})["answers"][0]
    assert (found["std_error"], found["lower"]) == (None, None)


def test_an_answer_may_have_no_estimates_but_needs_its_sentence():
    assert (
        read_answer(answered({"schema": 1, "sentence": "Nothing feeds it.", "answers": []}), "nps", {})["answers"] == []
    )
    with pytest.raises(CxError, match="answer cell: sentence: String should have at least 1 character"):
        read_answer(answered({"schema": 1, "sentence": "", "answers": []}), "nps", {})


def test_a_notebook_without_an_answer_cell_has_no_sentence():
    notebook = small.plain()
    del notebook.cells[-1]
    assert read_answer(notebook, "nps", {})["sentence"] is None


@pytest.mark.parametrize(
    ("payloads", "lines"),
    [
        ([], [f"the answer cell must display one output of type {MIME}, not 0; use cx.text.answer"]),
        (
            [payload(), payload()],
            [f"the answer cell must display one output of type {MIME}, not 2; use cx.text.answer"],
        ),
        (
            [payload(estimate="much", colour="red")],
            [
                "answer cell: answers.0.estimate: Input should be a valid number, unable to parse string as a number",
                "answer cell: answers.0.colour: Extra inputs are not permitted",
            ],
        ),
        ([payload() | {"schema": 2}], ["answer cell: schema: Input should be 1"]),
    ],
)
def test_a_faulty_answer_is_refused_with_all_faults(payloads, lines):
    with pytest.raises(CxError) as caught:
        read_answer(answered(*payloads), "nps", {})
    assert list(caught.value.faults) == lines
