"""Remake what this folder shows, from the bundled example: `python reports/sample/make.py`."""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import matplotlib

import cxlib as cx

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
NOTEBOOK = "02-attrition-service-vs-price"


def figure():
    """The README's figure: what a report without a model says, and what is left of it."""
    study = cx.read_study("example")
    part = study.attrition
    fit = cx.fit_attrition(cx.study_frame(study), part.outcome, part.causes, part.adjust, customer=part.customer)
    both = cx.text.beside(naive=cx.unadjusted_fractions(fit), adjusted=cx.attributable_fractions(fit))
    return cx.plots.naive_and_adjusted(both)


def main():
    matplotlib.use("Agg")
    figure().figure.savefig(HERE / "naive-and-adjusted.png", bbox_inches="tight", metadata={"Software": None})
    with tempfile.TemporaryDirectory() as out:
        subprocess.run([sys.executable, "-m", "cxlib", "report", NOTEBOOK, "--out", out], cwd=ROOT, check=True)
        shutil.copy(Path(out, "latest", NOTEBOOK, "default.html"), HERE / f"{NOTEBOOK}.html")


if __name__ == "__main__":
    main()
