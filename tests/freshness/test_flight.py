"""Single flight: one refresh at a time, its deadline, and the back-off after it failed."""

from __future__ import annotations

import threading
from types import SimpleNamespace
from typing import Any

import pytest
from openrouter_pricing.backends.memory import MemoryBackend
from support.freshness import MODEL, Make, Patient, Scripted, live, priced, process, settle, source
from support.hands import Hands
from support.upstream import Answer, Upstream
from support.upstream import steady as models
from support.waiting import PATIENCE, until

from openrouter_pricing import (
    CircuitOpenError,
    Fetched,
    PricingError,
    StatusError,
)
from openrouter_pricing._base.latch import Latch
from openrouter_pricing._freshness.flight import Flight


def test_back_off_grows_and_is_jittered(make_pricing: Make, upstream: Upstream, hands: Hands) -> None:
    """Each failure in a row doubles the pause, up to a limit, with jitter; 401, 403 and 404 wait longer."""
    pricing = make_pricing(clock=hands.clock, breaker_threshold=1000)
    upstream.fail(500)

    def pauses(times: int) -> list[float]:
        found = []
        for _ in range(times):
            with pytest.raises(StatusError):
                pricing.refresh()
            found.append(live(pricing).cache.retry_in())
        return found

    assert pauses(11) == [0.75, 1.5, 3, 6, 12, 24, 48, 96, 192, 225, 225]
    upstream.say()
    pricing.refresh()
    assert live(pricing).cache.retry_in() == 0
    hands.chance = 0.0
    for status in (401, 403, 404):
        upstream.fail(status)
        assert pauses(1)[0] in (30, 60, 120)
    upstream.say()
    pricing.refresh()
    upstream.fail(429, Retry_After="120")
    assert pauses(1) == [120]
    upstream.fail(429, Retry_After="999999")
    assert pauses(1) == [3600]


def test_the_back_off_ends_to_the_instant(make_pricing: Make, upstream: Upstream, hands: Hands) -> None:
    """Until the pause is over nobody starts a refresh; when it is over, the next question does."""
    pricing = make_pricing(clock=hands.clock, backend=MemoryBackend(), l1_ttl=0)
    upstream.fail(500)
    with pytest.raises(StatusError):
        pricing.refresh()
    begun = len(upstream.requests)
    hands.turn(0.5)
    assert "bundled" == source(pricing)
    assert begun == len(upstream.requests)
    upstream.say()
    hands.turn(0.25)
    source(pricing)
    settle()
    assert (begun + 1, "live") == (len(upstream.requests), source(pricing))


def test_a_source_is_told_how_long_it_has(make_pricing: Make, hands: Hands) -> None:
    """All that is left of the deadline, and never nothing."""

    class Noting(Scripted):
        def fetch(self, *, etag: str | None, deadline: float) -> Fetched:
            told.append(deadline)
            return super().fetch(etag=etag, deadline=deadline)

    told: list[float] = []
    source = Noting(Fetched(200, {}, models()))
    make_pricing(client=source, clock=hands.clock, deadline=7).refresh()
    assert [7.0] == told


def test_the_breaker_opens_and_probes(make_pricing: Make, upstream: Upstream, hands: Hands) -> None:
    """After three failed fetches nobody asks for a minute; then one probe decides."""
    upstream.fail(500)
    pricing = make_pricing(clock=hands.clock)
    for _ in range(3):
        with pytest.raises(StatusError):
            pricing.refresh()
    assert pricing.stats().breaker == "open"
    with pytest.raises(CircuitOpenError):
        pricing.refresh()
    hands.turn(30)
    assert source(pricing) == "bundled"
    live(pricing).cache.renew()
    assert len(upstream.requests) == 3
    hands.turn(31)
    assert pricing.stats().breaker == "half-open"
    upstream.say()
    pricing.refresh()
    assert pricing.stats().breaker == "closed"


def test_a_fetch_that_outlives_its_deadline(
    make_pricing: Make, upstream: Upstream, hands: Hands, patient: Patient
) -> None:
    """The caller is let go at the deadline, the slot is free again, and what still comes is dropped."""
    hold = threading.Event()
    upstream.answer = Answer(models(priced("9")), hold=hold)
    pricing = make_pricing(client=patient, clock=hands.clock, deadline=0.2)
    assert source(pricing) == "bundled"
    assert pricing.stats().abandoned == 1
    hold.set()
    settle()
    assert source(pricing) == "bundled"
    upstream.say(priced("1"))
    hands.turn(1)
    live(pricing).cache.renew(wait=False)  # whoever waited would have a fifth of a second for it
    settle()
    assert pricing.cost(MODEL, 1).raw == 1


def test_a_late_answer_is_dropped(make_pricing: Make, hands: Hands) -> None:
    """What a fetch brings after its deadline is neither believed nor stored; the next one is not held up."""
    client = Scripted(Fetched(200, {}, models(priced("9"))), Fetched(200, {}, models(priced("1"))))
    client.hold = threading.Event()
    backend = MemoryBackend()
    pricing = make_pricing(client=client, backend=backend, clock=hands.clock)
    live(pricing).cache.renew(wait=False)
    until(lambda: client.asked)
    hands.turn(PATIENCE)
    assert source(pricing) == "bundled"
    assert pricing.stats().abandoned == 1
    first = client.hold
    client.hold = None
    backend.delete(next(key for key in backend._values if "lease" in key))
    pricing.refresh()
    first.set()
    settle()
    assert pricing.cost(MODEL, 1).raw == 1
    assert not any(b'"9"' in value for value, _ in backend._values.values())


def test_a_background_fetch_that_hangs_loses_its_slot(make_pricing: Make, hands: Hands) -> None:
    """A refresh behind that never ends is replaced when its deadline has passed, with nobody waiting for it."""
    client = Scripted(*[Fetched(200, {}, models(priced(price))) for price in ("1", "2", "3")])
    pricing = make_pricing(client=client, clock=hands.clock)
    source(pricing)
    hold = client.hold = threading.Event()
    hands.turn(3601)
    assert source(pricing) == "stale"
    until(lambda: len(client.asked) == 2)
    client.hold = None
    hands.turn(61)
    assert source(pricing) == "stale"
    assert pricing.stats().abandoned == 1
    hold.set()
    hands.turn(61)
    source(pricing)
    settle()
    assert pricing.cost(MODEL, 1).raw == 3


def test_threads_that_cannot_start(make_pricing: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a thread to fetch in (interpreter shutdown, say) the snapshot answers."""

    def refuse(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    pricing = make_pricing(backend=MemoryBackend())
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        assert source(pricing) == "bundled"
        pricing.start_warmer()
        assert not pricing.stats().warmer_alive
    assert pricing.stats().failures == {"TransportError": 1}
    assert pricing.stats().backend_errors > 0


def test_many_threads_one_request(make_pricing: Make, upstream: Upstream) -> None:
    """200 threads that ask at once, cold, cause exactly one request and all get the live price."""
    upstream.answer = Answer(models(), hold=(hold := threading.Event()))
    pricing = make_pricing(pool_size=1)
    start, answers = threading.Barrier(201), []

    def ask() -> None:
        start.wait()
        answers.append(source(pricing))

    threads = [threading.Thread(target=ask) for _ in range(200)]
    for thread in threads:
        thread.start()
    start.wait()
    hold.set()
    for thread in threads:
        thread.join()
    assert answers == ["live"] * 200
    assert len(upstream.requests) == 1


def test_refresh_joins_a_fetch_under_way(make_pricing: Make, upstream: Upstream) -> None:
    """Two refreshes at once are one fetch."""
    upstream.answer = Answer(models(), hold=(hold := threading.Event()))
    pricing = make_pricing()
    flights = process(pricing).flights
    waiting: list[Flight] = []
    wait = flights.wait

    def noted(flight: Flight) -> None:
        waiting.append(flight)
        wait(flight)

    flights.wait = noted  # type: ignore[method-assign]
    threads = [threading.Thread(target=pricing.refresh) for _ in range(2)]
    for thread in threads:
        thread.start()
    until(lambda: len(waiting) == 2)
    hold.set()
    for thread in threads:
        thread.join()
    assert waiting[0] is waiting[1]
    assert len(upstream.requests) == 1


def test_a_slot_is_taken_away_once(make_pricing: Make, upstream: Upstream, patient: Patient) -> None:
    """Of two callers whose patience ends at the same moment, one takes the slot away."""
    upstream.answer = Answer(models(), hold=(hold := threading.Event()))
    pricing = make_pricing(client=patient, deadline=0.2)
    flights = process(pricing).flights
    flight = flights.start(asked=True)
    assert flight is not None
    flights.wait(flight)
    flights._abandon(flight)
    assert pricing.stats().abandoned == 1
    hold.set()


def test_close_in_the_middle_of_a_fetch(make_pricing: Make, upstream: Upstream) -> None:
    """Whoever waits for a fetch is let go when the object is closed."""
    upstream.answer = Answer(models(), hold=(hold := threading.Event()))
    pricing = make_pricing()
    failed: list[PricingError] = []

    def refresh() -> None:
        try:
            pricing.refresh()
        except PricingError as error:
            failed.append(error)

    thread = threading.Thread(target=refresh)
    thread.start()
    until(lambda: upstream.requests)
    pricing.close()
    thread.join(PATIENCE)
    assert not thread.is_alive()
    assert "closed" in str(failed[0])
    hold.set()


def test_closing_waits_for_the_last_refresh_and_no_earlier_one(make_pricing: Make) -> None:
    """One that has stored what it brought is over: the moment that closing gives is the one's that is under way."""
    flights = process(make_pricing()).flights
    joined: list[float] = []
    flights._thread = SimpleNamespace(ident=1, join=joined.append)  # type: ignore[assignment]
    flights._finished = Latch()
    flights.join(0.4, 0)
    assert joined == []
    flights._finished.set()
    flights.join(0.4, PATIENCE)
    assert joined == [0.4]


def test_nothing_is_told_while_the_slot_is_locked(
    make_pricing: Make, upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A handler that closes waits for that lock, and may interrupt one who has what counting or telling needs."""
    pricing = make_pricing()
    flights = process(pricing).flights
    free: list[bool] = []

    def look(*args: Any) -> None:
        def take() -> None:
            free.append(flights.publishing.acquire(blocking=False))
            if free[-1]:
                flights.publishing.release()

        other = threading.Thread(target=take)
        other.start()
        other.join(PATIENCE)

    monkeypatch.setattr(flights._recorder, "failed", look)
    monkeypatch.setattr(flights._recorder, "refreshed", look)
    monkeypatch.setattr(live(pricing).cache, "_listener", look)
    pricing.refresh()
    upstream.fail(500)
    with pytest.raises(StatusError):
        pricing.refresh()
    settle()
    assert free == [True] * 3
