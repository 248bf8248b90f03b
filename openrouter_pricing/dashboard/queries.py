"""What a query string asks for, read and checked: whatever cannot be read is a page that says so."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from datetime import datetime, time, timezone
from decimal import Decimal

import attrs

from .._base import money
from .._base.counts import read_count
from .._billing.usage import Usage
from .refusals import Refusal

_LONGEST = 200  # characters of a value; what is asked for is shown again
_WHOLE = 100
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


@attrs.frozen
class OwnUsage:
    """What one's own calls consume.

    Args:
        tokens_in, tokens_out: of one call.
        cached: per cent of the prompt that is read from a cache.
        calls: a month.
    """

    tokens_in: int
    tokens_out: int
    cached: Decimal
    calls: int

    @property
    def usage(self) -> Usage:
        """One call."""
        share = money.quotient(money.multiply(Decimal(self.tokens_in), self.cached), Decimal(_WHOLE))
        return Usage(self.tokens_in, self.tokens_out, cached_tokens=int(money.round_half_up(share, 0)))


class Query:
    """The values of a query string.

    Args:
        values: name to text; one that is empty counts as left out, as forms send every field.
    """

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = values

    def text(self, name: str) -> str:
        """A text, or nothing."""
        value = self._values.get(name, "").strip()
        if len(value) > _LONGEST:
            raise _bad(name, f"it is longer than {_LONGEST} characters")
        return value

    def choice(self, name: str, choices: Collection[str]) -> str:
        """One of the choices, or nothing."""
        value = self.text(name)
        if value and value not in choices:
            raise _bad(name, f"“{value}” is none of {', '.join(choices)}")
        return value

    def count(self, name: str) -> int | None:
        """A whole number, written as 1000, 1,000, 1k or 1.5M; None where it is left out."""
        value = self.text(name)
        if not value:
            return None
        number = read_count(value)
        if isinstance(number, str):
            raise _bad(name, number)
        if number > money.MAX_COUNT:
            raise _bad(name, f"“{value}” is above 10**18")
        return number

    def percent(self, name: str) -> Decimal:
        """A share from 0 to 100; 0 where it is left out."""
        value = self.text(name).rstrip("% ")
        try:
            share = money.read(value or "0", name)
        except ValueError:
            raise _bad(name, f"“{value}” is no number") from None
        if not 0 <= share <= _WHOLE:
            raise _bad(name, f"“{value}” is not between 0 and 100")
        return share

    def day(self, name: str) -> datetime | None:
        """The end of a date (UTC), or an instant with its zone, as ISO 8601; None where it is left out."""
        value = self.text(name)
        if not value:
            return None
        try:
            found = datetime.fromisoformat(value[:-1] + "+00:00" if value[-1] in "Zz" else value)
            if found.tzinfo is not None:
                return found.astimezone(timezone.utc)
            end = time.max if _DAY.fullmatch(value) else found.time()
            return datetime.combine(found, end, timezone.utc)
        except (ValueError, OverflowError):
            raise _bad(name, f"“{value}” is no date, such as 2026-08-22") from None

    def own_usage(self) -> OwnUsage | None:
        """What one's own calls consume; None where neither tokens in nor out are given."""
        tokens_in, tokens_out = self.count("in"), self.count("out")
        cached, calls = self.percent("cached"), self.count("calls")
        if tokens_in is None and tokens_out is None:
            return None
        return OwnUsage(tokens_in or 0, tokens_out or 0, cached, 1 if calls is None else calls)


def _bad(name: str, what: str) -> Refusal:
    return Refusal(
        400, "That cannot be read", f"In the address, {name} is wrong: {what}.", "Go back and change it, or start over."
    )
