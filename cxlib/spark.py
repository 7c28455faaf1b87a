"""Spark for studies: the session that is there, its files and tables, and SQL that reads texts as Spark spells it.

Texts are read as `files` reads them or not at all: only what both engines read alike is taken, the rest is a fault.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import narwhals as nw

from .csvfile import Form
from .errors import CxError, beginning, of_spark, shortened

NEEDS = 'engine = "spark" needs'
STAMP = "TIMESTAMP_NTZ"  # how Spark calls a stamp without a zone
_ZERO = "TIMESTAMP_NTZ '1970-01-01 00:00:00'"
# Spark's casts also take "1d", "Infinity" and blanks. No backslashes: its parser reads them in one of two ways.
_NUMBER = "^ *[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]+)? *$"
_POINTED = "^ *[+-]?[0-9]{1,3}((,[0-9]{3})+[.][0-9]*|(,[0-9]{3}){2,}) *$"
_DAY = "[0-9]{4}-[0-9]{2}-[0-9]{2}"
_STAMP = f"^{_DAY}([ T][0-9]{{2}}:[0-9]{{2}}(:[0-9]{{2}}([.][0-9]+)?)?)?$"
OFFSET = f"^{_DAY}[ T][0-9]{{2}}:[0-9]{{2}}(:[0-9]{{2}}([.][0-9]+)?)?(Z|[+-][0-9]{{2}}:[0-9]{{2}})$"
CLOCK = "^[0-9]+:[0-5][0-9](:[0-5][0-9])?$"


def session() -> Any:
    """The active session, or the one that this machine's own settings of Spark start (SPARK_REMOTE among them)."""
    if importlib.util.find_spec("pyspark") is None:
        raise CxError(f'{NEEDS} pyspark, which is not installed; add it: pip install "cxlib[spark]"')
    from pyspark.sql import SparkSession

    if active := SparkSession.getActiveSession():
        return active
    java = os.environ.get("JAVA_HOME", "")
    if not os.environ.get("SPARK_REMOTE") and not shutil.which("java", path=str(Path(java, "bin")) if java else None):
        raise CxError(
            f"{NEEDS} Java 17 or newer, which this machine lacks; install it, or name a Spark Connect server in the "
            f"environment variable SPARK_REMOTE"
        )
    try:
        # Bars of progress would be the only sign of Spark in a terminal where nobody asked for them.
        return SparkSession.builder.config("spark.ui.showConsoleProgress", "false").getOrCreate()
    except Exception as error:  # pyspark, py4j and gRPC each have errors of their own
        raise CxError(f"{NEEDS} a session, and none could be started ({beginning(error)}); see Spark's log") from None


def read(place: Path | str) -> tuple[Any, frozenset[str]]:
    """A Parquet file or folder, or a table of the catalog by its name, and which of its stamps have a zone."""
    name = place.name if isinstance(place, Path) else place
    if isinstance(place, Path) and place.suffix.lower() != ".parquet":
        raise CxError(
            f'{shortened(name)}: with engine = "spark" a file must be Parquet (or a folder that Spark wrote as such); '
            f'save it as Parquet, or name a table of the catalog: table = "schema.name"'
        )
    spark = session()
    try:
        native = spark.read.parquet(_literal(place)) if isinstance(place, Path) else spark.table(place)
        return native, frozenset(field for field, kind in native.dtypes if kind == "timestamp")
    except Exception as error:
        if not of_spark(error):
            raise
        raise CxError(f"{shortened(name)}: Spark cannot read it ({beginning(error)})") from None


def _literal(path: Path) -> str:
    """A file of this machine, whatever Spark's own file system is; its patterns taken as letters."""
    return "file:" + re.sub(r"([*?\[\]{}\\])", r"\\\1", str(path))


def reading(name: str, kind: str, form: Form, zone: str = "UTC") -> str:
    """SQL that reads the text of column `name` (a name of ours) as a kind; null if it cannot."""
    if kind in ("number", "integer"):
        grouped = f"contains({name}, ',') AND {matches(name, _POINTED)}"
        bare = f"CASE WHEN {grouped} THEN replace({name}, ',', '') ELSE {name} END"
        number = _let("bare", bare, f"CASE WHEN {matches('bare', _NUMBER)} THEN try_cast(bare AS DOUBLE) END")
        return _let("number", number, "CASE WHEN abs(number) <= 1.7976931348623157E308D THEN number END")
    if kind == "flag":
        return f"CASE WHEN {name} = trim({name}) THEN try_cast({name} AS BOOLEAN) END"
    if kind in ("date", "timestamp"):
        stamp = f"CASE WHEN {matches(name, _STAMP)} THEN try_cast({name} AS TIMESTAMP_NTZ) END"
        if kind == "date":
            return f"CAST({stamp} AS DATE)"
        offset = f"timestampadd(MICROSECOND, unix_micros(try_cast({name} AS TIMESTAMP)), {_ZERO})"
        return f"CASE WHEN {matches(name, OFFSET)} THEN {offset} ELSE {in_utc(stamp, zone)} END"
    return name


def in_utc(stamp: str, zone: str) -> str:
    """SQL that takes a naive local stamp to naive UTC; a stamp in the hour that clocks repeat takes the later one.

    Java takes the earlier: so the shift of three hours later is tried first, and kept where it leads back to the stamp.
    """
    if zone == "UTC":
        return stamp
    to_utc = f"convert_timezone('{zone}', 'UTC', {{}})".format
    later = f"stamp + ({to_utc('stamp + INTERVAL 3 HOURS')} - (stamp + INTERVAL 3 HOURS))"
    tried = f"CASE WHEN {in_zone('later', zone)} = stamp THEN later ELSE {to_utc('stamp')} END"
    return _let("stamp", stamp, _let("later", later, tried))


def _let(name: str, value: str, body: str) -> str:
    """SQL in which `body` may name a value many times: written out each time, it would be planned each time."""
    return f"transform(array({value}), {name} -> {body})[0]"


def in_zone(stamp: str, zone: str) -> str:
    """SQL that takes a naive stamp of UTC to the clocks of a zone."""
    return stamp if zone == "UTC" else f"convert_timezone('UTC', '{zone}', {stamp})"


def after(stamp: str, seconds: str) -> str:
    """SQL for the stamp so many seconds later."""
    return f"timestampadd(MICROSECOND, CAST(ROUND(1e6D * ({seconds})) AS BIGINT), {stamp})"


def clock(name: str) -> str:
    """SQL for the seconds of a duration written hours:minutes:seconds, which `CLOCK` matches."""
    hours, minutes, seconds = (f"try_cast(split_part({name}, ':', {i}) AS DOUBLE)" for i in (1, 2, 3))
    return f"3600 * {hours} + 60 * {minutes} + COALESCE({seconds}, 0)"


def matches(name: str, pattern: str) -> str:
    """SQL for whether a text holds a pattern of ours, which has no quote and no backslash."""
    return f"regexp_like({name}, '{pattern}')"


def first_of(value: str, stamp: str) -> str:
    """SQL aggregate: the value of the first row by a stamp that has one."""
    return f"min_by({value}, CASE WHEN {value} IS NOT NULL THEN {stamp} END)"


def grouped(lazy: nw.LazyFrame[Any], columns: Sequence[str], by: str) -> nw.LazyFrame[Any]:
    """Aggregates (SQL of ours, each with its name) of a frame for each value of one of its columns."""
    import pyspark.sql.functions as F

    return nw.from_native(lazy.to_native().groupBy(by).agg(*map(F.expr, columns)).drop(by))
