"""How a terminal shows what prices are in words."""

from __future__ import annotations

from openrouter_pricing import Category
from openrouter_pricing.cli.views import category_cell


def test_a_category_has_a_colour() -> None:
    """Each has one of its own; a router model has no category."""
    cells = [category_cell(category) for category in Category]
    assert [category.value for category in Category] == [cell.plain for cell in cells]
    assert len(Category) == len({cell.style for cell in cells})
    assert ("-", "") == category_cell(None)
