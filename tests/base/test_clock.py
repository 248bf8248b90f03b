"""All the time and chance there is, and instants that say where they are."""

from __future__ import annotations

import time
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from openrouter_pricing import Clock
from openrouter_pricing._base.clock import aware

NOON = datetime(2026, 11, 1, 12, tzinfo=timezone.utc)
EAST = timezone(timedelta(hours=14))


def test_the_clocks_of_the_machine() -> None:
    """Unless told otherwise it reads the machine's clocks, in UTC, and chance is from 0 up to 1."""
    clock = Clock()
    before, now, after = datetime.now(timezone.utc), clock.utcnow(), datetime.now(timezone.utc)
    assert (time.monotonic, timezone.utc) == (clock.monotonic, now.tzinfo)
    assert before <= now <= after
    assert [] == [chance for chance in (clock.random() for _ in range(100)) if not 0 <= chance < 1]


def test_an_instant_is_told_in_utc() -> None:
    """An instant of any time zone is the same instant in UTC."""
    told = aware(NOON.astimezone(EAST), "at")
    assert (NOON, timezone.utc) == (told, told.tzinfo)


@pytest.mark.parametrize(
    ("bad", "kind", "words"),
    [
        ("now", TypeError, "^at must be a datetime, not str$"),
        (NOON.date(), TypeError, "^at must be a datetime, not date$"),
        (NOON.replace(tzinfo=None), ValueError, "^at must be an aware datetime"),
        (datetime(1, 1, 1, tzinfo=EAST), ValueError, "^at is out of range in UTC$"),
    ],
)
def test_what_is_no_instant_is_named(bad: Any, kind: type[Exception], words: str) -> None:
    """No datetime, no time zone, and an instant before all calendars in UTC are errors that name the argument."""
    with pytest.raises(kind, match=words):
        aware(bad, "at")
