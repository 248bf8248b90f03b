"""Counts as people type them."""

from __future__ import annotations

import re
from decimal import Decimal

from . import money

#: So many digits of what was typed are shown again, and read.
MOST_DIGITS = 40
_COUNT = re.compile(r"(\d+(?:_\d+)*|\d{1,3}(?:,\d{3})+)(?:(\.\d+)?([km]))?", re.ASCII | re.IGNORECASE)
_UNITS = {"": 1, "k": 1_000, "m": 1_000_000}


def read_count(text: str) -> int | str:
    """The number that a text says, or what is wrong with it."""
    shown = text if len(text) <= MOST_DIGITS else f"{text[:MOST_DIGITS]}..."
    found = _COUNT.fullmatch(text)
    if found is None:
        if re.fullmatch(r"-[\d.,_]+[kmKM]?", text, re.ASCII):
            return f"{shown} is negative."
        return f"{shown!r} is no whole number, such as 1000, 1,000, 1k or 1.5M."
    whole, fraction, unit = found.groups(default="")
    digits = re.sub("[,_]", "", whole).lstrip("0") or "0"
    if len(digits) > MOST_DIGITS:
        return money.MAX_COUNT + 1
    number = money.multiply(Decimal(f"{digits}{fraction}"), Decimal(_UNITS[unit.lower()]))
    return int(number) if number == number.to_integral_value() else f"{shown!r} is no whole number."
