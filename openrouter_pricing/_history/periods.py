"""What a history knows: lists as they were, and for how long each price stood."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta, timezone
from typing import NamedTuple, Protocol, runtime_checkable

import attrs

from .._prices.catalog import Catalog
from .._prices.changes import PriceChange
from .._prices.rates import Rates, effective_prices

#: Before any list.
EARLIEST = datetime(1, 1, 1, tzinfo=timezone.utc)
#: After any list.
LATEST = datetime(9999, 12, 31, tzinfo=timezone.utc)
_NOWHERE = timedelta()


class PricePeriod(NamedTuple):
    """How long a model had one price.

    Args:
        since: the first recording that lists it so (aware UTC).
        until: the first recording that does not; None where no later one says otherwise.
        rates: the prices, USD per unit.
    """

    since: datetime
    until: datetime | None
    rates: Rates


@attrs.frozen
class RecordedChange(PriceChange):
    """What changed of one model, and when.

    Args:
        at: the first recording that shows it (aware UTC).
    """

    at: datetime


class RecordedPeriod(NamedTuple):
    """How long a model was listed with one ``pricing`` object, as it was recorded.

    Args:
        model_id: the model.
        since: the first recording of it (aware UTC).
        until: the first recording that differs, or lists it no more; None where there is none.
        pricing: the object, as JSON.
    """

    model_id: str
    since: datetime
    until: datetime | None
    pricing: str

    @property
    def rates(self) -> Rates:
        """The prices, decoded anew."""
        return Rates.from_dict(json.loads(self.pricing))

    def within(self, first: datetime, last: datetime) -> bool:
        """Whether it was listed at some time from ``first`` to ``last``, or ended with the first."""
        return self.since <= last and (self.until is None or self.until >= first)


@attrs.frozen(eq=False)
class RecordedList:
    """The price list of some time, as it was recorded.

    Args:
        as_of: when it was first recorded (aware UTC).
        until: up to when it is known to have stood; for the last one when it was last seen.
        prices: the ``pricing`` object of each model, as JSON.
    """

    as_of: datetime
    until: datetime
    prices: Mapping[str, str] = attrs.field(repr=False)
    _digest: list[str] = attrs.field(factory=list, init=False, repr=False)

    def distance(self, at: datetime) -> timedelta:
        """How far ``at`` lies outside the time in which it is known to have stood."""
        return _NOWHERE if self.as_of <= at <= self.until else max(self.as_of - at, at - self.until)

    def digest(self) -> str:
        """SHA-256 of ids and recorded prices, in hexadecimal; worked out when it is first asked for."""
        if not self._digest:
            rows = [[model_id, json.loads(self.prices[model_id])] for model_id in sorted(self.prices)]
            self._digest.append(hashlib.sha256(json.dumps(rows, sort_keys=True).encode()).hexdigest())
        return self._digest[0]


@runtime_checkable
class HistoryStore(Protocol):
    """Where past prices are kept. It may raise anything: that costs a log line, never a question."""

    def record(self, catalog: Catalog) -> Sequence[PriceChange]:
        """Keep what a list changes, and until when it was seen; a list older than the last one is none of its business.

        Args:
            catalog: as it was fetched at its ``as_of``.

        Returns:
            what changed by it; nothing for the first list of all.
        """
        ...

    def periods(
        self, model_id: str | None = None, *, since: datetime | None = None, until: datetime | None = None
    ) -> Sequence[RecordedPeriod]:
        """What was listed how long, model by model, oldest first.

        Args:
            model_id: of this one alone, by its exact id.
            since, until: those that were listed at some time from ``since`` to ``until`` (aware, both included), one
                that ends at ``since`` too.
        """
        ...

    def as_of(self, at: datetime) -> RecordedList | None:
        """The last list recorded at or before ``at`` (aware); the first one where all are later; None without any."""
        ...

    def close(self) -> None:
        """Let go of what it holds open."""
        ...


def price_periods(recorded: Iterable[RecordedPeriod]) -> tuple[PricePeriod, ...]:
    """The periods of one model; neighbours that differ in nothing that is charged are one."""
    periods: list[PricePeriod] = []
    for _, since, until, _, rates in ((*entry, entry.rates) for entry in recorded):
        last = periods[-1] if periods else None
        if last is not None and last.until == since and effective_prices(last.rates) == effective_prices(rates):
            periods[-1] = last._replace(until=until)
        else:
            periods.append(PricePeriod(since, until, rates))
    return tuple(periods)


def recorded_changes(
    recorded: Iterable[RecordedPeriod], since: datetime, until: datetime
) -> tuple[RecordedChange, ...]:
    """What changed after ``since`` and up to ``until``, oldest first; a price of 0 and a missing one are the same."""
    changes: list[RecordedChange] = []
    last: RecordedPeriod | None = None
    for entry in [*recorded, None]:
        follows = entry is not None and last is not None and last[:3:2] == (entry.model_id, entry.since)
        if last is not None and not follows and last.until is not None and since < last.until <= until:
            changes.append(RecordedChange(last.model_id, "delisted", last.rates, None, last.until))
        if entry is not None and since < entry.since <= until:
            if last is None or not follows:
                changes.append(RecordedChange(entry.model_id, "listed", None, entry.rates, entry.since))
            else:
                change = RecordedChange(entry.model_id, "changed", last.rates, entry.rates, entry.since)
                changes += [change] if change.moves else []
        last = entry
    return tuple(sorted(changes, key=lambda change: change.at))
