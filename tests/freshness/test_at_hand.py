"""What is held is answered at once, for whoever must not wait for the network."""

from __future__ import annotations

import threading

import pytest
from support.endpoints import endpoint, offers, path
from support.freshness import MODEL, Make, live, settle
from support.upstream import Answer, Upstream, models
from support.waiting import PATIENCE

from openrouter_pricing import CatalogUnavailableError, Pricing


def test_nothing_is_waited_for(make_pricing: Make, upstream: Upstream) -> None:
    """The snapshot answers while one fetch runs behind, however often it is asked for."""
    hold = threading.Event()
    upstream.answer = Answer(models(), hold=hold)
    pricing = make_pricing(l1_ttl=0)
    assert ["bundled"] * 3 == [live(pricing).at_hand().origin.source for _ in range(3)]
    hold.set()
    settle()
    assert "live" == live(pricing).at_hand().origin.source
    assert 1 == len(upstream.requests)


def test_what_is_held_is_given_as_it_is(make_pricing: Make) -> None:
    """Within ``l1_ttl`` it is the very same object that questions are answered from."""
    pricing = make_pricing()
    pricing.cost(MODEL, 1)
    assert live(pricing).cache.held is live(pricing).at_hand()


def test_providers_at_hand(make_pricing: Make, upstream: Upstream) -> None:
    """None before anybody asks; then they are fetched within the patience, and held."""
    upstream.pages[path()] = Answer(offers(endpoint("Alpha", "alpha")))
    kept = live(make_pricing())
    assert None is kept.endpoints_at_hand(MODEL, None)
    found = kept.endpoints_at_hand(MODEL, PATIENCE)
    assert found is not None
    assert ["alpha"] == [each.tag for each in found]
    assert found is kept.endpoints_at_hand(MODEL, None)


def test_providers_that_cannot_be_had(make_pricing: Make, upstream: Upstream) -> None:
    """An error where they were asked for, and nothing where nobody asks."""
    upstream.pages[path()] = Answer(b"no", 500)
    kept = live(make_pricing())
    with pytest.raises(CatalogUnavailableError, match="500"):
        kept.endpoints_at_hand(MODEL, PATIENCE)
    assert None is kept.endpoints_at_hand(MODEL, None)


def test_a_pinned_list_is_at_hand(pinned: Pricing) -> None:
    """As ever, and without providers."""
    kept = pinned._live
    assert (kept.current(), None, None, False) == (
        kept.at_hand(),
        kept.endpoints_at_hand(MODEL, 0),
        kept.due_in(),
        kept.failing,
    )
