"""Rounding: half up, and never out of its column."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pyarrow as pa

from openrouter_pricing._bulk.rounding import column, round_totals, whole_numbers
from openrouter_pricing._bulk.table import BAD, PRICED


def _amounts(*numbers: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint64]]:
    return np.array([(number & (2**64 - 1), number >> 64) for number in numbers], np.uint64)


def test_amounts_are_a_column() -> None:
    """Null where they are none."""
    made = column(_amounts(10**37, 5), 24, np.array([True, False]))
    assert made.to_pylist() == [Decimal(10**13), None]
    made.validate(full=True)


def test_totals_are_rounded_half_up() -> None:
    """Of rates with more and fewer places; one that is too large is bad."""
    status = np.full(4, PRICED, np.uint8)
    raw = _amounts(5, 25, 10**37, 0)
    made = round_totals(raw, [Decimal("1.0"), Decimal("1.3"), Decimal(11)], np.array([0, 1, 2, 0]), 2, 1, status)
    assert whole_numbers(made) == [10, 30, 0, 0]
    assert status.tolist() == [PRICED, PRICED, BAD, PRICED]
    assert pa.decimal128(38, 2) == column(made, 2, np.ones(4, np.bool_)).type
