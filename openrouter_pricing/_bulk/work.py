"""Work: what is made of each batch of a frame, wherever it is carried to."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator

import pyarrow as pa  # type: ignore[import-untyped]

from .book import PriceBook
from .costing import ROWS, added, check_kinds, costs, fields
from .question import Question


class Work(ABC):
    """Makes something of each batch.

    Args:
        book: the prices.
        question: what is asked.

    Attributes:
        widens: what is made are more columns for the same rows.
        read: the columns that it takes.
    """

    widens: bool = False

    def __init__(self, book: PriceBook, question: Question) -> None:
        self.book = book
        self.question = question

    @property
    def read(self) -> tuple[str, ...]:
        """The columns that are looked at."""
        return self.question.read

    @abstractmethod
    def made(self, schema: pa.Schema) -> pa.Schema:
        """What is made, of columns of these types."""

    @abstractmethod
    def run(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """What is made of a batch."""

    def schema(self, schema: pa.Schema) -> pa.Schema:
        """What a frame is afterwards.

        Raises:
            TypeError: a column holds something else than it should.
        """
        check_kinds(schema, self.question)
        made = self.made(schema)
        return pa.schema([*schema, *made]) if self.widens else made

    def batch(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """What a batch is afterwards."""
        made = self.run(batch)
        if not self.widens:
            return made
        return pa.RecordBatch.from_arrays([*batch.columns, *made.columns], schema=self.schema(batch.schema))

    def batches(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """What batches are afterwards, one after the other."""
        return map(self.batch, batches)

    def added(self, table: pa.Table) -> pa.Table:
        """What is made of all batches of a table."""
        check_kinds(table.schema, self.question)
        return pa.Table.from_batches(map(self.run, table.to_batches(ROWS)), self.made(table.schema))


class RowCosts(Work):
    """Adds what each row costs."""

    widens = True

    def made(self, schema: pa.Schema) -> pa.Schema:
        """See :meth:`Work.made`."""
        return pa.schema(fields(self.book, self.question))

    def run(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """See :meth:`Work.run`."""
        schema = self.made(batch.schema)
        parts = [added(self.book, made) for _, made in costs(self.book, batch, self.question)]
        if not parts:
            return batch_of(schema.empty_table())
        columns = parts[0] if len(parts) == 1 else list(map(pa.concat_arrays, map(list, zip(*parts, strict=True))))
        return pa.RecordBatch.from_arrays(columns, schema=schema)


def batch_of(table: pa.Table) -> pa.RecordBatch:
    """A small table as one batch."""
    columns = [pa.concat_arrays([pa.array([], column.type), *column.chunks]) for column in table.columns]
    return pa.RecordBatch.from_arrays(columns, schema=table.schema)
