"""A history in a database that keeps the last list alone, with an outbox beside it."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from functools import partial
from typing import Any

from sqlalchemy import Column, Engine, MetaData, Table, Text, create_engine, select
from sqlalchemy.pool import NullPool

from openrouter_pricing import Catalog, PriceChange, Rates
from openrouter_pricing.history.rows import SqlOutbox, outbox_table, write

METADATA = MetaData()
OUTBOX = outbox_table(METADATA, "outbox")
LAST = Table("last", METADATA, Column("as_of", Text), Column("digest", Text), Column("prices", Text))


def rates(pricing: str | None) -> Rates | None:
    """The prices of a recorded object."""
    return None if pricing is None else Rates.from_dict(json.loads(pricing))


class LastList:
    """Records lists, and what they change in the outbox with them, in one transaction.

    Args:
        url: of the database.
    """

    def __init__(self, url: str) -> None:
        self.engine: Engine = create_engine(url, poolclass=NullPool)
        METADATA.create_all(self.engine)
        self.outbox = SqlOutbox(lambda: self.engine, OUTBOX, self.record)

    def record(self, catalog: Catalog) -> tuple[PriceChange, ...]:
        """Keep a list that is newer than the last one."""
        now = {model.id: json.dumps(model.rates.to_dict(), sort_keys=True) for model in catalog.decoded()}
        with self.engine.begin() as connection:
            connection.execute(LAST.delete().where(LAST.c.as_of == ""))  # the first write: others wait from here on
            last: Any = connection.execute(select(LAST)).first()
            if last is not None and last.as_of >= catalog.as_of.isoformat():
                return ()
            before: dict[str, str] = {} if last is None else json.loads(last.prices)
            changes = tuple(partial(self._change, before, now)(name) for name in {**now, **before})
            changes = tuple(change for change in changes if change.moves)
            if last is not None:
                write(connection, OUTBOX, catalog, last.digest, changes, datetime.now(timezone.utc))
            connection.execute(LAST.delete())
            row = {"as_of": catalog.as_of.isoformat(), "digest": catalog.digest, "prices": json.dumps(now)}
            connection.execute(LAST.insert().values(row))
        return changes

    def _change(self, before: dict[str, str], now: dict[str, str], name: str) -> PriceChange:
        kind: Any = "listed" if name not in before else "changed" if name in now else "delisted"
        return PriceChange(name, kind, rates(before.get(name)), rates(now.get(name)))

    def periods(self, *args: object, **kwargs: object) -> tuple[()]:
        """It knows of no past."""
        return ()

    def as_of(self, at: object) -> None:
        """As above."""

    def close(self) -> None:
        """Every connection is closed when it is done with."""
