"""Metrics, retry delays and a circuit breaker, by themselves."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import Any

import pytest
from support.webui import run

from openrouter_pricing import CircuitOpenError
from openrouter_pricing.openwebui import (
    CircuitBreaker,
    MetricsCollector,
    RetryPolicy,
    TimedOperation,
)


def test_metrics(caplog: pytest.LogCaptureFixture) -> None:
    """Counts, times in milliseconds and rates in percent, by operation and of all."""
    collector = MetricsCollector()
    assert 0 == collector.get_metrics()["_summary"]["total_operations"]
    collector.record_operation("ask", 0.25, cache_hit=True)
    collector.record_operation("ask", 0.75, success=False, cache_hit=False)
    collector.record_operation("other", 1.0)
    found = collector.get_metrics()
    seen = found["ask"]
    assert (2, 500, 250, 750, 1.0) == tuple(
        seen[key] for key in ("count", "avg_time_ms", "min_time_ms", "max_time_ms", "total_time_s")
    )
    assert (1, 50, 50, 1, 1) == tuple(
        seen[key] for key in ("errors", "error_rate", "cache_hit_rate", "cache_hits", "cache_misses")
    )
    assert seen["last_error"].endswith("+00:00")
    assert (0.0, None) == (found["other"]["cache_hit_rate"], found["other"]["last_error"])
    assert (3, 1) == (found["_summary"]["total_operations"], found["_summary"]["total_errors"])
    with caplog.at_level(logging.INFO):
        collector.log_metrics()
    assert ["3 operations, 1 errors", "ask: 2 times", "other: 1 times"] == [
        record.getMessage().split(",")[0] if record.args and len(record.args) == 4 else record.getMessage()
        for record in caplog.records
    ]


def test_timed_operations() -> None:
    """A body is timed, and counted as a failure where it raises."""
    collector = MetricsCollector()
    with TimedOperation("ask", collector) as operation:
        operation.set_cache_hit(True)
    with pytest.raises(KeyError), TimedOperation("ask", collector):
        raise KeyError
    seen = collector.get_metrics()["ask"]
    assert (2, 1, 1) == (seen["count"], seen["errors"], seen["cache_hits"])
    TimedOperation("never entered", collector).__exit__(None, None, None)
    assert 1 == collector.get_metrics()["never entered"]["count"]


def test_retry_delays() -> None:
    """They double up to the most, and jitter adds up to a quarter."""
    exact = RetryPolicy(jitter=False)
    assert [1, 2, 4, 8, 10, 10, 10] == [exact.calculate_delay(n) for n in (0, 1, 2, 3, 4, 5, 10**6)]
    assert (3, 1.0, 10.0, 2.0, True) == tuple(vars(RetryPolicy()).values())
    delays = [RetryPolicy().calculate_delay(1) for _ in range(200)]
    assert 2 <= min(delays) < max(delays) <= 2.5
    with pytest.raises(ValueError, match="attempt"):
        exact.calculate_delay(-1)


def test_the_circuit_breaker(monkeypatch: pytest.MonkeyPatch) -> None:
    """It opens after failures in a row of the kind expected, lets a probe through later, and closes on success."""
    now = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    breaker = CircuitBreaker(failure_threshold=2, recovery_timeout=60, expected_exception=KeyError)

    async def ask(error: type[Exception] | None = None, *, answer: str = "fine") -> str:
        if error is not None:
            raise error
        return answer

    async def seen() -> list[Any]:
        states: list[Any] = []
        for error in (None, KeyError, ValueError, KeyError):
            await asyncio.gather(breaker.call(ask, error), return_exceptions=True)
            states.append(breaker.state)
        with pytest.raises(CircuitOpenError):
            await breaker.call(ask)
        now[0] = 61.0
        states.append(breaker.state)
        states.append(await breaker.call(ask, answer="again"))
        return [*states, breaker.state]

    assert ["closed", "closed", "closed", "open", "half-open", "again", "closed"] == run(seen())
    assert 3 == run(breaker.call(lambda *numbers: sum(numbers), 1, 2))
    assert Exception is CircuitBreaker().expected_exception


def test_a_probe_that_says_nothing() -> None:
    """A probe that is cancelled, or fails in another way, is no failure: the next one is let through at once."""
    breaker = CircuitBreaker(failure_threshold=1, recovery_timeout=0.05, expected_exception=KeyError)

    async def fail(error: BaseException) -> None:
        raise error

    async def ask() -> list[str]:
        await asyncio.gather(breaker.call(fail, KeyError()), return_exceptions=True)
        while breaker.state == "open":
            await asyncio.sleep(0)
        await asyncio.gather(breaker.call(fail, ValueError()), return_exceptions=True)
        probe = asyncio.create_task(breaker.call(asyncio.sleep, 10))
        await asyncio.sleep(0)
        probe.cancel()
        await asyncio.gather(probe, return_exceptions=True)
        return [breaker.state, await breaker.call(lambda: "fine"), breaker.state]

    assert ["half-open", "fine", "closed"] == run(ask())
    assert (1, 0.05) == (breaker.failure_threshold, breaker.recovery_timeout)
