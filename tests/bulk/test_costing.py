"""Costing: batches in, amounts and statuses out."""

from __future__ import annotations

import math
from datetime import datetime, timezone
from decimal import Decimal

import pyarrow as pa
import pytest
from support.bulk import answers, catalog, statuses, table

from openrouter_pricing import Markup
from openrouter_pricing._history.bundled import BundledHistory
from openrouter_pricing.metering.frames import PriceBook, price_frame

NAIVE = datetime(2026, 11, 4, 23, 0)  # noqa: DTZ001
NIGHT = datetime(2026, 11, 4, 23, 0, tzinfo=timezone.utc)


def _batch(model: str, *at: datetime | None, kind: pa.DataType | None = None) -> pa.RecordBatch:
    calls = {"model": [model] * len(at), "prompt_tokens": [1] * len(at), "completion_tokens": [1] * len(at)}
    columns = table(calls).combine_chunks().to_batches()[0].columns
    return pa.RecordBatch.from_arrays([*columns, pa.array(at, kind)], [*calls, "at"])


def test_naive_times_raise_where_time_matters() -> None:
    """They do for a model with prices of the hour, and wherever a history knows the past."""
    book = PriceBook(catalog())
    naive = pa.timestamp("us")
    with pytest.raises(ValueError, match="at must be a column of times with a time zone"):
        statuses(book, _batch("a/timed", NAIVE, kind=naive), at="at")
    with pytest.raises(ValueError, match="at must be a column of times with a time zone"):
        statuses(PriceBook(BundledHistory()), _batch("a/plain", NAIVE, kind=naive), at="at")
    assert statuses(book, _batch("a/plain", NAIVE, kind=naive), at="at") == ["priced"]
    assert statuses(book, _batch("a/timed", None, kind=naive), at="at") == ["no_time"]
    assert statuses(PriceBook(BundledHistory()), _batch("a/plain", None, kind=naive), at="at") == ["unknown_model"]
    with pytest.raises(ValueError, match="at must be an aware datetime"):
        statuses(book, _batch("a/plain", None, kind=naive), at=NAIVE)


def test_a_model_with_prices_of_the_hour_needs_a_time() -> None:
    """From the column, or one for all; without one there is no price."""
    book = PriceBook(catalog())
    frame = pa.Table.from_batches([_batch("a/timed", NIGHT, None, kind=pa.timestamp("us", "UTC"))])
    assert [one.status for one in answers(price_frame(frame, book, at="at"))] == ["priced", "no_time"]
    assert [one.raw for one in answers(price_frame(frame, book, at=NIGHT))] == [Decimal("0.0000021")] * 2
    assert [one.status for one in answers(price_frame(frame, book))] == ["no_time"] * 2


def test_counts_that_are_null_are_none() -> None:
    """Requests too, where a frame says them; a row of a frame that does not is one."""
    calls = {"model": ["a/parts"] * 3, "prompt_tokens": [0] * 3, "completion_tokens": [0] * 3, "requests": [None, 0, 2]}
    found = answers(price_frame(table({**calls, "cached_tokens": [None] * 3}), PriceBook(catalog())))
    assert [one.raw for one in found] == [0, 0, Decimal("0.02")]
    del calls["requests"]
    (found, *_) = answers(price_frame(table(calls), PriceBook(catalog())))
    assert found.raw == Decimal("0.01")


@pytest.mark.parametrize("places", [None, 3])
def test_a_reported_cost_is_the_raw_cost(places: int | None) -> None:
    """Whatever else the row says; the markup comes on top."""
    reported = [0.0015, 0.0, math.nan, -1.0, 1e13, 9e13]
    calls = {
        "model": ["a/plain", None, "a/plain", "a/plain", "b/x", "b/x"],
        "prompt_tokens": [1, None, 1, 1, -1, 1],
        "completion_tokens": [1] * 6,
        "reported": reported,
    }
    book = PriceBook(catalog(), markup=Markup(rate=2, providers={"b": 3}, places=places))
    found = answers(price_frame(table(calls), book, reported="reported"))
    assert [(one.raw, one.total, one.status) for one in found] == [
        (Decimal("0.0015"), Decimal("0.003"), "reported"),
        (0, 0, "reported"),
        (Decimal("0.000003"), Decimal("0.000006") if places is None else 0, "priced"),
        (None, None, "bad_count"),
        (10**13, 3 * 10**13, "reported"),
        (None, None, "bad_count"),
    ]


def test_a_reported_row_needs_no_room_for_what_it_would_cost() -> None:
    """Its amount is the reported one; a row beside it that has none is still refused."""
    book = PriceBook(catalog(), markup_rate="1.333")
    calls = {"model": ["a/fine"] * 2, "prompt_tokens": [10] * 2, "completion_tokens": [0] * 2}
    calls["cache_write_tokens"] = [1] * 2
    found = answers(price_frame(table({**calls, "reported": [0.5, 0.25]}), book, reported="reported"))
    assert [one.total for one in found] == [Decimal("0.6665"), Decimal("0.33325")]
    with pytest.raises(ValueError, match="a total of a/fine takes more than 24 decimal places"):
        price_frame(table({**calls, "reported": [0.5, None]}), book, reported="reported")


@pytest.mark.parametrize(
    ("column", "values", "options", "problem"),
    [
        ("model", pa.array([1]), {}, "model must be a column of texts, not of int64"),
        ("images", pa.array(["1"]), {}, "images must be a column of whole numbers, not of string"),
        ("when", pa.array([1]), {"at": "when"}, "when must be a column of times, not of int64"),
        ("usd", pa.array([True]), {"reported": "usd"}, "usd must be a column of amounts, not of bool"),
    ],
)
def test_columns_of_another_kind_are_named(
    column: str, values: pa.Array, options: dict[str, str], problem: str
) -> None:
    """At once, even where no row is read yet."""
    columns = {"model": ["a/plain"], "prompt_tokens": [1], "completion_tokens": [1], column: values}
    for frame in (pa.table(columns), pa.table(columns).slice(0, 0), pa.table(columns).to_reader()):
        with pytest.raises(TypeError, match=problem):
            price_frame(frame, PriceBook(catalog()), **options)


def test_rows_are_worked_on_some_at_a_time() -> None:
    """More of them than go into one part come out in their order."""
    number = 270_000
    calls = {"model": ["a/plain"] * number, "prompt_tokens": list(range(number)), "completion_tokens": [0] * number}
    frame = table(calls)
    found = price_frame(frame, PriceBook(catalog()))
    assert [one.raw for one in answers(found)[262_140:262_150]] == [
        Decimal(count) / 10**6 for count in range(262_140, 262_150)
    ]
