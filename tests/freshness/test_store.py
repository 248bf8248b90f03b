"""The second tier: heads, bodies and leases, whole, torn, foreign, or from another time."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from openrouter_pricing.backends.memory import MemoryBackend
from support.freshness import MODEL, Make, look, priced, process, settle, source
from support.hands import Hands
from support.upstream import Answer, Upstream
from support.upstream import steady as models

GARBAGE = [b"", b"null", b"[]", b"\xff\xfe", b"[" * 100_000, b'["x", "y", null]', b'["2026-01-01T00:00:00", "d", null]']


def test_an_unchanged_catalogue_renews_the_head_only(make_pricing: Make, upstream: Upstream, hands: Hands) -> None:
    """After a 304, or the same rows once more, other processes learn the new date without reading a body."""
    backend = MemoryBackend()
    upstream.say(priced("1"), etag='"one"')
    pricing, other = (make_pricing(clock=hands.clock, backend=backend) for _ in range(2))
    pricing.refresh()
    settle()
    source(other)
    for how in ({"etag": '"one"'}, {}):
        upstream.say(priced("1"), **how)
        hands.turn(61)
        pricing.refresh()
        settle()
        hands.turn(1)
        look(other)
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
    settle()
    assert len([key for key in backend._values if "catalog" in key]) == 1
    assert [key for key in backend._values if "lease" in key] == []


def test_a_store_that_drops_what_is_old_gets_the_body_anew(make_pricing: Make, upstream: Upstream) -> None:
    """A backend whose values expire is given an unchanged body with each fetch, and is not asked for it."""

    class Expiring(MemoryBackend):
        expires = True

        def __init__(self) -> None:
            super().__init__()
            self.asked: list[tuple[str, str]] = []

        def get(self, key: str) -> bytes | None:
            self.asked.append(("get", key.split(":")[2]))
            return super().get(key)

        def set(self, key: str, value: bytes, *, ttl: float | None = None) -> None:
            self.asked.append(("set", key.split(":")[2]))
            super().set(key, value, ttl=ttl)

    backend = Expiring()
    pricing = make_pricing(backend=backend)
    for _ in range(3):
        pricing.refresh()
    settle()
    assert (0, 3) == (backend.asked.count(("get", "catalog")), backend.asked.count(("set", "catalog")))


def test_two_upstreams_share_a_store_and_nothing_else(make_pricing: Make, upstream: Upstream) -> None:
    """Prices of one ``base_url`` never answer for another."""
    backend = MemoryBackend()
    source(make_pricing(backend=backend))
    other = make_pricing(backend=backend, base_url=f"{upstream.url}/mirror")
    upstream.answer = Answer(models(priced("7")))
    assert other.cost(MODEL, 1).raw == 7


def test_a_lease_that_outlives_its_time_is_taken_over(make_pricing: Make, upstream: Upstream, hands: Hands) -> None:
    """Where expiry goes by a wall clock that was set back, a dead holder's lease is seen for its time and no longer."""
    backend = MemoryBackend()
    pricing = make_pricing(backend=backend, clock=hands.clock, deadline=15)
    store = process(pricing).store
    assert backend.add(f"{store._prefix}lease", b"dead", ttl=3600)
    assert store.lease(15, None) is None
    hands.turn(15)
    assert store.lease(15, None) is None
    hands.turn(1)
    assert store.lease(15, None) is not None
    backend.delete(f"{store._prefix}lease")
    assert backend.add(f"{store._prefix}lease", b"another", ttl=3600)
    assert store.lease(15, None) is None


@pytest.mark.parametrize("ahead", [3600, 10 * 365 * 86400])
def test_prices_from_the_future(make_pricing: Make, upstream: Upstream, hands: Hands, ahead: float) -> None:
    """A date in the future counts as now, for every later process too, and never as fresh for ever."""
    backend = MemoryBackend(monotonic=hands.clock.monotonic)
    hands.wall += timedelta(seconds=ahead)
    source(make_pricing(clock=hands.clock, backend=backend))
    settle()
    hands.wall -= timedelta(seconds=ahead)
    second = make_pricing(clock=hands.clock, backend=backend)
    assert source(second) == "live"
    assert second.cost(MODEL, 1).as_of == hands.wall
    hands.turn(3601)
    upstream.answer = Answer(models(priced("2")), hold=(hold := threading.Event()))
    third = make_pricing(clock=hands.clock, backend=backend)
    assert [source(second), source(third)] == ["stale", "stale"]
    hold.set()
    settle()
    hands.turn(61)
    look(second, third)
    assert [second.cost(MODEL, 1).raw, third.cost(MODEL, 1).raw] == [2, 2]


@pytest.mark.parametrize("ahead", [-1, 0, 59, 60, 61, 90])
def test_clocks_that_differ_by_a_minute(make_pricing: Make, upstream: Upstream, hands: Hands, ahead: float) -> None:
    """Two hosts' clocks are never quite alike: up to a minute a date in the future stays what it is."""
    backend = MemoryBackend(monotonic=hands.clock.monotonic)
    hands.wall += timedelta(seconds=ahead)
    source(make_pricing(clock=hands.clock, backend=backend))
    settle()
    fetched = hands.wall
    hands.wall -= timedelta(seconds=ahead)
    assert (fetched if ahead <= 60 else hands.wall) == make_pricing(clock=hands.clock, backend=backend).catalog().as_of


def test_a_record_from_the_future_gives_way(make_pricing: Make, upstream: Upstream, hands: Hands) -> None:
    """After the wall clock was set back, what other processes store is still taken as newer."""
    backend = MemoryBackend(monotonic=hands.clock.monotonic)
    pricing, other = (make_pricing(clock=hands.clock, backend=backend) for _ in range(2))
    source(pricing)
    settle()
    hands.wall -= timedelta(days=365)
    upstream.say(priced("2"))
    other.refresh()
    settle()
    hands.turn(61)
    look(pricing)
    assert pricing.cost(MODEL, 1).raw == 2


def test_an_older_head_is_not_taken(make_pricing: Make, upstream: Upstream, hands: Hands) -> None:
    """A store that went back in time (restored from a backup, say) does not bring old prices back."""
    backend = MemoryBackend()
    pricing = make_pricing(clock=hands.clock, backend=backend)
    upstream.say(priced("1"))
    source(pricing)
    settle()
    old = dict(backend._values)
    hands.turn(100)
    upstream.say(priced("2"))
    pricing.refresh()
    settle()
    backend._values.update(old)
    hands.turn(61)
    look(pricing)
    assert pricing.cost(MODEL, 1).raw == 2


@pytest.mark.parametrize("garbage", [*GARBAGE, json.dumps(["2026-01-01T00:00:00+00:00", 7, None]).encode()])
def test_a_head_that_is_garbage_is_a_miss(make_pricing: Make, upstream: Upstream, garbage: bytes) -> None:
    """A torn or foreign head is counted and replaced by the next refresh."""
    backend = MemoryBackend()
    source(make_pricing(backend=backend))
    settle()
    key = next(key for key in backend._values if key.endswith("head"))
    backend.set(key, garbage)
    pricing = make_pricing(backend=backend)
    assert source(pricing) == "live"
    assert len(upstream.requests) == 2
    assert pricing.stats().backend_errors >= 1
    settle()
    assert source(make_pricing(backend=backend)) == "live"
    assert len(upstream.requests) == 2


@pytest.mark.parametrize("damage", ["truncated", "foreign", "gone", "flipped"])
def test_a_body_that_is_damaged_is_a_miss(make_pricing: Make, upstream: Upstream, damage: str) -> None:
    """A body that does not match its digest is never read; the next refresh stores it anew."""
    backend = MemoryBackend()
    source(make_pricing(backend=backend))
    settle()
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
    settle()
    assert source(make_pricing(backend=backend)) == "live"
    assert len(upstream.requests) == 2


def test_a_body_that_is_being_replaced_is_looked_for_once_more(make_pricing: Make, upstream: Upstream) -> None:
    """A reader whose body was just deleted reads the head once more."""
    backend = MemoryBackend()
    writer = make_pricing(backend=backend)
    source(writer)
    settle()
    upstream.say(priced("2"))

    class Swapped(MemoryBackend):
        swapped = False

        def get(self, key: str) -> bytes | None:
            if "catalog" in key and not self.swapped:
                self.swapped = True
                writer.refresh()
                settle()
            return backend.get(key)

    reader = make_pricing(backend=Swapped())
    found = process(reader).store.newer(None)  # in this one look
    assert found is not None
    assert found.catalog[MODEL].rates.prompt == 2
    assert reader.cost(MODEL, 1).raw == 2
    assert len(upstream.requests) == 2


# -- leases ------------------------------------------------------------------------------------------------------------


class Plain:
    """A store of somebody's own, which has what the protocol asks for and no more."""

    def __init__(self) -> None:
        self._store = MemoryBackend()
        self.get, self.set, self.add = self._store.get, self._store.set, self._store.add
        self.delete, self.close = self._store.delete, self._store.close


@pytest.mark.parametrize("kind", [Plain, MemoryBackend], ids=["get and delete", "compare_and_delete"])
def test_a_lease_is_given_back_by_its_holder_alone(make_pricing: Make, kind: Callable[[], Any]) -> None:
    """In one step where the store can, in two where it cannot; another's lease stays where it is."""
    backend = kind()
    first, second = (process(make_pricing(backend=backend)).store for _ in range(2))
    token = first.lease(60, None)
    assert token is not None
    second.release("another's")
    assert backend.get(f"{first._prefix}lease") == token.encode()
    first.release(token)
    assert backend.get(f"{first._prefix}lease") is None
    assert second.lease(60, None) is not None
    assert first.lease(60, None) is None  # what was given back is nobody's any more


def test_a_lease_is_given_back_in_one_step(make_pricing: Make) -> None:
    """Where the store compares and deletes by itself, that is all that it is asked to do."""

    class Counting(MemoryBackend):
        def compare_and_delete(self, key: str, value: bytes) -> bool:
            asked.append(value)
            return super().compare_and_delete(key, value)

        def delete(self, key: str) -> None:
            raise AssertionError("in two steps")

    asked: list[bytes] = []
    pricing = make_pricing(backend=Counting())
    store = process(pricing).store
    token = store.lease(60, None)
    assert token is not None
    store.release(token)
    assert asked == [token.encode()]
    assert pricing.stats().backend_errors == 0


def test_a_lease_that_could_not_be_given_back_is_used_again(make_pricing: Make, hands: Hands) -> None:
    """It stands in nobody's own way; another's lease is never taken for it."""
    backend = Plain()
    failing = threading.Event()

    def get(key: str) -> bytes | None:
        if failing.is_set():
            raise OSError("away")
        return backend._store.get(key)

    backend.get = get  # type: ignore[method-assign,assignment]
    store = process(make_pricing(backend=backend, clock=hands.clock)).store
    token = store.lease(60, None)
    assert token is not None
    failing.set()
    store.release(token)
    failing.clear()
    hands.turn(60)
    assert store.lease(60, None) == token
    backend.delete(f"{store._prefix}lease")
    assert backend.add(f"{store._prefix}lease", b"another's", ttl=60)
    assert store.lease(60, None) is None


def test_a_value_that_the_backend_will_not_read_is_a_miss(
    make_pricing: Make, upstream: Upstream, caplog: pytest.LogCaptureFixture
) -> None:
    """It is counted and logged once, and the store, which works, is asked on and written to."""

    class Picky(MemoryBackend):
        def get(self, key: str) -> bytes | None:
            value = super().get(key)
            if value == b"pickle":
                raise ValueError("a pickled value")
            return value

    backend = Picky()
    pricing = make_pricing(backend=backend)
    head = f"{process(pricing).store._prefix}head"
    backend.set(head, b"pickle")
    assert source(pricing) == "live"
    settle()
    assert backend.get(head) != b"pickle"
    assert pricing.stats().backend_errors > 1
    assert caplog.text.count("a pickled value") == 1
