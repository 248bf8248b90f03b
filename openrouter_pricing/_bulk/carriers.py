"""Carriers: the engines that are packages of their own, imported when a frame of theirs comes."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

import pyarrow as pa  # type: ignore[import-untyped]

from .engines import Arrow
from .work import Work


class Polars:
    """DataFrames and LazyFrames."""

    def names(self, frame: Any) -> list[str]:
        return list(frame.collect_schema().names())

    def carry(self, frame: Any, work: Work) -> Any:
        pl = import_module("polars")

        def run(part: Any) -> Any:
            made = work.added(_read(part, work, lambda few: few.to_arrow()))
            columns = pl.from_arrow(made)
            return part.hstack(columns) if work.widens else columns

        if isinstance(frame, pl.DataFrame):
            return run(frame)
        schema = run(frame.collect_schema().to_frame()).schema
        return frame.map_batches(run, schema=schema, streamable=True)

    def table(self, frame: Any) -> pa.Table:
        collect = getattr(frame, "collect", None)
        return (frame if collect is None else collect(engine="streaming")).to_arrow()

    def like(self, table: pa.Table, frame: Any) -> Any:
        pl = import_module("polars")

        made = pl.from_arrow(table)
        return made if isinstance(frame, pl.DataFrame) else made.lazy()


class Pandas:
    """DataFrames; what is added are columns of Arrow's types."""

    def names(self, frame: Any) -> list[str]:
        return [name for name in frame.columns if isinstance(name, str)]

    def carry(self, frame: Any, work: Work) -> Any:
        pd = import_module("pandas")

        made = work.added(_read(frame, work, _table_of))
        if not work.widens:
            return made.to_pandas(types_mapper=pd.ArrowDtype)
        columns = {
            name: pd.Series(pd.arrays.ArrowExtensionArray(column), index=frame.index)
            for name, column in zip(made.column_names, made.columns, strict=True)
        }
        return frame.assign(**columns)

    def table(self, frame: Any) -> pa.Table:
        return _table_of(frame)

    def like(self, table: pa.Table, frame: Any) -> Any:
        pd = import_module("pandas")

        return table.to_pandas(types_mapper=pd.ArrowDtype)


class Dask(Pandas):
    """DataFrames of many pandas ones."""

    def carry(self, frame: Any, work: Work) -> Any:
        carry = super().carry
        return frame.map_partitions(carry, work, meta=carry(frame._meta, work), enforce_metadata=False)

    def table(self, frame: Any) -> pa.Table:
        return super().table(frame.compute())

    def like(self, table: pa.Table, frame: Any) -> Any:
        return import_module("dask.dataframe").from_pandas(super().like(table, frame), npartitions=1)


class DuckDB:
    """Relations, which are read as batches; what is made of one stays in its own connection."""

    def names(self, frame: Any) -> list[str]:
        return list(frame.columns)

    def carry(self, frame: Any, work: Work) -> Any:
        reader = frame.to_arrow_reader()
        made = pa.Table.from_batches(work.batches(reader), work.schema(reader.schema))
        return self.like(made, frame)

    def table(self, frame: Any) -> pa.Table:
        return frame.to_arrow_table()

    def like(self, table: pa.Table, frame: Any) -> Any:
        return _query(frame, table)


class Spark:
    """DataFrames; each worker gets the book and prices its own batches."""

    def names(self, frame: Any) -> list[str]:
        return list(frame.columns)

    def carry(self, frame: Any, work: Work) -> Any:
        schema = work.schema(frame.limit(0).toArrow().schema)
        return frame.mapInArrow(work.batches, self.like(schema.empty_table(), frame).schema)

    def table(self, frame: Any) -> pa.Table:
        return frame.toArrow()

    def like(self, table: pa.Table, frame: Any) -> Any:
        return frame.sparkSession.createDataFrame(table)


class Ray:
    """Datasets."""

    def names(self, frame: Any) -> list[str]:
        return list(frame.columns())

    def carry(self, frame: Any, work: Work) -> Any:
        return frame.map_batches(Arrow().carry, fn_args=(work,), batch_format="pyarrow")

    def table(self, frame: Any) -> pa.Table:
        parts = list(frame.iter_batches(batch_format="pyarrow", batch_size=None))
        return pa.concat_tables(parts)

    def like(self, table: pa.Table, frame: Any) -> Any:
        return import_module("ray.data").from_arrow(table)


def _read(frame: Any, work: Work, convert: Callable[[Any], pa.Table]) -> pa.Table:
    """The columns that some work takes.

    Raises:
        TypeError: one holds what no column of Arrow does.
    """
    columns = list(work.read)
    try:
        return convert(frame[columns])
    except pa.ArrowException as error:
        wrong = [name for name in columns if not _converts(frame[[name]], convert)]
        raise TypeError(f"{', '.join(wrong)} cannot be read: {error}") from error


def _converts(frame: Any, convert: Callable[[Any], pa.Table]) -> bool:
    try:
        convert(frame)
    except pa.ArrowException:
        return False
    return True


def _table_of(frame: Any) -> pa.Table:
    return pa.Table.from_pandas(frame, preserve_index=False)


def _query(relation: Any, table_of_ours: pa.Table) -> Any:
    """A table as a relation of the same connection, which finds it by the name that it has here."""
    return relation.query("frame", "SELECT * FROM table_of_ours")
