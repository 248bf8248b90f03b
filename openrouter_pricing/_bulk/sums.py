"""Sums: what groups of rows cost, to the digit."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

import pyarrow as pa  # type: ignore[import-untyped]

from .._base import money
from ..errors import quoted
from .book import PriceBook
from .columns import decoded, plain
from .costing import added, costs, fields
from .question import ADDED, Question
from .table import DIGITS
from .work import Work, batch_of

_WIDE = 76  # digits of the widest decimal there is


def read_by(by: object, names: Sequence[str]) -> tuple[str, ...]:
    """The columns to group by.

    Raises:
        ValueError, TypeError: they are no names of columns.
    """
    if isinstance(by, str) or not isinstance(by, Iterable):
        raise TypeError(f"by must be a list of columns, not {type(by).__name__}")
    columns = tuple(by)
    for column in columns:
        if column not in names:
            raise ValueError(f"by names no column: {quoted(column)}")
        if names.count(column) > 1:
            raise ValueError(f"by names {quoted(column)}, of which the frame has more than one")
    if len(set(columns)) < len(columns):
        raise ValueError("by names a column twice")
    return columns


def kinds_of(by: Sequence[str], found: Iterable[pa.Field]) -> list[tuple[str, pa.DataType]]:
    """The types of the columns to group by.

    Raises:
        TypeError: one holds lists or the like.
    """
    known = {field.name: plain(field.type) for field in found}
    for name in by:
        if not pa.types.is_primitive(known[name]) and not _is_simple(known[name]):
            raise TypeError(f"by: {quoted(name)} must be a column of single values, not of {known[name]}")
    return [(name, known[name]) for name in by]


def _is_simple(kind: pa.DataType) -> bool:
    tests = ("string", "large_string", "binary", "large_binary", "fixed_size_binary", "decimal", "null", "boolean")
    return any(getattr(pa.types, f"is_{test}")(kind) for test in tests)


class Sums(Work):
    """Adds up what the rows of each group cost, batch by batch.

    Args:
        book, question: as ever.
        by: the columns that make the groups; of the frame, or of those that would be added to it.
    """

    def __init__(self, book: PriceBook, question: Question, by: tuple[str, ...]) -> None:
        super().__init__(book, question)
        self.by = by
        prefix = question.prefix
        self.names: tuple[str, ...] = tuple(prefix + name for name in ("rows", "unpriced", "raw", "total"))
        for name in self.names:
            if name in by:
                raise ValueError(f"by names {quoted(name)}, which is the name of a sum")

    @property
    def read(self) -> tuple[str, ...]:
        """See :attr:`Work.read`."""
        own = [name for name in self.by if name not in self.question.added]
        return tuple(dict.fromkeys((*self.question.read, *own)))

    def made(self, schema: pa.Schema) -> pa.Schema:
        """See :meth:`Work.made`."""
        kinds = kinds_of(self.by, [*schema, *fields(self.book, self.question)])
        usd = pa.decimal128(DIGITS, self.book.scale)
        sums = zip(self.names, (pa.int64(), pa.int64(), usd, usd), strict=True)
        return pa.schema([*kinds, *sums])

    def run(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """See :meth:`Work.run`."""
        parts = [self._grouped(part, made) for part, made in costs(self.book, batch, self.question)]
        return batch_of(self.whole(parts, self.made(batch.schema)))

    def _grouped(self, batch: pa.RecordBatch, made: Any) -> pa.Table:
        columns = dict(zip(self.question.added, added(self.book, made), strict=True))
        raw, total = (columns[self.question.prefix + name] for name in ADDED[:2])
        wide = pa.decimal256(_WIDE, self.book.scale)
        keys = {name: columns[name] if name in columns else decoded(batch.column(name)) for name in self.by}
        table = pa.table(
            [*keys.values(), pa.array(~made.valid), raw.cast(wide), total.cast(wide)],
            names=[*(f"by{number}" for number in range(len(keys))), "unpriced", "raw", "total"],
        )
        wanted = [("unpriced", "count"), ("unpriced", "sum"), ("raw", "sum"), ("total", "sum")]
        grouped = table.group_by([f"by{number}" for number in range(len(keys))], use_threads=False).aggregate(wanted)
        ordered = [f"by{number}" for number in range(len(keys))] + ["_".join(one) for one in wanted]
        return grouped.select(ordered)

    def whole(self, parts: Iterable[pa.Table], schema: pa.Schema) -> pa.Table:
        """The sums of several tables of sums.

        Raises:
            OverflowError: a sum has more digits than a column of decimals.
        """
        groups: dict[tuple[Any, ...], list[Any]] = {}
        for part in parts:
            for *key, rows, unpriced, raw, total in zip(*(column.to_pylist() for column in part.columns), strict=True):
                group = groups.setdefault(tuple(key), [0, 0, None, None])
                group[0] += rows
                group[1] += unpriced
                group[2], group[3] = _plus(group[2], raw), _plus(group[3], total)
        columns = list(zip(*((*key, *sums) for key, sums in groups.items()), strict=True)) or [()] * len(schema)
        try:
            arrays = [pa.array(column, field.type) for column, field in zip(columns, schema, strict=True)]
        except pa.ArrowInvalid as error:
            raise OverflowError(f"a sum has more than {DIGITS} digits") from error
        return pa.Table.from_arrays(arrays, schema=schema)


def _plus(one: Decimal | None, other: Decimal | None) -> Decimal | None:
    if one is None or other is None:
        return other if one is None else one
    return money.add(one, other)
