"""What a parameter may be: the kinds its annotation allows, and values read as one of them. Nothing is evaluated."""

from __future__ import annotations

import ast
import datetime
import math
import operator
import re
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import yaml

from .errors import listed, shortened
from .yamlfile import PlainLoader

# Narrow kinds first: the text "7" for `int | str` is the number.
WORDS = {
    "none": "None", "bool": "true or false", "int": "a whole number", "float": "a number",
    "date": "a date like 2026-03-31", "list": "a list", "str": "text",
}  # fmt: skip
TRUTH = {"true": True, "yes": True, "false": False, "no": False}
COMPARE = {">=": operator.ge, ">": operator.gt, "<=": operator.le, "<": operator.lt}
BOUND = re.compile(r"\s*(>=|<=|>|<)\s*([-+]?[\d.]+(?:e[-+]?\d+)?)\s*", re.IGNORECASE)


@dataclass(frozen=True)
class Kind:
    """One alternative of a declared type, with its choices (Literal), bounds (Annotated) and kinds of items (list)."""

    name: str
    choices: tuple = ()
    bounds: tuple[tuple[str, float], ...] = ()
    items: tuple[Kind, ...] = ()

    def __str__(self) -> str:
        if self.choices:
            return f"one of {listed(self.choices)}"
        of = f" of {' or '.join(map(str, self.items))}" if self.items else ""
        return WORDS[self.name] + of + " and".join(f" {sign} {limit:g}" for sign, limit in self.bounds)


def kinds_of(default: object) -> tuple[Kind, ...]:
    """What an unannotated line allows: the type of its default; anything plain where that is None."""
    if default is None:
        return tuple(map(Kind, WORDS))
    return (Kind(type(default).__name__ if type(default).__name__ in WORDS else "str"),)


def kinds_in(node: ast.expr) -> tuple[Kind, ...]:
    """The alternatives that an annotation allows."""
    if isinstance(node, ast.Constant):
        return (Kind("none"),) if node.value is None else kinds_in(_quoted(node))
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        return kinds_in(node.left) + kinds_in(node.right)
    if isinstance(node, ast.Subscript):
        inner = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        return _subscripted(_name(node.value), inner)
    if (name := _name(node)) in WORDS:
        return (Kind(name),)
    raise _unknown(node)


def _quoted(node: ast.Constant) -> ast.expr:
    """A type written as a text; a number would be read as itself for ever."""
    with suppress(SyntaxError, MemoryError, ValueError):
        if isinstance(node.value, str):
            return ast.parse(node.value.strip(), mode="eval").body
    raise _unknown(node)


def _unknown(node: ast.expr) -> ValueError:
    told = shortened(ast.unparse(node))
    return ValueError(f"the type `{told}` cannot be checked; use {', '.join(WORDS)}, Literal or Annotated")


def _subscripted(name: str, inner: list[ast.expr]) -> tuple[Kind, ...]:
    match name:
        case "Literal":
            choices = tuple(map(ast.literal_eval, inner))
            names = dict.fromkeys("none" if choice is None else type(choice).__name__ for choice in choices)
            return tuple(Kind(kind, tuple(c for c in choices if _is(kind, c))) for kind in names)
        case "Optional" | "Union":
            return sum(map(kinds_in, inner), ()) + ((Kind("none"),) if name == "Optional" else ())
        case "list" | "List":
            return (Kind("list", items=kinds_in(inner[0])),)
        case "Annotated":
            notes = [ast.literal_eval(note) for note in inner[1:]]
            return tuple(_annotated(kind, notes) for kind in kinds_in(inner[0]))
    raise ValueError(f"the type `{name}[...]` cannot be checked; use {', '.join(WORDS)}, Literal or Annotated")


def _annotated(kind: Kind, notes: list) -> Kind:
    """`Annotated[int, ">= 1"]`, `Annotated[float, (0, 1)]` (both ends allowed) or `Annotated[str, "date"]`."""
    for note in notes:
        if note == "date":
            kind = replace(kind, name="date")
        elif isinstance(note, tuple) and len(note) == 2:
            bounds = tuple((sign, end) for sign, end in zip((">=", "<="), note, strict=True) if end is not None)
            kind = replace(kind, bounds=kind.bounds + bounds)
        else:
            kind = replace(kind, bounds=kind.bounds + tuple(map(_bound, str(note).split(","))))
    return kind


def _bound(text: str) -> tuple[str, float]:
    if (found := BOUND.fullmatch(text)) is None:
        raise ValueError(f"the range '{text}' cannot be read; write '>= 1', '> 0, < 1', (0, 1) or 'date'")
    return found[1], float(found[2])


def _name(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else getattr(node, "attr", "")


def fit(kinds: tuple[Kind, ...], value: Any, typed: bool = False) -> Any:
    """`value` as the first kind that takes it; ValueError when none does."""
    for kind in sorted(kinds, key=lambda kind: list(WORDS).index(kind.name)):
        try:
            read = _from_text(kind, value) if isinstance(value, str) and not typed else value
        except ValueError:
            continue
        if _is(kind.name, read) and _within(kind, read):
            return _items(kind, read, typed) if kind.name == "list" else float(read) if kind.name == "float" else read
    raise ValueError


def _items(kind: Kind, values: list, typed: bool) -> list:
    kinds = kind.items or tuple(map(Kind, ("none", "bool", "int", "float", "str")))
    return [fit(kinds, value, typed) for value in values]


def _within(kind: Kind, value: Any) -> bool:
    if kind.choices and not any(choice == value and type(choice) is type(value) for choice in kind.choices):
        return False
    return all(COMPARE[sign](value, limit) for sign, limit in kind.bounds)


def _is(name: str, value: object) -> bool:
    match name:
        case "none":
            return value is None
        case "int":
            return isinstance(value, int) and not isinstance(value, bool)
        case "float":
            return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
        case "date":
            return isinstance(value, str) and (value == "" or _is_date(value))
        case "str":
            return isinstance(value, str) and not any("\ud800" <= sign <= "\udfff" for sign in value)
    return isinstance(value, bool if name == "bool" else list)


def _is_date(text: str) -> bool:
    try:
        return bool(datetime.date.fromisoformat(text)) and len(text) == 10
    except ValueError:
        return False


def _from_text(kind: Kind, text: str) -> Any:
    """Text as this kind. No expression is evaluated: a value is data."""
    match kind.name:
        case "none" if text.casefold() in ("none", "null"):
            return None
        case "bool" if text.casefold() in TRUTH:
            return TRUTH[text.casefold()]
        case "int" if re.fullmatch(r"[-+]?[0-9]+", text):
            return int(text)
        case "float" if re.fullmatch(r"[-+0-9.eE]+", text):
            return float(text)
        case "list":
            return _list(text)
        case "str" | "date":
            return text
    raise ValueError


def _list(text: str) -> list:
    """`[a, b]` or `a, b`; items stay text until their own kind reads them."""
    try:
        found = yaml.load(text if text.lstrip().startswith("[") else f"[{text}]", Loader=PlainLoader)
    except yaml.YAMLError:
        raise ValueError from None
    return found
