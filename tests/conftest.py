"""What every test shares: no display, one thread, hypothesis profiles, and the two kinds of outside data."""

import os
from collections.abc import Iterator
from pathlib import Path

# Before numpy is imported: two test processes with two BLAS threads each would fight for the cores.
for variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")
os.environ["MPLBACKEND"] = "Agg"

import hypothesis
import pytest

from tests import spark_session

TESTS = Path(__file__).parent

# No deadline: the first example of a process pays for imports and for DuckDB's start.
hypothesis.settings.register_profile("dev", max_examples=50, deadline=None)
hypothesis.settings.register_profile("ci", max_examples=200, deadline=None, print_blob=True)
hypothesis.settings.register_profile("long", max_examples=2000, deadline=None, print_blob=True)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "dev"))


@pytest.hookimpl(tryfirst=True)  # before the tests that are not asked for are left out
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Hostile input takes minutes at 2,000 examples: `make test-long` tries so many, `make test` 200."""
    if os.environ.get("HYPOTHESIS_PROFILE") != "long":
        return
    for item in items:
        if item.path.stem.startswith("test_hostile_") and hypothesis.is_hypothesis_test(
            getattr(item, "function", None)
        ):
            item.add_marker(pytest.mark.long)


def real_data_folder() -> Path:
    """Where the public data lie that the project does not ship."""
    return Path(os.environ.get("CX_REAL_DATA") or TESTS.parent / "data" / "real").resolve()


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a test whose public data are not here; fail it where a folder was named that lacks them."""
    folder = real_data_folder()
    wanted = [name for marker in item.iter_markers("real_data") for name in marker.args]
    missing = [name for name in wanted if not (folder / name).is_file()]
    if missing and os.environ.get("CX_REAL_DATA"):
        pytest.fail(f"CX_REAL_DATA names {folder}, which lacks {', '.join(missing)}", pytrace=False)
    if missing:
        pytest.skip(f"{', '.join(missing)} not in data/real (see its README.md, or set CX_REAL_DATA)")


@pytest.fixture
def real_data(request: pytest.FixtureRequest) -> Path:
    """Folder of the public data; the test names its files with ``@pytest.mark.real_data("a.csv", ...)``."""
    if not any(marker.args for marker in request.node.iter_markers("real_data")):
        pytest.fail("a test that takes real_data names its files: @pytest.mark.real_data('file.csv')", pytrace=False)
    return real_data_folder()


@pytest.fixture(scope="session")
def reference() -> Path:
    """Folder of the values that other software computed, each with its source named in the README there."""
    return TESTS / "reference"


@pytest.fixture(scope="session")
def spark() -> Iterator[object]:
    """A session of Spark; without Java or pyspark the tests are skipped, saying so, and with CI set they fail."""
    if lacking := spark_session.lacking():
        reason = f"Spark needs {lacking}, which this machine lacks"
        pytest.fail(reason, pytrace=False) if os.environ.get("CI") else pytest.skip(reason)
    with spark_session.running() as session:
        yield session
