"""The warmer: refreshes before prices are missed, and survives everything."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from openrouter_pricing.backends.memory import MemoryBackend
from support.freshness import live
from support.hands import Hands
from support.upstream import Answer, Upstream, row
from support.upstream import steady as models
from support.waiting import PATIENCE, until

from openrouter_pricing import Pricing
from openrouter_pricing._freshness.warmer import Warmer

MODEL = "openai/gpt-4o-mini"
Make = Callable[..., Pricing]


def warmers() -> set[threading.Thread]:
    """The threads of all warmers."""
    return {thread for thread in threading.enumerate() if thread.name == "openrouter-pricing-warmer"}


@pytest.fixture
def warm(make_pricing: Make) -> Iterator[Callable[..., Pricing]]:
    """Makes objects whose warmer works every fraction of a second."""

    def make(**options: Any) -> Pricing:
        return make_pricing(**{"warm_interval": 0.1, "l1_ttl": 60, **options})

    yield make
    assert [thread.name for thread in warmers() if not thread.daemon] == []


def test_it_refreshes_before_prices_are_missed(warm: Make, upstream: Upstream) -> None:
    """A price change reaches the process although nobody asks and its own time without looking is long."""
    pricing = warm()
    before = warmers()
    pricing.start_warmer()
    pricing.start_warmer()
    until(lambda: len(upstream.requests) >= 2)
    upstream.say(row(pricing={"prompt": "5", "completion": "0"}))
    until(lambda: pricing.cost(MODEL, 1).raw == 5)
    assert pricing.stats().warmer_alive
    assert len(warmers() - before) == 1
    pricing.stop_warmer()
    assert not pricing.stats().warmer_alive
    pricing.stop_warmer()


def test_it_starts_with_the_first_question(warm: Make) -> None:
    """``warm`` starts it with the first question, and not before."""
    pricing = warm(warm=True)
    assert not pricing.stats().warmer_alive
    pricing.cost(MODEL)
    assert pricing.stats().warmer_alive


def test_it_stops_at_once(make_pricing: Make, upstream: Upstream) -> None:
    """Stopping ends its sleep of an hour and does not wait for a fetch that hangs, which closing ends too."""
    pricing = make_pricing(warm_interval=3600)
    pricing.warm()
    before = warmers()
    pricing.start_warmer()
    [asleep] = warmers() - before
    pricing.stop_warmer()
    asleep.join(PATIENCE)
    assert not asleep.is_alive()
    hold = threading.Event()
    upstream.answer = Answer(models(), hold=hold)
    pricing = make_pricing(warm_interval=3600, read_timeout=3600, deadline=3600)
    before = warmers()
    pricing.start_warmer()
    [fetching] = warmers() - before
    until(lambda: len(upstream.requests) == 2)
    stopping = threading.Thread(target=pricing.stop_warmer)
    stopping.start()
    stopping.join(PATIENCE)
    assert (False, True) == (stopping.is_alive(), fetching.is_alive())
    pricing.close()
    fetching.join(PATIENCE)
    assert not fetching.is_alive()
    hold.set()


def test_it_survives_everything(warm: Make, upstream: Upstream, caplog: pytest.LogCaptureFixture) -> None:
    """Upstream failures and errors of its own do not end it."""
    upstream.fail(500)
    pricing = warm(breaker_threshold=1000)
    pricing.start_warmer()
    until(lambda: pricing.stats().failures.get("StatusError", 0) >= 1)
    renew = live(pricing).cache.adopt_stored
    live(pricing).cache.adopt_stored = lambda: 1 / 0  # type: ignore[method-assign,assignment,return-value]
    until(lambda: "a round of the warmer failed" in caplog.text)
    live(pricing).cache.adopt_stored = renew  # type: ignore[method-assign]
    upstream.say()
    until(lambda: pricing.stats().refreshes >= 1)
    assert pricing.stats().warmer_alive


def test_warmers_of_many_processes_fetch_once(make_pricing: Make, upstream: Upstream, hands: Hands) -> None:
    """A warmer that finds fresh prices in the store takes them over instead of fetching."""
    backend = MemoryBackend()
    first, second = (make_pricing(clock=hands.clock, backend=backend, warm_interval=600) for _ in range(2))
    rounds = []
    for pricing in (first, second, first, second):
        rounds.append(live(pricing).warmer._round())
    assert len(upstream.requests) == 1
    hands.turn(599)
    for pricing in (first, second):
        rounds.append(live(pricing).warmer._round())
    assert len(upstream.requests) == 1
    hands.turn(2)
    for pricing in (first, second):
        rounds.append(live(pricing).warmer._round())
    assert rounds == [600, 600, 600, 600, 1, 1, 600, 600]
    assert len(upstream.requests) == 2


@pytest.mark.parametrize(("chance", "seconds"), [(0.0, 540), (0.5, 600), (1.0, 660)])
def test_its_rounds_are_jittered(make_pricing: Make, hands: Hands, chance: float, seconds: float) -> None:
    """Warmers spread over ten percent of the interval either way."""
    hands.chance = chance
    pricing = make_pricing(clock=hands.clock, warm_interval=600)
    assert live(pricing).warmer._round() == pytest.approx(seconds)


def test_after_a_failure_it_waits_for_the_back_off(make_pricing: Make, upstream: Upstream, hands: Hands) -> None:
    """A failed round is tried again after the back-off, or a tenth of the interval if that is longer."""
    upstream.fail(429, Retry_After="500")
    pricing = make_pricing(clock=hands.clock, warm_interval=600)
    assert live(pricing).warmer._round() == 500
    upstream.fail(500)
    hands.turn(501)
    assert live(pricing).warmer._round() == 60


def test_it_may_stop_itself(make_pricing: Make, upstream: Upstream) -> None:
    """Closing from within the warmer's own thread does not wait for itself."""
    pricing = make_pricing(warm_interval=0.05)
    closed = threading.Event()

    def close() -> None:
        pricing.close()
        closed.set()

    live(pricing).cache.adopt_stored = close  # type: ignore[method-assign]
    pricing.start_warmer()
    assert closed.wait(PATIENCE)
    assert isinstance(live(pricing).warmer, Warmer)


def test_two_threads_start_one_warmer(make_pricing: Make) -> None:
    """Who finds that another thread is just starting the warmer leaves it at that."""
    pricing = make_pricing()
    warmer = live(pricing).warmer
    warmer._runs.get()._first.clear()  # the other one is about to start it
    warmer.start()
    assert not warmer.alive
    warmer._runs.pop()


def test_it_does_not_start_in_the_master_of_uwsgi(make_pricing: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """A master that will fork gets no thread; each worker starts its own when it first looks."""
    worker = 0
    monkeypatch.setitem(sys.modules, "uwsgi", SimpleNamespace(worker_id=lambda: worker))
    pricing = make_pricing(warm=True, l1_ttl=0)
    pricing.cost(MODEL)
    assert not pricing.stats().warmer_alive
    worker = 1
    pricing.cost(MODEL)
    assert pricing.stats().warmer_alive
