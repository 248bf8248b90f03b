"""Money in templates."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from openrouter_pricing import Pricing
from openrouter_pricing._base.filters import per_million, usd


@pytest.mark.parametrize(
    ("amount", "shown"),
    [
        (Decimal("0.00058500"), "0.000585 USD"),
        (Decimal("4.16E-8"), "0.0000000416 USD"),
        ("1.50", "1.5 USD"),
        (0.1, "0.1 USD"),
        (-3, "-3 USD"),
        (None, "-"),
    ],
)
def test_amounts(amount: Any, shown: str) -> None:
    """An amount is plain: no exponent, no trailing zeros; one that is not known is no 0."""
    assert shown == usd(amount)


def test_a_cost_is_what_to_charge(pinned: Pricing) -> None:
    """Of a cost, and of a sum of costs, the total is shown."""
    cost = pinned.cost("openai/gpt-4o-mini", 1000, 500)
    assert usd(cost) == "0.000585 USD"
    assert usd(cost + cost) == "0.00117 USD"


def test_prices_per_million() -> None:
    """A price per token is shown per million tokens, and can be shown as an amount."""
    assert per_million(Decimal("1.5E-7")) == "0.15"
    assert usd(per_million("0.0000006")) == "0.6 USD"
    assert per_million(None) == "-"


@pytest.mark.parametrize(
    ("shown", "name", "error"),
    [(usd, "amount", TypeError), (per_million, "price", TypeError)],
)
def test_what_is_no_number(shown: Any, name: str, error: type[Exception]) -> None:
    """It is an error that names the argument."""
    with pytest.raises(error, match=f"{name} must be a Decimal"):
        shown([])
    with pytest.raises(ValueError, match=f"{name} is not a readable decimal number"):
        shown("dear")
