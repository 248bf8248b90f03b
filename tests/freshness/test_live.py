"""What keeps prices current, until it is closed."""

from __future__ import annotations

import pytest
from support.freshness import Make, source
from support.hands import Hands
from support.upstream import Upstream

from openrouter_pricing import (
    PricingError,
    TransportError,
)


def test_close(make_pricing: Make, upstream: Upstream, hands: Hands) -> None:
    """A closed object still answers from what it holds, asks nobody, and cannot be refreshed."""
    pricing = make_pricing(clock=hands.clock)
    source(pricing)
    pricing.close()
    pricing.close()
    assert source(pricing) == "live"
    hands.turn(3601)
    assert source(pricing) == "stale"
    assert len(upstream.requests) == 1
    with pytest.raises(TransportError, match="closed"):
        pricing.refresh()
    with pytest.raises(PricingError, match="closed"):
        pricing.start_warmer()


def test_close_before_the_first_question(make_pricing: Make, upstream: Upstream) -> None:
    """An object that was closed unused answers from the snapshot."""
    pricing = make_pricing()
    pricing.close()
    assert source(pricing) == "bundled"
    assert upstream.requests == []
