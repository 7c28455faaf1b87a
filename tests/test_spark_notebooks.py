"""The notebooks on Spark give the answers they give on DuckDB, from the same files and the same words of a study."""

import nbformat
import numpy as np
import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from traitlets.config import Config

from cxlib.answercell import MIME
from cxlib.study import ROOT, STUDIES

pytestmark = [pytest.mark.long, pytest.mark.xdist_group("spark")]
NOTEBOOKS = sorted(path.stem for path in (ROOT / "notebooks").glob("[0-9]*.ipynb"))
WITHIN = 1e-9


@pytest.fixture(scope="module")
def studies(tmp_path_factory):
    """Engine -> the example's study for it."""
    words = (STUDIES / "example.toml").read_text(encoding="utf-8").replace('"../example"', f'"{ROOT / "data/example"}"')
    place, found = tmp_path_factory.mktemp("studies"), {}
    for name in ("duckdb", "spark"):
        found[name] = place / f"{name}.toml"
        found[name].write_text(f'engine = "{name}"\n{words}', encoding="utf-8")
    return found


def run(name, **parameters):
    """What the cells of a notebook display, run in this process, where the session is."""
    InteractiveShell.clear_instance()
    quiet = Config(HistoryManager={"enabled": False})
    shell, shown = InteractiveShell.instance(config=quiet), []  # the one shell, whose displays alone are captured
    for cell in nbformat.read(ROOT / "notebooks" / f"{name}.ipynb", 4).cells:
        if cell.cell_type != "code":
            continue
        given = [f"{key} = {value!r}" for key, value in parameters.items()]
        source = "\n".join([cell.source, *given]) if "parameters" in cell.metadata.get("tags", []) else cell.source
        with capture_output() as captured:
            shell.run_cell(source).raise_error()
        shown += [output.data for output in captured.outputs]
    return shown


def answers(shown):
    """The one answer of a notebook: its sentence, and its estimates by name and group."""
    [answer] = [data[MIME] for data in shown if MIME in data]
    return answer["sentence"], {(one["name"], *one["by"].items()): one for one in answer["answers"]}


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_notebook_says_the_same_on_spark(spark, studies, name):
    """All estimates and limits to 1e-9: with few customers each is a bucket of its own on both engines."""
    shown = {engine: run(name, study=str(path)) for engine, path in studies.items()}
    (sentence, duck), (said, found) = (answers(shown[engine]) for engine in ("duckdb", "spark"))
    assert said == sentence and list(found) == list(duck) and len(shown["spark"]) == len(shown["duckdb"])
    for key, one in duck.items():
        numbers = {field for field, value in one.items() if isinstance(value, float)}
        assert {field: found[key][field] for field in one if field not in numbers} == {
            field: value for field, value in one.items() if field not in numbers
        }
        for field in numbers:
            np.testing.assert_allclose(
                found[key][field], one[field], rtol=WITHIN, atol=WITHIN, err_msg=f"{key} {field}"
            )
