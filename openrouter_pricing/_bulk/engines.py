"""Engines: how each kind of frame carries batches to the kernel, and back. None of them computes anything."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Protocol

import narwhals as nw
import narwhals.dependencies as known
import pyarrow as pa

from .work import Work


class Engine(Protocol):
    """Carries batches."""

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


class _Arrow:
    """Tables, batches, and readers of batches."""

    def names(self, frame: Any) -> list[str]:
        return list(frame.schema.names)

    def carry(self, frame: Any, work: Work) -> Any:
        if isinstance(frame, pa.RecordBatch):
            return work.batch(frame)
        schema = work.schema(frame.schema)
        batches = frame if isinstance(frame, pa.RecordBatchReader) else frame.to_batches()
        made = map(work.batch, batches)
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
        return table.combine_chunks().to_batches()[0] if isinstance(frame, pa.RecordBatch) and len(table) else table


class _Polars:
    """DataFrames and LazyFrames."""

    def names(self, frame: Any) -> list[str]:
        return list(frame.collect_schema().names())

    def carry(self, frame: Any, work: Work) -> Any:
        import polars as pl

        def run(part: pl.DataFrame) -> pl.DataFrame:
            made = work.added(part.select(work.read).to_arrow())
            columns = pl.from_arrow(made)
            assert isinstance(columns, pl.DataFrame)
            return part.hstack(columns) if work.widens else columns

        if isinstance(frame, pl.DataFrame):
            return run(frame)
        schema = run(frame.head(0).collect()).schema
        return frame.map_batches(run, schema=schema, streamable=True)

    def table(self, frame: Any) -> pa.Table:
        collect = getattr(frame, "collect", None)
        return (frame if collect is None else collect(engine="streaming")).to_arrow()

    def like(self, table: pa.Table, frame: Any) -> Any:
        import polars as pl

        made = pl.from_arrow(table)
        assert isinstance(made, pl.DataFrame)
        return made if isinstance(frame, pl.DataFrame) else made.lazy()


class _Pandas:
    """DataFrames; what is added are columns of Arrow's types."""

    def names(self, frame: Any) -> list[str]:
        return [str(name) for name in frame.columns]

    def carry(self, frame: Any, work: Work) -> Any:
        import pandas as pd

        made = work.added(pa.Table.from_pandas(frame[list(work.read)], preserve_index=False))
        if not work.widens:
            return made.to_pandas(types_mapper=pd.ArrowDtype)
        columns = {
            name: pd.Series(pd.arrays.ArrowExtensionArray(column), index=frame.index)
            for name, column in zip(made.column_names, made.columns, strict=True)
        }
        return frame.assign(**columns)

    def table(self, frame: Any) -> pa.Table:
        return pa.Table.from_pandas(frame, preserve_index=False)

    def like(self, table: pa.Table, frame: Any) -> Any:
        import pandas as pd

        return table.to_pandas(types_mapper=pd.ArrowDtype)


class _Dask(_Pandas):
    """DataFrames of many pandas ones."""

    def carry(self, frame: Any, work: Work) -> Any:
        carry = super().carry
        return frame.map_partitions(carry, work, meta=carry(frame._meta, work), enforce_metadata=False)

    def table(self, frame: Any) -> pa.Table:
        return super().table(frame.compute())

    def like(self, table: pa.Table, frame: Any) -> Any:
        import dask.dataframe as dd

        return dd.from_pandas(super().like(table, frame), npartitions=1)


class _DuckDB:
    """Relations, which are read as batches; what is made of one stays in its own connection."""

    def names(self, frame: Any) -> list[str]:
        return list(frame.columns)

    def carry(self, frame: Any, work: Work) -> Any:
        reader = frame.to_arrow_reader()
        made = pa.Table.from_batches(map(work.batch, reader), work.schema(reader.schema))
        return self.like(made, frame)

    def table(self, frame: Any) -> pa.Table:
        return frame.to_arrow_table()

    def like(self, table: pa.Table, frame: Any) -> Any:
        return _query(frame, table)


class _Spark:
    """DataFrames; each worker gets the book and prices its own batches."""

    def names(self, frame: Any) -> list[str]:
        return list(frame.columns)

    def carry(self, frame: Any, work: Work) -> Any:
        from pyspark.sql.pandas.types import from_arrow_schema, to_arrow_schema
        from pyspark.sql.types import StructType

        def run(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
            return map(work.batch, batches)

        old = frame.schema
        new = from_arrow_schema(work.schema(to_arrow_schema(old)))
        kept = {field.name: field for field in old.fields} if work.widens else {}
        schema = StructType([kept.get(field.name, field) for field in new.fields])
        return frame.mapInArrow(run, schema)

    def table(self, frame: Any) -> pa.Table:
        return frame.toArrow()

    def like(self, table: pa.Table, frame: Any) -> Any:
        return frame.sparkSession.createDataFrame(table)


class _Ray:
    """Datasets."""

    def names(self, frame: Any) -> list[str]:
        return list(frame.columns())

    def carry(self, frame: Any, work: Work) -> Any:
        def run(table: pa.Table) -> pa.Table:
            return _ARROW.carry(table, work)

        return frame.map_batches(run, batch_format="pyarrow")

    def table(self, frame: Any) -> pa.Table:
        parts = list(frame.iter_batches(batch_format="pyarrow", batch_size=None))
        return pa.concat_tables(parts)

    def like(self, table: pa.Table, frame: Any) -> Any:
        import ray

        return ray.data.from_arrow(table)


_ARROW = _Arrow()
_ENGINES: tuple[tuple[Callable[[Any], bool], Callable[[], Engine]], ...] = (
    (lambda frame: isinstance(frame, (pa.Table, pa.RecordBatch, pa.RecordBatchReader)), _Arrow),
    (known.is_polars_dataframe, _Polars),
    (known.is_polars_lazyframe, _Polars),
    (known.is_pandas_dataframe, _Pandas),
    (known.is_dask_dataframe, _Dask),
    (known.is_duckdb_relation, _DuckDB),
    (known.is_pyspark_dataframe, _Spark),
    (known.is_pyspark_connect_dataframe, _Spark),
    (lambda frame: type(frame).__module__.startswith("ray.data"), _Ray),
)


def engine_of(frame: Any) -> tuple[Engine, Any]:
    """What carries a frame's batches, and the frame without what may be wrapped around it.

    Raises:
        TypeError: it is no frame that is known here.
    """
    native = nw.to_native(frame, pass_through=True)
    for is_one, engine in _ENGINES:
        if is_one(native):
            return engine(), native
    raise TypeError(
        f"frame must be one of polars, pandas, pyarrow, DuckDB, Spark, Dask or Ray, not {type(native).__name__}"
    )


def _query(relation: Any, table_of_ours: pa.Table) -> Any:
    """A table as a relation of the same connection, which finds it by the name that it has here."""
    return relation.query("frame", "SELECT * FROM table_of_ours")
