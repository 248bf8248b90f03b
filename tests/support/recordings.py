"""A history in memory, and lists to record."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta, timezone
from typing import Any

from openrouter_pricing import Catalog, PriceChange
from openrouter_pricing._history.periods import RecordedList, RecordedPeriod
from openrouter_pricing._prices.changes import differences
from support.upstream import row

DAY = timedelta(days=1)
FIRST = datetime(2026, 3, 1, tzinfo=timezone.utc)


def listed(day: int, **prices: str | Mapping[str, Any]) -> Catalog:
    """A list of that day; names to prompt prices, or to whole rows."""
    rows = [
        row(f"a/{name}", pricing={"prompt": price, "completion": "0"}) if isinstance(price, str) else dict(price)
        for name, price in prices.items()
    ]
    return Catalog.from_models(rows, as_of=FIRST + day * DAY)


class MemoryHistory:
    """Keeps what it is told; what a test makes fail fails."""

    def __init__(self, *lists: Catalog) -> None:
        self.lists: list[Catalog] = []
        self.asked = 0
        self.closed = 0
        self.error: Exception | None = None
        for catalog in lists:
            self.record(catalog)

    def _may_fail(self) -> None:
        self.asked += 1
        if self.error is not None:
            raise self.error

    def record(self, catalog: Catalog) -> Sequence[PriceChange]:
        """See :class:`HistoryStore`."""
        self._may_fail()
        last = self.lists[-1] if self.lists else None
        self.lists.append(catalog)
        return () if last is None else differences(last, catalog)

    def periods(
        self, model_id: str | None = None, *, since: datetime | None = None, until: datetime | None = None
    ) -> Sequence[RecordedPeriod]:
        """See :class:`HistoryStore`."""
        self._may_fail()
        found: list[RecordedPeriod] = []
        for name in sorted({name for catalog in self.lists for name in catalog if model_id in (None, name)}):
            last: RecordedPeriod | None = None
            for catalog in self.lists:
                text = json.dumps(catalog.row(name).raw["pricing"]) if name in catalog else None
                if last is not None and text != last.pricing:
                    found.append(last._replace(until=catalog.as_of))
                    last = None
                if text is not None and last is None:
                    last = RecordedPeriod(name, catalog.as_of, None, text)
            found += [] if last is None else [last]
        return [
            each
            for each in found
            if (until is None or each.since <= until) and (since is None or each.until is None or each.until >= since)
        ]

    def as_of(self, at: datetime) -> RecordedList | None:
        """See :class:`HistoryStore`."""
        self._may_fail()
        if not self.lists:
            return None
        place = max(sum(catalog.as_of <= at for catalog in self.lists) - 1, 0)
        catalog = self.lists[place]
        until = self.lists[min(place + 1, len(self.lists) - 1)].as_of
        prices = {model.id: json.dumps(model.raw["pricing"]) for model in catalog.decoded()}
        return RecordedList(catalog.as_of, until, prices)

    def close(self) -> None:
        """See :class:`HistoryStore`."""
        self.closed += 1
