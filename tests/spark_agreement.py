"""How closely Spark agrees with DuckDB: a row for every function and notebook of the long tests, as each ends.

    python tests/spark_agreement.py [WORD...]       # only the tests whose name holds a word; again

Without a word, tests that have passed by their row are left out: remove the file to begin anew.
Columns: test; outcome; numbers (that may differ in their last digits: estimates and limits; all else must be equal);
difference (the largest, of the expected number where that is above 1); seconds (by the clock); date (UTC).
"""

import csv
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

TESTS = Path(__file__).resolve().parent
PLACE = Path(__file__).with_suffix(".csv")
COLUMNS = ("test", "outcome", "numbers", "difference", "seconds", "date")


class Record:
    """A plugin of pytest that notes what numpy's comparison is given in a test, and writes the rows."""

    def __init__(self, words: list[str]):
        self.words, self.rows, self.apart = words, {}, []
        if PLACE.exists():
            with PLACE.open(encoding="utf-8") as source:
                self.rows = {row["test"]: tuple(row.values()) for row in csv.DictReader(source)}
        self.compare, np.testing.assert_allclose = np.testing.assert_allclose, self.noted

    def noted(self, actual: Any, desired: Any, *args: Any, **options: Any) -> None:
        """The comparison as it is, and how far the two are apart."""
        self.compare(actual, desired, *args, **options)
        found, expected = np.ravel(actual).astype(float), np.ravel(desired).astype(float)
        apart = np.abs(found - expected) / np.maximum(1, np.abs(expected))
        self.apart += apart[~np.isnan(apart)].tolist()

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """What is named, or has not passed yet."""
        passed = {name for name, row in self.rows.items() if row[1] == "passed"}
        items[:] = [item for item in items if (any(word in item.name for word in self.words) if self.words
                                               else item.name not in passed)]  # fmt: skip

    def pytest_runtest_setup(self) -> None:
        """Nothing is compared yet."""
        self.apart = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """The row of a test that ended."""
        if report.when != "call" and report.passed:
            return
        name, day = report.nodeid.rpartition("::")[2], f"{datetime.now(UTC):%Y-%m-%d}"
        largest = f"{max(self.apart, default=0):.1e}"
        self.rows[name] = (name, report.outcome, len(self.apart), largest, f"{report.duration:.1f}", day)
        with PLACE.open("w", encoding="utf-8", newline="") as target:
            csv.writer(target, lineterminator="\n").writerows([COLUMNS, *(self.rows[one] for one in sorted(self.rows))])


if __name__ == "__main__":
    files = [str(TESTS / f"test_spark{name}.py") for name in ("", "_notebooks")]
    sys.exit(pytest.main(["-q", "-m", "long", "-p", "no:cacheprovider", *files], plugins=[Record(sys.argv[1:])]))
