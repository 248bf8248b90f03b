"""Total: what several calls cost together."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import attrs

from .._base import money


class Billed:
    """What has a raw cost and a total: added up, it is a :class:`Total`; formatted with a specification, its total.

    Attributes:
        raw: USD, what the calls cost you.
        total: USD, what to charge for them.
    """

    __slots__ = ()

    raw: Decimal
    total: Decimal

    def _calls(self) -> int:
        return 1

    def __add__(self, other: object) -> Total:
        if not isinstance(other, Billed):
            return NotImplemented
        raw, total = money.add(self.raw, other.raw), money.add(self.total, other.total)
        return Total(raw, total, self._calls() + other._calls())

    def __radd__(self, other: object) -> Total:
        """What ``sum()`` begins with is 0."""
        return Total(self.raw, self.total, self._calls()) if type(other) is int and other == 0 else NotImplemented

    def __format__(self, specification: str) -> str:
        return format(self.total, specification) if specification else str(self)


@attrs.frozen
class Total(Billed):
    """What several calls cost together, exactly: ``cost + cost``, ``sum(costs)``, ``sum(costs, Total())``.

    Args:
        raw: USD, what they cost you.
        total: USD, what to charge for them; each rounded as it was.
        count: how many calls they are.
    """

    raw: Decimal = money.ZERO
    total: Decimal = money.ZERO
    count: int = 0

    def _calls(self) -> int:
        return self.count

    def __str__(self) -> str:
        calls = "1 call" if self.count == 1 else f"{self.count} calls"
        return f"{money.plain(self.total)} USD ({money.plain(self.raw)} raw, {calls})"

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready; money as strings."""
        return {"raw": money.text(self.raw), "total": money.text(self.total), "count": self.count}
