"""Sums: groups, and how they are put together."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from support.bulk import catalog, table
from support.pinned import LATER

from openrouter_pricing.metering.frames import PriceBook, focus, sum_frame

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


@pytest.mark.parametrize("column", [[[1], [2]], [{"a": 1}, None]])
def test_what_is_no_single_value_makes_no_group(column: list[Any]) -> None:
    """In sums and in bills."""
    frame = CALLS.append_column("team", pa.array(column))
    with pytest.raises(TypeError, match="by: 'team' must be a column of single values, not of"):
        sum_frame(frame, catalog(), ["team"])
    with pytest.raises(TypeError, match="by: 'team' must be a column of single values, not of"):
        focus(frame, catalog(), ["team"], at=LATER)


def test_groups_are_told_by_values_however_they_are_packed() -> None:
    """In dictionaries, views or runs."""
    teams = pa.array(["x", "y"])
    runs = pa.RunEndEncodedArray.from_arrays(pa.array([1, 2], pa.int32()), teams)
    for column in (teams, teams.dictionary_encode(), teams.cast(pa.string_view()), runs):
        made = sum_frame(CALLS.append_column("team", column), catalog(), ["team"])
        assert (made["team"].type, made["team"].to_pylist()) == (pa.string(), ["x", "y"])


def test_a_column_that_is_there_twice_makes_no_group() -> None:
    """Nobody could say which of them."""
    frame = CALLS.append_column("team", pa.array([1, 2])).append_column("team", pa.array([1, 2]))
    with pytest.raises(ValueError, match="by names 'team', of which the frame has more than one"):
        sum_frame(frame, catalog(), ["team"])
