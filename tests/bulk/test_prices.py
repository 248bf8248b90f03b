"""Prices: what a book is made from."""

from __future__ import annotations

from typing import Any

import pytest
from support.bulk import catalog

from openrouter_pricing import Catalog, Markup, Pricing, Settings
from openrouter_pricing._bulk.prices import read_prices
from openrouter_pricing._history.bundled import BundledHistory


def test_a_pricing_gives_its_list_its_markup_and_its_history() -> None:
    """A pinned one has no past."""
    with Pricing(
        Settings(offline=True, backend="memory://", markup_rate=2), markup=Markup(models={"a/b": 3})
    ) as pricing:
        found = read_prices(pricing, None, None)
    assert isinstance(found.store, BundledHistory)
    assert (found.rate_of("a/b", None), found.rate_of("a/c", None), found.dated) == (3, 2, True)
    pinned = read_prices(Pricing(catalog=catalog()), None, None)
    assert pinned.store is None


def test_a_history_gives_its_last_list() -> None:
    """Rows without a time are none of its business."""
    found = read_prices(BundledHistory(), None, None)
    assert "openai/gpt-4o-mini" in found.catalog
    assert not found.dated


def test_a_history_without_a_list_is_refused() -> None:
    """There is nothing to price by."""

    class Empty(BundledHistory):
        def as_of(self, _: Any) -> Any:
            return None

    with pytest.raises(ValueError, match="prices is a history that holds no list"):
        read_prices(Empty(), None, None)


def test_a_catalogue_has_no_markup() -> None:
    """Unless one is given."""
    listed: Catalog = catalog()
    assert read_prices(listed, None, None).rate_of("a/plain", None) == 1
    assert read_prices(listed, "1.5", None).rate_of("a/plain", None) == read_prices(
        listed, None, Markup(rate=1.5)
    ).rate_of("a", None)
