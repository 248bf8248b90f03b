"""What two histories know together, as changes to pack: the package's own, and what a database saw since."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any, TypeAlias

from .periods import EARLIEST, HistoryStore, RecordedPeriod

#: When, which model, and its ``pricing`` from then on; None where it is listed no more.
Change: TypeAlias = "tuple[datetime, str, dict[str, Any] | None]"


def merged(older: HistoryStore, newer: HistoryStore) -> list[Change]:
    """Every change that the older one knows from before the newer one's first list, and all of the newer one's.

    Args:
        older, newer: where the newer one knows nothing, the older one's are all.
    """
    first = newer.as_of(EARLIEST)
    if first is None:
        return _sorted(_changes(older.periods()))
    changes = {key: pricing for key, pricing in _changes(older.periods()).items() if key[0] < first.as_of}
    before = older.as_of(first.as_of) if changes else None
    gone = set() if before is None else set(before.prices) - set(first.prices)
    changes |= {(first.as_of, model_id): None for model_id in gone}
    return _sorted(changes | _changes(newer.periods()))


def _changes(periods: Iterable[RecordedPeriod]) -> dict[tuple[datetime, str], str | None]:
    changes: dict[tuple[datetime, str], str | None] = {}
    for model_id, since, until, pricing in periods:
        changes[since, model_id] = pricing
        if until is not None:
            changes.setdefault((until, model_id), None)
    return changes


def _sorted(changes: dict[tuple[datetime, str], str | None]) -> list[Change]:
    return [
        (at, model_id, None if pricing is None else json.loads(pricing))
        for (at, model_id), pricing in sorted(changes.items(), key=lambda change: change[0])
    ]
