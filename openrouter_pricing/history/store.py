"""SqlHistory: a price history in SQLite or PostgreSQL."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sql

from .._base.clock import aware
from .._base.fork import PerProcess
from .._base.masking import Hidden, mask
from .._history.opening import check
from .._history.periods import EARLIEST, LATEST, RecordedList, RecordedPeriod
from .._history.rows import differences, filled, instant, micros, periods_of
from .._prices.catalog import Catalog
from .._prices.changes import PriceChange
from ..errors import PricingError
from .forking import turns
from .sqloutbox import SqlOutbox
from .tables import bring_up_to_date, head, prices, version_of

_CONNECT, _STATEMENT = 3, 5  # seconds
_TURNS = 5  # how often a list is recorded anew that another process came before


class SqlHistory:
    """Keeps what lists change, a row for each model and change, in a database that processes and hosts share.

    SQLite's file is made when the first list is recorded, for its owner alone. PostgreSQL is given its tables by
    ``openrouter-pricing history --init``. Connections are those of one process each, and are not taken over a fork.

    Args:
        url: ``sqlite:///file`` or ``postgresql+psycopg://user:password@host/database``.

    Attributes:
        outbox: what is still to be told of changes; a :class:`Notifier` empties it.

    Raises:
        SettingsError: it is no such URL, or what it needs is not installed.
        TypeError: it is no string.
    """

    def __init__(self, url: str) -> None:
        if not isinstance(url, str):
            raise TypeError(f"url must be a string, not {type(url).__name__}")
        check(url)
        scheme, _, rest = url.partition("://")
        self._url = Hidden(url, repr(mask(url)))
        self._file = Path(rest[1:].partition("?")[0]) if scheme == "sqlite" else None
        self._engines: PerProcess[sql.Engine] = PerProcess(self._make)
        self._ready: PerProcess[list[bool]] = PerProcess(list)
        self.outbox: SqlOutbox = SqlOutbox(self._writing, self.record)

    def __repr__(self) -> str:
        return f"SqlHistory({self._url!r})"

    def __reduce__(self) -> tuple[type[SqlHistory], tuple[str]]:
        return SqlHistory, (str(self._url),)

    def record(self, catalog: Catalog) -> Sequence[PriceChange]:
        """See :meth:`HistoryStore.record`: what a list changes, and what is to be told of it, all or nothing."""
        for _ in range(_TURNS):
            try:
                with self._writing() as connection:
                    changes = self._record(connection, catalog)
            except sql.exc.IntegrityError:
                continue  # two processes have recorded the first list at once
            if changes is not None:
                return changes
        raise PricingError("other processes record all the time")

    def _record(self, connection: sql.Connection, catalog: Catalog) -> Sequence[PriceChange] | None:
        """What changed; None where another process came in between."""
        at = micros(catalog.as_of)
        last = connection.execute(sql.select(head).with_for_update()).first()
        listed = {model.id: json.dumps(model.raw["pricing"]) for model in catalog.decoded()}
        if last is None:
            first = {"id": 1, "turn": 1, "as_of": at, "seen_at": at, "digest": catalog.digest}
            connection.execute(sql.insert(head).values(first))
            _insert(connection, at, listed)
            return ()
        if at <= last.seen_at:
            return ()
        changes = differences(_listed_at(connection, last.as_of), listed)
        turned = sql.update(head).where(head.c.turn == last.turn).values(turn=last.turn + 1, seen_at=at)
        if changes:
            turned = turned.values(as_of=at, digest=catalog.digest)
        if not connection.execute(turned).rowcount:
            connection.rollback()
            return None
        _insert(connection, at, {change.model_id: listed.get(change.model_id) for change in changes})
        if changes:
            self.outbox.add(connection, catalog.as_of, last.digest, catalog.digest, changes)
        return changes

    def periods(
        self, model_id: str | None = None, *, since: datetime | None = None, until: datetime | None = None
    ) -> tuple[RecordedPeriod, ...]:
        """See :meth:`HistoryStore.periods`."""
        first = EARLIEST if since is None else aware(since, "since")
        last = LATEST if until is None else aware(until, "until")
        asked = sql.select(prices).order_by(prices.c.model_id, prices.c.since)
        with self._reading() as connection:
            if connection is None:
                return ()
            if model_id is not None:
                asked = asked.where(prices.c.model_id == model_id)
            rows = connection.execute(asked).all()
        return tuple(period for period in periods_of(rows) if period.within(first, last))

    def as_of(self, at: datetime) -> RecordedList | None:
        """See :meth:`HistoryStore.as_of`."""
        asked = micros(aware(at, "at"))
        with self._reading() as connection:
            if connection is None:
                return None
            since = prices.c.since
            edges = sql.select(
                sql.func.max(since).filter(since <= asked),
                sql.func.min(since),
                sql.func.min(since).filter(since > asked),
            )
            before, first, after = connection.execute(edges).one()
            if first is None:
                return None
            if before is None:
                before, after = first, connection.scalar(sql.select(sql.func.min(since)).where(since > first))
            if after is None:
                after = connection.scalar(sql.select(head.c.seen_at))
            return RecordedList(instant(before), instant(after), _listed_at(connection, before))

    def initialise(self, recorded: Iterable[RecordedPeriod] = ()) -> None:
        """Make the tables, or bring those of an earlier release up to date.

        Args:
            recorded: what a database without any list is given, such as the periods of a :class:`BundledHistory`.

        Raises:
            PricingError: the tables there are not ours, or of a later release.
        """
        with self._writing(make=True) as connection:
            rows, last = filled(recorded)
            if last is not None and connection.execute(sql.select(head)).first() is None:
                at = micros(last.as_of)
                first = {"id": 1, "turn": 1, "as_of": at, "seen_at": at, "digest": last.digest()}
                connection.execute(sql.insert(head).values(first))
                connection.execute(sql.insert(prices), [row._asdict() for row in rows])

    def close(self) -> None:
        """Close this process's connections."""
        engine = self._engines.pop()
        if engine is not None:
            with self._turn():
                engine.dispose()

    # -- connections -----------------------------------------------------------------------------------------------

    def _make(self) -> sql.Engine:
        if self._file is None:
            given = {"connect_timeout": _CONNECT, "options": f"-c statement_timeout={_STATEMENT * 1000}"}
            return sql.create_engine(
                str(self._url), connect_args=given, pool_pre_ping=True, pool_size=2, hide_parameters=True
            )
        engine = sql.create_engine(
            str(self._url), connect_args={"timeout": _STATEMENT}, pool_size=2, hide_parameters=True
        )
        sql.event.listen(engine, "connect", _leave_transactions_to_us)
        sql.event.listen(engine, "begin", _begin)
        return engine

    @contextmanager
    def _reading(self) -> Iterator[sql.Connection | None]:
        """A connection; None where there is no database yet that one could make."""
        if self._file is not None and not self._file.exists():
            yield None
            return
        with self._turn(), self._engines.get().connect() as connection:
            yield connection if self._is_ready(connection) else None

    @contextmanager
    def _writing(self, *, make: bool = False) -> Iterator[sql.Connection]:
        """A connection in a transaction, which ends with the block."""
        if self._file is not None:
            _make_private(self._file)
        with self._turn(), self._engines.get().execution_options(writing=True).begin() as connection:
            if make or (self._file is not None and not self._ready.get()):
                bring_up_to_date(connection)
            else:
                self._is_ready(connection)
            yield connection

    def _turn(self) -> AbstractContextManager[None]:
        return nullcontext() if self._file is None else turns.turn()

    def _is_ready(self, connection: sql.Connection) -> bool:
        """Whether it has our tables; looked at once in each process."""
        ready = self._ready.get()
        if not ready:
            version = version_of(connection)
            if version is None and self._file is not None:
                return False
            if version is None:
                raise PricingError("the database has no price history yet: do openrouter-pricing history --init")
            ready.append(True)
        return True


def _leave_transactions_to_us(connection: Any, _: object) -> None:
    connection.isolation_level = None  # or sqlite3 begins none before it must, and none that waits for its turn


def _begin(connection: sql.Connection) -> None:
    writing = connection.get_execution_options().get("writing")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")


def _make_private(file: Path) -> None:
    """Make it for its owner alone, as SQLite would make it for all whom the umask lets in."""
    if not file.exists():
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(file, os.O_CREAT | os.O_RDWR, 0o600))


def _insert(connection: sql.Connection, at: int, changed: Mapping[str, str | None]) -> None:
    rows = [{"model_id": name, "since": at, "pricing": pricing} for name, pricing in changed.items()]
    if rows:
        connection.execute(sql.insert(prices), rows)


def _listed_at(connection: sql.Connection, at: int) -> dict[str, str]:
    """What was listed at a time."""
    newest = sql.select(prices.c.model_id, sql.func.max(prices.c.since).label("since"))
    latest = newest.where(prices.c.since <= at).group_by(prices.c.model_id).subquery()
    same = sql.and_(prices.c.model_id == latest.c.model_id, prices.c.since == latest.c.since)
    asked = sql.select(prices.c.model_id, prices.c.pricing).join(latest, same).where(prices.c.pricing.is_not(None))
    return {row.model_id: row.pricing for row in connection.execute(asked.order_by(prices.c.model_id))}
