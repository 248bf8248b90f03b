"""One refresh, from lease to store."""

from __future__ import annotations

import math
import threading
from datetime import datetime, timezone
from typing import Any

import pytest
from openrouter_pricing.backends.memory import MemoryBackend
from support.freshness import MODEL, Make, Patient, Scripted, priced, process, settle, source
from support.hands import Hands
from support.upstream import Answer, Upstream, row
from support.upstream import models as plain
from support.upstream import steady as models
from support.waiting import PATIENCE, until

from openrouter_pricing import (
    Catalog,
    Fetched,
    PayloadError,
    StatusError,
    TransportError,
)
from openrouter_pricing._freshness.flight import Flight
from openrouter_pricing._freshness.store import Head


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
    store = process(pricing).store
    assert store.lease(5, None) is not None
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
    assert process(pricing).store.lease(3600, None) is not None
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
    here = process(pricing)
    assert here.store.lease(3600, None) is not None
    flight = here.flights.start(asked=True)
    assert flight is not None
    until(lambda: pricing.stats().lease_waits)
    hands.turn(2)
    assert flight.done.wait(PATIENCE)
    assert "another process" in str(flight.error)


def test_what_the_holder_of_the_lease_stored_is_taken(make_pricing: Make, upstream: Upstream) -> None:
    """A waiter takes new prices from the store as soon as they are there, before the lease is given back."""
    backend = MemoryBackend()
    pricing, other = (make_pricing(backend=backend) for _ in range(2))
    holder = process(other).store
    assert holder.lease(3600, None) is not None
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
    here = process(pricing)
    assert here.store.lease(0.15, None) is not None
    upstream.answer = Answer(models(priced("2")), hold=(hold := threading.Event()))
    assert here.flights.start(asked=True) is not None
    until(lambda: pricing.stats().lease_waits)
    hands.turn(0.15)
    until(lambda: upstream.requests)
    hands.turn(0.15)  # past the first deadline, and not the second
    with pytest.raises(TransportError, match="within the deadline"):
        pricing.refresh()
    assert pricing.stats().abandoned == 0
    hold.set()
    settle()
    assert pricing.cost(MODEL, 1).raw == 2


def test_unreadable_rows_are_skipped_and_counted(
    make_pricing: Make, upstream: Upstream, caplog: pytest.LogCaptureFixture
) -> None:
    """A bad row costs itself, a counter and a log line."""
    upstream.answer = Answer(plain(row(), row("a/bad", pricing={"prompt": "free!"})))
    pricing = make_pricing()
    assert list(pricing.catalog()) == [MODEL]
    assert pricing.stats().skipped_rows == 1
    assert "a/bad" not in caplog.text
    assert "models[1]" in caplog.text


def test_closing_between_lease_and_fetch(make_pricing: Make) -> None:
    """A refresh that finds its source gone ends as one that failed."""
    pricing = make_pricing()
    refresher = process(pricing).flights._job
    with pytest.raises(TransportError, match="closed"):
        refresher.run(Flight(asked=True, trusting=False, until=math.inf), None)
