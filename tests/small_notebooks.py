"""Small notebooks for the tests of the report path, each in the anatomy of the real ones and quick to run."""

from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

PARAMETERS = """\
from typing import Annotated, Literal

only_value: str = ""  # the group to keep; empty = everyone
minimum_group: Annotated[int, ">= 1"] = 10  # people
share: Annotated[float, "> 0, <= 1"] = 0.5  # of the failures removed
method: Literal["lmg", "first"] = "lmg"  # how importance is shared out
as_of: Annotated[str, "date"] = ""  # day; empty = the last one
drivers: list[str] = []  # columns; empty = all
cap: int | None = None  # rows; None = no cap
seed: int = 0  # of the resampling
"""
ANSWER = """\
estimate = {
    "name": "nps", "by": {}, "term": "nps", "measure": "nps", "estimate": 12.5, "std_error": 1.5, "lower": 9.5,
    "upper": 15.5, "level": 0.95, "n": 400, "unit": "points", "method": "tango", "note": "",
}
sentence = f"NPS is 12.5 points (95 % interval 9.5 to 15.5, n = 400){' for ' + only_value if only_value else ''}."
payload = {"schema": 1, "sentence": sentence, "answers": [estimate]}
display({"text/markdown": sentence, "application/vnd.cxlib.answer+json": payload}, raw=True)
"""
FIGURE = """\
import matplotlib.pyplot as plt

figure, axes = plt.subplots(figsize=(6, 3), dpi=150)
axes.barh(["service", "price"], [0.24, 0.31])
axes.set_xlabel("share of attrition")
about = {"alt": "Bars: price 0.31, service 0.24", "caption": "Average fractions, n = 400."}
display(figure, metadata={"image/png": about})
plt.close(figure)
"""
TABLES = """\
import pandas as pd

people = [1234, 873, 22]
regions = pd.Index(["N", "S", "W"], name="region")
display(pd.DataFrame({"people": people, "note": ["", "few", "too few"]}, index=regions))
display(pd.DataFrame({f"measure number {i}": [0.123, -4.567] for i in range(15)}))
"""


def code(source: str, tag: str = "") -> NotebookNode:
    return new_code_cell(source, metadata={"tags": [tag]} if tag else {})


def notebook(*cells: NotebookNode, title: str = "# What is our NPS?\n\nFor whom it is.") -> NotebookNode:
    """A notebook with a title, the parameters above, the given cells, and an answer."""
    last = [new_markdown_cell("## The answer"), code(ANSWER, "answer")]
    cells = [new_markdown_cell(title), code(PARAMETERS, "parameters"), *cells, *last]
    # A kernelspec that no machine has: reports run on the interpreter that renders them.
    spec = {"name": "not-installed", "display_name": "Not installed", "language": "python"}
    return new_notebook(cells=cells, metadata={"kernelspec": spec})


def plain() -> NotebookNode:
    return notebook(new_markdown_cell("## Who answered"), code("print('400 answers')"))


def good() -> NotebookNode:
    """A figure with its description, a table with a named index, a wide table, a computed sentence."""
    return notebook(
        new_markdown_cell("## Who answered\n\nEveryone asked in March, " + "a-long-word-without-a-break" * 6),
        code(TABLES),
        new_markdown_cell("#### Service against price\n\nWhy it matters: `money` is spent once."),
        code(FIGURE),
        code("from IPython.display import Markdown\nMarkdown('Price is **31 %**.')"),
    )


def raising() -> NotebookNode:
    return notebook(code("print('before the fault')"), code("raise ValueError('service_band holds\\nno good contact')"))


def endless() -> NotebookNode:
    return notebook(code("print('before the wait')"), code("import time\nwhile True:\n    time.sleep(0.1)"))


def hostile() -> NotebookNode:
    """Everything that a notebook may do with a value it found in the data."""
    show = [
        "from IPython.display import HTML, Javascript, Markdown, display",
        "display(HTML(f'<table><tr><td>{only_value}</td></tr></table>"
        '<script>document.title="owned"</script><img src="http://example.org/x.png" onerror="alert(1)">'
        '<iframe src="http://example.org"></iframe><a href="javascript:alert(1)">link</a>\'))',
        "display(Markdown(f'Group {only_value} <script>document.title=\"owned\"</script>'))",
        "display(Javascript('document.title=\"owned\"'))",
        "display({'image/svg+xml': '<svg onload=\"alert(1)\"><script>alert(1)</script></svg>'}, raw=True)",
        "print(only_value)",
    ]
    return notebook(new_markdown_cell("## What was found"), code("\n".join(show)))


def write(folder: Path, **notebooks: NotebookNode) -> list[str]:
    """Write notebooks under their names; returns the paths as the command takes them."""
    for name, content in notebooks.items():
        nbformat.write(content, folder / f"{name}.ipynb")
    return [str(folder / f"{name}.ipynb") for name in notebooks]
