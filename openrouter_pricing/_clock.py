"""Clock: all the time and chance there is, in one value."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timezone

import attrs


def _utcnow() -> datetime:
    return datetime.now(timezone.utc)


def _random() -> float:
    import random

    return random.random()  # noqa: S311  # jitter, not secrets


@attrs.frozen(kw_only=True)
class Clock:
    """All the time and chance that a ``Pricing`` uses; tests hand in one whose hands they turn.

    Args:
        monotonic: seconds of a clock that is never set; ages inside a process come from it.
        utcnow: the wall clock, aware UTC; it is what gets stored.
        random: a number from 0 up to 1, for jitter.
    """

    monotonic: Callable[[], float] = time.monotonic
    utcnow: Callable[[], datetime] = _utcnow
    random: Callable[[], float] = _random
