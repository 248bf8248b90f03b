"""The proof: a table that says anything else than charge() is found out."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from support.bulk import catalog

from openrouter_pricing import PricingError, Usage
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
    model = catalog()["a/parts"]
    ((_, entry),) = book._made[model.id]
    lines = list(book._lines)
    line = lines[entry.first]
    steps = {**line.plan.steps, name: line.plan.steps[name] + Decimal("0.00000001")}
    lines[entry.first] = line._replace(plan=line.plan._replace(steps=steps))
    prove(book.table(), [(model, entry)], 24, None)
    with pytest.raises(PricingError, match=r"the billing rules of a/parts cannot be carried to many rows: .* at .*day"):
        prove(Table(lines, 24, rounded=False), [(model, entry)], 24, None)


@pytest.mark.parametrize(
    "turn",
    [
        lambda usage: usage.prompt_tokens == 123_457,
        lambda usage: usage.completion_tokens == 54_321,
        lambda usage: 7_341 < usage.prompt_tokens < 9_113,
        lambda usage: usage.completion_tokens > 3_141_593,
        lambda usage: usage.prompt_tokens % 37 == 5,
        lambda usage: usage.cached_tokens > 271_829 > usage.reasoning_tokens,
    ],
)
@pytest.mark.parametrize("model_id", ["a/plain", "a/timed", None])
def test_a_rule_that_turns_anywhere_is_found_out(
    turn: Callable[[Usage], bool], model_id: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At sizes that nobody has thought of, and of one model alone."""
    charge = cost.charge

    def dear(rates: Any, usage: Usage, *asked: Any, **options: Any) -> Any:
        made = charge(rates, usage, *asked, **options)
        if turn(usage) and model_id in (None, options.get("model_id")):
            made.raw += 1
        return made

    monkeypatch.setattr(cost, "charge", dear)
    with pytest.raises(PricingError, match="cannot be carried to many rows"):
        PriceBook(catalog())


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
