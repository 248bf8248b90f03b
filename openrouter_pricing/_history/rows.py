"""Rows of a database that keeps a history: what a list changes, and periods of what was kept."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta, timezone
from itertools import zip_longest
from typing import Any, NamedTuple

from .._prices.changes import PriceChange, compared
from .._prices.rates import Rates
from .periods import RecordedList, RecordedPeriod

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


class Row(NamedTuple):
    """A change of a model.

    Args:
        model_id: the model.
        since: when, in microseconds since 1970.
        pricing: what it costs from then on, as JSON; None where it is listed no more.
    """

    model_id: str
    since: int
    pricing: str | None


def micros(at: datetime) -> int:
    """An instant as it is kept: whole microseconds since 1970, which every database compares alike."""
    return (at - _EPOCH) // timedelta(microseconds=1)


def instant(kept: int) -> datetime:
    """An instant that was kept."""
    return _EPOCH + timedelta(microseconds=kept)


def differences(before: Mapping[str, str], after: Mapping[str, str]) -> tuple[PriceChange, ...]:
    """What differs in what is charged between two lists of prices as JSON; see :func:`compared` for the order."""
    return compared(before, after, lambda name: _rates(before[name]), lambda name: _rates(after[name]))


def _rates(pricing: str) -> Rates:
    return Rates.from_dict(json.loads(pricing))


def periods_of(rows: Sequence[Any]) -> Iterator[RecordedPeriod]:
    """The periods of rows, which are in the order of their models and times."""
    for row, following in zip_longest(rows, rows[1:]):
        if row.pricing is not None:
            ends = following is not None and following.model_id == row.model_id
            yield RecordedPeriod(
                row.model_id, instant(row.since), instant(following.since) if ends else None, row.pricing
            )


def filled(recorded: Iterable[RecordedPeriod]) -> tuple[list[Row], RecordedList | None]:
    """The rows of a history that was recorded elsewhere, and its last list; None where it has none."""
    rows: dict[tuple[str, int], str | None] = {}
    for model_id, since, until, pricing in recorded:
        if until is not None:
            rows.setdefault((model_id, micros(until)), None)
        rows[model_id, micros(since)] = pricing
    if not rows:
        return [], None
    last = instant(max(since for _, since in rows))
    listed = {name: pricing for (name, _), pricing in sorted(rows.items(), key=lambda row: row[0])}
    prices = {name: pricing for name, pricing in listed.items() if pricing is not None}
    return [Row(*key, pricing) for key, pricing in rows.items()], RecordedList(last, last, prices)
