"""CircuitBreaker: leaves an upstream alone that failed several times in a row."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Literal, TypeAlias

from ..errors import CircuitOpenError

#: State of a circuit breaker.
BreakerState: TypeAlias = Literal["closed", "open", "half-open"]


class CircuitBreaker:
    """Closed while things go well, open after ``threshold`` failures in a row, half-open for one probe at a time.

    Args:
        threshold: failures in a row after which it opens.
        recovery: seconds that it stays open before one probe is let through.
        monotonic: the clock, in seconds.
    """

    def __init__(self, threshold: int, recovery: float, monotonic: Callable[[], float]) -> None:
        self._threshold = threshold
        self._recovery = recovery
        self._monotonic = monotonic
        self._lock = threading.RLock()  # a signal handler may come in the middle of anything
        self._failures = 0
        self._opened: float | None = None
        self._probe: float | None = None

    @property
    def state(self) -> BreakerState:
        """ "closed", "open", or "half-open" once a probe is allowed or under way."""
        opened = self._opened
        if opened is None:
            return "closed"
        return "open" if self._monotonic() < opened + self._recovery else "half-open"

    def acquire(self) -> None:
        """Ask to call the upstream; each grant must be followed by ``success``, ``failure`` or ``release``.

        A probe that never reports back is given up after another ``recovery`` seconds.

        Raises:
            CircuitOpenError: not now.
        """
        with self._lock:
            if self._opened is None:
                return
            now = self._monotonic()
            left = self._opened + self._recovery - now
            if left <= 0 and self._probe is not None:
                left = self._probe + self._recovery - now
            if left > 0:
                raise CircuitOpenError(left)
            self._probe = now

    def success(self) -> None:
        """The call went well: close."""
        with self._lock:
            self._failures = 0
            self._opened = self._probe = None

    def release(self) -> None:
        """The call said nothing of the upstream, as it was cancelled, say: let another probe through."""
        with self._lock:
            self._probe = None

    def failure(self) -> None:
        """The call failed: open after the last failure allowed, or again after a failed probe."""
        with self._lock:
            self._failures += 1
            if self._opened is not None or self._failures >= self._threshold:
                self._opened = self._monotonic()
            self._probe = None
