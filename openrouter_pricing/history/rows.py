"""Rows of an outbox in a database: written with the changes that they tell of, and leased by who delivers them."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TypeVar

from sqlalchemy import Column, Connection, Engine, Float, MetaData, String, Table, Text, delete, false, select, update

from .._prices.catalog import Catalog
from .._prices.changes import CatalogChange, PriceChange
from .entries import Entry
from .events import Difference, flat

_T = TypeVar("_T")


def outbox_table(metadata: MetaData, name: str) -> Table:
    """The table of an outbox.

    Args:
        metadata: of the tables that it is made with.
        name: of the table.
    """
    return Table(
        name,
        metadata,
        Column("id", String(64), primary_key=True),
        Column("noted", Float, nullable=False),
        Column("entry", Text, nullable=False),
    )


def write(
    connection: Connection, table: Table, catalog: Catalog, before: str, changes: Sequence[PriceChange], now: datetime
) -> None:
    """Write what a new list changes into an outbox, in the transaction in which the changes themselves are written.

    Args:
        connection: in that transaction.
        table: of the outbox.
        catalog: the new list.
        before: digest of the list before it.
        changes: what changed, by which prices; nothing is written without any.
        now: the wall clock (aware).
    """
    told = [Difference(*_sides(change)) for change in changes]
    if told:
        entry = Entry.of(now.timestamp(), catalog.as_of.isoformat(), before, catalog.digest, told)
        connection.execute(table.insert().values(_row(entry)))


class SqlOutbox:
    """An outbox in a database. What fails is raised, and tried again later.

    Args:
        engine: gives the engine of this process.
        table: as :func:`outbox_table` made it.
        record: has a list recorded, with what it changes in the outbox; one that is recorded already changes nothing.
    """

    def __init__(self, engine: Callable[[], Engine], table: Table, record: Callable[[Catalog], object]) -> None:
        self._engine = engine
        self._table = table
        self._record = record

    def note(self, change: CatalogChange) -> None:
        """See :class:`Outbox`: the list is recorded, if it is not yet."""
        self._record(change.after)

    def change(self, work: Callable[[list[Entry]], _T]) -> _T:
        """See :class:`Outbox`: in one transaction, which has all rows to itself."""
        table = self._table
        with self._engine().begin() as connection:
            # SQLite lets one process write at a time, from its first write on; others lock the rows that are read.
            connection.execute(update(table).where(false()).values(noted=table.c.noted))
            rows = connection.execute(
                select(table.c.id, table.c.entry).order_by(table.c.noted, table.c.id).with_for_update()
            )
            stored: dict[str, str] = {row.id: row.entry for row in rows}
            entries = [Entry.loads(json.loads(text)) for text in stored.values()]
            answer = work(entries)
            kept = {entry.id: _row(entry) for entry in entries}
            gone = [each for each in stored if each not in kept]
            new = [row for each, row in kept.items() if each not in stored]
            if gone:
                connection.execute(delete(table).where(table.c.id.in_(gone)))
            if new:
                connection.execute(table.insert(), new)
            for each, text in stored.items():
                if each in kept and kept[each]["entry"] != text:
                    connection.execute(update(table).where(table.c.id == each).values(kept[each]))
        return answer


def _row(entry: Entry) -> dict[str, str | float]:
    return {"id": entry.id, "noted": entry.at, "entry": json.dumps(entry.dumps())}


def _sides(change: PriceChange) -> tuple[str, dict[str, str] | None, dict[str, str] | None]:
    before, after = (None if rates is None else dict(flat(rates)) for rates in (change.before, change.after))
    return change.model_id, before, after
