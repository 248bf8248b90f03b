"""The circuit breaker, by a clock whose hands the test turns."""

from __future__ import annotations

import threading

import pytest
from support.hands import Hands

from openrouter_pricing import CircuitBreaker, CircuitOpenError


@pytest.fixture
def breaker(hands: Hands) -> CircuitBreaker:
    """Opens after three failures, for a minute."""
    return CircuitBreaker(3, 60, hands.clock.monotonic)


def fail(breaker: CircuitBreaker, times: int) -> None:
    """So many calls that fail."""
    for _ in range(times):
        breaker.acquire()
        breaker.failure()


def test_it_opens_after_the_threshold(breaker: CircuitBreaker) -> None:
    """Two failures change nothing; the third opens it."""
    fail(breaker, 2)
    assert breaker.state == "closed"
    fail(breaker, 1)
    assert breaker.state == "open"
    with pytest.raises(CircuitOpenError) as caught:
        breaker.acquire()
    assert caught.value.retry_after == 60


def test_a_success_starts_the_count_anew(breaker: CircuitBreaker) -> None:
    """Only failures in a row count."""
    fail(breaker, 2)
    breaker.acquire()
    breaker.success()
    fail(breaker, 2)
    assert breaker.state == "closed"


def test_half_open_lets_one_probe_through(breaker: CircuitBreaker, hands: Hands) -> None:
    """After the recovery time one call is let through, and no second one beside it."""
    fail(breaker, 3)
    hands.turn(59.9)
    assert breaker.state == "open"
    hands.turn(0.1)
    assert breaker.state == "half-open"
    breaker.acquire()
    with pytest.raises(CircuitOpenError) as caught:
        breaker.acquire()
    assert caught.value.retry_after == 60


def test_a_good_probe_closes_it(breaker: CircuitBreaker, hands: Hands) -> None:
    """When the probe goes well, everybody may call again."""
    fail(breaker, 3)
    hands.turn(60)
    breaker.acquire()
    breaker.success()
    assert breaker.state == "closed"
    breaker.acquire()


def test_a_bad_probe_opens_it_again(breaker: CircuitBreaker, hands: Hands) -> None:
    """When the probe fails, the recovery time begins anew."""
    fail(breaker, 3)
    hands.turn(60)
    fail(breaker, 1)
    assert breaker.state == "open"
    hands.turn(60)
    assert breaker.state == "half-open"


def test_a_probe_that_never_reports_back_is_given_up(breaker: CircuitBreaker, hands: Hands) -> None:
    """A lost probe does not close the way for ever."""
    fail(breaker, 3)
    hands.turn(60)
    breaker.acquire()
    hands.turn(60)
    breaker.acquire()
    assert breaker.state == "half-open"


def test_one_probe_among_many_threads(breaker: CircuitBreaker, hands: Hands) -> None:
    """Of many threads that ask at once, exactly one gets the probe."""
    fail(breaker, 3)
    hands.turn(60)
    start, granted = threading.Barrier(16), []

    def ask() -> None:
        start.wait()
        try:
            breaker.acquire()
        except CircuitOpenError:
            return
        granted.append(1)

    threads = [threading.Thread(target=ask) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(granted) == 1


def test_a_cancelled_probe_lets_another_through() -> None:
    """A probe that was cancelled says nothing of the upstream: it stays half-open, and the next one may ask."""
    now = 0.0
    breaker = CircuitBreaker(1, 60, lambda: now)
    breaker.failure()
    now = 60.0
    breaker.acquire()
    with pytest.raises(CircuitOpenError):
        breaker.acquire()
    breaker.release()
    breaker.acquire()
    assert breaker.state == "half-open"
