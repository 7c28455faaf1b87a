"""A report of ten figures on the bundled example, for one region up to one day: what a run renders by the dozen."""

from itertools import product

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

REGIONS = ("East", "North", "South", "West")
DAYS = [f"2026-{month:02d}-{day:02d}" for month in (2, 3, 4, 5, 6) for day in (14, 28)]
PARAMETERS = """\
from typing import Annotated

region: str = "North"  # whose answers and tickets
until: Annotated[str, "date"] = "2026-06-28"  # last day looked at
seed: int = 0  # of the jitter
"""
SETUP = """\
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns

import cxlib as cx

plt.rcParams["figure.dpi"] = 150
folder = Path(cx.__file__).parents[1] / "data" / "example"
customers = pd.read_parquet(folder / "customers.parquet").query("region == @region")
surveys = pd.read_parquet(folder / "surveys.parquet").query("answered_at <= @until")
tickets = pd.read_parquet(folder / "tickets.parquet").query("opened_at <= @until")
answers = surveys.merge(customers).dropna(subset="recommend")
cases = tickets.merge(customers)
cases["hours"] = (cases["resolved_at"] - cases["opened_at"]).dt.total_seconds() / 3600
month = answers["answered_at"].dt.to_period("M").dt.to_timestamp()


def show(axes, title, caption):
    axes.set_title(title)
    cx.plots.show(axes, f"{title}. {caption}")
"""
FIGURES = {
    "How likely customers are to recommend": """\
counts = answers["recommend"].value_counts().sort_index()
axes = sns.barplot(x=counts.index.astype(int), y=counts, color="tab:blue")
show(axes, "Answers at each point of the scale", "Answers, 0 to 10.")
""",
    "NPS by segment": """\
axes = cx.plots.nps(cx.nps(answers, by=["segment"]))
show(axes, "NPS by segment", "Points, with 95 % intervals.")
""",
    "NPS by plan": """\
axes = cx.plots.nps(cx.nps(answers, by=["plan"]))
show(axes, "NPS by plan", "Points, with 95 % intervals.")
""",
    "Month by month": """\
means = answers.groupby(month)["recommend"].mean()
axes = sns.lineplot(x=means.index, y=means)
show(axes, "Mean recommendation by month", "Points from 0 to 10.")
""",
    "Satisfaction beside recommendation": """\
spread = np.random.default_rng(seed).normal(0, 0.15, (2, len(answers)))
axes = plt.subplots()[1]
axes.scatter(answers["satisfaction"] + spread[0], answers["recommend"] + spread[1], s=8, alpha=0.4)
show(axes, "Satisfaction and recommendation", "One dot an answer, moved a little.")
""",
    "Effort by plan": """\
axes = answers.boxplot("effort", by="plan", grid=False)
axes.figure.suptitle("")
show(axes, "Effort by plan", "From 1 to 7; boxes hold the middle half.")
""",
    "How long tickets take": """\
axes = sns.histplot(cases, x="hours", log_scale=True)
show(axes, "Hours to resolution", "Hours, on a logarithmic scale.")
""",
    "Tickets by topic": """\
topics = cases["topic"].value_counts()
axes = sns.barplot(x=topics, y=topics.index, color="tab:blue")
show(axes, "Tickets by topic", "Tickets opened.")
""",
    "Hours by channel": """\
hours = cases.groupby("channel")["hours"].median().sort_values()
axes = sns.barplot(x=hours, y=hours.index, color="tab:blue")
show(axes, "Hours to resolution by channel", "Hours, the median.")
""",
    "Tickets week by week": """\
weeks = cases.set_index("opened_at").resample("W").size()
axes = sns.lineplot(x=weeks.index, y=weeks)
show(axes, "Tickets opened each week", "Tickets; the first and the last week are not whole.")
""",
}
TABLE = """\
from great_tables import GT

means = answers.pivot_table(index="segment", columns="plan", values="recommend")
GT(means.round(2).reset_index()).tab_header("Mean recommendation")
"""
ANSWER = """\
whole = cx.nps(answers).iloc[0]
sentence = f"In {region}, NPS is {whole.estimate:.1f} ({whole.lower:.1f} to {whole.upper:.1f}; n = {whole.n:,.0f})."
row = {"name": "nps", "by": {}} | whole.to_dict()
payload = {"schema": 1, "sentence": sentence, "answers": [row]}
display({"text/markdown": sentence, "application/vnd.cxlib.answer+json": payload}, raw=True)
"""


def notebook() -> NotebookNode:
    cells = [new_markdown_cell("# How is this region doing?"), _code(PARAMETERS, "parameters")]
    cells += [_code(SETUP, "setup")]
    for title, source in FIGURES.items():
        cells += [new_markdown_cell(f"## {title}\n\nWhy it is looked at."), _code(source)]
    cells += [_code(TABLE), new_markdown_cell("## The answer"), _code(ANSWER, "answer")]
    return new_notebook(
        cells=cells, metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    )


def parameter_sets() -> list[dict[str, str]]:
    """Forty: every region up to each of ten days."""
    return [{"region": region, "until": day} for day, region in product(DAYS, REGIONS)]


def _code(source: str, tag: str = "") -> NotebookNode:
    return new_code_cell(source, metadata={"tags": [tag]} if tag else {})
