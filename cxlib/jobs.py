"""What a run is to render: notebooks, their parameters and groups, all checked before anything starts."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from . import fingerprint
from .alerts import Alert
from .errors import CxError, listed, refuse, shortened, unknown
from .parameters import Parameter, find_notebooks, fitted, read_notebook, read_parameters
from .paths import is_file

if TYPE_CHECKING:  # the processes that render know jobs too, and have no use for engines
    from .plan import Entry, Plan
    from .sources import Studies

# A name with markup, slashes or 300 characters becomes a folder of its own; only decimals keep their point.
UNSAFE = re.compile(r"(?:(?!(?<=\d)\.(?=\d))[^A-Za-z0-9])+")
GROUP = ("only_column", "only_value")


@dataclass(frozen=True)
class Job:
    """One report to be: a notebook and the values of all its parameters; `changed` are those unlike its defaults."""

    notebook: str
    name: str
    slug: str
    values: dict[str, object]
    changed: dict[str, object]
    fingerprint: dict[str, str | None] = field(default_factory=dict)
    alerts: tuple[Alert, ...] = ()

    @property
    def place(self) -> str:
        return f"{self.name}/{self.slug}"


@dataclass(frozen=True)
class Settings:
    """What the reports of a run have in common."""

    folder: str  # where they are written
    run: str
    timeout: float = 600  # seconds for one whole report
    code: bool = False  # show the code, folded
    pdf: bool = False
    server: str = ""  # of warm kernels
    executed: str = ""  # folder of notebooks that another machine has run; "" = run them here


@dataclass(frozen=True)
class Wish:
    """A notebook with the values given for it, once or for each level of the column `by`; `at` says where in a plan."""

    notebook: Path
    given: Mapping[str, object]
    by: str = ""
    alerts: tuple[Alert, ...] = ()
    at: Callable[..., str] = lambda *keys: ""


@dataclass(frozen=True)
class _Notebook:
    parameters: tuple[Parameter, ...]
    looks: tuple[str, ...]
    sum: str


def plan_jobs(notebooks: Iterable[Path], given: Mapping[str, object]) -> list[Job]:
    """One job for each notebook; raises CxError with all faults of parameters, studies and names before any runs."""
    return _jobs([Wish(path, given) for path in {path.resolve(): path for path in notebooks}.values()])


def plan_reports(plan: Plan, notebooks: Sequence[str] = (), given: Mapping[str, object] | None = None) -> list[Job]:
    """The jobs of a plan, one for each level where an entry says `by`; all faults at once, as in `plan_jobs`.

    Parameters
    ----------
    plan : from `read_plan`.
    notebooks : render only these of its notebooks; none = all.
    given : values that beat the plan's.
    """
    wishes: list[Wish] = []
    faults: list[str] = []
    for number, entry in enumerate(plan.words.reports):
        try:
            at = _places(plan, number, given or {})
            path = _path(plan, entry)
            wishes.append(Wish(path, entry.parameters | dict(given or {}), entry.by, tuple(entry.alerts), at))
        except CxError as error:
            faults += [f"{plan.at('reports', number, 'notebook')}: {fault}" for fault in error.faults]
    refuse(faults)
    if notebooks:
        stems = [path.stem for path in find_notebooks(notebooks)]
        there = dict.fromkeys(wish.notebook.stem for wish in wishes)
        refuse(unknown("notebook", stem, there, plan.path.name) for stem in stems if stem not in there)
        wishes = [wish for wish in wishes if wish.notebook.stem in stems]
    return _jobs(wishes)


def slug_of(values: Mapping[str, object], changed: Mapping[str, object]) -> str:
    """Folder name of a report: its changed parameters in ASCII, at most 80 characters, then 8 hex digits of all values.

    >>> slug_of({"region": "Süd/../x"}, {"region": "Süd/../x"})
    'region-Sud-x-3c97c42a'
    """
    if not changed:
        return "default"
    words = "_".join(f"{name}-{plain(str(value))}".strip("-") for name, value in changed.items())
    return f"{words[:80].rstrip('-_')}-{fingerprint.of_values(dict(values))[:8]}"


def plain(text: str) -> str:
    """ASCII letters, digits, hyphens and decimal points of a text; "" when none is left."""
    return UNSAFE.sub("-", unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()).strip("-")


def _places(plan: Plan, number: int, given: Mapping[str, object]) -> Callable[..., str]:
    """Where a fault of an entry stands; what was given on the command line stands nowhere in the plan."""
    return lambda *keys: "" if keys and keys[-1] in given else f"{plan.at('reports', number, *keys)}: "


def _path(plan: Plan, entry: Entry) -> Path:
    beside = plan.path.parent / entry.notebook
    if entry.notebook.endswith(".ipynb") and not is_file(entry.notebook) and is_file(beside):
        return beside
    return find_notebooks([entry.notebook])[0]


def _jobs(wishes: Sequence[Wish]) -> list[Job]:
    from .sources import Studies

    studies, notebooks, faults = Studies(), {}, []
    for wish in wishes:
        try:
            if wish.notebook not in notebooks:
                notebooks[wish.notebook] = _read(wish.notebook)
            wrong = fitted(notebooks[wish.notebook].parameters, wish.given)[1]
            faults += [f"{wish.at('parameters', name)}{wish.notebook.stem}: {fault}" for name, fault in wrong.items()]
        except CxError as error:
            faults += [f"{wish.at('notebook')}{fault}" for fault in error.faults]
    refuse(faults)
    jobs: list[Job] = []
    for wish in wishes:
        try:
            jobs += _jobs_of(wish, notebooks[wish.notebook], studies)
        except CxError as error:
            faults += [f"{wish.at('by') if wish.by else wish.at()}{fault}" for fault in error.faults]
    refuse(faults)
    twice = [place for place, times in Counter(job.place for job in jobs).items() if times > 1]
    refuse(f"two reports would both be '{place}'; rename a notebook, or plan it once" for place in twice)
    return jobs


def _read(notebook: Path) -> _Notebook:
    from .sources import looks_of

    source = "\n".join(cell.source for cell in read_notebook(notebook).cells if cell.cell_type == "code")
    return _Notebook(read_parameters(notebook), looks_of(source), fingerprint.of_file(notebook))


def _jobs_of(wish: Wish, notebook: _Notebook, studies: Studies) -> list[Job]:
    """The jobs of a wish: one, or one a level."""
    values, _ = fitted(notebook.parameters, wish.given)
    where = wish.notebook.stem
    if not wish.by:
        refuse(_group_faults(values, where))
        study, *rows = (str(values.get(name, "")) for name in ("study", "as_of", *GROUP))
        refuse(studies.faults(study, *rows, notebook.looks) if study and any(rows) else ())
        return [_job(wish, notebook, values, studies)]
    lacking = [name for name in ("study", *GROUP) if name not in values]
    if lacking:
        raise CxError(f"{where}: `by` needs the parameters 'study', {listed(GROUP)}; it has no {listed(lacking)}")
    if both := [name for name in GROUP if values[name]]:
        raise CxError(f"{where}: `by` sets only_column and only_value; leave {listed(both)} out")
    levels = studies.levels(str(values["study"]), str(values.get("as_of", "")), wish.by, notebook.looks)
    return [_job(wish, notebook, values | dict(zip(GROUP, (wish.by, level), strict=True)), studies) for level in levels]


def _group_faults(values: Mapping[str, object], where: str) -> list[str]:
    column, value = (values.get(name) for name in GROUP)
    if value and column == "":
        told = f"{where}: only_value '{shortened(value)}' must come with only_column, the column it is a value of"
        return [f"{told}; add -p only_column NAME"]
    return []


def _job(wish: Wish, notebook: _Notebook, values: dict[str, object], studies: Studies) -> Job:
    defaults = {parameter.name: parameter.default for parameter in notebook.parameters}
    changed = {name: value for name, value in values.items() if value != defaults[name]}
    sums: dict[str, str | None] = {"notebook": notebook.sum, "parameters": fingerprint.of_values(values)}
    sums |= studies.fingerprints(values) | {"code": fingerprint.of_code()}
    name = plain(wish.notebook.stem)[:80] or "notebook"
    return Job(str(wish.notebook), name, slug_of(values, changed), values, changed, sums, wish.alerts)


def showing_code(job: Job) -> Job:
    """The job of a page that shows the code: another page than the one without."""
    shown = fingerprint.of_values([job.fingerprint["code"], "shown"])
    return replace(job, fingerprint=job.fingerprint | {"code": shown})
