"""BundledHistory: two years of real prices, which the package carries."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timezone

from .. import data
from .._base.clock import aware
from .._prices.catalog import Catalog
from .._prices.changes import PriceChange
from .packing import GONE, Packed, unpack
from .periods import EARLIEST, LATEST, RecordedList, RecordedPeriod


class BundledHistory:
    """OpenRouter's lists from 2024-09-21 on, as they were recorded twice a day. It never changes.

    Recorded by https://github.com/jvrck/openrouterlist (MIT); ``data/history.json`` says more.
    """

    def __init__(self) -> None:
        self._unpacked: Packed | None = None
        self._changes: dict[str, tuple[list[int], list[int]]] = {}
        self._lists: dict[int, RecordedList] = {}

    def __reduce__(self) -> tuple[type[BundledHistory], tuple[()]]:
        return BundledHistory, ()

    @property
    def _packed(self) -> Packed:
        if self._unpacked is None:
            self._unpacked = unpack(data.read("history.gz"))
        return self._unpacked

    def record(self, catalog: Catalog) -> Sequence[PriceChange]:
        """It keeps nothing more; a database does."""
        return ()

    def periods(
        self, model_id: str | None = None, *, since: datetime | None = None, until: datetime | None = None
    ) -> tuple[RecordedPeriod, ...]:
        """See :meth:`HistoryStore.periods`."""
        first = EARLIEST if since is None else aware(since, "since")
        last = LATEST if until is None else aware(until, "until")
        names = self._packed.models if model_id is None else [model_id] if model_id in self._packed.models else []
        return tuple(
            period
            for name in names
            for period in self._periods(name)
            if period.since <= last and (period.until is None or period.until >= first)
        )

    def as_of(self, at: datetime) -> RecordedList:
        """See :meth:`HistoryStore.as_of`."""
        times = self._packed.times
        if type(at) is not datetime or at.tzinfo is not timezone.utc:
            at = aware(at, "at")
        place = max(bisect_right(times, at.timestamp()) - 1, 0)
        found = self._lists.get(place)
        if found is None:
            until = times[min(place + 1, len(times) - 1)]
            found = self._lists[place] = RecordedList(_time(times[place]), _time(until), _Prices(self, place))
        return found

    def close(self) -> None:
        """Nothing to let go of."""

    def pricing(self, model_id: str, place: int) -> str | None:
        """What a model cost in the recording at that place, as JSON; None where it is not listed there."""
        found = self._of(model_id)
        if found is None or (index := bisect_right(found[0], place) - 1) < 0:
            return None
        price = found[1][index]
        return None if price == GONE else self._packed.pricing(price)

    def _of(self, model_id: str) -> tuple[list[int], list[int]] | None:
        """At which places a model changed, and to what."""
        found = self._changes.get(model_id)
        if found is None and model_id in self._packed.models:
            found = self._changes[model_id] = self._packed.changes(model_id)
        return found

    def _periods(self, model_id: str) -> Iterator[RecordedPeriod]:
        places, prices = self._packed.changes(model_id)
        times = self._packed.times
        ends = [*(_time(times[place]) for place in places[1:]), None]
        for place, price, until in zip(places, prices, ends, strict=True):
            if price != GONE:
                yield RecordedPeriod(model_id, _time(times[place]), until, self._packed.pricing(price))


class _Prices(Mapping[str, str]):
    """The list at one place, decoded model by model."""

    def __init__(self, history: BundledHistory, place: int) -> None:
        self._history = history
        self._place = place

    def __getitem__(self, model_id: str) -> str:
        pricing = self._history.pricing(model_id, self._place)
        if pricing is None:
            raise KeyError(model_id)
        return pricing

    def __contains__(self, model_id: object) -> bool:
        return isinstance(model_id, str) and self._history.pricing(model_id, self._place) is not None

    def __iter__(self) -> Iterator[str]:
        models = self._history._packed.models
        return (name for name in models if self._history.pricing(name, self._place) is not None)

    def __len__(self) -> int:
        return sum(1 for _ in self)


def _time(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, timezone.utc)
