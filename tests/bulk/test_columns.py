"""Columns: numbers, names, times and amounts as frames hold them."""

from __future__ import annotations

import math
from datetime import date, datetime, timezone
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from openrouter_pricing._bulk.columns import read_amounts, read_counts, read_names, read_times

BIG = 10**18


@pytest.mark.parametrize(
    ("array", "counts"),
    [
        (pa.array([1, None, -1, BIG, BIG + 1], pa.int64()), [1, None, "bad", BIG, "bad"]),
        (pa.array([1, 2], pa.int8()), [1, 2]),
        (pa.array([2**64 - 1, 7], pa.uint64()), ["bad", 7]),
        (
            pa.array([1.0, 0.5, math.nan, None, math.inf, -1.0, -0.0], pa.float64()),
            [1, "bad", None, None, "bad", "bad", 0],
        ),
        (pa.array([math.nan, 2.0], pa.float32()), [None, 2]),
        (
            pa.array([Decimal("2.00"), Decimal("2.50"), None, Decimal(-1)], pa.decimal128(38, 2)),
            [2, "bad", None, "bad"],
        ),
        (pa.array([Decimal(10**30)], pa.decimal128(38, 0)), ["bad"]),
        (pa.nulls(2), [None, None]),
        (pa.array([5, 5, None], pa.int32()).dictionary_encode(), [5, 5, None]),
        (pa.array([], pa.int64()), []),
    ],
)
def test_counts(array: pa.Array, counts: list[Any]) -> None:
    """Whole floats and decimals are counts, NaN is none, and what is no count is bad."""
    values, missing, bad = read_counts(array, "n")
    missing = [False] * len(array) if missing is None else missing.tolist()
    bad = [False] * len(array) if bad is None else bad.tolist()
    shown = [
        "bad" if wrong else None if none else value
        for value, none, wrong in zip(values.tolist(), missing, bad, strict=True)
    ]
    assert shown == counts


@pytest.mark.parametrize("array", [pa.array(["1"]), pa.array([True]), pa.array([b"1"])])
def test_what_holds_no_numbers_is_refused(array: pa.Array) -> None:
    """By the name of its column."""
    with pytest.raises(TypeError, match="tokens must be a column of whole numbers, not of"):
        read_counts(array, "tokens")


@pytest.mark.parametrize(
    "kind",
    [
        pa.string(),
        pa.large_string(),
        pa.string_view(),
        pa.dictionary(pa.int8(), pa.string()),
        pa.dictionary(pa.uint32(), pa.large_string()),
    ],
)
def test_names(kind: pa.DataType) -> None:
    """Texts of any kind of Arrow's."""
    texts = pa.array(["a", None, "b", "a"])
    array = texts.dictionary_encode().cast(kind) if pa.types.is_dictionary(kind) else texts.cast(kind)
    codes, names = read_names(array, "model")
    assert [names[code] for code in codes] == ["a", None, "b", "a"]


def test_names_that_are_all_missing() -> None:
    """A column of nulls has no type."""
    codes, names = read_names(pa.nulls(2), "model")
    assert [names[code] for code in codes] == [None, None]


@pytest.mark.parametrize("array", [pa.array([1]), pa.array([1]).dictionary_encode()])
def test_what_holds_no_texts_is_refused(array: pa.Array) -> None:
    """By the name of its column."""
    with pytest.raises(TypeError, match="model must be a column of texts, not of int64"):
        read_names(array, "model")


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_times(unit: str) -> None:
    """In microseconds, whatever the unit."""
    at = datetime(2026, 1, 1, tzinfo=timezone.utc)
    stamps, missing, zoned = read_times(pa.array([at, None], pa.timestamp(unit, "Europe/Berlin")), "at")
    assert (stamps[0], zoned) == (at.timestamp() * 1e6, True)
    assert missing is not None
    assert missing.tolist() == [False, True]


def test_days_and_times_without_a_zone() -> None:
    """They are told apart from those with one."""
    for array in (pa.array([date(1970, 1, 2)]), pa.array([datetime(1970, 1, 2)], pa.timestamp("s"))):  # noqa: DTZ001
        stamps, _, zoned = read_times(array, "at")
        assert (stamps.tolist(), zoned) == ([86_400_000_000], False)
    assert read_times(pa.nulls(1), "at")[2]
    with pytest.raises(TypeError, match="at must be a column of times, not of string"):
        read_times(pa.array(["2026-01-01"]), "at")


@pytest.mark.parametrize(
    ("array", "amounts"),
    [
        (pa.array([0.1, math.nan, None, -1.0, math.inf, 1e-9]), [1000, None, None, "bad", "bad", "bad"]),
        (pa.array([1, 2]), [10000, 20000]),
        (pa.array([Decimal("0.25")]), [2500]),
        (pa.array(["0.5", "x", "0.00010"]), [5000, "bad", 1]),
        (pa.nulls(1), [None]),
        (pa.array([0.5], pa.float32()), [5000]),
    ],
)
def test_amounts(array: pa.Array, amounts: list[Any]) -> None:
    """A float is read as the decimal that it prints; what is negative, or too fine, is no amount."""
    found, bad = read_amounts(array, "reported", 4)
    assert ["bad" if wrong else amount for amount, wrong in zip(found, bad.tolist(), strict=True)] == amounts


def test_what_holds_no_amounts_is_refused() -> None:
    """By the name of its column."""
    with pytest.raises(TypeError, match="paid must be a column of amounts, not of bool"):
        read_amounts(pa.array([True]), "paid", 4)


def test_texts_stand_in_dictionaries_runs_and_views() -> None:
    """Whatever an engine packs them in."""
    plain = pa.array(["b", None, "b"])
    kept = pa.DictionaryArray.from_arrays(pa.array([0, None, 0]), pa.array(["b"], pa.string_view()))
    runs = pa.RunEndEncodedArray.from_arrays(pa.array([1, 2, 3], pa.int32()), plain)
    for array in (plain, plain.cast(pa.string_view()), plain.dictionary_encode(), kept, runs):
        codes, names = read_names(array, "model")
        assert [names[code] for code in codes.tolist()] == ["b", None, "b"]
    amounts, _ = read_amounts(pa.array(["0.5"], pa.string_view()), "usd", 1)
    assert amounts == [5]


def test_a_time_that_no_calendar_has_is_missing() -> None:
    """Of days and of seconds."""
    for array in (pa.array([2**31 - 1, 1], pa.date32()), pa.array([2**62, 86_400], pa.timestamp("s"))):
        times, missing, _ = read_times(array, "at")
        assert missing is not None
        assert (times.tolist(), missing.tolist()) == ([0, 86_400_000_000], [True, False])
    _, missing, _ = read_times(pa.array([2**62, None], pa.timestamp("s")), "at")
    assert missing is not None
    assert missing.tolist() == [True, True]
