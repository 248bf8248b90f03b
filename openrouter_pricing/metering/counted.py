"""What an audit has counted: the tallies of a log, or of a part of it, which add up."""

from __future__ import annotations

import heapq
from decimal import Decimal
from typing import Any, NamedTuple

import attrs

from .._base import money
from .tallies import Group, Groups, Tally

_MOST_LETTERS = 200  # of a name


class Residual(NamedTuple):
    """What the price list does not explain of one line; USD."""

    line: int
    model: str
    reported: Decimal
    computed: Decimal
    residual: Decimal
    kind: str


@attrs.define
class Counted:
    """Lines by result; see :class:`Audit` for what each is.

    Args:
        most: how many of the largest residuals are kept.
    """

    most: int
    exact: Tally = attrs.Factory(Tally)
    residual: Tally = attrs.Factory(Tally)
    unreported: Tally = attrs.Factory(Tally)
    reported: Tally = attrs.Factory(Tally)
    unknown: Tally = attrs.Factory(Tally)
    bad: Groups[str] = attrs.Factory(Groups)
    residuals: Groups[tuple[str, str]] = attrs.Factory(Groups)
    names: Groups[str] = attrs.Factory(Groups)
    spend: Groups[str] = attrs.Factory(Groups)
    duplicates: Group = attrs.Factory(Group)
    other_day: Group = attrs.Factory(Group)
    off: Decimal = money.ZERO
    _worst: list[tuple[Decimal, int, Residual]] = attrs.field(factory=list, eq=False)  # a heap

    def count_residual(self, number: int, model: str, reported: Decimal, computed: Decimal, kind: str) -> None:
        """Note what is not explained of a line; the line itself is counted elsewhere."""
        residual = money.subtract(reported, computed)
        size = residual.copy_abs()
        self.off = money.add(self.off, size)
        self.residuals[model, kind].count(number, residual)
        if self._is_kept(size):
            self._keep(size, Residual(number, model, reported, computed, residual, kind))

    def _is_kept(self, size: Decimal) -> bool:
        worst = self._worst
        return len(worst) < self.most or bool(worst and size > worst[0][0])

    def _keep(self, size: Decimal, found: Residual) -> None:
        heapq.heappush(self._worst, (size, -found.line, found))
        if len(self._worst) > self.most:
            heapq.heappop(self._worst)

    def count_unknown(self, number: int, name: str, reported: Decimal | None) -> None:
        """Count a line of a model that is not listed, or has no price."""
        self.names[name[:_MOST_LETTERS]].count(number, reported or money.ZERO)
        self.unknown.lines += 1
        self.unknown.reported = money.add(self.unknown.reported, reported or money.ZERO)

    def worst(self) -> list[Residual]:
        """The largest residuals, whatever their signs; the largest first."""
        return [found for _, _, found in sorted(self._worst, reverse=True)]

    def fits(self, other: Counted) -> bool:
        """Whether ``add`` gives what counting line by line would."""
        return all(mine.fits(its) for mine, its in zip(self._groups(), other._groups(), strict=True))

    def add(self, other: Counted, offset: int) -> None:
        """Count a part that follows, whose lines stand ``offset`` further on than their numbers say."""
        for mine, its in zip(self._tallies(), other._tallies(), strict=True):
            mine.add(its)
        for group, its_group in zip(self._groups(), other._groups(), strict=True):
            group.add(its_group, offset)
        self.duplicates.add(other.duplicates, offset)
        self.other_day.add(other.other_day, offset)
        self.off = money.add(self.off, other.off)
        for found in sorted(found for _, _, found in other._worst):
            size = found.residual.copy_abs()
            if self._is_kept(size):
                self._keep(size, found._replace(line=found.line + offset))

    def _tallies(self) -> list[Tally]:
        return [self.exact, self.residual, self.unreported, self.reported, self.unknown]

    def _groups(self) -> list[Groups[Any]]:
        return [self.bad, self.residuals, self.names, self.spend]

    @property
    def total(self) -> Tally:
        """All lines, and all that was reported and computed."""
        tallies = self._tallies()
        return Tally(
            sum(tally.lines for tally in tallies) + sum(group.lines for group in self.bad.values()),
            money.total([tally.reported for tally in tallies]),
            money.total([tally.computed for tally in tallies]),
        )
