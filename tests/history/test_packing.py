"""How a history is packed."""

from __future__ import annotations

import gzip
from datetime import datetime, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openrouter_pricing import PayloadError
from openrouter_pricing._history.packing import GONE, pack, unpack

AT = datetime(2026, 3, 1, tzinfo=timezone.utc)


def test_a_price_is_packed_once() -> None:
    """Two models with one price share it, and one that is gone has none."""
    price = {"prompt": "1", "completion": "2"}
    packed = unpack(pack([(AT, "b", price), (AT, "a", price), (AT.replace(month=4), "a", None)]))
    assert (1, '{"completion":"2","prompt":"1"}') == (len(packed.pricings), packed.pricing(0))
    assert ([0, 1], [0, GONE]) == packed.changes("a")
    assert ([0], [0]) == packed.changes("b")
    assert ([], []) == packed.changes("c")
    assert [AT.timestamp(), AT.replace(month=4).timestamp()] == packed.times


@given(st.lists(st.tuples(st.integers(0, 5), st.sampled_from("abc"), st.none() | st.integers(0, 9)), max_size=20))
def test_what_is_packed_is_unpacked(changes: list[tuple[int, str, int | None]]) -> None:
    """Every change of every model is there again, in its order."""
    ordered = sorted(changes, key=lambda change: change[0])
    told: list[tuple[datetime, str, dict[str, Any] | None]] = [
        (AT.replace(day=1 + day), name, None if price is None else {"prompt": str(price)})
        for day, name, price in ordered
    ]
    packed = unpack(pack(told))
    for name in "abc":
        expected = [(at.timestamp(), price) for at, other, price in told if other == name]
        found = [
            (packed.times[place], None if price == GONE else {"prompt": packed.pricing(price).split('"')[3]})
            for place, price in zip(*packed.changes(name), strict=True)
        ]
        assert expected == found


def test_the_same_changes_give_the_same_bytes() -> None:
    """No time of making stands in the file."""
    changes = [(AT, "a", {"prompt": "1"})]
    assert pack(changes) == pack(changes)


def test_changes_come_oldest_first() -> None:
    """Others are refused, as places in a list would mean other times."""
    with pytest.raises(ValueError, match="oldest first"):
        pack([(AT.replace(month=4), "a", None), (AT, "a", None)])


@pytest.mark.parametrize("text", ["", "not gzip", "{", "7", "7\n\n\n\n\n\n", "[2,[]]\n\n\n\n\n\n", "[3,7]\n\n\n\n\n\n"])
def test_what_is_foreign_is_refused(text: str) -> None:
    """Torn, foreign, or of another format: one error says what to do."""
    content = text.encode()
    with pytest.raises(PayloadError, match="install the package anew"):
        unpack(content if text in ("", "not gzip") else gzip.compress(content))
