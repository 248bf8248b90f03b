"""Engines: how a frame carries batches to the kernel, and back. None of them computes anything."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any, Protocol

import narwhals as nw
import narwhals.dependencies as known
import pyarrow as pa  # type: ignore[import-untyped]

from .costing import ROWS
from .work import Work, batch_of


class Engine(Protocol):
    """Carries batches, which is all that any of them does."""

    def names(self, frame: Any) -> list[str]:
        """The columns of a frame."""
        ...

    def carry(self, frame: Any, work: Work) -> Any:
        """The frame that some work makes of it; lazy where it is."""
        ...

    def table(self, frame: Any) -> pa.Table:
        """All of a frame."""
        ...

    def like(self, table: pa.Table, frame: Any) -> Any:
        """A small table as a frame of the same kind as another."""
        ...


class Arrow:
    """Tables, batches, and readers of batches."""

    def names(self, frame: Any) -> list[str]:
        return list(frame.schema.names)

    def carry(self, frame: Any, work: Work) -> Any:
        if isinstance(frame, pa.RecordBatch):
            return work.batch(frame)
        schema = work.schema(frame.schema)
        batches = frame if isinstance(frame, pa.RecordBatchReader) else frame.to_batches(ROWS)
        made = work.batches(batches)
        if isinstance(frame, pa.RecordBatchReader):
            return pa.RecordBatchReader.from_batches(schema, made)
        return pa.Table.from_batches(made, schema)

    def table(self, frame: Any) -> pa.Table:
        if isinstance(frame, pa.RecordBatchReader):
            return frame.read_all()
        return pa.Table.from_batches([frame]) if isinstance(frame, pa.RecordBatch) else frame

    def like(self, table: pa.Table, frame: Any) -> Any:
        if isinstance(frame, pa.RecordBatchReader):
            return table.to_reader()
        return batch_of(table) if isinstance(frame, pa.RecordBatch) else table


_ENGINES: tuple[tuple[Callable[[Any], bool], str], ...] = (
    (known.is_polars_dataframe, "Polars"),
    (known.is_polars_lazyframe, "Polars"),
    (known.is_pandas_dataframe, "Pandas"),
    (known.is_dask_dataframe, "Dask"),
    (known.is_duckdb_relation, "DuckDB"),
    (known.is_pyspark_dataframe, "Spark"),
    (known.is_pyspark_connect_dataframe, "Spark"),
    (lambda frame: type(frame).__module__.startswith("ray.data"), "Ray"),
)


def wrapped(made: Any, frame: Any) -> Any:
    """What is made of a frame, in what was wrapped around that one."""
    return nw.from_native(made) if isinstance(frame, (nw.DataFrame, nw.LazyFrame)) else made


def engine_of(frame: Any) -> tuple[Engine, Any]:
    """What carries a frame's batches, and the frame without what may be wrapped around it.

    Raises:
        TypeError: it is no frame that is known here.
    """
    native = nw.to_native(frame, pass_through=True)
    if isinstance(native, (pa.Table, pa.RecordBatch, pa.RecordBatchReader)):
        return Arrow(), native
    for is_one, name in _ENGINES:
        if is_one(native):
            engine: Engine = getattr(import_module(".carriers", __package__), name)()
            return engine, native
    raise TypeError(
        f"frame must be one of polars, pandas, pyarrow, DuckDB, Spark, Dask or Ray, not {type(native).__name__}"
    )
