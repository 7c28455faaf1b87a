"""The notebooks: how they are built, that they run from any folder, and what they say where a study lacks a part."""

import ast
import functools
import html
import json
import re
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import nbformat
import numpy as np
import pandas as pd
import pytest
from nbclient import NotebookClient

import cxlib as cx
from cxlib.answercell import MIME, Answer, read_answer
from cxlib.engine import rows
from cxlib.jobs import plan_reports
from cxlib.kernels import ThisPython
from cxlib.parameters import read_parameters
from cxlib.plan import read_plan
from cxlib.story import read_truth
from cxlib.study import ROOT

FOLDER = ROOT / "notebooks"
NOTEBOOKS = sorted(path.stem for path in FOLDER.glob("[0-9]*.ipynb"))
COMMON = {"study": "example", "as_of": "", "only_column": "", "only_value": "", "minimum_group": 10, "seed": 0}
LONGEST = 12  # lines of a cell
FIGURES = {"00-start-here": 2, "07-published-claims": 2}  # at least; others have four
DIGITS = re.compile(r"\d")


def load(name):
    return nbformat.read(FOLDER / f"{name}.ipynb", 4)


def tagged(notebook, tag):
    return [cell for cell in notebook.cells if tag in cell.metadata.get("tags", [])]


def run(name, folder, **parameters):
    """The notebook with other values of its parameters, run in `folder`."""
    notebook = load(name)
    [cell] = tagged(notebook, "parameters")
    given = [f"{key} = {value!r}" for key, value in parameters.items()]
    cell.source = "\n".join([cell.source, *given])
    NotebookClient(
        notebook, timeout=300, kernel_manager_class=ThisPython, resources={"metadata": {"path": folder}}
    ).execute()
    return notebook


def outputs(notebook, mime):
    return [output.data[mime] for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs
            if mime in output.get("data", {})]  # fmt: skip


def answers(notebook):
    return {answer["name"]: answer for answer in read_answer(notebook, "x", {})["answers"] if not answer["by"]}


@functools.cache
def ran(name):
    """The notebook run on the example from an empty folder, once for all tests."""
    with tempfile.TemporaryDirectory() as elsewhere:
        return run(name, elsewhere)


# How they are built


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_notebook_has_the_parts_in_their_order(name):
    notebook = load(name)
    places = [notebook.cells.index(*tagged(notebook, tag)) for tag in ("parameters", "setup", "answer", "provenance")]
    assert places == sorted(places)
    assert places[0] == 1
    assert notebook.cells[0].source.startswith("# ")
    assert notebook.cells[0].source.split("\n")[0].endswith("?")
    headings = [line for cell in notebook.cells if cell.cell_type == "markdown" for line in cell.source.split("\n")
                if line.startswith("#")]  # fmt: skip
    assert len([line for line in headings if line.startswith("# ")]) == 1
    for needed in ("## Checks that could overturn it", "## What this does not show", "## The answer"):
        assert needed in headings


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_notebook_is_stored_without_outputs_and_with_lasting_cell_ids(name):
    notebook = load(name)
    nbformat.validate(notebook)
    assert [
        cell.id for cell in notebook.cells if cell.cell_type == "code" and (cell.outputs or cell.execution_count)
    ] == []
    assert all(re.fullmatch(r"[a-z][a-z-]+", cell.id) for cell in notebook.cells)
    assert notebook.metadata.kernelspec.name == "python3"


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_cells_are_short_and_filter_no_warnings(name):
    for cell in load(name).cells:
        if cell.cell_type == "code":
            assert len(cell.source.split("\n")) <= LONGEST, cell.id
            assert "warnings" not in cell.source, cell.id
            ast.parse(cell.source)


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_no_number_is_typed_in_prose(name):
    assert [cell.id for cell in load(name).cells if cell.cell_type == "markdown" and DIGITS.search(cell.source)] == []


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_every_notebook_takes_the_common_parameters_each_with_its_help(name):
    parameters = {parameter.name: parameter for parameter in read_parameters(FOLDER / f"{name}.ipynb")}
    assert {key: parameters[key].default for key in COMMON} == COMMON
    assert [parameter.name for parameter in parameters.values() if not parameter.help] == []
    passed = re.search(r"parameters = (\{.*?\})", tagged(load(name), "setup")[0].source, re.DOTALL)[1]
    assert re.findall(r'"(\w+)":', passed) == list(parameters)


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_the_answer_cell_names_its_own_notebook(name):
    assert f'"{name}"' in tagged(load(name), "answer")[0].source


# What they say


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_it_runs_from_any_folder_and_answers_in_one_sentence(name):
    notebook = ran(name)
    answer = Answer.model_validate(outputs(notebook, MIME)[0])
    assert len(outputs(notebook, MIME)) == 1
    assert answer.notebook == name
    assert answer.sentence.endswith(".")
    assert ". " not in answer.sentence
    assert re.search(r"95% interval .* to .*n = [\d,]+ ", answer.sentence)
    assert answer.parameters["study"] == "example"


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_nothing_is_written_to_stderr_and_every_figure_is_described(name):
    streams = [output for cell in ran(name).cells if cell.cell_type == "code" for output in cell.outputs
               if output.output_type == "stream"]  # fmt: skip
    assert streams == []
    figures = [output.metadata for cell in ran(name).cells if cell.cell_type == "code" for output in cell.outputs
               if "image/png" in output.get("data", {})]  # fmt: skip
    assert len(figures) >= FIGURES.get(name, 4)
    assert all(len(figure["image/png"]["alt"]) > 60 for figure in figures)


def test_attrition_finds_the_truth_of_the_simulation_where_the_naive_figure_misses_it():
    """Authority: the counterfactual risks of the simulator, at the example's landmark."""
    truth = read_truth(ROOT / "data" / "example" / "truth.json")
    found = answers(ran("02-attrition-service-vs-price"))
    for cause in ("service", "price"):
        for measure, true in (("average_fraction", truth.average_fraction), ("fraction", truth.fraction)):
            answer = found[f"{cause}.{measure}"]
            assert answer["lower"] < true[cause] < answer["upper"]
    share = found["price > service.of_any"]
    assert share["lower"] < truth.outweighs["of_any"]["price > service"] < share["upper"]
    naive = re.search(
        r"Service goes with (\d+)% \(95% interval (\d+)% to",
        "\n".join(outputs(ran("02-attrition-service-vs-price"), "text/plain")),
    )
    assert float(naive[2]) / 100 > truth.fraction["service"]


def test_attrition_tells_every_part_that_the_example_feeds():
    notebook = ran("02-attrition-service-vs-price")
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    silent = [cell.id for cell in code if cell.id.endswith("-shown") and not cell.outputs]
    assert silent == []
    told = "\n".join(outputs(notebook, "text/plain"))
    for words in ("By the order in which causes are removed", "With 50% of the failures gone", "are still customers",
                  "of the attrition within 30 days", "times as fast as", "rule that codes the answers", "kappa is",
                  "This rests on assumptions"):  # fmt: skip
        assert words in told
    assert "Left out, because" not in told
    gone = answers(notebook)
    assert 0 < gone["service.impact_fraction"]["estimate"] < gone["service.fraction"]["estimate"]


def test_experience_answers_with_the_share_of_every_group():
    found = answers(ran("03-experience-and-nps"))
    shares = [found[f"{group}.share"]["estimate"] for group in ("service", "price", "product", "buying")]
    assert sum(shares) == pytest.approx(1)
    assert -100 <= found["nps"]["estimate"] <= 100


def test_experience_tells_every_part_that_the_example_feeds():
    notebook = ran("03-experience-and-nps")
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.id for cell in code if cell.id.endswith("-shown") and not cell.outputs] == []
    told = "\n".join(outputs(notebook, "text/plain"))
    for words in ("design effect", "an added driver of random numbers", "taken alone", "On being a promoter",
                  "of those who met it", "Of those with excellent service", "Of the satisfied", "who leaves",
                  "low ratings cost more", "Concentrate here", "If ratings of 2 or less were one point better",
                  "differs from all others", "variance of its effect", "McFadden", "One common impression",
                  "measured in operation"):  # fmt: skip
        assert words in told, words
    assert "Left out" not in told


def test_experience_finds_the_true_share_of_service_where_dropping_rows_misses_it():
    """Known truth: the same model on 150,000 simulated customers; dropped are those who never met service."""
    part = cx.read_study("example").experience
    tables, _ = cx.simulate(customers=40_000, months=24, seed=999)
    everyone = cx.relative_importance(
        cx.answers(cx.load(tables)), part.score, part.drivers, part.groups, missing="not_met", replicates=0
    )
    true = everyone.set_index(["term", "measure"])["estimate"]["service", "share"]
    found = answers(ran("03-experience-and-nps"))["service.share"]
    assert found["lower"] < true < found["upper"]
    told = "\n".join(outputs(ran("03-experience-and-nps"), "text/plain"))
    low = re.search(r"and for \d+% \((\d+)% to \d+%\) of it among the", told)[1]
    assert float(low) / 100 > true


def test_the_first_page_says_how_much_is_service_and_what_each_notebook_asks():
    """Authority: the example's own tables and the notebooks' own titles."""
    notebook = ran("00-start-here")
    tables = cx.read_study("example").tables
    log = tables.interactions.to_pandas().merge(tables.touchpoints.to_pandas(), on="touchpoint")
    found = answers(notebook)
    assert found["service.share"]["estimate"] == pytest.approx(log["is_service"].mean())
    met = log.groupby("customer_id")["is_service"].any()
    assert found["service.reach"]["estimate"] == pytest.approx(met.mean())
    shown = "\n".join(outputs(notebook, "text/html"))
    for path in sorted(FOLDER.glob("0[1-9]*.ipynb")):
        assert load(path.stem).cells[0].source.split("\n")[0].removeprefix("# ") in html.unescape(shown)
    told = "\n".join(outputs(notebook, "text/plain"))
    held = int(re.search(r"Of 100 intervals (\d+) hold", told)[1])
    assert 88 <= held <= 100
    assert f"whose NPS is {found['nps']['estimate']:.0f} points" in told


def test_every_published_claim_is_cited_and_those_the_example_can_test_are():
    """Authority: the file of claims; the truth of the simulation, which lies in the intervals that are told."""
    notebook = ran("07-published-claims")
    claims = cx.published_claims()
    pages = [html.unescape(page) for page in outputs(notebook, "text/html")]
    cited = next(page for page in pages if "What was published, as cited" in page)
    assert [claim for claim in claims["claim"] if claim not in cited] == []
    told = "\n".join(outputs(notebook, "text/plain"))
    assert "401 of 401, adds up" in told and "23% of 42%, leaves 19% unnamed" in told
    for name in ("service_role", "price_outweighs", "unhappy_tell", "happy_tell", "good_service_poor_experience",
                 "best_contact_is_none"):  # fmt: skip
        said = next(line for line in told.split("\n") if f'"{claims.loc[name, "claim"]}"' in line)
        assert "the estimate here is" in said or "the bounds here are" in said, name
    truth = json.loads((ROOT / "data" / "example" / "truth.json").read_text())["journey"]
    found = {(one["name"], *one["by"].values()): one for one in read_answer(notebook, "x", {})["answers"]}
    true = {("told.share", name): truth["told_others"][name] for name in ("detractor", "promoter")}
    true[("product_fault.preventable",)] = truth["contacts"]["preventable"]
    for key, value in true.items():
        assert found[key]["lower"] < value < found[key]["upper"], key
    restaurants = next(line for line in told.split("\n") if claims.loc["reviews_dwell_on_service", "claim"] in line)
    assert "because it is about online reviews of restaurants, and these are not." in restaurants


def test_comments_that_are_restaurant_reviews_do_test_the_claim_about_them(tmp_path):
    """Authority: twelve of twenty reviews name the waiter or the service, by hand; and more than half is claimed."""
    said = ["The waiter was rude"] * 6 + ["Great service"] * 6 + ["Cold soup"] * 8
    pd.DataFrame({"comment": said, "recommend": 5}).to_csv(tmp_path / "rows.csv", index=False)
    (tmp_path / "own.toml").write_text('[frame]\nfile = "rows.csv"\n[experience]\n')
    notebook = run("07-published-claims", tmp_path, study="own.toml", restaurant_reviews=True)
    assert 'of a restaurant dwell on service" they give 60% (95% interval 39% to 78%)' in answer_of(notebook)


def answer_of(notebook):
    return read_answer(notebook, "x", {})["sentence"]


PLANNED = plan_reports(read_plan(ROOT / "reports" / "plans" / "weekly.yml"))


@pytest.mark.parametrize("name", sorted({job.name for job in PLANNED if job.alerts}))
def test_alerts_of_the_shipped_plan_ask_for_answers_there_are(name):
    asked = {alert.name for job in PLANNED if job.name == name for alert in job.alerts}
    assert asked
    assert asked <= set(answers(ran(name)))


def test_the_study_of_the_first_page_is_read(tmp_path):
    shown = re.search(r"```toml\n(.*?)```", "\n".join(c.source for c in load("00-start-here").cells), re.DOTALL)[1]
    (tmp_path / "acme.toml").write_text(shown)
    rows = {"id": range(40), "churned": ["yes", "no"] * 20, "last_contact": ["failed", "good", "good", "failed"] * 10,
            "tenure_band": "new", "segment": "all"}  # fmt: skip
    pd.DataFrame(rows).to_csv(tmp_path / "customers.csv", index=False)
    study = cx.read_study(tmp_path / "acme.toml")
    assert study.attrition.causes == {"service": {"last_contact": {"failed": "good"}}}
    assert read_answer(run("00-start-here", tmp_path, study="acme.toml"), "x", {})["sentence"].startswith(
        "This study names no touchpoints"
    )


def test_the_journey_tells_every_part_that_the_example_feeds():
    notebook = ran("04-journey")
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.id for cell in code if cell.id.endswith(("-shown", "-told")) and not cell.outputs] == []
    told = "\n".join(outputs(notebook, "text/plain"))
    for words in ("are service", "Most interactions are in", "would not have come without product faults", "Consistent",
                  "are followed by another", "Most of the service comes by", "take more than one ticket",
                  "are followed up within 7 days", "of the comments are about service", "the same within noise",
                  "agrees with what the timing says", "alike in topic alone", "agreement of the lexicon"):  # fmt: skip
        assert words.lower() in told.lower(), words
    assert "Left out" not in told


def test_the_journey_finds_what_is_true_of_the_simulation():
    """Authority: the simulator, which knows what brought each contact and each ticket's rating without the switch."""
    truth = read_truth(ROOT / "data" / "example" / "truth.json").journey
    found = answers(ran("04-journey"))
    for name, true in (("product_fault.preventable", truth["contacts"]["preventable"]),
                       ("switch.adjusted", truth["switch"]["effect_on_switched"]),
                       ("follow_up.within_target", truth["follow_up"]["within_7_days"]),
                       ("coming_back.adjusted", 0.0)):  # fmt: skip
        assert found[name]["lower"] < true < found[name]["upper"], name
    assert found["product_fault.naive"]["lower"] > truth["contacts"]["preventable"]
    assert found["switch.naive"]["upper"] < truth["switch"]["effect_on_switched"]


def test_comments_are_on_the_page_only_where_the_study_says_so(tmp_path):
    """The example's own are simulated and shown; the same study without the permission shows none."""
    shown = "\n".join(outputs(ran("04-journey"), "text/html"))
    assert "Comments by theme" in shown
    toml = (ROOT / "data/studies/example.toml").read_text().replace("show_comments = true", "show_comments = false")
    toml = toml.replace('tables = "../example"', f'tables = "{(ROOT / "data/example").as_posix()}"')
    (tmp_path / "silent.toml").write_text(toml)
    notebook = run("04-journey", tmp_path, study=str(tmp_path / "silent.toml"))
    told = "\n".join([*outputs(notebook, "text/html"), *outputs(notebook, "text/plain")])
    assert "No comment is shown" in told
    assert "Comments by theme" not in told
    assert "To be fair," not in told


def test_the_journey_of_a_day_in_the_past_and_of_one_group(tmp_path):
    notebook = run("04-journey", tmp_path, as_of="2025-10-01", only_column="region", only_value="North")
    answer = read_answer(notebook, "04-journey", {})
    assert answer["sentence"].endswith("from 2024-07-01 to 2025-09-30.")
    assert "Only customers with region North count." in "\n".join(outputs(notebook, "text/plain"))


def test_retention_and_money_tell_every_part_that_the_example_feeds():
    notebook = ran("05-nps-to-retention")
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.id for cell in code if cell.id.endswith("-shown") and not cell.outputs] == []
    told = "\n".join(outputs(notebook, "text/plain"))
    for words in ("are still customers", "Lost in another way", "On customers the model has not seen", "through what",
                  "This rests on assumptions", "Told others about us", "counting every blank", "of newcomers came by",
                  "of departures would be avoided", "would promise", "by the first invitation",
                  "doubly robust"):  # fmt: skip
        assert words.lower() in told.lower(), words
    assert "Left out" not in told


def test_retention_and_money_find_what_is_true_of_the_simulation():
    """Authority: the simulator's truth; in its world nobody leaves because of a score, so nothing is mediated."""
    truth = read_truth(ROOT / "data" / "example" / "truth.json")
    found = answers(ran("05-nps-to-retention"))
    avoided = found["improvement.avoided"]
    assert avoided["lower"] < 0.5 * truth.fraction["service"] < avoided["upper"]
    assert found["indirect.effect"]["lower"] < 0 < found["indirect.effect"]["upper"]
    rows = read_answer(ran("05-nps-to-retention"), "x", {})["answers"]
    shares = {row["by"]["nps_class"]: row for row in rows if row["name"] == "told.share"}
    for name, share in truth.journey["told_others"].items():
        assert shares[name]["lower"] < share < shares[name]["upper"], name


def test_a_page_of_retention_and_money_holds_a_table_and_no_widget():
    """Authority: what is displayed; a widget without its front end would be an empty line and a request to a host."""
    notebook = ran("05-nps-to-retention")
    assert outputs(notebook, "application/vnd.jupyter.widget-view+json") == []
    assert "widgets" not in notebook.metadata
    [cell] = [cell for cell in notebook.cells if cell.id == "choices-shown"]
    assert any("text/html" in output.get("data", {}) for output in cell.outputs)


def test_one_group_is_told_as_such(tmp_path):
    notebook = run("02-attrition-service-vs-price", tmp_path, only_column="segment", only_value="consumer")
    sentence = read_answer(notebook, "x", {})["sentence"]
    n = rows(cx.study_frame(cx.read_study("example"), "", "segment", "consumer"))
    assert f"n = {n:,} customers with segment consumer at risk on 2026-04-01" in sentence
    assert outputs(notebook, "text/plain").count("Fewer than two groups are large enough to be compared.") == 0


def test_groups_under_the_minimum_appear_nowhere(tmp_path):
    """Of the three segments only the largest has more than 3,000 answers; one alone is not compared."""
    notebook = run("03-experience-and-nps", tmp_path, minimum_group=2000)
    answer = read_answer(notebook, "x", {})
    sizes = cx.study_answers(cx.read_study("example")).to_pandas()["segment"].value_counts()
    small = list(sizes.index[sizes < 2000])
    assert len(small) == 2
    assert [row for row in answer["answers"] if row["by"].get("segment") in small] == []
    assert all(row["n"] >= 2000 for row in answer["answers"])
    told = "\n".join(outputs(notebook, "text/plain"))
    assert "Fewer than two groups are large enough to be compared. Not shown, because too small: 2." in told


LACKING = """
title = "Half a study"
[frame]
file = "rows.csv"
"""
ATTRITION = (
    LACKING
    + """
[attrition]
outcome = "gone"
left_value = "yes"
[attrition.causes.waiting.wait]
long = "short"
"""
)
EXPERIENCE = (
    LACKING
    + """
[experience]
drivers = ["staff", "room"]
"""
)


@pytest.fixture
def half(tmp_path):
    """Studies of one small frame: one says who left, with a cause of its own name, the other has answers."""
    base = pd.DataFrame({"gone": ["yes", "no", "no", "no"], "wait": ["long", "long", "short", "short"]})
    rows = pd.concat([base] * 20 + [base.assign(gone="yes")] * 3, ignore_index=True)
    rows["recommend"], rows["staff"], rows["room"] = rows.index % 11, rows.index % 5 + 1, rows.index % 7
    rows.to_csv(tmp_path / "rows.csv", index=False)
    (tmp_path / "attrition.toml").write_text(ATTRITION)
    (tmp_path / "experience.toml").write_text(EXPERIENCE)
    return tmp_path


@pytest.mark.parametrize(
    ("name", "lacking", "feeding", "words"),
    [
        ("02-attrition-service-vs-price", "experience", "attrition", "This study has no [attrition] with causes"),
        ("03-experience-and-nps", "attrition", "experience", "This study has no [experience] with drivers"),
        ("05-nps-to-retention", "experience", "attrition", "This study does not say of the same customers"),
    ],
)
def test_what_a_study_lacks_is_said_and_what_it_feeds_is_shown(half, name, lacking, feeding, words):
    without = run(name, half, study=str(half / f"{lacking}.toml"))
    answer = read_answer(without, name, {})
    assert answer["sentence"].startswith(words)
    assert answer["answers"] == []
    assert outputs(without, "image/png") == []
    whole = run(name, half, study=str(half / f"{feeding}.toml"))
    assert read_answer(whole, name, {})["answers"] != []
    assert "95% interval" in read_answer(whole, name, {})["sentence"]


def survey(folder, **changes):
    """A study of one frame with a survey, its columns changed; None takes one out."""
    rng = np.random.default_rng(0)
    rows = pd.DataFrame(rng.integers(1, 6, (200, 3)), columns=["staff", "price", "product"])
    rows["recommend"] = np.clip(rows.sum(axis=1) - rng.integers(2, 6, 200), 0, 10)
    rows["w"] = rng.uniform(0.5, 2, 200).round(2)
    rows.assign(**changes).to_csv(folder / "rows.csv", index=False)
    drivers = [name for name in ("staff", "price", "product", *changes) if name not in ("recommend", "w")]
    part = f'[experience]\ndrivers = {list(dict.fromkeys(drivers))}\nweights = "w"\n'.replace("'", '"')
    (folder / "rows.toml").write_text('[frame]\nfile = "rows.csv"\n' + part)
    return str(folder / "rows.toml")


def fault_of(name, **parameters):
    """The faults with which a notebook ends, its cells run here in their order."""
    space = {}
    for cell in load(name).cells:
        if cell.cell_type == "code":
            try:
                exec(compile(cell.source, cell.id, "exec"), space)
            except cx.CxError as error:
                return list(error.faults)
            space |= parameters if "parameters" in cell.metadata.get("tags", []) else {}
    return []


BAD = {
    "no variation": (lambda rows: {"staff": 3}, "'staff' must vary, but has one value in all 200 rows; leave it out"),
    "a perfect copy": (lambda rows: {"copy": rows["staff"]}, "driver 'copy' is determined by the drivers before it "),
    "all answers missing": (lambda rows: {"recommend": np.nan},
                            "rows.toml: experience.score: 'recommend' must hold numbers, it holds nothing; name "
                            "others in missing or recode them"),
    "a scale from 1 to 11": (lambda rows: {"recommend": rows["recommend"] + 1},
                             "rows.toml: experience.score: 'recommend' must lie on the scale 0 to 10, "),
    "codes as text": (lambda rows: {"staff": rows["staff"].astype(str).where(rows.index > 3, "Blank")},
                      "rows.toml: columns.staff: the column must hold numbers, 4 values are none, such as 'Blank'; "),
    "weights for some": (lambda rows: {"w": rows["w"].where(rows.index > 2)},
                         "weights 'w' must be known for every answer; it is empty for 3; fill it in"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_bad_answers_are_refused_by_name(case, tmp_path):
    change, line = BAD[case]
    survey(tmp_path)
    study = survey(tmp_path, **change(pd.read_csv(tmp_path / "rows.csv")))
    faults = fault_of("03-experience-and-nps", study=study)
    assert len(faults) == 1
    assert faults[0].startswith(line)
    plt.close("all")


def test_a_short_survey_without_groups_or_scales_says_what_each_part_lacks(tmp_path, capsys):
    """Ratings to ten without low_high, no groups, no CSAT, no dates: every part that needs one says so."""
    rows = pd.DataFrame({name: np.arange(200) * k % 10 + 1 for name, k in (("staff", 3), ("price", 7), ("product", 1))})
    study = survey(tmp_path, **rows)
    assert fault_of("03-experience-and-nps", study=study) == []
    told = capsys.readouterr().out
    for words in ("which are low and which are high: low_high", "some driver must have gaps"):
        assert words in told
    plt.close("all")


REAL = {
    "skytrax_lounge": ("skytrax_lounge.csv",),
    "help_desk": ("helpdesk_events.csv",),
    "ibm_telco": ("telco_v11_services.csv", "telco_v11_status.csv", "telco_v11_demographics.csv"),
    "sfo_survey": ("sfo_2017.csv",),
    "ecsi_mobile": ("mobi.csv",),
}


@pytest.mark.parametrize(
    ("study", "name", "said"),
    [
        pytest.param(study, name, said, marks=pytest.mark.real_data(*REAL[study]), id=f"{study}-{name[:2]}")
        for study, name, said in [
            ("ibm_telco", "02-attrition-service-vs-price", "n = 5,517 customers."),
            ("ibm_telco", "03-experience-and-nps", "This study has no [experience]"),
            ("ibm_telco", "05-nps-to-retention", "over 24 months after the cost, if the shares are effects; n = 5,517"),
            ("sfo_survey", "05-nps-to-retention", "This study does not say of the same customers what they answered"),
            ("ecsi_mobile", "05-nps-to-retention", "This study does not say of the same customers what they answered"),
            ("help_desk", "05-nps-to-retention", "This study does not say of the same customers what they answered"),
            ("ibm_telco", "04-journey", "This study lacks interactions or touchpoints"),
            ("sfo_survey", "04-journey", "This study lacks interactions or touchpoints"),
            ("ecsi_mobile", "04-journey", "This study lacks interactions or touchpoints"),
            ("help_desk", "04-journey", "This study lacks interactions or touchpoints"),
            ("skytrax_lounge", "04-journey", "of the comments are about service; n = 2,264 comments."),
            ("sfo_survey", "02-attrition-service-vs-price", "This study has no [attrition]"),
            ("sfo_survey", "03-experience-and-nps", "NPS is 40 points (95% interval 38 to 43), and a step up"),
            ("ecsi_mobile", "02-attrition-service-vs-price", "This study has no [attrition]"),
            ("ecsi_mobile", "03-experience-and-nps", "NPS is 14 points (95% interval 4 to 23), and a step up"),
        ]
    ],
)
def test_public_data_are_answered_or_what_they_lack_is_said(real_data: Path, tmp_path, study, name, said):
    notebook = run(name, tmp_path, study=study)
    assert said in read_answer(notebook, name, {})["sentence"]
