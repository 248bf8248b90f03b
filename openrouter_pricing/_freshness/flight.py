"""Single flight: one refresh at a time in a process, in a thread of its own; any number of callers can wait."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from .._base.clock import Clock
from .._base.log import logger
from .._base.masking import mask
from ..errors import StatusError, TransportError, UpstreamError
from .breaker import CircuitBreaker
from .recorder import Recorder

_T = TypeVar("_T")

_BACKOFF, _BACKOFF_MAX = 1.0, 300.0  # seconds between failed refreshes, doubled each time
_DENIED, _DENIED_BACKOFF, _DENIED_MAX = (401, 403, 404), 60.0, 3600.0  # these do not mend themselves within seconds
_RETRY_AFTER_MAX = 3600.0


class Backoff:
    """How often refreshing failed since it last went well, and when to try again. A forked child goes on from it."""

    def __init__(self) -> None:
        self.failures = 0
        self.retry_at = -math.inf
        self.error: UpstreamError | None = None

    def over(self) -> None:
        """It went well."""
        self.failures, self.retry_at, self.error = 0, -math.inf, None

    def add(self, error: UpstreamError, clock: Clock) -> None:
        """It failed: wait twice as long as before, with jitter, and no less than the upstream asked for."""
        denied = isinstance(error, StatusError) and error.status in _DENIED
        first, most = (_DENIED_BACKOFF, _DENIED_MAX) if denied else (_BACKOFF, _BACKOFF_MAX)
        pause = min(first * 2.0 ** min(self.failures, 30), most) * (0.5 + clock.random() / 2)
        asked = getattr(error, "retry_after", None) or 0.0
        self.failures += 1
        self.error = error
        self.retry_at = clock.monotonic() + max(pause, min(asked, _RETRY_AFTER_MAX))


class Flight:
    """One refresh under way.

    Attributes:
        force: whether somebody asked for a fetch, whatever the store holds.
        until: reading of the monotonic clock at its deadline.
        extended: whether that was put off.
        done: set when it has ended.
        error: why it failed, once it has ended.
    """

    def __init__(self, *, force: bool, until: float) -> None:
        self.force = force
        self.until = until
        self.extended = False
        self.done = threading.Event()
        self.error: UpstreamError | None = None

    def extend(self, until: float) -> None:
        """Give it time anew: it took over from a process that died in the middle of its own refresh."""
        self.until = until
        self.extended = True


class SingleFlight(Generic[_T]):
    """The slot of the one refresh, with breaker and back-off before it.

    Args:
        prepare: called in the asker's thread before a refresh starts; imports belong there.
        work: the refresh; runs in its own thread.
        publish: takes what the refresh brought. Called with the slot still held, never for one that came too late.
        landed: told of what was published, when nothing is held any more.
        failed: told that a refresh failed.
        stuck: called when a refresh outlived its deadline.
        deadline: seconds that a refresh may take.
        clock: time and chance.
        breaker: asked before each refresh.
        recorder: counts.
        backoff: what went wrong so far.
        answered: whether a failure shows that the upstream is up all the same, which the breaker then notes.
    """

    def __init__(
        self,
        *,
        prepare: Callable[[], None],
        work: Callable[[Flight], _T],
        publish: Callable[[_T], None],
        landed: Callable[[_T], None],
        failed: Callable[[], None],
        stuck: Callable[[], None],
        deadline: float,
        clock: Clock,
        breaker: CircuitBreaker,
        recorder: Recorder,
        backoff: Backoff,
        answered: Callable[[UpstreamError], bool],
    ) -> None:
        self._answered = answered
        self._prepare = prepare
        self._work = work
        self._publish = publish
        self._landed = landed
        self._failed = failed
        self._stuck = stuck
        self._deadline = deadline
        self._clock = clock
        self._breaker = breaker
        self._recorder = recorder
        self._backoff = backoff
        self._lock = threading.Lock()
        self._flight: Flight | None = None
        self._thread: threading.Thread | None = None
        self._closed = False

    def start(self, *, force: bool) -> Flight | None:
        """The refresh under way, or a new one; None where it is not time for one.

        Args:
            force: ignore the back-off.

        Raises:
            CircuitOpenError: the breaker is open.
        """
        with self._lock:
            now = self._clock.monotonic()
            if self._flight is not None:
                if now < self._flight.until:
                    return self._flight
                self._abandon(self._flight)
            if self._closed or (not force and now < self._backoff.retry_at):
                return None
            self._prepare()
            self._breaker.acquire()
            flight = self._flight = Flight(force=force, until=now + self._deadline)
            self._recorder.count("fetches")
            try:
                self._thread = threading.Thread(
                    target=self._fly, args=(flight,), name="openrouter-pricing-refresh", daemon=True
                )
                self._thread.start()
            except RuntimeError as error:  # the interpreter is going down, or there are too many threads
                self._settle(flight, TransportError(f"no thread for a fetch: {error}"))
            return flight

    def wait(self, flight: Flight) -> None:
        """Wait for the end of a refresh, at most as long as one may take; one that had its time loses its slot."""
        left = self._deadline if flight.extended else min(flight.until - self._clock.monotonic(), self._deadline)
        if flight.done.wait(max(0.0, left)):
            return
        if not flight.extended:
            with self._lock:
                self._abandon(flight)

    def close(self) -> None:
        """Start no more; whoever waits is let go."""
        with self._lock:
            self._closed = True
            if self._flight is not None:
                self._settle(self._flight, TransportError("closed in the middle of a fetch"))

    def join(self, timeout: float) -> None:
        """Give the last refresh a moment to clean up after itself."""
        thread = self._thread
        if thread is not None and thread.ident is not None and thread is not threading.current_thread():
            thread.join(timeout)

    def _fly(self, flight: Flight) -> None:
        began = self._clock.monotonic()
        error: UpstreamError | None = None
        try:
            brought = self._work(flight)
        except UpstreamError as failure:
            error = failure
        except Exception as failure:  # noqa: BLE001  # whatever went wrong: counted, logged, tried again
            error = TransportError(f"a refresh failed: {failure!r}")
            error.__cause__ = failure
        with self._lock:
            if self._flight is not flight:
                return  # it came too late
            if error is None:
                self._publish(brought)
                self._recorder.refreshed(self._clock.monotonic() - began, self._clock.utcnow())
            self._settle(flight, error)
        if error is None:
            self._landed(brought)

    def _abandon(self, flight: Flight) -> None:
        """Take the slot from a refresh that outlived its deadline."""
        if self._flight is flight:
            self._recorder.count("abandoned")
            self._settle(flight, TransportError(f"no answer within the deadline of {self._deadline:g} s"))
            self._stuck()

    def _settle(self, flight: Flight, error: UpstreamError | None) -> None:
        """End a refresh. The lock is held."""
        self._flight = None
        flight.error = error
        if error is None:
            self._breaker.success()
            self._backoff.over()
        else:
            if self._answered(error):
                self._breaker.success()
            else:
                self._breaker.failure()
            self._backoff.add(error, self._clock)
            self._failed()
            message = mask(str(error))
            self._recorder.failed(error, message)
            logger(__name__).warning("refreshing prices failed: %s", message, extra={"error": type(error).__name__})
        flight.done.set()
