"""Clock: all the time and chance there is, in one value."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from datetime import datetime, timezone

import attrs


def _utcnow() -> datetime:
    return datetime.now(timezone.utc)


def _random() -> float:
    """From the kernel: ``random`` would be imported from a file, and children of a fork would share its numbers."""
    return int.from_bytes(os.urandom(6), "big") / 2**48


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


def aware(instant: datetime, name: str) -> datetime:
    """``instant`` in UTC.

    Raises:
        TypeError: it is not a datetime.
        ValueError: it has no time zone, or lies outside of all calendars in UTC.
    """
    if not isinstance(instant, datetime):
        raise TypeError(f"{name} must be a datetime, not {type(instant).__name__}")
    if instant.tzinfo is None or instant.utcoffset() is None:
        raise ValueError(f"{name} must be an aware datetime: give it a time zone, such as timezone.utc")
    try:
        return instant.astimezone(timezone.utc)
    except OverflowError as error:
        raise ValueError(f"{name} is out of range in UTC") from error
