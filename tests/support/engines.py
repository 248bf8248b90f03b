"""Frames of every engine, made of a table and read back; an engine that is not installed is skipped by name."""

from __future__ import annotations

import importlib
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import pyarrow as pa
import pytest


class Kind(NamedTuple):
    """How an engine's frames are made and read."""

    make: Callable[[pa.Table], Any]
    read: Callable[[Any], pa.Table]


@contextmanager
def _polars(eager: bool) -> Iterator[Kind]:
    pl: Any = pytest.importorskip("polars")
    if eager:
        yield Kind(pl.from_arrow, lambda frame: frame.to_arrow())
    else:
        yield Kind(
            lambda table: pl.from_arrow(table).lazy(), lambda frame: frame.collect(engine="streaming").to_arrow()
        )


@contextmanager
def _pandas() -> Iterator[Kind]:
    pytest.importorskip("pandas")
    yield Kind(lambda table: table.to_pandas(), lambda frame: pa.Table.from_pandas(frame, preserve_index=False))


@contextmanager
def _duckdb() -> Iterator[Kind]:
    duckdb: Any = pytest.importorskip("duckdb")
    with duckdb.connect() as connection:
        yield Kind(connection.from_arrow, lambda frame: frame.to_arrow_table())


@contextmanager
def _dask() -> Iterator[Kind]:
    pytest.importorskip("pandas")
    dd: Any = pytest.importorskip("dask.dataframe")

    def read(frame: Any) -> pa.Table:
        return pa.Table.from_pandas(frame.compute(scheduler="threads"), preserve_index=False)

    yield Kind(lambda table: dd.from_pandas(table.to_pandas(), npartitions=3, sort=False), read)


_QUICK = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"  # for jobs of a second
_SPARK = {
    "spark.driver.extraJavaOptions": _QUICK,
    "spark.driver.host": "127.0.0.1",
    "spark.executor.extraJavaOptions": _QUICK,
    "spark.log.level": "ERROR",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.shuffle.partitions": "2",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
}


@contextmanager
def spark(master: str) -> Iterator[Kind]:
    """Spark in this process, or a cluster of workers in processes of their own."""
    sql: Any = pytest.importorskip("pyspark.sql")
    if shutil.which("java") is None:
        pytest.skip("no java: apt-get install default-jre-headless")
    os.environ["PYSPARK_PYTHON"] = sys.executable
    os.environ["SPARK_LOCAL_IP"] = "127.0.0.1"
    builder = sql.SparkSession.builder.master(master)
    for name, value in _SPARK.items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    try:
        yield Kind(lambda table: session.createDataFrame(table).repartition(2), lambda frame: frame.toArrow())
    finally:
        session.stop()


@contextmanager
def _ray() -> Iterator[Kind]:
    ray: Any = pytest.importorskip("ray")
    data = importlib.import_module("ray.data")
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
    try:
        data.DataContext.get_current().enable_progress_bars = False
        yield Kind(
            data.from_arrow, lambda frame: pa.concat_tables(frame.iter_batches(batch_format="pyarrow", batch_size=None))
        )
    finally:
        ray.shutdown()


@contextmanager
def _pyarrow() -> Iterator[Kind]:
    yield Kind(lambda table: table, lambda table: table)


#: Engines by name, each as a context in which its frames live.
ENGINES: dict[str, Callable[[], Any]] = {
    "pyarrow": _pyarrow,
    "polars": lambda: _polars(eager=True),
    "polars, lazy": lambda: _polars(eager=False),
    "pandas": _pandas,
    "DuckDB": _duckdb,
    "Dask": _dask,
    "Ray": _ray,
    "Spark local[2]": lambda: spark("local[2]"),
    "Spark local-cluster[2,1,1024]": lambda: spark("local-cluster[2,1,1024]"),
}
