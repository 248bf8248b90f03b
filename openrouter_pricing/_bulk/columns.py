"""Columns of a batch: counts, names, times and reported amounts, with what is missing and what is wrong in them."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.compute as pc  # type: ignore[import-untyped]
from numpy.typing import NDArray

from .._base import money
from .._history.periods import EARLIEST, LATEST
from .table import places
from .timeline import microseconds

_TO_MICROSECONDS = {"s": 1_000_000, "ms": 1_000, "us": 1}
_DAY = 86_400_000_000  # microseconds
#: Of times that there are; the last month of a bill has to end.
_FIRST, _LAST = microseconds(EARLIEST), microseconds(LATEST) - 31 * _DAY


class Column(NamedTuple):
    """Whole numbers.

    Args:
        values: them; 0 where there is none.
        missing: where there is none; None for nowhere.
        bad: where there is something that cannot be one; None for nowhere.
    """

    values: NDArray[np.int64]
    missing: NDArray[np.bool_] | None
    bad: NDArray[np.bool_] | None


def read_counts(array: pa.Array, name: str) -> Column:
    """Counts; a float or a decimal without a fraction is one, NaN is missing.

    Raises:
        TypeError: there are no numbers in it.
    """
    array, kind = _plain(array)
    missing = _nulls(array)
    if pa.types.is_null(kind):
        return Column(np.zeros(len(array), np.int64), missing, None)
    if pa.types.is_integer(kind):
        return _checked(_filled(array, 0), missing)
    if pa.types.is_floating(kind):
        numbers = _filled(array, 0.0).astype(np.float64)
        nan = np.isnan(numbers)
        if nan.any():
            missing = nan if missing is None else missing | nan
            numbers = np.where(nan, 0.0, numbers)
        fraction = numbers != np.floor(numbers)
        return _checked(numbers, missing, fraction | ~np.isfinite(numbers))
    if pa.types.is_decimal(kind):
        whole = [0 if one is None else _whole(one) for one in array.to_pylist()]
        return _checked(np.array(whole, np.int64), missing)
    raise TypeError(f"{name} must be a column of whole numbers, not of {kind}")


def _whole(number: Decimal) -> int:
    """It as a count; -1 where it is none."""
    return int(number) if number == number.to_integral_value() and abs(number) <= money.MAX_COUNT else -1


def _checked(numbers: NDArray[Any], missing: NDArray[np.bool_] | None, bad: NDArray[np.bool_] | None = None) -> Column:
    if len(numbers) and (numbers.min() < 0 or numbers.max() > money.MAX_COUNT or (bad is not None and bad.any())):
        bad = (numbers < 0) | (numbers > money.MAX_COUNT) | (False if bad is None else bad)
        numbers = np.where(bad, 0, numbers)
    else:
        bad = None
    return Column(numbers.astype(np.int64, copy=False), missing, bad)


def read_names(array: pa.Array, name: str) -> tuple[NDArray[np.int64], list[str | None]]:
    """Which of the names each row has, and the names; a missing one is None.

    Raises:
        TypeError: there are no texts in it.
    """
    if not pa.types.is_dictionary(array.type) or pa.types.is_string_view(array.type.value_type):
        array, kind = _plain(array)
        if pa.types.is_null(kind):
            return np.zeros(len(array), np.int64), [None]
        array = array.dictionary_encode() if _is_text(kind) else array
    kind = array.type.value_type if pa.types.is_dictionary(array.type) else array.type
    if not _is_text(kind):
        raise TypeError(f"{name} must be a column of texts, not of {kind}")
    names: list[str | None] = [*array.dictionary.to_pylist(), None]
    return _filled(array.indices, len(names) - 1).astype(np.int64), names


def read_times(array: pa.Array, name: str) -> tuple[NDArray[np.int64], NDArray[np.bool_] | None, bool]:
    """Microseconds since the epoch, where there are none, and whether they have a time zone.

    Raises:
        TypeError: there are no times in it.
    """
    array, kind = _plain(array)
    missing = _nulls(array)
    if pa.types.is_null(kind):
        return np.zeros(len(array), np.int64), missing, True
    if pa.types.is_date(kind):
        ticks, zoned = _DAY, False
        array = array.cast(pa.date32()).cast(pa.int32())
    elif pa.types.is_timestamp(kind):
        ticks, zoned = _TO_MICROSECONDS.get(kind.unit, 1), kind.tz is not None
    else:
        raise TypeError(f"{name} must be a column of times, not of {kind}")
    stamps = _filled(array.cast(pa.int64()), 0)
    if pa.types.is_timestamp(kind) and kind.unit == "ns":
        stamps = stamps // 1_000
    beyond = (stamps < _FIRST // ticks) | (stamps > _LAST // ticks)
    if beyond.any():
        missing = beyond if missing is None else missing | beyond
        stamps = np.where(beyond, 0, stamps)
    return stamps * ticks, missing, zoned


def read_amounts(array: pa.Array, name: str, scale: int) -> tuple[list[int | None], NDArray[np.bool_]]:
    """Amounts in units of ``10**-scale``, None where there is none; and where something is no such amount.

    Raises:
        TypeError: there are no amounts in it.
    """
    array, kind = _plain(array)
    numbers = pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)
    if not (numbers or pa.types.is_null(kind) or _is_text(kind)):
        raise TypeError(f"{name} must be a column of amounts, not of {kind}")
    if pa.types.is_floating(kind):
        array = array.cast(pa.float64())
    known: dict[Any, int | None] = {}
    amounts: list[int | None] = []
    bad = np.zeros(len(array), np.bool_)
    for place, given in enumerate(array.to_pylist()):
        if given is None or (isinstance(given, float) and math.isnan(given)):
            amounts.append(None)
            continue
        if given not in known:
            known[given] = _units(given, name, scale)
        amount = known[given]
        amounts.append(amount)
        bad[place] = amount is None
    return amounts, bad


def _units(given: object, name: str, scale: int) -> int | None:
    try:
        amount = money.read(given, name)
    except ValueError:
        return None
    if amount < 0 or places(amount) > scale:
        return None
    return int(money.multiply(amount, 10**scale))


def _plain(array: pa.Array) -> tuple[pa.Array, pa.DataType]:
    array = decoded(array)
    return array, array.type


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def plain(kind: pa.DataType) -> pa.DataType:
    """A type without the dictionary, the runs or the views that its values stand in."""
    if pa.types.is_dictionary(kind) or pa.types.is_run_end_encoded(kind):
        kind = kind.value_type
    views = {pa.string_view(): pa.string(), pa.binary_view(): pa.binary()}
    return views.get(kind, kind)


def decoded(array: pa.Array) -> pa.Array:
    """A column without the dictionary, the runs or the views that its values stand in."""
    if pa.types.is_run_end_encoded(array.type):
        array = pc.run_end_decode(array)
    kind = plain(array.type)
    if pa.types.is_dictionary(array.type):
        array = array.dictionary.cast(kind).take(array.indices)
    return array if array.type == kind else array.cast(kind)


def _nulls(array: pa.Array) -> NDArray[np.bool_] | None:
    if not array.null_count:
        return None
    nulls: NDArray[np.bool_] = array.is_null().to_numpy(zero_copy_only=False)
    return nulls


def _filled(array: pa.Array, value: float) -> NDArray[Any]:
    if array.null_count:
        array = array.fill_null(value)
    numbers: NDArray[Any] = array.to_numpy(zero_copy_only=False)
    return numbers
