"""The legacy Open WebUI API's tools: metrics, a retry policy and a circuit breaker for coroutines."""

from __future__ import annotations

import inspect
import math
import random
import time
from collections.abc import Callable
from datetime import datetime, timezone
from types import TracebackType
from typing import Any

from .._base.log import logger
from .._freshness import breaker

_SHOWN = 5  # operations in the log


class _Operation:
    def __init__(self) -> None:
        self.count = self.errors = self.hits = self.misses = 0
        self.total = self.longest = 0.0
        self.shortest = math.inf
        self.last_error: str | None = None

    def show(self) -> dict[str, Any]:
        asked = self.hits + self.misses
        return {
            "count": self.count,
            "avg_time_ms": self.total / self.count * 1000,
            "min_time_ms": self.shortest * 1000,
            "max_time_ms": self.longest * 1000,
            "total_time_s": self.total,
            "errors": self.errors,
            "error_rate": self.errors / self.count * 100,
            "last_error": self.last_error,
            "cache_hit_rate": self.hits / asked * 100 if asked else 0.0,
            "cache_hits": self.hits,
            "cache_misses": self.misses,
        }


class MetricsCollector:
    """Counts operations and how long they took."""

    def __init__(self) -> None:
        self._operations: dict[str, _Operation] = {}
        self._started = time.monotonic()

    def record_operation(
        self, operation: str, duration: float, success: bool = True, cache_hit: bool | None = None
    ) -> None:
        """Count one operation.

        Args:
            operation: its name.
            duration: seconds.
            success: whether it went well.
            cache_hit: whether a cache answered; None where none was asked.
        """
        seen = self._operations.setdefault(operation, _Operation())
        seen.count += 1
        seen.total += duration
        seen.shortest, seen.longest = min(seen.shortest, duration), max(seen.longest, duration)
        if not success:
            seen.errors += 1
            seen.last_error = datetime.now(timezone.utc).isoformat()
        if cache_hit is not None:
            seen.hits += cache_hit
            seen.misses += not cache_hit

    def get_metrics(self) -> dict[str, Any]:
        """Figures by operation, and of all of them under ``_summary``; rates in percent."""
        operations = dict(self._operations)
        uptime = max(time.monotonic() - self._started, 1e-9)
        total = sum(seen.count for seen in operations.values())
        return {
            **{name: seen.show() for name, seen in operations.items()},
            "_summary": {
                "uptime_seconds": uptime,
                "total_operations": total,
                "total_errors": sum(seen.errors for seen in operations.values()),
                "operations_per_second": total / uptime,
            },
        }

    def log_metrics(self) -> None:
        """Log a summary, and the operations that were counted most."""
        found = self.get_metrics()
        summary = found.pop("_summary")
        logger(__name__).info("%d operations, %d errors", summary["total_operations"], summary["total_errors"])
        for name, seen in sorted(found.items(), key=lambda item: -item[1]["count"])[:_SHOWN]:
            logger(__name__).info(
                "%s: %d times, %.1f ms, %.1f %% cache hits",
                name,
                seen["count"],
                seen["avg_time_ms"],
                seen["cache_hit_rate"],
            )


#: What this API counts by itself.
metrics: MetricsCollector = MetricsCollector()


class TimedOperation:
    """A context manager that records how long its body took and whether it raised.

    Args:
        operation: its name.
        collector: what counts it; :data:`metrics` when left out.
    """

    def __init__(self, operation: str, collector: MetricsCollector | None = None) -> None:
        self.operation: str = operation
        self.collector: MetricsCollector = metrics if collector is None else collector
        self.start_time: float | None = None
        self.success: bool = True
        self.cache_hit: bool | None = None

    def set_cache_hit(self, hit: bool) -> None:
        """Say whether a cache answered."""
        self.cache_hit = hit

    def __enter__(self) -> TimedOperation:
        self.start_time = time.monotonic()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.success = error is None
        began = time.monotonic() if self.start_time is None else self.start_time
        self.collector.record_operation(self.operation, time.monotonic() - began, self.success, self.cache_hit)


class RetryPolicy:
    """How long to wait between attempts.

    Args:
        max_retries: attempts after the first.
        initial_delay: seconds before the first of them.
        max_delay: seconds at most, before jitter.
        backoff_factor: by which the delay grows.
        jitter: whether to add up to a quarter of the delay at random.
    """

    def __init__(
        self,
        max_retries: int = 3,
        initial_delay: float = 1.0,
        max_delay: float = 10.0,
        backoff_factor: float = 2.0,
        jitter: bool = True,
    ) -> None:
        self.max_retries = max_retries
        self.initial_delay = initial_delay
        self.max_delay = max_delay
        self.backoff_factor = backoff_factor
        self.jitter = jitter

    def calculate_delay(self, attempt: int) -> float:
        """Seconds before the next attempt.

        Args:
            attempt: 0 after the first attempt.

        Raises:
            ValueError: ``attempt`` is negative.
        """
        if attempt < 0:
            raise ValueError(f"attempt must not be negative: {attempt}")
        try:
            delay = min(self.initial_delay * self.backoff_factor**attempt, self.max_delay)
        except OverflowError:
            delay = self.max_delay
        return delay * (1 + 0.25 * random.random()) if self.jitter else delay  # noqa: S311  # jitter, not secrets


class CircuitBreaker:
    """Leaves alone what failed several times in a row.

    Args:
        failure_threshold: failures in a row after which it opens.
        recovery_timeout: seconds until one probe is let through.
        expected_exception: what counts as a failure.
    """

    def __init__(
        self,
        failure_threshold: int = 5,
        recovery_timeout: float = 60.0,
        expected_exception: type[BaseException] | tuple[type[BaseException], ...] = Exception,
    ) -> None:
        self.failure_threshold = failure_threshold
        self.recovery_timeout = recovery_timeout
        self.expected_exception = expected_exception
        self._breaker = breaker.CircuitBreaker(failure_threshold, recovery_timeout, time.monotonic)

    @property
    def state(self) -> breaker.BreakerState:
        """ "closed", "open" or "half-open"."""
        return self._breaker.state

    async def call(self, func: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """What ``func`` gives for these arguments; awaited where it can be.

        Raises:
            CircuitOpenError: it is open.
        """
        self._breaker.acquire()
        try:
            found = func(*args, **kwargs)
            if inspect.isawaitable(found):
                found = await found
        except self.expected_exception:
            self._breaker.failure()
            raise
        except BaseException:  # cancelled, or another kind of error: neither a success nor a failure
            self._breaker.release()
            raise
        self._breaker.success()
        return found
