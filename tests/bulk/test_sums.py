"""Sums: groups, and how they are put together."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from support.bulk import catalog, table

from openrouter_pricing.metering.frames import PriceBook, sum_frame

CALLS = table({"model": ["a/router", "a/plain"], "prompt_tokens": [1, 1], "completion_tokens": [1, 1]})


@pytest.mark.parametrize(
    ("by", "problem"),
    [
        ("model", "by must be a list of columns, not str"),
        (5, "by must be a list of columns, not int"),
        (["team"], "by names no column: 'team'"),
        (["model", "model"], "by names a column twice"),
        (["cost_raw"], "by names 'cost_raw', which is the name of a sum"),
    ],
)
def test_groups_that_cannot_be_made_are_named(by: Any, problem: str) -> None:
    """Before anything is added up."""
    with pytest.raises((ValueError, TypeError), match=problem):
        sum_frame(CALLS, catalog(), by)


def test_a_group_without_an_amount_has_no_sum() -> None:
    """Null, and not 0."""
    first, second = sum_frame(CALLS, catalog(), ["model"]).to_pylist()
    assert first == {"model": "a/router", "cost_rows": 1, "cost_unpriced": 1, "cost_raw": None, "cost_total": None}
    assert second["cost_raw"] == Decimal("0.000003")


def test_parts_are_put_together() -> None:
    """Those of more rows than are worked on at a time, too."""
    number = 270_000
    frame = table({"model": ["a/plain"] * number, "prompt_tokens": [1] * number, "completion_tokens": [0] * number})
    assert sum_frame(frame, PriceBook(catalog())).to_pylist() == [
        {"cost_rows": number, "cost_unpriced": 0, "cost_raw": Decimal("0.27"), "cost_total": Decimal("0.27")}
    ]


def test_nothing_has_no_groups() -> None:
    """An empty frame makes an empty one."""
    made = sum_frame(CALLS.slice(0, 0), catalog(), ["cost_status"])
    assert made.column_names == ["cost_status", "cost_rows", "cost_unpriced", "cost_raw", "cost_total"]
    assert len(made) == 0


def test_a_sum_without_room_is_refused() -> None:
    """38 digits are all that there are."""
    frame = table({"model": ["a/plain"] * 90, "prompt_tokens": [10**18] * 90, "completion_tokens": [0] * 90})
    book = PriceBook(catalog())
    with pytest.raises(OverflowError, match="a sum has more than 38 digits"):
        sum_frame(frame, PriceBook(catalog(), markup_rate=20))
    assert sum_frame(frame, book)["cost_raw"].to_pylist() == [90 * 10**12]
