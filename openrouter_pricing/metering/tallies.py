"""Tallies: lines of a log counted and added up, by name too; in constant memory, however many names there are."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, TypeVar

import attrs

from .._base import money

_MOST_NAMES = 1_000  # kept apart; a hostile log names millions
_FIRST = 3  # bad lines of each kind that are named
_MOST_LETTERS = 200  # of a reason
_Name = TypeVar("_Name")


@attrs.define
class Tally:
    """Lines with one result.

    Args:
        lines: how many.
        reported: USD, what their responses say they cost.
        computed: USD, what the price list says they cost.
    """

    lines: int = 0
    reported: Decimal = money.ZERO
    computed: Decimal = money.ZERO

    @property
    def residual(self) -> Decimal:
        """USD, reported minus computed."""
        return money.subtract(self.reported, self.computed)

    def add(self, other: Tally) -> None:
        """Count all of another one's lines too."""
        self.lines += other.lines
        self.reported = money.add(self.reported, other.reported)
        self.computed = money.add(self.computed, other.computed)


@attrs.define
class Group:
    """Lines that share a name; or all those whose names are too many to be kept.

    Args:
        lines: how many.
        usd: USD, the sum of their residuals, or of what they cost.
        first: the number of the first.
        reasons: for bad lines, the numbers of the first few and what is wrong with them.
    """

    lines: int = 0
    usd: Decimal = money.ZERO
    first: int = 0
    reasons: list[tuple[int, str]] = attrs.Factory(list)

    def count(self, number: int, usd: Decimal = money.ZERO, reason: object = None) -> None:
        """Count one line more.

        Args:
            number: its number.
            usd: USD.
            reason: what is wrong with it, if anything is.
        """
        self.lines += 1
        self.usd = money.add(self.usd, usd)
        self.first = self.first or number
        if reason is not None and len(self.reasons) < _FIRST:
            self.reasons.append((number, str(reason)[:_MOST_LETTERS]))

    def note(self, number: int) -> None:
        """Count one line more, of no amount."""
        self.lines += 1
        self.first = self.first or number

    def add(self, other: Group, offset: int) -> None:
        """Count all of another one's lines too, which stand ``offset`` lines further on than their numbers say."""
        self.lines += other.lines
        self.usd = money.add(self.usd, other.usd)
        self.first = self.first or (other.first + offset if other.first else 0)
        self.reasons += [(number + offset, reason) for number, reason in other.reasons[: _FIRST - len(self.reasons)]]

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready; money as a string."""
        return {"lines": self.lines, "usd": money.text(self.usd)}


class Groups(dict[_Name, Group]):
    """Groups by name: a thousand of them, and all the others together in one.

    Attributes:
        others: that one.
    """

    def __init__(self) -> None:
        super().__init__()
        self.others: Group = Group()

    def __missing__(self, name: _Name) -> Group:
        return self.others if len(self) >= _MOST_NAMES else self.setdefault(name, Group())

    def fits(self, other: Groups[_Name]) -> bool:
        """Whether ``add`` gives what counting line by line would: the other one has told all of its names apart."""
        return not other.others.lines or not self

    def add(self, other: Groups[_Name], offset: int) -> None:
        """Count all of another one's lines too; see :meth:`Group.add`."""
        for name, group in other.items():
            self[name].add(group, offset)
        self.others.add(other.others, offset)

    def largest(self) -> list[tuple[_Name, Group]]:
        """Names and groups: those of the most USD, then those of the most lines, first."""
        return sorted(self.items(), key=lambda item: (item[1].usd.copy_abs(), item[1].lines), reverse=True)
