"""FOCUS: a bill of days, models and price keys."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from decimal import Decimal

import pyarrow as pa
import pytest
from support.bulk import catalog, table

from openrouter_pricing import Markup, Usage
from openrouter_pricing._base import money
from openrouter_pricing._billing.cost import charge
from openrouter_pricing._bulk.focus import Parts, bill
from openrouter_pricing._bulk.question import ask
from openrouter_pricing.metering.frames import PriceBook, focus, sum_frame

AT = datetime(2026, 2, 28, 23, 0, tzinfo=timezone.utc)
COUNTS = {
    "prompt_tokens": 100,
    "completion_tokens": 90,
    "cached_tokens": 10,
    "cache_write_tokens": 25,
    "cache_write_1h_tokens": 5,
    "audio_tokens": 3,
    "reasoning_tokens": 50,
    "web_searches": 2,
}


def test_a_row_is_a_line_of_the_bill() -> None:
    """Units and prices are those of a single call's lines, the days and months those of its time."""
    frame = table({"model": ["a/parts"], "at": [AT], **{name: [count] for name, count in COUNTS.items()}})
    rows = focus(frame, PriceBook(catalog(), markup_rate=2), at="at").to_pylist()
    cost = charge(catalog()["a/parts"].rates, Usage(**COUNTS), Decimal(2))
    assert sorted(
        (row["SkuMeter"], row["ConsumedQuantity"], row["ListUnitPrice"], row["ListCost"]) for row in rows
    ) == sorted(cost.lines)
    assert money.total([row["BilledCost"] for row in rows]) == cost.total
    first = rows[0]
    assert (first["BillingPeriodStart"].isoformat(), first["BillingPeriodEnd"].isoformat()) == (
        "2026-02-01T00:00:00+00:00",
        "2026-03-01T00:00:00+00:00",
    )
    assert first["ChargePeriodEnd"] - first["ChargePeriodStart"] == timedelta(days=1)
    assert {row["ConsumedUnit"] for row in rows} == {"Tokens", "Requests", "Searches"}
    assert all(row["ContractedUnitPrice"] * row["PricingQuantity"] == row["ContractedCost"] for row in rows)


def test_days_models_and_groups_are_apart() -> None:
    """And what has no amount or no time is counted beside them."""
    frame = table(
        {
            "model": ["a/plain", "a/plain", "a/plain", "a/nothing", "a/plain", "a/free:free"],
            "prompt_tokens": [1, 2, 4, 8, 16, 32],
            "completion_tokens": [0] * 6,
            "at": [AT, AT + timedelta(days=1), AT, AT, None, AT],
        }
    ).append_column("team", pa.array(["x", "x", None, "x", "x", "x"]).dictionary_encode())
    rows = focus(frame, PriceBook(catalog()), ["team"], at="at").to_pylist()
    assert [(row["ChargePeriodStart"].day, row["SkuId"], row["x_team"], row["ConsumedQuantity"]) for row in rows] == [
        (28, "a/free:free", "x", 32),
        (28, "a/plain", "x", 1),
        (28, "a/plain", None, 4),
        (1, "a/plain", "x", 2),
    ]
    assert {row["x_RowsLeftOut"] for row in rows} == {2}


def test_prices_that_vary_within_a_day_are_not_told() -> None:
    """The sums are; a price that holds for all of them is."""
    frame = table(
        {"model": ["a/steps"] * 2, "prompt_tokens": [1000, 1001], "completion_tokens": [1, 1], "at": [AT, AT]}
    )
    rows = {row["SkuMeter"]: row for row in focus(frame, PriceBook(catalog()), at="at").to_pylist()}
    assert (rows["prompt"]["ListUnitPrice"], rows["prompt"]["ListCost"]) == (None, Decimal("0.004003"))
    assert rows["completion"]["ListUnitPrice"] == Decimal("0.000002")


def test_reported_costs_and_rounding_have_rows_of_their_own() -> None:
    """So that the bill adds up to what was charged."""
    columns = {"model": ["a/plain", "a/plain", "b/x"], "prompt_tokens": [1, 1, 1], "completion_tokens": [0] * 3}
    frame = table({**columns, "reported": [None, 0.5, 0.25]})
    book = PriceBook(catalog(), markup=Markup(rate="1.5", places=4))
    made = focus(frame, book, at=AT, reported="reported")
    rows = {(row["SkuId"], row["SkuMeter"]): row for row in made.to_pylist()}
    assert {key: row["BilledCost"] for key, row in rows.items()} == {
        ("a/plain", "prompt"): Decimal("0.0000015"),
        ("a/plain", "reported"): Decimal("0.75"),
        ("a/plain", "rounding"): Decimal("-0.0000015"),
        ("", "reported"): Decimal("0.375"),
    }
    assert rows["a/plain", "rounding"]["ChargeCategory"] == "Adjustment"
    assert rows["a/plain", "rounding"]["ConsumedQuantity"] is None
    (whole,) = sum_frame(frame, book, at=AT, reported="reported").to_pylist()
    assert money.total(made["BilledCost"].to_pylist()) == whole["cost_total"]


def test_nothing_makes_an_empty_bill() -> None:
    """With its columns."""
    frame = table({"model": ["a/nothing"], "prompt_tokens": [1], "completion_tokens": [1], "at": [AT]})
    made = focus(frame.slice(0, 0), PriceBook(catalog()), at="at")
    assert (len(made), made.schema.field("BilledCost").type) == (0, pa.decimal128(38, 24))


def test_rows_left_out_are_told_where_nothing_else_is() -> None:
    """In a row that costs nothing, of their first day if they have one."""
    calls = {"model": ["a/nothing"] * 3, "prompt_tokens": [1] * 3, "completion_tokens": [1] * 3}
    frame = table({**calls, "at": [None, AT + timedelta(days=1), AT]})
    (row,) = focus(frame, PriceBook(catalog()), ["model"], at="at").to_pylist()
    assert (row["x_RowsLeftOut"], row["BilledCost"], row["ConsumedQuantity"], row["x_model"]) == (3, 0, None, None)
    assert (row["ChargeCategory"], row["ChargePeriodStart"]) == ("Adjustment", AT.replace(hour=0))
    (row,) = focus(frame.slice(0, 1), PriceBook(catalog()), at="at").to_pylist()
    assert (row["x_RowsLeftOut"], row["ChargePeriodStart"]) == (1, None)


def test_a_time_that_no_calendar_has_is_none() -> None:
    """Its row is left out, and nothing wraps."""
    far = pa.array([2**62, -(2**62), 0], pa.timestamp("s", "UTC"))
    calls = {"model": ["a/plain"] * 3, "prompt_tokens": [1] * 3, "completion_tokens": [0] * 3}
    (row,) = focus(table(calls).append_column("at", far), PriceBook(catalog()), at="at").to_pylist()
    assert (row["x_RowsLeftOut"], row["ConsumedQuantity"], row["ChargePeriodStart"].year) == (2, 1, 1970)


def test_a_column_that_a_bill_has_already_is_refused() -> None:
    """By its name."""
    calls = {"model": ["a/plain"], "prompt_tokens": [1], "completion_tokens": [0], "RowsLeftOut": [1]}
    with pytest.raises(ValueError, match="by names 'RowsLeftOut'"):
        focus(pa.table(calls), PriceBook(catalog()), ["RowsLeftOut"], at=AT)


def test_it_takes_the_columns_that_it_needs() -> None:
    """Engines hand over no others."""
    work = Parts(
        PriceBook(catalog()), ask(["model", "prompt_tokens", "completion_tokens", "x"], None, AT, None, "c_"), ("x",)
    )
    assert work.read == ("model", "prompt_tokens", "completion_tokens", "x")


def test_a_sum_without_room_is_refused() -> None:
    """Never cut."""
    schema = pa.schema([("day", pa.int32()), ("model", pa.string()), ("item", pa.string())])
    most = pa.array([Decimal(10**14 - 1)] * 2, pa.decimal128(38, 24))
    keys = [pa.array([1, 1], pa.int32()), pa.array(["a", "a"]), pa.array(["prompt", "prompt"])]
    part = pa.table(
        [*keys, pa.array([Decimal(1)] * 2), most, most, pa.nulls(2), pa.nulls(2)], names=[*schema.names, *"qrtpc"]
    )
    with pytest.raises(OverflowError, match="a sum has more than 38 digits"):
        bill([part], (), 24)
