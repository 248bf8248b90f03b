"""Amounts as columns of Arrow, and totals that are rounded."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.compute as pc  # type: ignore[import-untyped]
from numpy.typing import NDArray

from .kernel import Amounts
from .table import BAD, DIGITS, PRICED, places

_WIDE = 76  # digits of the widest decimal there is


def column(amounts: Amounts, scale: int, valid: NDArray[np.bool_]) -> pa.Array:
    """Amounts as a column, null where they are not ``valid``."""
    nulls = None if valid.all() else pa.array(valid).buffers()[1]
    buffers = [nulls, pa.py_buffer(np.ascontiguousarray(amounts))]
    return pa.Array.from_buffers(pa.decimal128(DIGITS, scale), len(amounts), buffers)


def whole_numbers(amounts: Amounts) -> list[int]:
    """Amounts as Python's own numbers."""
    return [low | high << 64 for low, high in amounts.tolist()]


def round_totals(
    raw: Amounts, rates: list[Decimal], codes: NDArray[np.int64], scale: int, decimals: int, status: NDArray[np.uint8]
) -> Amounts:
    """Raw amounts times their rates, rounded half up; those that are too large are marked in ``status``.

    Args:
        raw: from 0 up.
        rates: Decimals.
        codes: which of them each row has.
        scale, decimals: of the amounts, and of the rounded ones.
        status: of each row.
    """
    finest = max(map(places, rates))
    factors = pa.array([rate.quantize(_unit(finest)) for rate in rates], pa.decimal256(_WIDE - DIGITS - 1, finest))
    amounts = column(raw, scale, np.ones(len(raw), np.bool_)).cast(pa.decimal256(DIGITS, scale))
    totals = pc.round(pc.multiply(amounts, factors.take(pa.array(codes))), decimals, "half_towards_infinity")
    most = pa.scalar(10 ** (DIGITS - scale), totals.type)
    large = pc.greater_equal(totals, most).to_numpy(zero_copy_only=False)
    if large.any():
        status[large & (status == PRICED)] = BAD
        totals = pc.if_else(pa.array(large), pa.scalar(0, totals.type), totals)
    narrow = totals.cast(pa.decimal128(DIGITS, scale))
    return np.frombuffer(narrow.buffers()[1], np.uint64).reshape(-1, 2)[: len(raw)]


def _unit(finest: int) -> Decimal:
    return Decimal((0, (1,), -finest))
