"""Wall clocks that are wrong, jump, or were wrong when the store was written: nothing is fresh for ever."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from openrouter_pricing.backends.memory import MemoryBackend
from support.figures import Figure
from support.freshness import look, process, settle
from support.hands import Hands
from support.upstream import Upstream, row

from openrouter_pricing import Pricing, TransportError, open_backend

pytestmark = pytest.mark.faults

MODEL = "openai/gpt-4o-mini"
HOUR, TEN_YEARS = timedelta(hours=1), timedelta(days=3652)
SHIFTS = pytest.mark.parametrize(
    "shift", [HOUR, -HOUR, TEN_YEARS, -TEN_YEARS], ids=["+1 h", "-1 h", "+10 years", "-10 years"]
)
Make = Callable[..., Pricing]
INTERVAL = 3600  # l2_ttl


class Prices:
    """An upstream whose price is how often it was asked to change it."""

    def __init__(self, upstream: Upstream) -> None:
        self._upstream = upstream
        self.now = 0
        self.change()

    def change(self) -> None:
        """Ask for more from now on."""
        self.now += 1
        self._upstream.say(row(pricing={"prompt": str(self.now), "completion": "0"}))


def seconds_until(pricing: Pricing, clocks: list[Hands], price: int) -> int:
    """How long it takes, with a question a minute, until a price has arrived."""
    for minute in range(3 * INTERVAL // 60):
        cost = pricing.cost(MODEL, 1)
        if cost.raw == price:
            return minute * 60
        _settle()
        for hands in clocks:
            hands.turn(60)
    raise AssertionError("fresh for ever")


def _settle() -> None:
    for thread in threading.enumerate():
        if thread.name == "openrouter-pricing-refresh":
            thread.join(10)


@SHIFTS
@pytest.mark.parametrize("store", ["memory", "disk"])
def test_two_processes_with_different_clocks(
    make_pricing: Make, upstream: Upstream, tmp_path: Path, figure: Figure, shift: timedelta, store: str
) -> None:
    """Two processes share a store, and one's wall clock is wrong: a new price reaches both within one interval.

    Guard: ``Store.newer`` counts a head from the future from now on, and no age as less than nothing.
    """
    prices = Prices(upstream)
    right, wrong = Hands(), Hands()
    wrong.wall += shift
    memory = MemoryBackend()
    backends = [memory if store == "memory" else open_backend(f"disk://{tmp_path}/store") for _ in range(3)]
    a, b, late = (
        make_pricing(clock=hands.clock, backend=backend)
        for hands, backend in zip((right, wrong, right), backends, strict=True)
    )
    worst = 0
    for first, second in ((a, b), (b, a)) * 2:
        assert first.refresh()[MODEL].rates.prompt == prices.now
        settle()
        for hands in (right, wrong):
            hands.turn(61)  # out of L1
        look(second)
        second.cost(MODEL, 1)
        prices.change()
        for asked in (second, first):  # alone: nobody else refreshes for it
            worst = max(worst, seconds_until(asked, [right, wrong], prices.now))
    assert worst <= INTERVAL + 2 * 60  # one question a minute: one starts the refresh, the next sees its end
    assert late.cost(MODEL, 1).raw == prices.now
    for backend in backends:
        backend.close()
    figure(f"wall clocks of two processes {_name(shift)} apart ({store})", f"new price in both after {worst} s")


def _name(shift: timedelta) -> str:
    size = "1 h" if abs(shift) == HOUR else "10 years"
    return f"{'+' if shift > timedelta() else '−'}{size}"


@SHIFTS
def test_the_clock_is_set_while_a_process_runs(
    make_pricing: Make, upstream: Upstream, hands: Hands, figure: Figure, shift: timedelta
) -> None:
    """A wall clock that is set does not move the next refresh.

    Guard: ages inside a process are monotonic (``CatalogCache.age``).
    """
    prices = Prices(upstream)
    pricing = make_pricing(clock=hands.clock, backend=MemoryBackend())
    pricing.refresh()
    hands.turn(600)
    pricing.cost(MODEL, 1)
    hands.wall += shift
    prices.change()
    asked = len(upstream.requests)
    hands.turn(INTERVAL - 600 - 60)
    assert pricing.cost(MODEL, 1).source == "live"
    assert len(upstream.requests) == asked, "refreshed early"
    seconds = INTERVAL - 660 + seconds_until(pricing, [hands], prices.now)
    assert seconds <= INTERVAL
    figure(f"wall clock set {_name(shift)} while running", f"refreshed {seconds} s later, on time")


@pytest.mark.parametrize("store", ["memory", "disk"])
@pytest.mark.parametrize("shift", [timedelta(minutes=2), HOUR, TEN_YEARS], ids=["+2 min", "+1 h", "+10 years"])
def test_fetched_at_in_the_future(
    make_pricing: Make, upstream: Upstream, tmp_path: Path, figure: Figure, shift: timedelta, store: str
) -> None:
    """Prices dated in the future count from when they are found, also for the many short processes after it.

    Guard: ``Store.newer`` writes the head anew, so that the next process does not start counting again.
    """
    prices = Prices(upstream)
    wrong, right = Hands(), Hands()
    wrong.wall += shift
    memory = MemoryBackend()

    def process(hands: Hands) -> Pricing:
        return make_pricing(
            clock=hands.clock, backend=memory if store == "memory" else open_backend(f"disk://{tmp_path}/store")
        )

    with process(wrong) as first:
        first.refresh()
    prices.change()
    seconds = 0
    while True:
        with process(right) as short:
            cost = short.cost(MODEL, 1)
            _settle()
            if cost.raw == prices.now:
                break
            assert cost.as_of <= right.wall
        assert seconds <= 2 * INTERVAL, "fresh for ever"
        right.turn(600)
        seconds += 600
    assert seconds <= INTERVAL + 600 * 2  # one interval, one question that starts the refresh, one that sees it
    figure(f"fetched_at {shift} in the future ({store})", f"refreshed after {seconds} s by processes every 600 s")


@pytest.mark.parametrize("shift", [HOUR, TEN_YEARS], ids=["+1 h", "+10 years"])
def test_a_lease_that_never_runs_out(
    make_pricing: Make, upstream: Upstream, tmp_path: Path, figure: Figure, shift: timedelta
) -> None:
    """A dead process's lease whose end lies far ahead, since the clock was set back, does not stop refreshes.

    Guard: a lease that stood in the way for a whole deadline is taken over (``Store.lease``).
    """
    backend = open_backend(f"disk://{tmp_path}/store")
    pricing = make_pricing(backend=backend, deadline=0.5, l1_ttl=0, l2_ttl=0.1, breaker_threshold=1000)
    pricing.refresh()
    settle()
    lease = f"{process(pricing).store._prefix}lease"
    assert backend.add(lease, b"of a process that was killed", ttl=1)
    connection = sqlite3.connect(tmp_path / "store" / "cache.db")
    connection.execute("UPDATE Cache SET expire_time = expire_time + ? WHERE key = ?", (shift.total_seconds(), lease))
    connection.commit()
    connection.close()
    asked = len(upstream.requests)
    failed = 0
    for _ in range(4):
        try:
            pricing.refresh()
            break
        except TransportError:
            failed += 1
    assert len(upstream.requests) > asked, "nobody refreshes until the clock has caught up"
    assert failed <= 3
    figure(f"lease of a dead process, clock set back {_name(-shift)}", f"refreshed in attempt {failed + 1}")
    backend.close()
