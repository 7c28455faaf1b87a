"""How many hostile examples every entry point has survived: 2,000 each, one process a test, written as each ends.

    python tests/hostile_examples.py [WORD...]       # only the tests whose name holds a word; again

Without a word, tests that have a row are left out: remove the file to begin anew. Seconds are of the processor.
Two may run at once, on different words: each reads the file again before it adds its row.
Columns: test, examples (that ran to their end), failing, seconds, date (UTC).
"""

import ast
import csv
import os
import re
import resource
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

TESTS = Path(__file__).resolve().parent
PLACE = Path(__file__).with_suffix(".csv")
COLUMNS = ("test", "examples", "failing", "seconds", "date")


def hostile_tests() -> list[str]:
    """The tests that hypothesis feeds, by their source: file::function."""
    found = []
    for path in sorted(TESTS.glob("test_hostile_*.py")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            marks = [ast.unparse(mark) for mark in getattr(node, "decorator_list", ())]
            if isinstance(node, ast.FunctionDef) and any(mark.startswith("given(") for mark in marks):
                found.append(f"{path.stem}::{node.name}")
    return found


def run(test: str) -> tuple[str, int, int, float, str]:
    """One test at 2,000 examples; what failed is shown."""
    stem, function = test.split("::")
    words = ["-q", "-m", "long", "-p", "no:cacheprovider", "--hypothesis-show-statistics", "--tb=short"]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *words, f"{TESTS / stem}.py::{function}"],
        env={**os.environ, "HYPOTHESIS_PROFILE": "long"}, cwd=TESTS.parent, capture_output=True, text=True, check=False,
    )  # fmt: skip
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    counts = re.findall(r"(\d+) passing, (\d+) failing, and \d+ invalid", done.stdout)
    passing, failing = (sum(int(count[i]) for count in counts) for i in (0, 1))
    if done.returncode:
        failing = max(failing, 1)
        told = re.sub(r"(?s)=+ Hypothesis Statistics =+.*?(?==+ short test)", "", done.stdout)
        print(told[-6000:], done.stderr[-2000:])
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return test, passing, failing, round(seconds, 1), f"{datetime.now(UTC):%Y-%m-%d}"


def on_record() -> dict[str, tuple]:
    """The rows there are, by test."""
    if not PLACE.exists():
        return {}
    with PLACE.open(encoding="utf-8") as source:
        return {row["test"]: tuple(row.values()) for row in csv.DictReader(source)}


def main(words: list[str]) -> int:
    """Run what has no row yet, or what is named; one line each."""
    there = on_record()
    wanted = [test for test in hostile_tests() if (any(word in test for word in words) if words else test not in there)]
    for test in wanted:
        row = run(test)
        print(*row, flush=True)
        rows = on_record() | {test: row}
        with PLACE.open("w", encoding="utf-8", newline="") as target:
            csv.writer(target, lineterminator="\n").writerows([COLUMNS, *(rows[name] for name in sorted(rows))])
    return int(any(int(row[2]) for row in on_record().values()))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
