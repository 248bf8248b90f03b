"""Tables of a price history in a database, and how a database comes to have them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta, timezone

import sqlalchemy as sql

from ..errors import PricingError

#: Of the tables below; a database of a later one is left to the release that made it.
VERSION = 1
#: What brings a database of an earlier version to the next one, by that earlier version.
MIGRATIONS: dict[int, Callable[[sql.Connection], None]] = {}

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_PREFIX = "openrouter_pricing_"
_metadata = sql.MetaData()

schema: sql.Table = sql.Table(f"{_PREFIX}schema", _metadata, sql.Column("version", sql.Integer, nullable=False))
#: One row: the last list that was recorded. ``turn`` counts its changes, so that whoever read an older one notices.
head: sql.Table = sql.Table(
    f"{_PREFIX}head",
    _metadata,
    sql.Column("id", sql.Integer, primary_key=True, autoincrement=False),
    sql.Column("turn", sql.BigInteger, nullable=False),
    sql.Column("as_of", sql.BigInteger, nullable=False),
    sql.Column("seen_at", sql.BigInteger, nullable=False),
    sql.Column("digest", sql.Text, nullable=False),
)
#: A row for each change of a model: what it costs from then on, as JSON; NULL where it is listed no more.
prices: sql.Table = sql.Table(
    f"{_PREFIX}prices",
    _metadata,
    sql.Column("model_id", sql.String(300), primary_key=True),
    sql.Column("since", sql.BigInteger, primary_key=True, autoincrement=False),
    sql.Column("pricing", sql.Text),
)
sql.Index(f"{_PREFIX}since", prices.c.since)
#: What is still to be told of changes.
outbox: sql.Table = sql.Table(
    f"{_PREFIX}outbox",
    _metadata,
    sql.Column("id", sql.String(100), primary_key=True),
    sql.Column("number", sql.BigInteger, nullable=False),
    sql.Column("entry", sql.Text, nullable=False),
)


def micros(at: datetime) -> int:
    """An instant as it is kept: whole microseconds since 1970, which every database compares alike."""
    return (at - _EPOCH) // timedelta(microseconds=1)


def instant(kept: int) -> datetime:
    """An instant that was kept."""
    return _EPOCH + timedelta(microseconds=kept)


def version_of(connection: sql.Connection) -> int | None:
    """Of the tables that a database has; None where it has none of ours.

    Raises:
        PricingError: they are of a later release, or tables of these names are not ours.
    """
    found = {name for name in sql.inspect(connection).get_table_names() if name in _metadata.tables}
    if not found:
        return None
    if schema.name not in found:
        raise PricingError(f"the database has a table {sorted(found)[0]} that is not of this package: it is left alone")
    version = connection.scalar(sql.select(schema.c.version))
    if not isinstance(version, int) or version < 1:
        raise PricingError(f"the database has a table {schema.name} that is not of this package: it is left alone")
    if version > VERSION:
        raise PricingError(f"the price history is of version {version}, and this release knows {VERSION}: update it")
    return version


def bring_up_to_date(connection: sql.Connection) -> None:
    """Make the tables, or those of an earlier version into these.

    Raises:
        PricingError: as for :func:`version_of`.
    """
    version = version_of(connection)
    if version is None:
        _metadata.create_all(connection)
        connection.execute(sql.insert(schema).values(version=VERSION))
        return
    for step in range(version, VERSION):
        MIGRATIONS[step](connection)
    if version < VERSION:
        connection.execute(sql.update(schema).values(version=VERSION))
