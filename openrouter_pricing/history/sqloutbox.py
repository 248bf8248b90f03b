"""SqlOutbox: what is to be told of changes, in the database that holds them."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import TypeVar

import sqlalchemy as sql

from .._prices.catalog import Catalog
from .._prices.changes import CatalogChange, PriceChange
from .entries import KEPT, Entry
from .events import Difference, flat
from .tables import head, outbox

_T = TypeVar("_T")


class SqlOutbox:
    """An outbox whose entries are written with the changes themselves, so that no change goes untold.

    Args:
        writing: gives a connection in a transaction of its own.
        record: keeps a list, and what is to be told of it, unless that is done.
    """

    def __init__(
        self,
        writing: Callable[[], AbstractContextManager[sql.Connection]],
        record: Callable[[Catalog], object],
    ) -> None:
        self._writing = writing
        self._record = record

    def add(
        self, connection: sql.Connection, as_of: datetime, before: str, after: str, changes: Sequence[PriceChange]
    ) -> None:
        """Note what changed, in the transaction that records it; what nobody ever told goes in time.

        Args:
            connection: of that transaction.
            as_of: of the new list.
            before, after: digests of the lists.
            changes: what differs.
        """
        now = as_of.timestamp()
        found = [
            Difference(
                change.model_id, *(None if rates is None else flat(rates) for rates in (change.before, change.after))
            )
            for change in changes
        ]
        entries = self._read(connection)
        kept = [entry for entry in entries if entry.at > now - KEPT]
        self._write(connection, entries, [*kept, Entry.of(now, as_of.isoformat(), before, after, found)])

    def note(self, change: CatalogChange) -> None:
        """See :class:`Outbox`: it is written as it is recorded, which may be going on just now."""
        self._record(change.after)

    def change(self, work: Callable[[list[Entry]], _T]) -> _T:
        """See :class:`Outbox`."""
        with self._writing() as connection:
            connection.execute(sql.select(head).with_for_update()).first()
            entries = self._read(connection)
            now = [Entry.loads(entry.dumps()) for entry in entries]
            answer = work(now)
            self._write(connection, entries, now)
        return answer

    def _read(self, connection: sql.Connection) -> list[Entry]:
        asked = sql.select(outbox.c.entry).order_by(outbox.c.number)
        return [Entry.loads(json.loads(text)) for text in connection.scalars(asked)]

    def _write(self, connection: sql.Connection, before: Sequence[Entry], after: Sequence[Entry]) -> None:
        """Write what is new or another one, and forget what is gone."""
        old = {entry.id: entry for entry in before}
        gone = old.keys() - {entry.id for entry in after}
        changed = [(number, entry) for number, entry in enumerate(after) if old.get(entry.id) != entry]
        for name in [*gone, *(entry.id for _, entry in changed)]:
            connection.execute(sql.delete(outbox).where(outbox.c.id == name))
        rows = [{"id": entry.id, "number": number, "entry": json.dumps(entry.dumps())} for number, entry in changed]
        if rows:
            connection.execute(sql.insert(outbox), rows)
