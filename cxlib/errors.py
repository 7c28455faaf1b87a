"""The one place for errors: what must hold, what was given, the nearest valid value, the remedy."""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import get_close_matches

MOST = 100  # faults told at once; nobody mends more before looking again
LONGEST = 2000  # letters of one, which may quote names as long as the user's


class CxError(ValueError):
    """One or more faults in what the user gave, one line each.

    Parameters
    ----------
    *faults : str
        Lines that say what must hold, what was given, the nearest valid value and the remedy.
    brief : str
        The fault in a few words, for the note of a row; by default the first line up to its semicolon.
    """

    def __init__(self, *faults: str, brief: str = ""):
        more = [f"and {len(faults) - MOST:,} more faults, not shown"] if len(faults) > MOST else []
        self.faults = tuple(shortened(fault, LONGEST) for fault in [*faults[:MOST], *more])
        self.brief = brief or (self.faults[0].partition(";")[0] if self.faults else "")
        super().__init__("\n".join(self.faults))


class LostData(CxError):
    """Data that can no longer be read, or are not what they were: no part of an answer stands, none is left out."""


def refuse(faults: Iterable[str]) -> None:
    """Raise every fault at once; do nothing when there is none."""
    faults = list(dict.fromkeys(faults))
    if faults:
        raise CxError(*faults)


def nearest(name: object, options: Iterable[object]) -> str:
    """The option spelled most like `name`, or "" when none is close."""
    spelled = {str(option).casefold(): str(option) for option in options}
    close = get_close_matches(str(name).casefold(), list(spelled), n=1, cutoff=0.55)
    return spelled[close[0]] if close else ""


def listed(options: Iterable[object], most: int = 12) -> str:
    """Options for a message: quoted, shortened, and at most `most` of them."""
    names = [f"'{shortened(option)}'" for option in options]
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


def one_line(value: object) -> str:
    """A value as text on one line; signs that would not be seen, or would turn the line around, are spelled out."""
    try:
        text = " ".join(str(value).split())
    except (RecursionError, ValueError):  # nested too deeply, or a number of thousands of digits
        return f"{type(value).__name__} too large to show"
    return text if text.isprintable() else "".join(s if s.isprintable() else repr(s)[1:-1] for s in text)


def shortened(value: object, most: int = 80) -> str:
    """A given value on one line and of bounded length: messages must survive hostile input."""
    text = one_line(value)
    return text if len(text) <= most else text[: most - 1] + "…"


def beginning(error: BaseException, most: int = 300) -> str:
    """The first line of what another program says, without its class of errors and the folder of a file."""
    first = next(iter(str(error).splitlines()), "") or type(error).__name__
    plain = re.sub(r"^[A-Z]\w*( \w+){0,3} Error: ", "", first)
    return shortened(re.sub(r"""(["'])/[^"']*/""", r"\1", plain), most)


def of_spark(error: Exception) -> bool:
    """Whether an error is Spark's own, of whichever of its layers."""
    return type(error).__module__.startswith(("pyspark.", "py4j.", "grpc."))


def ending(path: object, most: int = 80) -> str:
    """A path of bounded length, whose end tells more than its beginning."""
    text = one_line(path)
    return text if len(text) <= most else "…" + text[1 - most :]


def unknown(kind: str, name: object, options: Iterable[object], where: str = "") -> str:
    """The standard line for a name that does not exist.

    >>> unknown("column", "rgion", ["region", "plan"], "customers")
    "customers: no column 'rgion'; did you mean 'region'? There are: 'region', 'plan'"
    """
    options = list(options)
    close = nearest(name, options)
    hint = f"; did you mean '{shortened(close)}'?" if close else ";"
    there = f" There are: {listed(options)}" if options else " There is none"
    return f"{where + ': ' if where else ''}no {kind} '{shortened(name)}'{hint}{there}"
