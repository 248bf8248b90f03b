"""The proof: a table that says anything else than charge() is found out."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from support.bulk import catalog

from openrouter_pricing import PricingError
from openrouter_pricing._billing import cost
from openrouter_pricing._bulk.book import PriceBook
from openrouter_pricing._bulk.proof import prove
from openrouter_pricing._bulk.table import Table


@pytest.mark.parametrize(
    "name", ["prompt_tokens", "cached_tokens", "reasoning_tokens", "requests", "web_searches", "cache_write_1h_tokens"]
)
def test_a_wrong_step_is_found_out(name: str) -> None:
    """By a unit of the last place of any price."""
    book = PriceBook(catalog())
    model, entry = next((model, entry) for model, entry in book._made.values() if model.id == "a/parts")
    lines = list(book._lines)
    line = lines[entry.first]
    steps = {**line.plan.steps, name: line.plan.steps[name] + Decimal("0.00000001")}
    lines[entry.first] = line._replace(plan=line.plan._replace(steps=steps))
    prove(book.table(), [(model, entry)], 24, None)
    with pytest.raises(PricingError, match=r"the billing rules of a/parts cannot be carried to many rows: .* at .*day"):
        prove(Table(lines, 24, rounded=False), [(model, entry)], 24, None)


def test_amounts_finer_than_any_price_are_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """A rule may divide."""
    charge = cost.charge

    def dividing(*asked: Any, **options: Any) -> Any:
        made = charge(*asked, **options)
        if made.raw > 1:
            made.raw = made.raw.scaleb(-30)
        return made

    monkeypatch.setattr(cost, "charge", dividing)
    with pytest.raises(PricingError, match="cannot be carried to many rows"):
        PriceBook(catalog())
