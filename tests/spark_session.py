"""A local Spark session for tests: two cores, no page of its own, and a time zone that would show if it mattered."""

import contextlib
import importlib.util
import logging
import shutil
from collections.abc import Iterator
from typing import Any

# One that is hours away from UTC and changes its clocks: stamps must come through as if it were not there.
ZONE = "America/New_York"
SETTINGS = {
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",  # compiled once, not twice
    "spark.sql.adaptive.enabled": "false",
    "spark.sql.codegen.wholeStage": "false",  # compiling a query takes longer than running it on so few rows
    "spark.sql.session.timeZone": ZONE,
    "spark.sql.shuffle.partitions": "2",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
}


def lacking() -> str:
    """What this machine lacks to run Spark, or ""."""
    needs = {"pyspark (the extra `spark`)": importlib.util.find_spec("pyspark"), "Java": shutil.which("java")}
    return " and ".join(name for name, there in needs.items() if not there)


@contextlib.contextmanager
def running() -> Iterator[Any]:
    """A session, stopped at the end."""
    from pyspark.sql import SparkSession

    builder = SparkSession.builder.master("local[2]").appName("cxlib tests")
    for name, value in SETTINGS.items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("OFF")
    logging.getLogger("DataFrameQueryContextLogger").setLevel(logging.CRITICAL)  # repeats every refusal as JSON
    try:
        yield session
    finally:
        session.stop()
