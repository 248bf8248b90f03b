"""Table: every plan as whole numbers, a row each, as the kernel looks them up."""

from __future__ import annotations

from collections.abc import Collection
from decimal import Decimal
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .._base import money
from .plans import COUNTS, INSIDE, WRITES, Plan

#: What can be said of a row of a frame, by its number.
STATUSES = (
    "priced",
    "reported",
    "unknown_model",
    "variable_price",
    "unpriced_usage",
    "bad_count",
    "no_time",
)
PRICED, REPORTED, UNKNOWN, VARIABLE, UNPRICED, BAD, NO_TIME = range(len(STATUSES))
#: An amount takes more decimal places than there are: no row of a frame ever says so.
TOO_FINE = len(STATUSES)
#: No amount of a frame has more digits.
DIGITS = 38
LARGEST = 10**DIGITS - 1
_SAFE = 2**62  # whole numbers up to here can be added up without a look at each sum
_LIMB = 2**32 - 1
_NOTHING = 0, 0, 1  # what a line without prices is multiplied and divided by


class Line(NamedTuple):
    """One row of the table.

    Args:
        status: what a usage is where nothing else is said.
        plan: how it is charged.
        rate: what the raw cost is multiplied by.
        model_id: whose it is.
    """

    status: int
    plan: Plan
    rate: Decimal
    model_id: str = ""


class Table:
    """Lines, as columns of whole numbers.

    Args:
        lines: them.
        scale: decimal places of an amount.
        names: the counts that there are; a price of any other one needs no room.
        rounded: totals are rounded elsewhere; raw amounts alone have to fit.

    Attributes:
        lines: the same.
        status: of each line.
        limit: up to which count no sum of a line can grow too large for its column.
        ceiling: the largest sum of a line that is an amount of so many digits.
        raw, total: by what a sum is multiplied to be an amount, 32 bits a column.
        factors: the same, as Python's own numbers, and what a total is then divided by.
        same: both are.
    """

    def __init__(self, lines: list[Line], scale: int, names: Collection[str] = COUNTS, *, rounded: bool) -> None:
        self.lines: list[Line] = lines
        used = [{name: step for name, step in line.plan.steps.items() if name in names} for line in lines]
        exponents = [max([0, *map(places, step.values())]) for step in used]
        steps = [
            {name: int(money.multiply(step, 10**exponent)) for name, step in one.items()}
            for one, exponent in zip(used, exponents, strict=True)
        ]
        self.factors: list[tuple[int, int, int]] = [
            _factors(exponent, money.ONE if rounded else line.rate, scale) if any(one.values()) else _NOTHING
            for line, one, exponent in zip(lines, used, exponents, strict=True)
        ]
        self.same: bool = all(raw == total and divisor == 1 for raw, total, divisor in self.factors)
        self._exact = {name: [step.get(name, 0) for step in steps] for name in COUNTS}
        sizes = [sum(map(abs, step.values())) for step in steps]
        self.limit: NDArray[np.int64] = np.array(
            [
                _SAFE // max(size, 1) if size < _SAFE and divisor == 1 else -1
                for size, (*_, divisor) in zip(sizes, self.factors, strict=True)
            ],
            np.int64,
        )
        self.steps: dict[str, NDArray[np.int64]] = {
            name: np.array([step if abs(step) < _SAFE else 0 for step in exact], np.int64)
            for name, exact in self._exact.items()
        }
        self.ceiling: NDArray[np.int64] = np.array(
            [min(LARGEST // max(*both, 1), _SAFE) for *both, _ in self.factors], np.int64
        )
        self.raw: tuple[NDArray[np.uint64], ...] = _limbs([raw for raw, *_ in self.factors])
        self.total: tuple[NDArray[np.uint64], ...] = _limbs([total for _, total, _ in self.factors])
        self.status: NDArray[np.uint8] = np.array(
            [UNPRICED if line.plan.dead else line.status for line in lines], np.uint8
        )
        self.unlisted: dict[str, NDArray[np.bool_]] = _flags(lines, "unlisted", COUNTS)
        self.beside: dict[str, NDArray[np.bool_]] = _flags(lines, "beside", WRITES)
        self.own: dict[str, NDArray[np.bool_]] = {
            name: np.array([name in line.plan.items for line in lines]) for parts in INSIDE.values() for name in parts
        }

    def exact(self, name: str, rows: NDArray[np.int64]) -> NDArray[np.object_]:
        """The steps of a count in some lines, as Python's own numbers."""
        column = self._exact[name]
        return np.array([column[row] for row in rows.tolist()], object)


def places(number: Decimal) -> int:
    """How many decimal places it takes."""
    _, digits, exponent = number.as_tuple()
    assert isinstance(exponent, int)  # money is finite
    while exponent < 0 and (not digits or not digits[-1]):
        digits, exponent = digits[:-1], exponent + 1
    return max(-exponent, 0)


def _factors(exponent: int, rate: Decimal, scale: int) -> tuple[int, int, int]:
    """What makes a sum in units of ``10**-exponent`` a raw amount, and a total one, and by what that is divided."""
    raw = 10 ** (scale - exponent)
    total = money.multiply(rate, raw)
    divisor = 10 ** places(total)
    return raw, int(money.multiply(total, divisor)), divisor


def _limbs(factors: list[int]) -> tuple[NDArray[np.uint64], ...]:
    return tuple(np.array([factor >> shift & _LIMB for factor in factors], np.uint64) for shift in (0, 32, 64, 96))


def _flags(lines: list[Line], kind: str, names: tuple[str, ...]) -> dict[str, NDArray[np.bool_]]:
    """Of each of ``names`` that any line has under ``kind``: which have."""
    columns = {name: np.array([name in getattr(line.plan, kind) for line in lines]) for name in names}
    return {name: column for name, column in columns.items() if column.any()}
