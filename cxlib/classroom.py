"""Small worlds for a workshop: samples of a population, ratings under a halo, a group's votes, coded reasons."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from great_tables import GT
from matplotlib.axes import Axes

from . import csvfile, lessons, workshop_figures, workshop_findings
from .drivers import relative_importance
from .errors import CxError, refuse, shortened
from .intervals import tango
from .knobs import turned
from .layout import laid_out
from .leaving_checks import RULES, codes
from .reasons import reason_shares
from .scene_checks import ASPECTS, BEYOND, SERVICE
from .scores import classes
from .wording import Sentence

SAMPLES = 20  # intervals drawn at a time
RATERS = 3000
INVENTED = (  # twelve letters each: a group made up, until there is a real one
    "BBSBSBSBSSBS", "BBSBSBSBBSBS", "SBSBBBSSSSBS", "BBSBSBSBSBBS", "BBSSSBSBSSBB", "SBSBSBSBBSBS",
    "BBSBBBSSSBSS", "BBSBSBSBSSBS",
)  # fmt: skip


def world(
    faults: int = 30, failing: int = 55, harm: float = 3.7, raises: int = 60, calling: int = 70
) -> tuple[Axes, Sentence]:
    """The naive, the adjusted and the true share of service under knobs (see `cxlib.knobs.turned`)."""
    found = turned(faults, failing, harm, raises, calling)
    ax, said = workshop_figures.knobs(found), workshop_findings.knobs(found)
    assert ax is not None and said is not None
    return ax, said


def samples(size: int = 20, draw: int = 1) -> tuple[Axes, Sentence]:
    """Twenty random samples of the example's answers, each with its NPS and interval, beside the NPS of all.

    Parameters
    ----------
    size : customers in each sample, 5 or more
    draw : which twenty; each number gives others
    """
    refuse([] if size >= 5 else [f"size must be 5 or more, not {size}"])
    found = sampled(size, draw)
    return workshop_figures.samples(found), workshop_findings.samples(found)


@functools.lru_cache(maxsize=64)
def sampled(size: int, draw: int) -> pd.DataFrame:
    """The samples: estimate, lower, upper, whether the interval holds the NPS of all, that NPS, and n."""
    # In order, since the engine returns rows in any: the same draw is the same customers.
    u = np.sort(classes(lessons.rated()["recommend"], 10))
    true = 100 * float(np.mean(u))
    rng = np.random.default_rng([draw, size])
    drawn = rng.choice(u, size=(SAMPLES, size))
    counts = [(drawn == of).sum(axis=1) for of in (-1, 0, 1)]
    low, high = tango(*counts)
    found = pd.DataFrame({"estimate": drawn.mean(axis=1), "lower": low, "upper": high}) * 100
    return found.assign(holds=found["lower"].le(true) & found["upper"].ge(true), true=true, n=size)


def halo_world(halo: float = 0.5) -> tuple[Axes, Sentence]:
    """Correlation and importance of three touchpoints, one of which does nothing, under a halo of 0 to 1."""
    found = under_halo(halo)
    return workshop_figures.two_views(found), workshop_findings.two_views(found, "wallpaper")


@functools.lru_cache(maxsize=64)
def under_halo(halo: float) -> pd.DataFrame:
    """Correlation with the score and share of R²: product .75 and support .45 points a point, wallpaper none."""
    refuse([] if 0 <= halo <= 1 else [f"halo must be a number from 0 to 1, not {halo}"])
    rng = np.random.default_rng(7)
    noise, mood = rng.standard_normal((4, RATERS)), rng.standard_normal(RATERS)
    ratings = {
        name: np.clip(np.rint(4 + 0.8 * own + halo * mood), 1, 5)
        for name, own in zip(("product", "support", "wallpaper"), noise, strict=False)
    }
    score = 8 + 0.75 * (ratings["product"] - 4) + 0.45 * (ratings["support"] - 4) + 0.3 * halo * mood + noise[3]
    data = pd.DataFrame({**ratings, "recommend": np.clip(np.rint(score), 0, 10)})
    shares = relative_importance(data, "recommend", list(ratings), replicates=0)
    shares = shares[shares["measure"] == "share"].set_index("term")["estimate"]
    return pd.DataFrame({"correlation": data[list(ratings)].corrwith(data["recommend"]), "share": shares})


def vote(chosen: Mapping[int, str]) -> str:
    """One's scenes as twelve letters to call out or to send round: S service, B beyond service, ? open."""
    letters = {SERVICE: "S", BEYOND: "B"}
    _, first, last, _ = ASPECTS["scope"]
    return "".join(letters.get(str(chosen.get(number)), "?") for number in range(first, last + 1))


def votes(lines: str | Iterable[str] = INVENTED) -> pd.DataFrame:
    """How many of a group call each scene service, from their letters: number, scene, share, disputed, voters.

    Parameters
    ----------
    lines : twelve letters a person, a line each; without any, those of an invented group
    """
    _, first, last, _ = ASPECTS["scope"]
    count = last - first + 1
    given = lines.splitlines() if isinstance(lines, str) else lines
    if not isinstance(given, Iterable) or isinstance(given, bytes):
        raise CxError(f"votes takes lines of letters, one for each person, not {shortened(lines)}")
    people = ["".join(str(line).split()).upper() for line in given if str(line).strip()]
    odd = [line for line in people if len(line) != count or set(line) - set("SB?")]
    refuse(f"a line must hold {count} letters, S or B, not '{shortened(line)}'" for line in odd)
    if not people:
        raise CxError(f"there must be one line of {count} letters at least, there is none; write S or B for each scene")
    told = lessons.full("workshop_scenes.csv").set_index("number").loc[first:last]
    shares = []
    for place in range(count):
        said = [person[place] for person in people if person[place] != "?"]
        shares.append(said.count("S") / len(said) if said else np.nan)
    return pd.DataFrame({"number": told.index, "scene": told["scene"].to_numpy(), "share": shares,
                         "disputed": told["disputed"].to_numpy(), "voters": len(people)})  # fmt: skip


def disputed() -> GT:
    """The scenes that even experts sort either way, with what is said for both: to be talked about, not scored."""
    told = lessons.full("workshop_scenes.csv").set_index("number")
    shown = told.loc[told["disputed"] == "yes", ["scene", "why"]].reset_index()
    return laid_out(shown.rename(columns={"number": ""}), "Scenes that may be sorted either way")


def headline(strict: object, wide: object) -> pd.DataFrame | None:
    """Shares of the twelve reasons under two codings of twelve letters each; None until both are complete."""
    said = {rule: codes(letters) for rule, letters in zip(RULES, (strict, wide), strict=True)}
    told = lessons.reasons()
    if any(len(letters) != len(told) or set(letters) - {"service", "price", "other"} for letters in said.values()):
        return None
    rules: dict[str, dict[str, list[str]]] = {
        rule: {cause: [text for text, code in zip(told["said"], letters, strict=True) if code == cause]
               for cause in ("service", "price") if cause in letters}
        for rule, letters in said.items()
    }  # fmt: skip
    try:
        return reason_shares(told, "said", rules)
    except CxError:
        return None


def save(table: pd.DataFrame, name: str = "touchpoints.csv") -> str:
    """Write a table beside the notebook, or into the home folder where this one may not be written; says where."""
    for folder in (Path.cwd(), Path.home()):
        try:
            (folder / name).write_bytes(csvfile.written(table))
        except OSError:
            continue
        return f"Saved: {folder / name}"
    return "Nothing saved: neither this folder nor the home folder may be written."
