"""Sum: amounts in floats, added up exactly as the decimals that they print."""

from __future__ import annotations

from decimal import Decimal
from math import fsum, gcd

from .._base import money

_PLACES = 12
_SURE = 10**15  # below it no two decimals of as many digits are the same float
_ROUND = 2.0**52  # what is added to it, and less, loses what is behind its point
_UNITS = tuple(Decimal((0, (1,), -places)) for places in range(_PLACES + 1))


class Sum:
    """A sum that grows by floats, at a fraction of what making a decimal of each takes.

    A float is the decimal that it prints. Most amounts have no more than twelve places and fifteen digits: those are
    added as whole numbers, once dividing has proved them; all others one by one.

    Attributes:
        floats: amounts that are still to be added: each 0, or from 1e-40 to 1e39.
    """

    __slots__ = ("_places", "_rest", "_whole", "floats")

    def __init__(self) -> None:
        self.floats: list[float] = []
        self._begin()

    def _begin(self) -> None:
        self._rest = money.ZERO
        self._whole = 0
        self._places = 1  # that are needed: a float prints one at least

    def add(self, amount: Decimal) -> None:
        """Add a decimal."""
        self._rest = money.add(self._rest, amount)

    def fold(self) -> None:
        """Add the floats."""
        floats = self.floats
        wholes, proved = _wholes(floats, self._places)
        total = fsum(wholes)  # of whole numbers, and exact as long as it is one that floats can tell apart
        if total < _SURE and proved == floats and int not in map(type, floats):
            self._whole += int(total) * 10 ** (_PLACES - self._places)
        else:
            self._add_any(floats)
        floats.clear()

    def _add_any(self, floats: list[float]) -> None:
        """Add floats some of which need more places than all before, or have more digits than dividing proves."""
        units = []
        for amount, whole, once in zip(floats, *_wholes(floats, _PLACES), strict=True):
            if once == amount and whole < _SURE and type(amount) is float:
                units.append(int(whole))
            elif amount:
                self.add(money.read(amount, "amount"))
        self._whole += sum(units)
        least = gcd(*units)
        while least % 10 ** (_PLACES - self._places):
            self._places += 1

    def take(self) -> Decimal:
        """The sum, which begins anew; with as many places as adding decimals would give it."""
        self.fold()
        total = self._rest
        if self._whole:
            whole = self._whole // 10 ** (_PLACES - self._places)
            total = money.add(total, money.multiply(Decimal(whole), _UNITS[self._places]))
        self._begin()
        return total


def _wholes(floats: list[float], places: int) -> tuple[list[float], list[float]]:
    """The nearest whole numbers of units of so many places, and what those are as amounts."""
    scale = 10.0**places
    wholes = [amount * scale + _ROUND - _ROUND for amount in floats]
    return wholes, [whole / scale for whole in wholes]
