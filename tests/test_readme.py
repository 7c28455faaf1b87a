"""The README under test: commands, names and files exist, the study it shows is read, its numbers are the kit's."""

import importlib.util
import re

import pandas as pd
import pytest
from typer.main import get_command

import cxlib as cx
from cxlib.__main__ import app
from cxlib.story import read_truth
from cxlib.study import ROOT
from cxlib.wording import percent

PAGE = (ROOT / "README.md").read_text(encoding="utf-8")
SAMPLE = ROOT / "reports" / "sample"
TABLE = re.findall(r"^\| (.+?) \| (.*?) \| (.*?) \|$", PAGE, re.MULTILINE)


@pytest.fixture(scope="module")
def figure():
    """The function that draws the README's figure, from the script beside it."""
    spec = importlib.util.spec_from_file_location("sample", SAMPLE / "make.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.figure


def test_every_public_name_is_documented_and_no_other():
    told = {name for _, names, _ in TABLE for name in re.findall(r"`(\w+)`", names)}
    assert told | {"plots", "text", "CxError"} == set(cx.__all__)


def test_a_question_said_to_be_answered_in_a_notebook_is():
    asked = [(names, re.search(r"\((notebooks/.+?)\)", where)) for _, names, where in TABLE]
    answered = [(re.search(r"`(\w+)`", names)[1], place[1]) for names, place in asked if place]
    assert len(answered) > 4
    for name, place in answered:
        assert re.search(rf"cx\.{name}[(,]", (ROOT / place).read_text(encoding="utf-8")), name


def test_every_command_is_documented_with_options_it_has():
    commands = get_command(app).commands
    shown = [line.split() for line in re.findall(r"^\| `cx (.+?)` \|", PAGE, re.MULTILINE)]
    assert {words[0] for words in shown} == set(commands)
    for name, *words in [*shown, *(line.split() for line in re.findall(r"`cx (\w+ [^`]*)`", PAGE))]:
        options = {option for parameter in commands[name].params for option in parameter.opts}
        assert {word for word in words if word.startswith("-")} <= options, name


def test_every_make_target_is_there():
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"make ([a-z-]+)", PAGE.replace("make target", ""))) <= targets


def test_every_file_it_points_to_is_there():
    links = re.findall(r"\]\(([^)]+)\)", PAGE)
    assert len(links) > 5
    assert [link for link in links if not (ROOT / link).is_file()] == []
    assert "data/example/codebook.csv" in PAGE


def test_the_study_of_ten_lines_is_read(tmp_path):
    shown = re.search(r"```toml\n(.*?)```", PAGE, re.DOTALL)[1]
    assert len(shown.splitlines()) == 10
    (tmp_path / "acme.toml").write_text(shown)
    rows = {"id": range(40), "churned": ["yes", "no"] * 20, "last_contact": ["failed", "good", "good", "failed"] * 10,
            "tenure_band": "new", "segment": "all"}  # fmt: skip
    pd.DataFrame(rows).to_csv(tmp_path / "customers.csv", index=False)
    study = cx.read_study(tmp_path / "acme.toml")
    assert study.attrition.causes == {"service": {"last_contact": {"failed": "good"}}}


def test_its_numbers_are_those_of_the_example(figure):
    """Authority: the simulator's truth, and the figure drawn anew."""
    alt = cx.plots.alt(figure())
    assert f"![{alt}](reports/sample/naive-and-adjusted.png)" in PAGE
    naive, adjusted = re.search(r"nothing adjusted for (\d+%).*?adjusted for the confounders (\d+% )", alt).groups()
    limits = re.search(r"adjusted for the confounders \d+% \((\d+% to \d+%)\)", alt)[1]
    truth = read_truth(ROOT / "data" / "example" / "truth.json").fraction["service"]
    assert f"failed service accounts for {percent(truth)} of attrition" in PAGE
    assert f"on service's account: {naive}." in PAGE
    assert f"says {adjusted}(95% interval {limits})" in PAGE


def test_the_committed_page_answers_as_the_notebook_does(figure):
    """The page in reports/sample is remade with the figure; one that lags behind says other numbers."""
    page = (SAMPLE / "02-attrition-service-vs-price.html").read_text(encoding="utf-8")
    alt = cx.plots.alt(figure())
    assert alt in page
    assert 'src="http' not in page


def test_it_stays_in_its_place():
    for word in ("/work/", "/tmp", "pypi", "session"):
        assert word not in PAGE
