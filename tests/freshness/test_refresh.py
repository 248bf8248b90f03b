"""One refresh, from lease to store."""

from __future__ import annotations

import errno
import math
import subprocess
import sys
import threading
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from openrouter_pricing.backends.memory import MemoryBackend
from support.freshness import MODEL, Held, Make, Patient, Scripted, live, many, priced, process, settle, source
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


def test_a_wait_for_a_lease_looks_less_and_less_often(
    make_pricing: Make, hands: Hands, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After 0.05 s at first, then half as long again each time up to 0.5 s, and last at the deadline."""
    here = process(make_pricing(backend=MemoryBackend(), clock=hands.clock, deadline=3))
    assert here.store.lease(3600, None) is not None
    flight = Flight(asked=True, trusting=False, until=hands.seconds + 3)
    pauses: list[float] = []

    def wait(seconds: float) -> bool:
        pauses.append(seconds)
        hands.turn(seconds)
        return False

    monkeypatch.setattr(flight.done, "wait", wait)
    with pytest.raises(TransportError, match="another process"):
        here.flights._job.run(flight, None)
    assert [0.05, 0.075, 0.1125] == pytest.approx(pauses[:3])
    assert (0.5, 3.0) == (max(pauses), pytest.approx(sum(pauses)))


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


# -- published before it is stored -------------------------------------------------------------------------------------


def test_a_fetch_is_answered_from_before_it_is_stored(make_pricing: Make, upstream: Upstream) -> None:
    """A store that hangs in the middle of storing holds up no question; the lease is given back after it only."""
    backend = Held()
    backend.hold("set")
    pricing = make_pricing(backend=backend)
    assert source(pricing) == "live"
    until(lambda: backend.held)
    assert [key.rpartition(":")[2] for key in backend._values] == ["lease"]
    assert source(pricing) == "live"
    backend.release()
    settle()
    assert sorted(key.split(":")[2] for key in backend._values) == ["catalog", "head"]


def test_a_store_that_keeps_nothing_is_not_waited_for(make_pricing: Make, upstream: Upstream) -> None:
    """Where ``add`` is refused and nothing stands under the key, prices are fetched at once."""

    class Silent(MemoryBackend):
        def add(self, key: str, value: bytes, *, ttl: float) -> bool:
            asked.append(key)
            return False

    asked: list[str] = []
    pricing = make_pricing(backend=Silent())
    assert source(pricing) == "live"
    assert (len(asked), pricing.stats().lease_waits, len(upstream.requests)) == (2, 0, 1)


@pytest.mark.parametrize("again", [True, False], ids=["the lease is free", "the lease is gone again"])
def test_a_holder_that_has_just_finished_is_no_store_that_keeps_nothing(
    make_pricing: Make, upstream: Upstream, again: bool
) -> None:
    """Where ``add`` is refused and the lease is gone, its holder may have finished: what it stored is taken."""
    backend = MemoryBackend()
    catalog = Catalog.from_models([priced("6")], as_of=(now := datetime.now(timezone.utc)))

    class Finishing(MemoryBackend):
        finished = False

        def add(self, key: str, value: bytes, *, ttl: float) -> bool:
            if self.finished:
                return again and backend.add(key, value, ttl=ttl)
            self.finished = True
            process(other).store.save(catalog, Head(now, catalog.digest, None))
            return False

        def get(self, key: str) -> bytes | None:
            return backend.get(key)

    other, pricing = make_pricing(backend=backend), make_pricing(backend=Finishing())
    assert pricing.cost(MODEL, 1).raw == 6
    assert upstream.requests == []


# -- ETags -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("etag", "kept"),
    [
        ('W/"' + "x" * 1020 + '"', True),
        ('W/"' + "x" * 1021 + '"', False),
        ('"caf\u00e9"', False),
        ('"\x01"', False),
        ('"a\tb"', False),
        ("", False),
    ],
    ids=["1 KiB", "longer", "not ASCII", "a control character", "a tab", "empty"],
)
def test_which_etags_are_kept(make_pricing: Make, etag: str, kept: bool) -> None:
    """One that is longer than 1 KiB, or has a byte outside of printable ASCII, is never sent back."""
    client = Scripted(Fetched(200, {"etag": etag}, models()), Fetched(200, {}, models()))
    pricing = make_pricing(client=client)
    for _ in range(2):
        pricing.refresh()
    assert client.asked == [None, etag if kept else None]


@pytest.mark.parametrize(
    "failure", [TransportError("reset"), Fetched(412), Fetched(500)], ids=["an error", "412", "500"]
)
def test_a_refresh_that_fails_with_an_etag_is_tried_without_it(make_pricing: Make, failure: Any) -> None:
    """An upstream that chokes on an ETag is asked once more without, before the refresh counts as failed."""
    client = Scripted(Fetched(200, {"etag": '"one"'}, models()), failure, Fetched(200, {}, models(priced("2"))))
    pricing = make_pricing(client=client)
    pricing.refresh()
    pricing.refresh()
    assert (client.asked, pricing.cost(MODEL, 1).raw) == ([None, '"one"', None], 2)
    assert pricing.stats().failures == {}


def test_a_refresh_that_fails_without_an_etag_too_has_failed(make_pricing: Make) -> None:
    """It is tried twice, and counts once; a 304 to the question without an ETag is no answer either."""
    client = Scripted(Fetched(200, {"etag": '"one"'}, models()), TransportError("reset"), Fetched(304))
    pricing = make_pricing(client=client)
    pricing.refresh()
    with pytest.raises(PayloadError, match="304 to a question without an ETag"):
        pricing.refresh()
    assert pricing.stats().failures == {"PayloadError": 1}
    assert source(pricing) == "live"


def test_no_second_try_after_the_deadline(make_pricing: Make, hands: Hands) -> None:
    """Where the time is up, a failure with an ETag is the end of it."""

    class Late(Scripted):
        def fetch(self, *, etag: str | None, deadline: float) -> Fetched:
            if etag is not None:
                hands.turn(PATIENCE)  # which is the deadline
            return super().fetch(etag=etag, deadline=deadline)

    client = Late(Fetched(200, {"etag": '"one"'}, models()), TransportError("reset"))
    pricing = make_pricing(client=client, clock=hands.clock)
    pricing.refresh()
    with pytest.raises(TransportError):
        pricing.refresh()
    assert client.asked == [None, '"one"']


# -- what else may fail ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("error", [ImportError("no requests"), OSError(errno.EMFILE, "too many open files")])
def test_a_client_that_cannot_be_made(
    make_pricing: Make, upstream: Upstream, hands: Hands, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    """The snapshot answers, as for an upstream that is down, and a later refresh makes one."""

    def refuse(*args: Any, **kwargs: Any) -> None:
        raise error

    pricing = make_pricing(clock=hands.clock)
    with monkeypatch.context() as patch:
        patch.setattr("openrouter_pricing._http.client.Client.__init__", refuse)
        assert source(pricing) == "bundled"
        with pytest.raises(TransportError, match=r"no requests|too many open files"):
            pricing.refresh()
    assert pricing.stats().failures == {"TransportError": 2}
    pricing.refresh()
    assert source(pricing) == "live"


WITHOUT_FILES = """
import resource
import sys
from openrouter_pricing import Pricing, Settings

pricing = Pricing(Settings(backend=sys.argv[1], base_url=sys.argv[2]))
limit = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (3, limit[1]))
print(pricing.cost("openai/gpt-4o", 1000, 500).source)
resource.setrlimit(resource.RLIMIT_NOFILE, limit)
pricing.refresh()
print(pricing.cost(sys.argv[3], 1000, 500).source)
pricing.close()
"""


@pytest.mark.parametrize("backend", ["memory://", "disk"])
def test_no_descriptor_is_left(upstream: Upstream, tmp_path: Path, backend: str) -> None:
    """With not one file to open, before anything was asked, the snapshot answers; with files there are live prices."""
    upstream.answer = Answer(models())
    arguments = [f"disk://{tmp_path}/store" if backend == "disk" else backend, upstream.url, MODEL]
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_FILES, *arguments], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert ("bundled\nlive\n", "", 0) == (done.stdout, done.stderr, done.returncode)


def test_the_row_that_was_believed_stays_where_duplicates_disagree(make_pricing: Make, upstream: Upstream) -> None:
    """Nobody can tell which of two rows of one id is right; where they agree, one of them is taken."""
    pricing = make_pricing()
    upstream.say(priced("1"))
    pricing.refresh()
    upstream.say(priced("2"), priced("3"))
    pricing.refresh()
    assert pricing.cost(MODEL, 1).raw == 1
    upstream.say(priced("2"), priced("2"))
    pricing.refresh()
    assert pricing.cost(MODEL, 1).raw == 2


@pytest.mark.parametrize(("bad", "much"), [(1, False), (2, True)])
def test_more_than_a_tenth_unreadable_is_said(
    make_pricing: Make, upstream: Upstream, caplog: pytest.LogCaptureFixture, bad: int, much: bool
) -> None:
    """One warning with the count says that rows are missing, and whether they are many."""
    rows = [row(f"a/bad-{number}", pricing={"prompt": "free!"}) for number in range(bad)]
    upstream.answer = Answer(plain(*many(9), *rows))
    pricing = make_pricing()
    pricing.refresh()
    settle()
    [message] = [record.getMessage() for record in caplog.records if "unreadable" in record.getMessage()]
    assert message.startswith(f"left out {bad} unreadable rows")
    assert ("more than a tenth of the list" in message) == much
    assert pricing.stats().skipped_rows == bad


def test_what_is_stored_but_too_old_is_fetched_anew(make_pricing: Make, upstream: Upstream, hands: Hands) -> None:
    """A refresh that nobody asked for takes what lies in the store, unless that is past ``l2_ttl`` itself."""
    backend = MemoryBackend()
    make_pricing(clock=hands.clock, backend=backend).refresh()
    settle()
    fresh, late = (make_pricing(clock=hands.clock, backend=backend) for _ in range(2))
    live(fresh).cache.renew()
    assert (source(fresh), len(upstream.requests)) == ("live", 1)
    hands.turn(3601)
    live(late).cache.renew()
    assert (source(late), len(upstream.requests)) == ("live", 2)
