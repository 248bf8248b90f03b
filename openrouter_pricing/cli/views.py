"""How a terminal shows what prices are in words."""

from __future__ import annotations

from .._prices.model import Category
from .._prices.words import (
    MEAN,
    THRESHOLDS,
    conditions_words,
    counted,
    override_words,
    ratio,
    thresholds,
    unit_price,
)
from .terminal import Cell

__all__ = [
    "MEAN",
    "THRESHOLDS",
    "category_cell",
    "conditions_words",
    "counted",
    "override_words",
    "ratio",
    "thresholds",
    "unit_price",
]

_COLOURS = {
    Category.BUDGET: "green",
    Category.STANDARD: "cyan",
    Category.FAST: "yellow",
    Category.PREMIUM: "magenta",
    Category.REASONING: "red",
}


def category_cell(category: Category | None) -> Cell:
    """A category in its colour; a router model has none."""
    return Cell("-") if category is None else Cell(category.value, _COLOURS[category])
