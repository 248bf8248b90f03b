"""Fields of a response, be it a dictionary or an object of a client package: counts, amounts, instants."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from decimal import Decimal
from functools import lru_cache
from typing import Any, TypeAlias

from .._base import money
from .._base.clock import aware
from ..errors import ResponseError

#: Asks a dictionary or an object for a field; the answer is None where it has none of that name.
Ask: TypeAlias = "Callable[[str], Any]"

NOTHING: Ask = dict[str, Any]().get
_LONGEST = 500  # characters of a name that are kept


def asking(holder: object) -> Ask:
    """How to ask ``holder`` for its fields; None has none."""
    if type(holder) is dict:
        return holder.get
    if holder is None:
        return NOTHING
    if isinstance(holder, Mapping):
        return holder.get
    return lambda name: getattr(holder, name, None)


def fields(holder: object) -> Mapping[Any, Any]:
    """Every field of ``holder`` by its name; objects of pydantic keep those that their package does not know apart."""
    if isinstance(holder, (dict, Mapping)):
        return holder
    known: dict[str, Any] = getattr(holder, "__dict__", None) or {
        name: getattr(holder, name, None)
        for kind in type(holder).__mro__
        for name in _as_names(vars(kind).get("__slots__"))
    }
    extra = getattr(holder, "__pydantic_extra__", None)
    return known | extra if extra and isinstance(extra, dict) else known


def _as_names(slots: object) -> tuple[str, ...]:
    return (slots,) if isinstance(slots, str) else tuple(slots) if isinstance(slots, (tuple, list)) else ()


def loosely(holder: object) -> Ask:
    """How to ask ``holder`` for its fields whether it spells them ``prompt_tokens`` or ``promptTokens``."""
    if holder is None:
        return NOTHING
    known: dict[str, Any] = {}
    for name, value in fields(holder).items():
        if value is not None and isinstance(name, str):
            known.setdefault(squash(name), value)
    return lambda name: known.get(_asked(name))


def squash(name: str) -> str:
    """A name without what tells snake_case from camelCase."""
    return name.replace("_", "").lower()


_asked = lru_cache(maxsize=None)(squash)  # names that this package asks for, never those that a response has


def is_object(value: object) -> bool:
    """Whether it can have fields."""
    if isinstance(value, dict):
        return True
    return value is not None and not isinstance(value, (str, bytes, int, float, Decimal, list, tuple))


def is_mark(value: object) -> bool:
    """Whether it is what a package puts where nothing was said: an object without anything in it."""
    if value is None or isinstance(value, (str, int, float, Mapping)):
        return False
    return is_object(value) and not any(map(_said, fields(value).items()))


def _said(item: tuple[object, object]) -> bool:
    name, value = item
    return value is not None and not (isinstance(name, str) and name.startswith("__"))


def part(ask: Ask, name: str) -> object:
    """The object in a field; None where there is none.

    Raises:
        ResponseError: there is something else: a list, a number, a text.
    """
    value = ask(name)
    if value is None or is_object(value):
        return value
    raise ResponseError(name, f"is no object but a {type(value).__name__}: what it counts cannot be read")


def any_positive(ask: Ask, names: tuple[str, ...]) -> bool:
    """Whether one of these fields is a number above zero."""
    return any(isinstance(count, (int, float)) and count > 0 for count in map(ask, names))


def text(value: object) -> str | None:
    """A name, its first 500 characters; None where it is missing or no text."""
    return value[:_LONGEST] if isinstance(value, str) else None


def check_currency(*holders: Ask) -> None:
    """Refuse amounts that are not in USD.

    Raises:
        ResponseError: one of ``holders`` names another currency.
    """
    for ask in holders:
        currency = ask("currency")
        if currency is not None and isinstance(currency, str) and currency.upper() != "USD":
            raise ResponseError("currency", f"must be USD, not {currency[:40]!r}")


def clean(value: object, name: str) -> int:
    """A count; missing ones and those that a package marks as not set are 0.

    Raises:
        ResponseError: it is no whole number from 0 to 10**18.
    """
    if type(value) is int and 0 <= value <= money.MAX_COUNT:
        return value
    if value is None or is_mark(value):
        return 0
    if isinstance(value, (float, Decimal)) and math.isfinite(value):
        if not -money.MAX_COUNT <= value <= money.MAX_COUNT:  # too large to be spelt out
            value = int(math.copysign(2 * money.MAX_COUNT, value))
        elif value == int(value):
            value = int(value)
    try:
        return money.count(value, name)
    except TypeError:
        shown = repr(str(value)[:40]) if isinstance(value, (str, int, float, Decimal)) else f"a {type(value).__name__}"
        raise ResponseError(name, f"is not a whole number: {shown}") from None
    except ValueError as error:
        raise ResponseError(name, str(error).removeprefix(f"{name} ")) from None


def amount(value: object, name: str) -> Decimal | None:
    """USD; None where it is missing or marked as not set.

    Raises:
        ResponseError: it is no amount, or a negative one.
    """
    if type(value) is not float and (value is None or is_mark(value)):
        return None
    try:
        usd = money.read(value, name)
    except TypeError:
        shown = repr(value) if isinstance(value, bool) else f"a {type(value).__name__}"
        raise ResponseError(name, f"is not an amount: {shown}") from None
    except ValueError as error:
        raise ResponseError(name, str(error).removeprefix(f"{name} ")) from None
    if usd.is_signed():
        raise ResponseError(name, f"must not be negative: {money.plain(usd)}")
    return usd


def signed(value: object) -> Decimal | None:
    """USD that may be below zero and only explains something; None where it cannot be read."""
    if isinstance(value, bool) or not isinstance(value, (int, float, Decimal, str)):
        return None
    try:
        return money.read(value, "amount")
    except ValueError:
        return None


def instant(stamp: object) -> datetime | None:
    """In UTC, from seconds since the epoch or ISO 8601; None where it is neither."""
    try:
        if type(stamp) is int:
            return datetime.fromtimestamp(stamp, timezone.utc)
        if isinstance(stamp, str):
            moment = datetime.fromisoformat(stamp[:100].replace("Z", "+00:00"))
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
