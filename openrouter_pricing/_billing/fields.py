"""Fields of a response, be it a dictionary or an object of a client package: counts, amounts, instants."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from decimal import Decimal
from typing import Any, TypeAlias

from .._base import money
from .._base.clock import aware

#: Asks a dictionary or an object for a field; the answer is None where it has none of that name.
Ask: TypeAlias = "Callable[[str], Any]"

NOTHING: Ask = dict[str, Any]().get


def asking(holder: object) -> Ask:
    """How to ask ``holder`` for its fields; None has none."""
    if type(holder) is dict:
        return holder.get
    if holder is None:
        return NOTHING
    if isinstance(holder, Mapping):
        return holder.get
    return lambda name: getattr(holder, name, None)


def is_object(value: object) -> bool:
    """Whether it can have fields."""
    if isinstance(value, dict):
        return True
    return value is not None and not isinstance(value, (str, bytes, int, float, Decimal, list, tuple))


def any_positive(ask: Ask, names: tuple[str, ...]) -> bool:
    """Whether one of these fields is a number above zero."""
    return any(isinstance(count, (int, float)) and count > 0 for count in map(ask, names))


def check_currency(*holders: Ask) -> None:
    """Refuse amounts that are not in USD.

    Raises:
        ValueError: one of ``holders`` names another currency.
    """
    for ask in holders:
        currency = ask("currency")
        if currency is not None and isinstance(currency, str) and currency.upper() != "USD":
            raise ValueError(f"currency must be USD, not {currency[:40]!r}")


def count(ask: Ask, name: str) -> int:
    """The count in a field; see :func:`clean`."""
    return clean(ask(name), name)


def clean(value: object, name: str) -> int:
    """A count; missing ones and those that a package marks as not set are 0.

    Raises:
        ValueError: it is no whole number from 0 to 10**18.
    """
    if value is None or not isinstance(value, (int, float, Decimal, str)):
        return 0
    if isinstance(value, (float, Decimal)) and math.isfinite(value) and value == int(value):
        value = int(value)
    try:
        return money.count(value, name)
    except TypeError as error:
        raise ValueError(f"{name} is not a whole number: {str(value)[:40]!r}") from error


def amount(value: object, name: str) -> Decimal | None:
    """USD; None where it is missing or marked as not set.

    Raises:
        ValueError: it is no amount, or a negative one.
    """
    if value is None or not isinstance(value, (float, int, Decimal, str)):
        return None
    try:
        usd = money.read(value, name)
    except TypeError as error:
        raise ValueError(f"{name} is not an amount: {value!r}") from error
    if usd.is_signed():
        raise ValueError(f"{name} must not be negative: {money.plain(usd)}")
    return usd


def instant(stamp: object) -> datetime | None:
    """In UTC, from seconds since the epoch or ISO 8601; None where it is neither."""
    try:
        if isinstance(stamp, str):
            moment = datetime.fromisoformat(stamp.replace("Z", "+00:00"))
        elif isinstance(stamp, (int, float, Decimal)) and not isinstance(stamp, bool):
            return datetime.fromtimestamp(float(stamp), timezone.utc)
        elif isinstance(stamp, datetime):
            moment = stamp
        else:
            return None
        if moment.tzinfo is timezone.utc:
            return moment
        return moment.replace(tzinfo=timezone.utc) if moment.tzinfo is None else aware(moment, "created")
    except (ValueError, OverflowError, OSError):
        return None
