"""What holds on to prices while an object lives."""

from __future__ import annotations

import contextlib

import pytest
from support.freshness import Make, source
from support.upstream import row

from openrouter_pricing import Catalog, Pricing, PricingError, Settings


@pytest.mark.parametrize("error", [None, ZeroDivisionError()])
def test_leaving_closes(make_pricing: Make, error: Exception | None) -> None:
    """A ``with`` block ends with a closed object, also where it ends with an error, which goes on."""
    pricing = make_pricing()
    with contextlib.suppress(ZeroDivisionError), pricing:
        assert source(pricing) == "live"
        if error is not None:
            raise error
    with pytest.raises(PricingError, match="closed"):
        pricing.start_warmer()


def test_a_pinned_list_has_the_same_ways() -> None:
    """Everything that keeps prices current may be called, and does nothing or says why it cannot."""
    with Pricing(Settings(), catalog=Catalog.from_models([row()])) as pricing:
        pricing.warm()
        pricing.start_warmer()
        pricing.stop_warmer()
        assert (pricing.stats().source, pricing.stats().models, pricing.stats().warmer_alive) == ("pinned", 1, False)
        for force in (False, True):
            with pytest.raises(PricingError, match="pinned"):
                pricing.refresh(force=force)
    assert source(pricing) == "pinned"
