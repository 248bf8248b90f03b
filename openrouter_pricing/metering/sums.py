"""Sum: amounts in floats, added up exactly as the decimals that they print."""

from __future__ import annotations

from decimal import Decimal
from itertools import repeat
from math import gcd
from operator import add, mul, truediv

from .._base import money

_PLACES = 12
_UNIT = 10**_PLACES
_SURE = 10**15  # below it no two decimals of as many digits are the same float
_UNITS = tuple(Decimal((0, (1,), -places)) for places in range(_PLACES + 1))


class Sum:
    """A sum that grows by floats, at a fraction of what making a decimal of each takes.

    A float is the decimal that it prints. Most amounts have no more than twelve places and fifteen digits: those are
    added as whole numbers, once dividing has proved them; all others one by one.

    Attributes:
        floats: amounts that are still to be added: each 0, or from 1e-40 to 1e39.
    """

    __slots__ = ("_places", "_rest", "_step", "_whole", "floats")

    def __init__(self) -> None:
        self.floats: list[float] = []
        self._begin()

    def _begin(self) -> None:
        self._rest = money.ZERO
        self._whole = 0
        self._places = 1  # that are needed: a float prints one at least
        self._step = _UNIT // 10

    def add(self, amount: Decimal) -> None:
        """Add a decimal."""
        self._rest = money.add(self._rest, amount)

    def fold(self) -> None:
        """Add the floats."""
        floats = self.floats
        wholes = list(map(int, map(add, map(mul, floats, repeat(1e12)), repeat(0.5))))
        proved = list(map(truediv, wholes, repeat(1e12)))
        if proved != floats or max(wholes, default=0) >= _SURE or int in map(type, floats):
            tried, wholes = wholes, []
            for whole, once, amount in zip(tried, proved, floats, strict=True):
                if once == amount and whole < _SURE and type(amount) is float:
                    wholes.append(whole)
                elif amount:
                    self.add(money.read(amount, "amount"))
        self._whole += sum(wholes)
        least = gcd(*wholes)
        while least % self._step:
            self._step //= 10
            self._places += 1
        floats.clear()

    def take(self) -> Decimal:
        """The sum, which begins anew; with as many places as adding decimals would give it."""
        self.fold()
        total = self._rest
        if self._whole:
            total = money.add(total, money.multiply(Decimal(self._whole // self._step), _UNITS[self._places]))
        self._begin()
        return total
