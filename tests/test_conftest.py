"""The gate for public data: skipped with a reason where nobody claims to have them, failed where somebody does."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

MARKED = """
import pytest

@pytest.mark.real_data("there.csv", "not_there.csv")
def test_marked(real_data):
    assert (real_data / "there.csv").is_file()
"""
UNMARKED = "def test_unmarked(real_data): pass\n"


def run(folder: Path, test: str, public_data: Path | None) -> str:
    """Output of pytest on one made-up test beside a copy of the project's conftest."""
    (folder / "conftest.py").write_text((Path(__file__).parent / "conftest.py").read_text())
    (folder / "pytest.ini").write_text("[pytest]\nmarkers = real_data: files\n")
    (folder / "test_made_up.py").write_text(test)
    environment = {name: value for name, value in os.environ.items() if name != "CX_REAL_DATA"}
    if public_data:
        environment["CX_REAL_DATA"] = str(public_data)
    command = [sys.executable, "-m", "pytest", "-ra", "-p", "no:cacheprovider", "-p", "no:xdist", str(folder)]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False).stdout


@pytest.mark.parametrize(
    ("files", "named", "expected"),
    [
        (("there.csv", "not_there.csv"), True, ("1 passed",)),
        (("there.csv",), True, ("1 error", "lacks not_there.csv")),
        ((), True, ("1 error", "lacks there.csv, not_there.csv")),
        ((), False, ("1 skipped", "there.csv, not_there.csv not in data/real")),
    ],
)
def test_public_data_are_skipped_unless_promised(tmp_path, files, named, expected):
    public_data = tmp_path / "public"
    public_data.mkdir()
    for name in files:
        (public_data / name).touch()
    (tmp_path / "tests").mkdir()
    output = run(tmp_path / "tests", MARKED, public_data if named else None)
    assert all(words in output for words in expected), output


def test_a_test_of_public_data_names_its_files(tmp_path):
    assert "names its files" in run(tmp_path, UNMARKED, None)
