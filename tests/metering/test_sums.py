"""Sums of floats that are to the digit those of the decimals that they print."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openrouter_pricing._base import money
from openrouter_pricing.metering.sums import Sum

AMOUNTS = (
    st.just(0)
    | st.integers(0, 10**20)
    | st.floats(1e-39, 1e38)
    | st.integers(0, 10**15).map(lambda number: number / 1e9)
    | st.integers(0, 10**8).map(lambda number: number / 1e12)
    | st.integers(0, 10**4).map(lambda number: number * 1e-7 * 3)
)


@given(st.lists(AMOUNTS), st.lists(AMOUNTS))
def test_any_amounts(first: list[float], second: list[float]) -> None:
    """Whatever the amounts, the sum and its trailing zeros are those of adding decimals."""
    total = Sum()
    for amounts in (first, second):
        total.floats += amounts
        total.fold()

    assert money.text(money.total([money.read(amount, "amount") for amount in first + second])) == money.text(
        total.take()
    )


@pytest.mark.parametrize(
    ("amounts", "text"),
    [
        ([], "0"),
        ([0, 0.0, -0.0], "0"),
        ([1.0], "1.0"),
        ([1], "1"),
        ([0.5, 1], "1.5"),
        ([0.000001, 1.0], "1.000001"),
        ([0.1, 0.2], "0.3"),
        ([0.30000000000000004], "0.30000000000000004"),
        ([1e-12, 1e-13], "1.1E-12"),
        ([999.999999999999, 1e15], "1000000000000999.999999999999"),
    ],
)
def test_some_amounts(amounts: list[float], text: str) -> None:
    """A float counts as what it prints, and with as many places."""
    total = Sum()
    total.floats += amounts

    assert text == money.text(total.take())
    assert "0" == money.text(total.take())


def test_decimals_are_added_too() -> None:
    """Decimals and floats are one sum."""
    total = Sum()
    total.floats.append(0.25)
    total.add(Decimal("0.1234567890123456789"))

    assert Decimal("0.3734567890123456789") == total.take()
