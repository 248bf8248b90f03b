"""DjangoHistory: a price history in the project's database."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from datetime import datetime
from typing import Any

from django.db import IntegrityError, connections, router, transaction
from django.db.models import F, Max, Min, OuterRef, Q, Subquery

from .._base.clock import aware
from .._history.periods import EARLIEST, LATEST, RecordedList, RecordedPeriod
from .._history.rows import Row, differences, filled, instant, micros, periods_of
from .._prices.catalog import Catalog
from .._prices.changes import PriceChange
from ..backends.django import given_back
from ..errors import PricingError
from ..history.forking import turns
from .models import PriceHead, RecordedPrice

_TURNS = 5  # how often a list is recorded anew that another process came before


class DjangoHistory:
    """Keeps what lists change, a row for each model and change, in a database of the project.

    ``manage.py migrate`` makes its tables.

    Args:
        using: the alias of the database; the one that the routers of the project name when left out.
    """

    def __init__(self, using: str | None = None) -> None:
        self._using = using

    @classmethod
    def from_url(cls, url: str) -> DjangoHistory:
        """The history that a URL names: ``django://alias``; ``django://`` leaves it to the routers."""
        return cls(url.partition("://")[2] or None)

    def __repr__(self) -> str:
        return f"DjangoHistory({self._using!r})"

    def record(self, catalog: Catalog) -> Sequence[PriceChange]:
        """See :meth:`HistoryStore.record`: what a list changes, all or nothing."""
        for _ in range(_TURNS):
            try:
                with self._connected() as using, transaction.atomic(using=using):
                    return _record(using, catalog)
            except IntegrityError:
                continue  # two processes have recorded the first list at once
        raise PricingError("other processes record all the time")

    def periods(
        self, model_id: str | None = None, *, since: datetime | None = None, until: datetime | None = None
    ) -> tuple[RecordedPeriod, ...]:
        """See :meth:`HistoryStore.periods`."""
        first = EARLIEST if since is None else aware(since, "since")
        last = LATEST if until is None else aware(until, "until")
        with self._connected() as using:
            asked = _rows(using) if model_id is None else _rows(using).filter(model_id=model_id)
            rows = [
                Row(*row) for row in asked.order_by("model_id", "since").values_list("model_id", "since", "pricing")
            ]
        return tuple(period for period in periods_of(rows) if period.within(first, last))

    def as_of(self, at: datetime) -> RecordedList | None:
        """See :meth:`HistoryStore.as_of`."""
        asked = micros(aware(at, "at"))
        with self._connected() as using:
            rows = _rows(using)
            edges = rows.aggregate(
                before=Max("since", filter=Q(since__lte=asked)),
                first=Min("since"),
                after=Min("since", filter=Q(since__gt=asked)),
            )
            before, first, after = edges["before"], edges["first"], edges["after"]
            if first is None:
                return None
            if before is None:
                before, after = first, rows.filter(since__gt=first).aggregate(after=Min("since"))["after"]
            if after is None:
                after = PriceHead.objects.using(using).get(pk=1).seen_at
            return RecordedList(instant(before), instant(after), _listed_at(using, before))

    def initialise(self, recorded: Iterable[RecordedPeriod] = ()) -> None:
        """Give a database without any list what was recorded elsewhere, such as by a ``BundledHistory``.

        Raises:
            PricingError: it has no tables yet.
        """
        with self._connected() as using, transaction.atomic(using=using):
            if PriceHead._meta.db_table not in connections[using].introspection.table_names():
                raise PricingError("the database has no price history yet: do manage.py migrate")
            rows, last = filled(recorded)
            if last is not None and not PriceHead.objects.using(using).exists():
                _begin(using, micros(last.as_of), rows)

    def close(self) -> None:
        """Nothing: connections are Django's, and given back after each question."""

    @contextmanager
    def _connected(self) -> Iterator[str]:
        """The alias of the database. No process forks while a thread of it is in SQLite."""
        using = self._using or router.db_for_write(PriceHead)
        with turns.turn() if connections[using].vendor == "sqlite" else nullcontext(), given_back():
            yield using


def _rows(using: str) -> Any:
    return RecordedPrice.objects.using(using)


def _record(using: str, catalog: Catalog) -> Sequence[PriceChange]:
    at = micros(catalog.as_of)
    listed = {model.id: json.dumps(model.raw["pricing"]) for model in catalog.decoded()}
    heads = PriceHead.objects.using(using).filter(pk=1)
    if not heads.update(seen_at=F("seen_at")):  # the row, or the whole of SQLite, is ours until the end
        _begin(using, at, [Row(name, at, pricing) for name, pricing in listed.items()])
        return ()
    last = heads.get()
    if at <= last.seen_at:
        return ()
    changes = differences(_listed_at(using, last.as_of), listed)
    heads.update(seen_at=at, as_of=at if changes else last.as_of)
    _insert(using, [Row(change.model_id, at, listed.get(change.model_id)) for change in changes])
    return changes


def _begin(using: str, at: int, rows: Sequence[Row]) -> None:
    PriceHead.objects.using(using).create(id=1, as_of=at, seen_at=at)
    _insert(using, rows)


def _insert(using: str, rows: Sequence[Row]) -> None:
    _rows(using).bulk_create([RecordedPrice(**row._asdict()) for row in rows], batch_size=200)


def _listed_at(using: str, at: int) -> dict[str, str]:
    """What was listed at a time."""
    rows = _rows(using).filter(since__lte=at)
    newest = rows.filter(model_id=OuterRef("model_id")).order_by("-since").values("since")[:1]
    found = rows.filter(since=Subquery(newest), pricing__isnull=False).order_by("model_id")
    return dict(found.values_list("model_id", "pricing"))
