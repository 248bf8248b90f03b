"""Prices, conditions and categories in words."""

from __future__ import annotations

from decimal import Decimal

import pytest

from openrouter_pricing import Category
from openrouter_pricing._prices.rates import Override
from openrouter_pricing._prices.words import THRESHOLDS, conditions_words, counted, ratio, thresholds


@pytest.mark.parametrize(
    ("mean", "category"), [("0.999", "Budget"), ("1", "Standard"), ("9.99", "Fast"), ("50", "Reasoning")]
)
def test_thresholds_are_those_of_the_categories(mean: str, category: str) -> None:
    """The words agree with ``Category.of`` at each bound."""
    words = THRESHOLDS[Category.of(Decimal(mean))]

    assert category == Category.of(Decimal(mean)).value
    assert f"{category} {words}" in thresholds()
    bounds = [Decimal(word) for word in words.split() if word.isdigit()]
    assert not words.startswith("from") or bounds[0] <= Decimal(mean) < bounds[1]


def test_every_category_has_a_threshold() -> None:
    """None is left out, and they are in order."""
    assert list(Category) == list(THRESHOLDS)


@pytest.mark.parametrize(
    ("number", "shown"), [(272000, "272,000"), (Decimal("1E+6"), "1,000,000"), (Decimal("0.5"), "0.5"), (0, "0")]
)
def test_a_threshold_is_written_in_full(number: Decimal | int, shown: str) -> None:
    """Thousands are grouped, whatever the number was written like."""
    assert shown == counted(number)
    assert f"above {shown} prompt tokens" == conditions_words(Override({}, min_prompt_tokens=Decimal(number)))


@pytest.mark.parametrize(
    ("amount", "to", "shown"), [("3", "2", "1.50"), ("1", "3", "0.33"), ("2", "3", "0.67"), ("0", "3", "0.00")]
)
def test_a_ratio(amount: str, to: str, shown: str) -> None:
    """Two decimal places, half up; none to nothing."""
    assert shown == str(ratio(Decimal(amount), Decimal(to)))
    assert None is ratio(Decimal(amount), Decimal(0))
