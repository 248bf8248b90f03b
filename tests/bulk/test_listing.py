"""Listing: a book as a table."""

from __future__ import annotations

from decimal import Decimal

from support.bulk import catalog

from openrouter_pricing._bulk.book import PriceBook
from openrouter_pricing._bulk.listing import rates_of


def test_every_model_has_its_prices() -> None:
    """With conditions of the hour and of the size, and a word where there are none."""
    rows = rates_of(PriceBook(catalog(), markup_rate="1.333")).to_pylist()
    timed = [row for row in rows if row["model"] == "a/timed" and row["key"] == "prompt"]
    assert {row["from_minute"] for row in timed} == {
        day * 1440 + minute for day in range(7) for minute in (0, 360, 1320)
    }
    assert {row["raw"] for row in timed} == {Decimal("0.000001"), Decimal("0.0000001"), Decimal("0.000009")}
    assert {row["model"]: row["status"] for row in rows if row["key"] is None} == {
        "a/router": "variable_price",
        "a/sells-video": "unpriced_usage",
        "a/free:free": "priced",
    }
    parts = {row["key"]: row["raw"] for row in rows if row["model"] == "a/parts"}
    assert parts["input_cache_write"] == Decimal("0.0000005")
    assert parts["input_cache_read"] == Decimal("0.0000001")
    fine = [row for row in rows if row["model"] == "a/fine" and row["key"] == "input_cache_write"]
    assert [(row["raw"], row["total"]) for row in fine] == [(Decimal("0.00000004166666666666667"), None)]
