"""Exact decimal arithmetic that no caller's context can change.

``x + y``, ``sum()`` and unary plus round in the context of whoever runs them. All money here goes through the methods
of one context of our own instead, with room for every product that the limits below allow, so nothing is ever rounded.
"""

from __future__ import annotations

import re
from decimal import ROUND_HALF_UP, Context, Decimal, DivisionByZero, InvalidOperation, Overflow

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias

#: What a price or a rate may be given as. A float is read as the decimal that it prints.
Number: TypeAlias = "Decimal | int | str | float"

MAX_COUNT = 10**18
ZERO = Decimal(0)
ONE = Decimal(1)
MILLION = Decimal(1_000_000)

_CONTEXT = Context(
    prec=400, Emin=-999_999, Emax=999_999, capitals=1, traps=[InvalidOperation, DivisionByZero, Overflow]
)
_SHOWN = Context(prec=28, traps=[InvalidOperation, DivisionByZero, Overflow])
_NUMBER = re.compile(r"[+-]?(?:\d{1,60}(?:\.\d{0,80})?|\.\d{1,80})(?:[eE][+-]?\d{1,2})?", re.ASCII)

add = _CONTEXT.add
subtract = _CONTEXT.subtract
multiply = _CONTEXT.multiply
fma = _CONTEXT.fma
text = _CONTEXT.to_sci_string


def total(amounts: list[Decimal]) -> Decimal:
    """Their exact sum."""
    result = ZERO
    for amount in amounts:
        result = add(result, amount)
    return result


def round_half_up(amount: Decimal, places: int) -> Decimal:
    """``amount`` with so many decimal places; halves go away from zero."""
    return amount.quantize(Decimal((0, (1,), -places)), ROUND_HALF_UP, _CONTEXT)


def quotient(amount: Decimal, divisor: Decimal) -> Decimal:
    """``amount / divisor`` to 28 significant digits, for people: a quotient need not end."""
    return _SHOWN.divide(amount, divisor)


def plain(amount: Decimal) -> str:
    """``amount`` for people: no exponent, no trailing zeros."""
    shown = f"{amount:f}"
    return shown.rstrip("0").rstrip(".") if "." in shown else shown


def read(value: object, name: str) -> Decimal:
    """``value`` as an exact, finite decimal.

    Args:
        value: Decimal, int, str or float; below 10**40, with at most 60 decimal places.
        name: the argument's name, for the message.

    Raises:
        TypeError: not a number at all (booleans included).
        ValueError: a number, but not a finite one of that size.
    """
    if type(value) is float and 1e-40 < value < 1e39:  # whatever such a float prints is within the limits below
        return Decimal(repr(value))
    if isinstance(value, bool) or not isinstance(value, (Decimal, int, str, float)):
        raise TypeError(f"{name} must be a Decimal, int, str or float, not {type(value).__name__}")
    if isinstance(value, int):
        shown = f"{value:d}" if -(10**60) < value < 10**60 else "an integer of more than 60 digits"
    elif isinstance(value, Decimal):
        shown = text(value)
    else:
        shown = value.strip() if isinstance(value, str) else float.__repr__(value)
    if not _NUMBER.fullmatch(shown):
        raise ValueError(f"{name} is not a readable decimal number: {shown[:40]!r}")
    number = _CONTEXT.create_decimal(shown)
    if not number:
        return ZERO
    if number.adjusted() >= 40 or _exponent(number) < -60:
        raise ValueError(f"{name} must be below 10**40 and have at most 60 decimal places: {shown[:40]!r}")
    return number


def read_rate(value: object, name: str) -> Decimal:
    """A markup rate.

    Raises:
        ValueError, TypeError: it is no finite number from 0 up; the message names the argument.
    """
    rate = read(value, name)
    if rate < 0:
        raise ValueError(f"{name} must not be negative: {plain(rate)}")
    return rate


def _exponent(number: Decimal) -> int:
    exponent = number.as_tuple().exponent
    return exponent if isinstance(exponent, int) else 0


def count(value: object, name: str) -> int:
    """``value`` as a count: a whole number from 0 to 10**18.

    Raises:
        TypeError: not an integer (booleans and floats included).
        ValueError: negative or absurdly large.
    """
    if type(value) is not int:
        index = getattr(type(value), "__index__", None)
        if index is None or isinstance(value, bool):
            raise TypeError(f"{name} must be an integer, not {type(value).__name__}")
        value = int(index(value))
    if not 0 <= value <= MAX_COUNT:
        if value < 0:
            raise ValueError(f"{name} must not be negative" + (f": {value}" if value >= -MAX_COUNT else ""))
        raise ValueError(f"{name} must be from 0 to 10**18")
    return value
