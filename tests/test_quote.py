"""The quoter: questions that take more than two counts and a plain price."""

from __future__ import annotations

from datetime import datetime, timezone
from decimal import Decimal

import pytest
from support.hands import Hands
from support.pinned import ROWS

from openrouter_pricing import (
    Catalog,
    Pricing,
    Settings,
    UnknownModelError,
    UnpricedUsageError,
    Usage,
    VariablePriceError,
)


def test_the_short_way_and_the_long_way_agree(pinned: Pricing) -> None:
    """The first question, the later ones and those with a Usage give equal answers."""
    first = pinned.cost("openai/gpt-4o-mini", 1000, 500)
    second = pinned.cost("openai/gpt-4o-mini", 1000, 500)
    long = pinned.cost("openai/gpt-4o-mini", usage=Usage(1000, 500))
    assert first == second == long
    assert first.lines == second.lines == long.lines
    assert first.to_dict() == second.to_dict() == long.to_dict()


def test_parts_that_are_more_than_their_whole_are_told(pinned: Pricing) -> None:
    """Counts of one's own are clamped like those of a response, and flagged like them."""
    usage = Usage(100, 10, cached_tokens=600, reasoning_tokens=11)
    cost = pinned.cost("openai/gpt-4o-mini", usage=usage)
    flags = ("cached_tokens 600 of prompt_tokens 100", "reasoning_tokens 11 of completion_tokens 10")
    assert flags == cost.flags == cost.replay(pinned.catalog()).flags
    assert [100, 10] == [line.quantity for line in cost.lines]
    assert () == pinned.cost("openai/gpt-4o-mini", usage=Usage(100, 10, cached_tokens=100, reasoning_tokens=10)).flags


def test_requests_are_charged_each_time(pinned: Pricing) -> None:
    """A price per request is charged on every call, also the second one."""
    assert [pinned.cost("a/asking", 1).raw for _ in range(3)] == [Decimal("0.005")] * 3


def test_models_that_cannot_be_priced(pinned: Pricing) -> None:
    """An unknown model, a router and an unpriced dimension are errors of their own, and never a price of 0."""
    with pytest.raises(UnknownModelError, match="did you mean 'openai/gpt-4o-mini'"):
        pinned.cost("openai/gpt4o-mini", 1)
    with pytest.raises(VariablePriceError):
        pinned.cost("a/router", 1)
    with pytest.raises(UnpricedUsageError):
        pinned.cost("a/prompt-only", 1, 1)
    assert pinned.cost("a/prompt-only", 1).raw == 1


def test_time_windows(hands: Hands) -> None:
    """Prices that depend on the time take the instant of the call, or the wall clock where none is given."""
    pricing = Pricing(Settings(), catalog=Catalog.from_models(ROWS), clock=hands.clock)
    night = datetime(2026, 1, 1, 23, tzinfo=timezone.utc)
    assert pricing.cost("a/nightly", 1).raw == 2
    assert pricing.cost("a/nightly", 1, at=night).raw == 1
    hands.turn(11 * 3600)
    assert pricing.cost("a/nightly", 1).raw == 1


def test_an_unknown_model_does_not_grow_memory(pinned: Pricing) -> None:
    """Names that were asked for are kept at hand up to a limit, whatever callers ask for."""
    held = pinned._cache.held
    assert held is not None
    held.prices.update({str(number): None for number in range(10_000)})
    pinned.cost("openai/gpt-4o-mini", 1)
    assert "openai/gpt-4o-mini" not in held.prices
