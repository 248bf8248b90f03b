"""What is known without asking anybody, and what it means in words."""

from __future__ import annotations

import threading

import pytest
from support.freshness import MODEL, Make, settle
from support.hands import Hands
from support.pages import shown
from support.upstream import Answer, Upstream, models

from openrouter_pricing import Pricing, Settings, UpstreamError
from openrouter_pricing.dashboard.state import State


def test_prices_that_are_fetched_while_a_page_is_shown(make_pricing: Make, upstream: Upstream) -> None:
    """Nobody waits for a fetch: the snapshot is shown while it runs, and the next page has what it brought."""
    hold = threading.Event()
    upstream.answer = Answer(models(), hold=hold)
    pricing = make_pricing()
    state = State.of(pricing)
    assert ("bundled", "Bundled") == (state.mood, state.word)
    assert "button" in state.advice
    hold.set()
    settle()
    state = State.of(pricing)
    assert ("fresh", "", 1) == (state.mood, state.advice, len(state.catalog))
    assert "1 models, 0 seconds old." == state.summary
    assert state.next_refresh.startswith("in ")
    assert 1 == len(upstream.requests)


def test_prices_that_grow_old(make_pricing: Make, upstream: Upstream, hands: Hands) -> None:
    """Past ``l2_ttl`` they are stale while one refresh runs behind; where it fails, they are called failing."""
    pricing = make_pricing(clock=hands.clock)
    pricing.cost(MODEL, 1)
    settle()
    hold = threading.Event()
    upstream.answer = Answer(b"no", 500, hold=hold)
    hands.turn(7300)
    state = State.of(pricing)
    assert ("stale", "due now") == (state.mood, state.next_refresh)
    assert "refreshed behind" in state.advice
    hold.set()
    settle()
    state = State.of(pricing)
    assert ("failing", "live" == state.stats.source) == (state.mood, False)
    assert "tried again in" in state.next_refresh
    assert [("Last error of a refresh", True), ("Failed fetches, StatusError", False)] == [
        (name, "500" in seen) for name, seen in state.troubles
    ]
    hands.turn(400)
    assert "tried again with the next question" == state_of_failed(pricing).next_refresh


def state_of_failed(pricing: Pricing) -> State:
    """Its state once a refresh that has begun with it has failed as well, and the time of the next one has come."""
    live = pricing._live
    held = live.current()
    settle()
    return State(held, pricing.stats(), True, 0.0, False, 1.0)


def test_offline(make_pricing: Make, upstream: Upstream) -> None:
    """The snapshot is shown, and nothing is said of a button."""
    state = State.of(make_pricing(offline=True))
    assert ("bundled", "never") == (state.mood, state.next_refresh)
    assert "offline" in state.advice
    assert [] == upstream.requests


def test_no_prices_at_all(make_pricing: Make) -> None:
    """Without a fallback there may be none, and what to do is said."""
    state = State.of(make_pricing(offline=True, fallback=False))
    assert ("none", "No prices", "", None) == (state.mood, state.word, state.old, state.age)
    assert ("No prices are at hand.", 0) == (state.summary, len(state.catalog))
    assert "OPENROUTER_PRICING_FALLBACK" in state.advice
    assert {"ok": False, "state": "none", "source": None, "as_of": None, "age_seconds": None} == {
        name: state.to_dict()[name] for name in ("ok", "state", "source", "as_of", "age_seconds")
    }


def test_a_pinned_list(pinned: Pricing) -> None:
    """It is called so, and never refreshed."""
    state = State.of(pinned)
    assert ("pinned", "never", None) == (state.mood, state.next_refresh, state.due_in)
    assert (True, 5, "closed") == tuple(state.to_dict()[name] for name in ("ok", "models", "breaker"))


def test_hit_ratios(make_pricing: Make, hands: Hands) -> None:
    """Of memory and store; nothing before there was anything."""
    pricing = make_pricing(clock=hands.clock)
    state = State.of(pricing)
    assert None is state.memory_hits
    settle()
    for _ in range(10):
        pricing.cost(MODEL, 1)
    state = State.of(pricing)
    assert state.memory_hits == 1 - state.stats.l2_checks / 10
    assert 0.0 == state.store_hits
    assert None is State.of(make_pricing(offline=True)).store_hits


def test_the_warmer_starts_where_it_is_wanted(make_pricing: Make) -> None:
    """A page is a question like any other."""
    pricing = make_pricing(warm=True)
    State.of(pricing)
    assert pricing.stats().warmer_alive
    settle()


def test_a_closed_pricing(make_pricing: Make, upstream: Upstream) -> None:
    """What it holds is still shown, and nobody is asked."""
    pricing = make_pricing()
    pricing.cost(MODEL, 1)
    pricing.close()
    state = State.of(pricing)
    assert ("fresh", None) == (state.mood, state.due_in)
    assert 1 == len(upstream.requests)
    with pytest.raises(UpstreamError):
        pricing.refresh()


def test_every_page_of_a_pinned_list() -> None:
    """All of them answer."""
    client = shown()
    paths = ("/", "/models", f"/models/{MODEL}", "/changes", "/healthz")
    assert [200] * 5 == [client.get(path).status_code for path in paths]
    assert Settings(offline=True).offline
