"""Freshness: tiers, waiting, stale answers, fallback, single flight, belief. Time is a clock that the test turns."""

from __future__ import annotations

import json
import logging
import math
import os
import threading
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from openrouter_pricing.backends.memory import MemoryBackend
from support.hands import Hands
from support.upstream import Answer, Upstream, row
from support.upstream import steady as models
from support.waiting import PATIENCE, until

from openrouter_pricing import (
    Catalog,
    CatalogUnavailableError,
    CircuitOpenError,
    Client,
    Fetched,
    PayloadError,
    Pricing,
    PricingError,
    Settings,
    StatusError,
    TransportError,
    open_backend,
)
from openrouter_pricing._freshness.flight import Flight
from openrouter_pricing._freshness.store import Head

MODEL = "openai/gpt-4o-mini"
Make = Callable[..., Pricing]


def priced(price: str) -> dict[str, Any]:
    """The model at another price per prompt token."""
    return row(pricing={"prompt": price, "completion": "0"})


def many(count: int, start: int = 0) -> list[dict[str, Any]]:
    """So many models, one of which is the usual one."""
    return [row(MODEL), *(row(f"a/model-{number}") for number in range(start, start + count - 1))]


def settle(pricing: Pricing) -> None:
    """Wait for the refresh that runs behind."""
    for thread in threading.enumerate():
        if thread.name == "openrouter-pricing-refresh":
            thread.join(PATIENCE)
            assert not thread.is_alive()


def source(pricing: Pricing) -> str:
    """Where the answer to a question comes from."""
    return pricing.cost(MODEL, 1).source


# -- the first tier ----------------------------------------------------------------------------------------------------


def test_the_first_question_fetches(make_pricing: Make, upstream: Upstream, hands: Hands) -> None:
    """Nothing is asked at construction; the first question waits for one fetch."""
    pricing = make_pricing(clock=hands.clock)
    assert upstream.requests == []
    assert source(pricing) == "live"
    assert len(upstream.requests) == 1
    assert pricing.cost(MODEL, 1).as_of == hands.wall


def test_l1_answers_without_looking(make_pricing: Make, upstream: Upstream, hands: Hands) -> None:
    """Within ``l1_ttl`` neither backend nor upstream is asked; after it the backend is."""
    backend = MemoryBackend()
    pricing, other = (make_pricing(clock=hands.clock, backend=backend) for _ in range(2))
    assert pricing.cost(MODEL, 1).raw == Decimal("1.5E-7")
    upstream.say(priced("5"))
    hands.turn(1)
    other.refresh()
    hands.turn(58)
    assert pricing.cost(MODEL, 1).raw == Decimal("1.5E-7")
    hands.turn(2)
    assert pricing.cost(MODEL, 1).raw == 5
    assert len(upstream.requests) == 2


def test_a_process_reads_what_another_stored(make_pricing: Make, upstream: Upstream, tmp_path: Path) -> None:
    """A second object answers from the disk without a request."""
    url = f"disk://{tmp_path}/store"
    first = make_pricing(backend=open_backend(url))
    assert source(first) == "live"
    second = make_pricing(backend=open_backend(url))
    assert source(second) == "live"
    assert second.catalog() == first.catalog()
    assert len(upstream.requests) == 1
    assert second.stats().l2_reads == 1


def test_an_unchanged_catalogue_renews_the_head_only(make_pricing: Make, upstream: Upstream, hands: Hands) -> None:
    """After a 304, or the same rows once more, other processes learn the new date without reading a body."""
    backend = MemoryBackend()
    upstream.say(priced("1"), etag='"one"')
    pricing, other = (make_pricing(clock=hands.clock, backend=backend) for _ in range(2))
    pricing.refresh()
    source(other)
    for how in ({"etag": '"one"'}, {}):
        upstream.say(priced("1"), **how)
        hands.turn(61)
        pricing.refresh()
        hands.turn(1)
        assert other.cost(MODEL, 1).as_of == pricing.cost(MODEL, 1).as_of == hands.wall - timedelta(seconds=1)
    assert [r.headers.get("if-none-match") for r in upstream.requests] == [None, '"one"', '"one"']
    assert other.stats().l2_reads == 1
    assert pricing.stats().not_modified == 1
    assert len([key for key in backend._values if "catalog" in key]) == 1


def test_the_body_before_is_deleted(make_pricing: Make, upstream: Upstream) -> None:
    """A store holds one body, not one for each price change."""
    backend = MemoryBackend()
    pricing = make_pricing(backend=backend)
    for price in ("1", "2", "3"):
        upstream.say(priced(price))
        pricing.refresh()
    assert len([key for key in backend._values if "catalog" in key]) == 1
    assert not [key for key in backend._values if "lease" in key]


def test_two_upstreams_share_a_store_and_nothing_else(make_pricing: Make, upstream: Upstream) -> None:
    """Prices of one ``base_url`` never answer for another."""
    backend = MemoryBackend()
    source(make_pricing(backend=backend))
    other = make_pricing(backend=backend, base_url=f"{upstream.url}/mirror")
    upstream.answer = Answer(models(priced("7")))
    assert other.cost(MODEL, 1).raw == 7


# -- freshness ---------------------------------------------------------------------------------------------------------


def test_stale_while_revalidate(make_pricing: Make, upstream: Upstream, hands: Hands) -> None:
    """Past ``l2_ttl`` the answer is stale and at once, and one refresh runs behind."""
    pricing = make_pricing(clock=hands.clock)
    source(pricing)
    hold = threading.Event()
    upstream.answer = Answer(models(priced("2")), hold=hold)
    hands.turn(3601)
    stale = [pricing.cost(MODEL, 1) for _ in range(5)]
    assert [("stale", Decimal("1.5E-7"))] * 5 == [(cost.source, cost.raw) for cost in stale]
    hold.set()
    settle(pricing)
    fresh = pricing.cost(MODEL, 1)
    assert (fresh.source, fresh.raw) == ("live", 2)
    assert len(upstream.requests) == 2


def test_the_name_changes_the_moment_prices_grow_stale(make_pricing: Make, upstream: Upstream, hands: Hands) -> None:
    """Nothing is called live that is older than ``l2_ttl``, however recently the process looked."""
    pricing = make_pricing(clock=hands.clock)
    source(pricing)
    hands.turn(3590)
    assert source(pricing) == "live"
    upstream.fail(500)
    hands.turn(11)
    assert source(pricing) == "stale"


def test_too_old_prices_wait_for_a_refresh(make_pricing: Make, upstream: Upstream, hands: Hands) -> None:
    """Past ``stale_while_revalidate`` the question waits for the refresh."""
    pricing = make_pricing(clock=hands.clock)
    source(pricing)
    upstream.say(priced("3"))
    hands.turn(7201)
    cost = pricing.cost(MODEL, 1)
    assert (cost.source, cost.raw) == ("live", 3)


def test_stale_if_error(make_pricing: Make, upstream: Upstream, hands: Hands) -> None:
    """When the refresh fails, prices of any age are preferred to an error."""
    pricing = make_pricing(clock=hands.clock)
    source(pricing)
    upstream.fail(500)
    hands.turn(10 * 365 * 86400)
    assert source(pricing) == "stale"


def test_stale_if_error_is_bounded(make_pricing: Make, upstream: Upstream, hands: Hands) -> None:
    """Past ``stale_if_error`` the prices are as good as none: the snapshot answers, or an error."""
    limits = {"clock": hands.clock, "stale_while_revalidate": 500, "stale_if_error": 1000}
    pricing = make_pricing(**limits)
    strict = make_pricing(**limits, fallback=False)
    assert [source(pricing), source(strict)] == ["live", "live"]
    upstream.fail(500)
    hands.turn(4600)
    assert [source(pricing), source(strict)] == ["stale", "stale"]
    hands.turn(1)
    assert source(pricing) == "bundled", "prices are called stale for longer than allowed"
    with pytest.raises(CatalogUnavailableError):
        source(strict)


def test_no_stale_if_error_leaves_stale_while_revalidate(make_pricing: Make, upstream: Upstream, hands: Hands) -> None:
    """Stale prices answer while a refresh runs behind, also where errors must not be answered with stale prices."""
    pricing = make_pricing(clock=hands.clock, stale_if_error=0)
    source(pricing)
    upstream.fail(500)
    hands.turn(7200)
    assert source(pricing) == "stale"
    settle(pricing)
    hands.turn(1)
    assert source(pricing) == "bundled"


def test_nothing_held_and_nothing_to_be_had(make_pricing: Make, upstream: Upstream) -> None:
    """Cold and without an upstream, the snapshot answers; without the snapshot there is an error."""
    upstream.fail(500)
    cost = make_pricing().cost(MODEL, 1000, 500)
    assert (cost.source, cost.raw) == ("bundled", Decimal("0.00045"))
    strict = make_pricing(fallback=False)
    for _ in range(2):
        with pytest.raises(CatalogUnavailableError, match="HTTP status 500") as caught:
            strict.cost(MODEL)
        assert isinstance(caught.value.__cause__, StatusError)
    strict.warm()
    assert strict.stats().source is None


def test_the_snapshot_is_warned_of_once(
    make_pricing: Make, upstream: Upstream, hands: Hands, caplog: pytest.LogCaptureFixture
) -> None:
    """The first answer from the snapshot logs one warning; later ones are counted only."""
    upstream.fail(500)
    pricing = make_pricing(clock=hands.clock)
    with caplog.at_level(logging.WARNING, "openrouter_pricing.data"):
        for _ in range(3):
            source(pricing)
            hands.turn(61)
    assert len([r for r in caplog.records if "snapshot" in r.getMessage()]) == 1
    assert pricing.stats().bundled_answers == 3


def test_offline(make_pricing: Make, upstream: Upstream, tmp_path: Path, hands: Hands) -> None:
    """Offline answers from the store at any age, else from the snapshot; refreshing is an error."""
    backend = MemoryBackend()
    source(make_pricing(clock=hands.clock, backend=backend))
    hands.turn(86400)
    assert source(make_pricing(clock=hands.clock, backend=backend, offline=True)) == "stale"
    pricing = make_pricing(offline=True)
    assert source(pricing) == "bundled"
    with pytest.raises(PricingError, match="offline"):
        pricing.refresh()
    pricing.start_warmer()
    assert not pricing.stats().warmer_alive
    assert len(upstream.requests) == 1


# -- failing and waiting -----------------------------------------------------------------------------------------------


def test_only_the_first_failure_is_waited_for(make_pricing: Make, upstream: Upstream, hands: Hands) -> None:
    """After one failure nobody waits; refreshes run behind when the back-off allows, and a success ends it."""
    upstream.fail(500)
    pricing = make_pricing(clock=hands.clock)
    assert source(pricing) == "bundled"
    assert len(upstream.requests) == 1
    hold = threading.Event()
    upstream.answer = Answer(models(priced("4")), hold=hold)
    assert source(pricing) == "bundled"
    assert pricing._cache is not None
    pricing._cache.renew()
    assert len(upstream.requests) == 1, "the back-off was ignored"
    hands.turn(1.1)
    assert source(pricing) == "bundled"  # answered although the fetch hangs
    hold.set()
    settle(pricing)
    cost = pricing.cost(MODEL, 1)
    assert (cost.source, cost.raw) == ("live", 4)


def test_back_off_grows_and_is_jittered(make_pricing: Make, upstream: Upstream, hands: Hands) -> None:
    """Each failure in a row doubles the pause, up to a limit, with jitter; 401, 403 and 404 wait longer."""
    pricing = make_pricing(clock=hands.clock, breaker_threshold=1000)
    upstream.fail(500)

    def pauses(times: int) -> list[float]:
        found = []
        for _ in range(times):
            with pytest.raises(StatusError):
                pricing.refresh()
            assert pricing._cache is not None
            found.append(pricing._cache.retry_in())
        return found

    assert pauses(11) == [0.75, 1.5, 3, 6, 12, 24, 48, 96, 192, 225, 225]
    upstream.say()
    pricing.refresh()
    assert pricing._cache is not None
    assert pricing._cache.retry_in() == 0
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
    assert pricing._cache is not None
    pricing._cache.renew()
    assert len(upstream.requests) == 3
    hands.turn(31)
    assert pricing.stats().breaker == "half-open"
    upstream.say()
    pricing.refresh()
    assert pricing.stats().breaker == "closed"


def test_refresh_says_what_went_wrong(make_pricing: Make, upstream: Upstream) -> None:
    """A refresh that was asked for raises; the prices held before still answer."""
    pricing = make_pricing()
    source(pricing)
    upstream.fail(503)
    with pytest.raises(StatusError):
        pricing.refresh()
    assert source(pricing) == "live"
    assert pricing.stats().failures == {"StatusError": 1}
    assert pricing.stats().last_error == "upstream answered with HTTP status 503"


class Scripted:
    """A source of the test's own: raises or returns what it is told."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.asked: list[str | None] = []
        self.closed = 0
        self.hold: threading.Event | None = None

    def fetch(self, *, etag: str | None, deadline: float) -> Fetched:
        """The next answer."""
        hold, answer = self.hold, self.answers.pop(0)
        self.asked.append(etag)
        if hold is not None:
            hold.wait(PATIENCE)
        if isinstance(answer, Exception):
            raise answer
        assert isinstance(answer, Fetched)
        return answer

    def close(self) -> None:
        """Count it."""
        self.closed += 1


class Patient(Client):
    """A client that goes on after the deadline: it is its caller whose patience ends, and never both at once."""

    def fetch(self, *, etag: str | None = None, deadline: float | None = None) -> Fetched:
        """As it fetches without a hurry."""
        return super().fetch(etag=etag, deadline=PATIENCE)


@pytest.fixture
def patient(upstream: Upstream) -> Iterator[Patient]:
    """A client of the upstream that goes on after the deadline."""
    client = Patient(Settings(base_url=upstream.url, attempts=1, read_timeout=PATIENCE))
    yield client
    client.close()


def test_no_prices_for_another_reason_than_a_failure(make_pricing: Make) -> None:
    """Without a failed fetch the error says what kept prices from being there."""
    offline, closed = make_pricing(fallback=False, offline=True), make_pricing(fallback=False)
    closed.close()
    for pricing, words in ((offline, "the settings say offline"), (closed, "nothing could be fetched")):
        with pytest.raises(CatalogUnavailableError, match=words) as caught:
            pricing.cost(MODEL)
        assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (RuntimeError("boom"), TransportError),
        (Fetched(304), PayloadError),
        (Fetched(418), StatusError),
        (Fetched(200, {}, b"<html>"), PayloadError),
    ],
)
def test_a_source_of_ones_own_may_fail_in_any_way(make_pricing: Make, answer: Any, kind: type[Exception]) -> None:
    """Whatever a source raises or answers becomes an upstream error with its cause, and the snapshot answers."""
    pricing = make_pricing(client=Scripted(answer, answer))
    assert source(pricing) == "bundled"
    with pytest.raises(kind):
        pricing.refresh()


def test_collaborators_stay_their_owners(make_pricing: Make) -> None:
    """A backend or a source that was handed in is not closed."""
    backend, client = MemoryBackend(), Scripted(Fetched(200, {}, models()))
    pricing = make_pricing(backend=backend, client=client)
    assert source(pricing) == "live"
    pricing.close()
    assert client.closed == 0
    assert backend._values


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
    settle(pricing)
    assert source(pricing) == "bundled"
    upstream.say(priced("1"))
    hands.turn(1)
    assert pricing._cache is not None
    pricing._cache.renew(wait=False)  # whoever waited would have a fifth of a second for it
    settle(pricing)
    assert pricing.cost(MODEL, 1).raw == 1


def test_a_late_answer_is_dropped(make_pricing: Make, hands: Hands) -> None:
    """What a fetch brings after its deadline is neither believed nor stored; the next one is not held up."""
    client = Scripted(Fetched(200, {}, models(priced("9"))), Fetched(200, {}, models(priced("1"))))
    client.hold = threading.Event()
    backend = MemoryBackend()
    pricing = make_pricing(client=client, backend=backend, clock=hands.clock)
    assert pricing._cache is not None
    pricing._cache.renew(wait=False)
    until(lambda: client.asked)
    hands.turn(PATIENCE)
    assert source(pricing) == "bundled"
    assert pricing.stats().abandoned == 1
    first = client.hold
    client.hold = None
    backend.delete(next(key for key in backend._values if "lease" in key))
    pricing.refresh()
    first.set()
    settle(pricing)
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
    settle(pricing)
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


# -- single flight -----------------------------------------------------------------------------------------------------


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
    assert pricing._cache is not None
    flights = pricing._cache._process().flights
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


def test_a_question_beside_a_look_is_answered(make_pricing: Make, upstream: Upstream, hands: Hands) -> None:
    """While one thread looks, the others answer from what is held, under its right name."""
    pricing = make_pricing(clock=hands.clock)
    source(pricing)
    hands.turn(3601)
    assert pricing._cache is not None
    look = pricing._cache._process().look
    look.acquire()
    assert source(pricing) == "stale"
    look.release()


def test_the_lease_of_another_process_is_waited_for(make_pricing: Make, upstream: Upstream) -> None:
    """While another process fetches, this one waits for what it stores, and asks nothing itself."""
    backend = MemoryBackend()
    first, second = make_pricing(backend=backend), make_pricing(backend=backend)
    upstream.answer = Answer(models(priced("8")), hold=(hold := threading.Event()))
    threads = [threading.Thread(target=pricing.warm) for pricing in (first, second)]
    for thread in threads:
        thread.start()
    until(lambda: first.stats().lease_waits or second.stats().lease_waits)
    hold.set()
    for thread in threads:
        thread.join()
    assert [first.cost(MODEL, 1).raw, second.cost(MODEL, 1).raw] == [8, 8]
    assert len(upstream.requests) == 1


def test_refresh_beside_another_process_takes_what_it_stored(make_pricing: Make, upstream: Upstream) -> None:
    """A refresh that had to wait for another's lease is content with what that one fetched."""
    backend = MemoryBackend()
    first, second = make_pricing(backend=backend), make_pricing(backend=backend)
    upstream.answer = Answer(models(priced("8")), hold=(hold := threading.Event()))
    threads = [threading.Thread(target=pricing.refresh) for pricing in (first, second)]
    for thread in threads:
        thread.start()
    until(lambda: first.stats().lease_waits or second.stats().lease_waits)
    hold.set()
    for thread in threads:
        thread.join()
    assert len(upstream.requests) == 1


def test_a_dead_holders_lease_is_taken_over(make_pricing: Make, upstream: Upstream, hands: Hands) -> None:
    """When a lease runs out with nothing stored, its waiter fetches."""
    backend = MemoryBackend(monotonic=hands.clock.monotonic)
    pricing = make_pricing(backend=backend)
    assert pricing._cache is not None
    store = pricing._cache._process().store
    assert store.lease(5) is not None
    thread = threading.Thread(target=pricing.refresh)
    thread.start()
    until(lambda: pricing.stats().lease_waits)
    assert upstream.requests == []
    hands.turn(5)
    thread.join(PATIENCE)
    assert source(pricing) == "live"
    assert pricing.stats().lease_waits == 1
    assert len(upstream.requests) == 1


def test_a_lease_that_never_ends_is_not_waited_for_longer_than_the_deadline(
    make_pricing: Make, upstream: Upstream, hands: Hands
) -> None:
    """A holder that hangs costs the deadline once, and the snapshot answers; then its lease is taken over."""
    pricing = make_pricing(backend=MemoryBackend(), clock=hands.clock)
    assert pricing._cache is not None
    assert pricing._cache._process().store.lease(3600) is not None
    answers: list[str] = []
    thread = threading.Thread(target=lambda: answers.append(source(pricing)))
    thread.start()
    until(lambda: pricing.stats().lease_waits)
    hands.turn(PATIENCE)  # which is the deadline
    thread.join(PATIENCE)
    assert answers == ["bundled"]
    assert upstream.requests == []
    hands.turn(1)
    pricing.refresh()
    assert source(pricing) == "live"


def test_the_deadline_by_the_clock_ends_the_wait_for_a_lease(make_pricing: Make, hands: Hands) -> None:
    """The waiter's own clock ends its wait too, where nobody waits for it."""
    backend = MemoryBackend()
    pricing = make_pricing(backend=backend, clock=hands.clock, deadline=2)
    assert pricing._cache is not None
    process = pricing._cache._process()
    assert process.store.lease(3600) is not None
    flight = process.flights.start(force=True)
    assert flight is not None
    until(lambda: pricing.stats().lease_waits)
    hands.turn(2)
    assert flight.done.wait(PATIENCE)
    assert "another process" in str(flight.error)


def test_a_lease_that_outlives_its_time_is_taken_over(make_pricing: Make, upstream: Upstream, hands: Hands) -> None:
    """Where expiry goes by a wall clock that was set back, a dead holder's lease is seen for its time and no longer."""
    backend = MemoryBackend()
    pricing = make_pricing(backend=backend, clock=hands.clock, deadline=15)
    assert pricing._cache is not None
    store = pricing._cache._process().store
    assert backend.add(f"{store._prefix}lease", b"dead", ttl=3600)
    assert store.lease(15) is None
    hands.turn(15)
    assert store.lease(15) is None
    hands.turn(1)
    assert store.lease(15) is not None
    backend.delete(f"{store._prefix}lease")
    assert backend.add(f"{store._prefix}lease", b"another", ttl=3600)
    assert store.lease(15) is None


def test_what_the_holder_of_the_lease_stored_is_taken(make_pricing: Make, upstream: Upstream) -> None:
    """A waiter takes new prices from the store as soon as they are there, before the lease is given back."""
    backend = MemoryBackend()
    pricing, other = (make_pricing(backend=backend) for _ in range(2))
    assert pricing._cache is not None
    assert other._cache is not None
    holder = other._cache._process().store
    assert holder.lease(3600) is not None
    thread = threading.Thread(target=pricing.refresh)
    thread.start()
    until(lambda: pricing.stats().lease_waits)
    now = datetime.now(timezone.utc)
    catalog = Catalog.from_models([priced("6")], as_of=now)
    holder.save(catalog, Head(now, catalog.digest, None))
    thread.join(PATIENCE)
    assert pricing.cost(MODEL, 1).raw == 6
    assert upstream.requests == []


def test_a_taken_over_lease_has_time_anew(
    make_pricing: Make, upstream: Upstream, hands: Hands, patient: Patient
) -> None:
    """Who takes over from a dead holder may fetch for a whole deadline; callers wait for theirs and no longer."""
    backend = MemoryBackend(monotonic=hands.clock.monotonic)
    pricing = make_pricing(client=patient, backend=backend, clock=hands.clock, deadline=0.2)
    assert pricing._cache is not None
    process = pricing._cache._process()
    assert process.store.lease(0.15) is not None
    upstream.answer = Answer(models(priced("2")), hold=(hold := threading.Event()))
    assert process.flights.start(force=True) is not None
    until(lambda: pricing.stats().lease_waits)
    hands.turn(0.15)
    until(lambda: upstream.requests)
    hands.turn(0.15)  # past the first deadline, and not the second
    with pytest.raises(TransportError, match="within the deadline"):
        pricing.refresh()
    assert pricing.stats().abandoned == 0
    hold.set()
    settle(pricing)
    assert pricing.cost(MODEL, 1).raw == 2


def test_a_slot_is_taken_away_once(make_pricing: Make, upstream: Upstream, patient: Patient) -> None:
    """Of two callers whose patience ends at the same moment, one takes the slot away."""
    upstream.answer = Answer(models(), hold=(hold := threading.Event()))
    pricing = make_pricing(client=patient, deadline=0.2)
    assert pricing._cache is not None
    flights = pricing._cache._process().flights
    flight = flights.start(force=True)
    assert flight is not None
    flights.wait(flight)
    flights._abandon(flight)
    assert pricing.stats().abandoned == 1
    hold.set()


def test_a_forked_child_goes_on_by_itself(make_pricing: Make, upstream: Upstream, tmp_path: Path) -> None:
    """A child answers from what its parent held, fetches by itself, and starts a warmer of its own."""
    pricing = make_pricing(backend=open_backend(f"disk://{tmp_path}/store"), l1_ttl=0, warm=True)
    assert source(pricing) == "live"
    upstream.say(priced("2"))
    pid = os.fork()
    if pid == 0:
        good = source(pricing) == "live" and pricing.stats().warmer_alive
        pricing.refresh()
        good = good and pricing.cost(MODEL, 1).raw == 2 and pricing.stats().fetches == 1
        pricing.close()
        os._exit(0 if good else 1)
    assert os.waitpid(pid, 0)[1] == 0
    assert pricing.cost(MODEL, 1).raw == 2
    assert pricing.stats().warmer_alive


# -- belief ------------------------------------------------------------------------------------------------------------


def test_a_shrunken_catalogue_is_refused(make_pricing: Make, upstream: Upstream, hands: Hands) -> None:
    """A list that lost more than half of its ids is not believed, in either tier, until three in a row say the same."""
    backend = MemoryBackend()
    upstream.say(*many(10), etag='"good"')
    pricing = make_pricing(clock=hands.clock, backend=backend)
    assert len(pricing.catalog()) == 10
    upstream.say(*many(4), etag='"bad"')
    for times in (1, 2):
        with pytest.raises(PayloadError, match="only 4 of the 10"):
            pricing.refresh()
        assert len(pricing.catalog()) == 10
        assert len(make_pricing(clock=hands.clock, backend=backend, offline=True).catalog()) == 10
        assert pricing.stats().refused_catalogs == times
    pricing.refresh()
    assert len(pricing.catalog()) == 4
    assert [r.headers["if-none-match"] for r in upstream.requests[1:]] == ['"good"'] * 3


def test_exactly_half_is_believed(make_pricing: Make, upstream: Upstream) -> None:
    """Half of the ids is enough."""
    upstream.say(*many(10))
    pricing = make_pricing()
    pricing.warm()
    upstream.say(*many(5))
    assert len(pricing.refresh()) == 5


def test_disagreeing_refusals_do_not_add_up(make_pricing: Make, upstream: Upstream) -> None:
    """Three different small lists convince nobody, nor do two with a good one between them."""
    upstream.say(*many(10))
    pricing = make_pricing(breaker_threshold=100)
    pricing.warm()
    for start in (0, 100, 200, 0, 0):
        upstream.say(*many(3, start))
        with pytest.raises(PayloadError):
            pricing.refresh()
    upstream.say(*many(10))
    pricing.refresh()
    for _ in range(2):
        upstream.say(*many(3))
        with pytest.raises(PayloadError):
            pricing.refresh()


def test_the_snapshot_is_no_measure(make_pricing: Make, upstream: Upstream) -> None:
    """A live list of one model is believed although the snapshot has hundreds."""
    upstream.fail(500)
    pricing = make_pricing()
    assert source(pricing) == "bundled"
    upstream.say(row("a/one"))
    assert list(pricing.refresh()) == ["a/one"]


def test_unreadable_rows_are_skipped_and_counted(
    make_pricing: Make, upstream: Upstream, caplog: pytest.LogCaptureFixture
) -> None:
    """A bad row costs itself, a counter and a log line."""
    upstream.say(row(), row("a/bad", pricing={"prompt": "free!"}))
    pricing = make_pricing()
    assert list(pricing.catalog()) == [MODEL]
    assert pricing.stats().skipped_rows == 1
    assert "a/bad" not in caplog.text
    assert "models[1]" in caplog.text


# -- clocks ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("jump", [3600, -3600, 10 * 365 * 86400, -10 * 365 * 86400])
def test_the_wall_clock_does_not_matter_inside_a_process(
    make_pricing: Make, upstream: Upstream, hands: Hands, jump: float
) -> None:
    """However the wall clock is set, prices stay fresh for ``l2_ttl`` and not longer."""
    pricing = make_pricing(clock=hands.clock, backend=MemoryBackend(monotonic=hands.clock.monotonic))
    source(pricing)
    hands.wall += timedelta(seconds=jump)
    hands.turn(1800)
    assert source(pricing) == "live"
    assert len(upstream.requests) == 1
    upstream.say(priced("2"))
    hands.turn(1801)
    assert source(pricing) == "stale"
    settle(pricing)
    assert pricing.cost(MODEL, 1).raw == 2


@pytest.mark.parametrize("ahead", [3600, 10 * 365 * 86400])
def test_prices_from_the_future(make_pricing: Make, upstream: Upstream, hands: Hands, ahead: float) -> None:
    """A date in the future counts as now, for every later process too, and never as fresh for ever."""
    backend = MemoryBackend(monotonic=hands.clock.monotonic)
    hands.wall += timedelta(seconds=ahead)
    source(make_pricing(clock=hands.clock, backend=backend))
    hands.wall -= timedelta(seconds=ahead)
    second = make_pricing(clock=hands.clock, backend=backend)
    assert source(second) == "live"
    assert second.cost(MODEL, 1).as_of == hands.wall
    hands.turn(3601)
    upstream.answer = Answer(models(priced("2")), hold=(hold := threading.Event()))
    third = make_pricing(clock=hands.clock, backend=backend)
    assert [source(second), source(third)] == ["stale", "stale"]
    hold.set()
    settle(third)
    hands.turn(61)
    assert [second.cost(MODEL, 1).raw, third.cost(MODEL, 1).raw] == [2, 2]


def test_a_record_from_the_future_gives_way(make_pricing: Make, upstream: Upstream, hands: Hands) -> None:
    """After the wall clock was set back, what other processes store is still taken as newer."""
    backend = MemoryBackend(monotonic=hands.clock.monotonic)
    pricing, other = (make_pricing(clock=hands.clock, backend=backend) for _ in range(2))
    source(pricing)
    hands.wall -= timedelta(days=365)
    upstream.say(priced("2"))
    other.refresh()
    hands.turn(61)
    assert pricing.cost(MODEL, 1).raw == 2


def test_an_older_head_is_not_taken(make_pricing: Make, upstream: Upstream, hands: Hands) -> None:
    """A store that went back in time (restored from a backup, say) does not bring old prices back."""
    backend = MemoryBackend()
    pricing = make_pricing(clock=hands.clock, backend=backend)
    upstream.say(priced("1"))
    source(pricing)
    old = dict(backend._values)
    hands.turn(100)
    upstream.say(priced("2"))
    pricing.refresh()
    backend._values.update(old)
    hands.turn(61)
    assert pricing.cost(MODEL, 1).raw == 2


# -- a store that fails ------------------------------------------------------------------------------------------------


class Broken(MemoryBackend):
    """Raises in the methods that it is told to."""

    def __init__(self, *methods: str) -> None:
        super().__init__()
        for name in methods:
            setattr(self, name, self._fail)

    def _fail(self, *args: Any, **kwargs: Any) -> Any:
        raise OSError("disk full")


@pytest.mark.parametrize("method", ["get", "set", "add", "delete"])
def test_a_backend_that_fails_costs_a_counter(
    make_pricing: Make, upstream: Upstream, hands: Hands, method: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A backend that raises is counted each time, logged once, and every question is answered."""
    pricing = make_pricing(backend=Broken(method), clock=hands.clock)
    assert source(pricing) == "live"
    upstream.say(priced("2"))
    pricing.refresh()
    hands.turn(61)
    assert pricing.cost(MODEL, 1).raw == 2
    assert pricing.stats().backend_errors > 0
    assert caplog.text.count("disk full") == 1


def test_a_backend_that_cannot_be_opened(make_pricing: Make, tmp_path: Path) -> None:
    """A directory that cannot be made is a counter too."""
    (tmp_path / "file").write_text("not a directory")
    pricing = make_pricing(backend=open_backend(f"disk://{tmp_path}/file/store"))
    assert source(pricing) == "live"
    assert pricing.stats().backend_errors > 0


def test_a_backend_whose_opening_fails(upstream: Upstream, monkeypatch: pytest.MonkeyPatch) -> None:
    """A registered backend that raises when it is made costs no question."""
    pricing = Pricing(Settings(base_url=upstream.url, backend="memory://"))
    monkeypatch.setattr("openrouter_pricing.backends.open_backend", lambda url: 1 / 0)
    assert source(pricing) == "live"
    assert pricing.stats().backend_errors > 0
    pricing.close()


@pytest.mark.usefixtures("real_limits")
def test_a_backend_that_hangs(make_pricing: Make, upstream: Upstream, hands: Hands) -> None:
    """A backend that does not come back holds a question up for a second, once, and the later ones not at all."""
    release = threading.Event()

    class Hanging(MemoryBackend):
        def get(self, key: str) -> bytes | None:
            asked.append(key)
            release.wait(PATIENCE)
            return super().get(key)

    asked: list[str] = []
    pricing = make_pricing(backend=Hanging(), clock=hands.clock)
    assert source(pricing) == "live"
    assert pricing.stats().backend_errors >= 2
    assert len(asked) == 1
    release.set()

    def well() -> bool:
        errors = pricing.stats().backend_errors
        hands.turn(61)
        pricing.cost(MODEL)
        return pricing.stats().backend_errors == errors

    until(well)
    assert len(asked) > 1


GARBAGE = [b"", b"null", b"[]", b"\xff\xfe", b"[" * 100_000, b'["x", "y", null]', b'["2026-01-01T00:00:00", "d", null]']


@pytest.mark.parametrize("garbage", [*GARBAGE, json.dumps(["2026-01-01T00:00:00+00:00", 7, None]).encode()])
def test_a_head_that_is_garbage_is_a_miss(make_pricing: Make, upstream: Upstream, garbage: bytes) -> None:
    """A torn or foreign head is counted and replaced by the next refresh."""
    backend = MemoryBackend()
    source(make_pricing(backend=backend))
    key = next(key for key in backend._values if key.endswith("head"))
    backend.set(key, garbage)
    pricing = make_pricing(backend=backend)
    assert source(pricing) == "live"
    assert len(upstream.requests) == 2
    assert pricing.stats().backend_errors >= 1
    assert source(make_pricing(backend=backend)) == "live"
    assert len(upstream.requests) == 2


@pytest.mark.parametrize("damage", ["truncated", "foreign", "gone", "flipped"])
def test_a_body_that_is_damaged_is_a_miss(make_pricing: Make, upstream: Upstream, damage: str) -> None:
    """A body that does not match its digest is never read; the next refresh stores it anew."""
    backend = MemoryBackend()
    source(make_pricing(backend=backend))
    key = next(key for key in backend._values if "catalog" in key)
    body = backend.get(key)
    assert body is not None
    if damage == "gone":
        backend.delete(key)
    else:
        flipped = body.replace(b"0.0000006", b"0.0000009")
        backend.set(key, {"truncated": body[:-5], "foreign": b"hello\n", "flipped": flipped}[damage])
    pricing = make_pricing(backend=backend)
    assert pricing.cost(MODEL, 0, 1).raw == Decimal("6E-7")
    assert len(upstream.requests) == 2
    assert source(make_pricing(backend=backend)) == "live"
    assert len(upstream.requests) == 2


def test_a_body_that_is_being_replaced_is_looked_for_once_more(make_pricing: Make, upstream: Upstream) -> None:
    """A reader whose body was just deleted reads the head once more."""
    backend = MemoryBackend()
    writer = make_pricing(backend=backend)
    source(writer)
    upstream.say(priced("2"))

    class Swapped(MemoryBackend):
        swapped = False

        def get(self, key: str) -> bytes | None:
            if "catalog" in key and not self.swapped:
                self.swapped = True
                writer.refresh()
            return backend.get(key)

    reader = make_pricing(backend=Swapped())
    assert reader.cost(MODEL, 1).raw == 2
    assert len(upstream.requests) == 2


# -- listeners, the end ------------------------------------------------------------------------------------------------


def test_listeners_are_told_after_storing(make_pricing: Make, upstream: Upstream) -> None:
    """Every believed catalogue is told to the listeners, who may ask and may fail."""
    backend = MemoryBackend()
    pricing = make_pricing(backend=backend)
    told: list[int] = []
    assert pricing._cache is not None
    pricing._cache.listen(lambda catalog: 1 / 0)  # type: ignore[arg-type,return-value]
    pricing._cache.listen(lambda catalog: told.append(len(backend._values) if pricing.cost(MODEL) else 0))
    pricing.refresh()
    settle(pricing)
    assert len(told) == 1
    assert told[0] >= 2
    assert pricing.stats().listener_errors == 1


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


def test_closing_between_lease_and_fetch(make_pricing: Make) -> None:
    """A refresh that finds its source gone ends as one that failed."""
    pricing = make_pricing()
    assert pricing._cache is not None
    refresher = pricing._cache._process().refresher
    with pytest.raises(TransportError, match="closed"):
        refresher.run(Flight(force=True, until=math.inf), None)


def test_stats(make_pricing: Make, upstream: Upstream, hands: Hands) -> None:
    """Stats say what happened, and are JSON."""
    pricing = make_pricing(clock=hands.clock)
    assert pricing.stats().source is None
    assert pricing.stats().age is None
    for _ in range(3):
        source(pricing)
    hands.turn(5)
    stats = pricing.stats()
    assert (stats.l1_answers, stats.fetches, stats.refreshes, stats.age) == (3, 1, 1, 5)
    assert (stats.source, stats.models, stats.breaker) == ("live", 1, "closed")
    assert stats.bytes_received == len(upstream.answer.body)
    assert json.loads(json.dumps(stats.to_dict()))["last_refresh"] == "2026-11-01T12:00:00+00:00"
    assert json.dumps(make_pricing().stats().to_dict())


def test_infinite_values_do_not_reach_json(make_pricing: Make) -> None:
    """Nothing in the stats is infinite before the first fetch."""
    assert not any(
        isinstance(value, float) and math.isinf(value) for value in make_pricing().stats().to_dict().values()
    )
