"""The rules of the data contract, made from `schema.TABLES` and from what the tables have to do with each other."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import narwhals as nw

from . import engine, schema

KEYS = {
    "customers": ("customer_id",),
    "prices": ("customer_id", "valid_from"),
    "surveys": ("survey_id",),
    "ratings": ("survey_id", "touchpoint"),
    "tickets": ("ticket_id",),
    "interactions": ("interaction_id",),
    "touchpoints": ("touchpoint",),
}
# Column of the table -> table it must be found in, as its key.
PARENTS = {
    "customers": {"referred_by": "customers"},
    "prices": {"customer_id": "customers"},
    "surveys": {"customer_id": "customers"},
    "ratings": {"survey_id": "surveys", "touchpoint": "touchpoints"},
    "tickets": {"customer_id": "customers"},
    "interactions": {"customer_id": "customers", "touchpoint": "touchpoints"},
}
# What comes later, and what it must not come before.
ORDER = {
    "customers": (("end_date", "signup_date"),),
    "surveys": (("answered_at", "sent_at"),),
    "tickets": (
        ("first_response_at", "opened_at"), ("resolved_at", "opened_at"), ("resolved_at", "first_response_at"),
    ),
}  # fmt: skip
MAY_BE_EMPTY = ("end_date", "answered_at")  # required columns in which empty has a meaning


@dataclass(frozen=True)
class Rule:
    """A rule in words, the column it is about, and the step that adds it to a pointblank validation."""

    text: str
    column: str
    step: Callable[[Any], Any]


def rules(tables: Mapping[str, engine.View], table: str) -> list[Rule]:
    """All rules of one table that its columns, and the other tables that are there, allow."""
    there = tables[table].at
    found = [_unique(KEYS[table])]
    for column in schema.TABLES[table]:
        if column.name in there:
            found += _column_rules(column, tables[table])
    found += [
        _known(tables, table, name, parent)
        for name, parent in PARENTS.get(table, {}).items()
        if parent in tables and name in there
    ]
    found += [_order(later, earlier) for later, earlier in ORDER.get(table, ()) if later in there and earlier in there]
    if table == "customers" and "end_kind" in there:
        found.append(_end_has_kind())
    return found


def _unique(key: tuple[str, ...]) -> Rule:
    text = f"{' and '.join(key)} {'is' if len(key) == 1 else 'together are'} unique"
    return Rule(text, key[0], lambda checks: checks.rows_distinct(columns_subset=list(key)))


def _column_rules(column: schema.Column, seen: engine.View) -> Iterator[Rule]:
    name = column.name
    if column.required and name not in MAY_BE_EMPTY:
        yield Rule(f"{name} is filled", name, lambda checks: checks.col_vals_not_null(name))
    if column.kind in ("number", "integer") and column.values:
        low, _, high = column.values.partition("-")
        limits = (float(low), float(high) if high else None)
        yield Rule(f"{name} is {low} to {high}" if high else f"{name} is {low} or more", name, _range(name, *limits))
    elif column.values:
        allowed = [value.strip() for value in column.values.split(",")]
        yield Rule(f"{name} is {' or '.join(allowed)}", name, _among(name, allowed))
    if column.kind == "integer" and seen.frame.collect_schema()[name].is_float():
        whole = (nw.col(name) == nw.col(name).floor()).fill_null(True)
        yield Rule(f"{name} is whole", name, lambda checks: checks.col_vals_expr(expr=whole))


def _range(name: str, low: float, high: float | None) -> Callable[[Any], Any]:
    if high is None:
        return lambda checks: checks.col_vals_ge(name, low, na_pass=True)
    return lambda checks: checks.col_vals_between(name, low, high, na_pass=True)


def _among(name: str, allowed: list[str]) -> Callable[[Any], Any]:
    return lambda checks: checks.col_vals_in_set(name, [*allowed, None])


def _known(tables: Mapping[str, engine.View], table: str, name: str, parent: str) -> Rule:
    def joined(_: Any) -> Any:
        keys = engine.distinct(tables[parent].frame.select(nw.col(KEYS[parent][0]).alias(name))).with_columns(
            parent=nw.lit(1)
        )
        # Whether a key must be filled at all is another rule.
        given = tables[table].frame.filter(~nw.col(name).is_null() | nw.lit(name in KEYS[parent]))
        return given.join(keys, on=name, how="left").to_native()

    return Rule(f"{name} is in {parent}", name, lambda checks: checks.col_vals_not_null("parent", pre=joined))


def _order(later: str, earlier: str) -> Rule:
    import pointblank as pb

    return Rule(
        f"{later} is not before {earlier}",
        later,
        lambda checks: checks.col_vals_ge(later, pb.col(earlier), na_pass=True),
    )


def _end_has_kind() -> Rule:
    both = nw.col("end_date").is_null() == nw.col("end_kind").is_null()
    return Rule("end_kind is filled where end_date is", "end_kind", lambda checks: checks.col_vals_expr(expr=both))
