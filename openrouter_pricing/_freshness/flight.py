"""Single flight: one refresh at a time in a process, in a thread of its own; any number of callers can wait."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from typing import NamedTuple, Protocol

from .._base.clock import Clock
from .._base.fork import is_alone
from .._base.latch import Latch
from .._base.log import logger
from .._base.masking import mask, without_frames
from ..errors import StatusError, TransportError, UpstreamError
from .breaker import CircuitBreaker
from .guard import READ
from .recorder import Recorder
from .store import Record
from .unfinished import unfinished

_BACKOFF, _BACKOFF_MAX = 1.0, 300.0  # seconds between failed refreshes, doubled each time
_DENIED, _DENIED_BACKOFF, _DENIED_MAX = (401, 403, 404), 60.0, 3600.0  # these do not mend themselves within seconds
_RETRY_AFTER_MAX = 3600.0


def _nothing(accepted: bool) -> None:
    """It is stored already."""


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
        asked: whether somebody asked for a fetch, whatever the store holds.
        trusting: whether what it brings is believed at once.
        until: reading of the monotonic clock at its deadline.
        extended: whether that was put off.
        abandoned: whether it outlived it.
        starter: the thread that is starting it, until it is started.
        done: set when it has ended.
        error: why it failed, once it has ended.
    """

    def __init__(self, *, asked: bool, trusting: bool, until: float) -> None:
        self.asked = asked
        self.trusting = trusting
        self.until = until
        self.extended = self.abandoned = False
        self.starter: int | None = threading.get_ident()
        self.done = Latch()
        self.error: UpstreamError | None = None

    def extend(self, until: float) -> None:
        """Give it time anew: it took over from a process that died in the middle of its own refresh."""
        self.until = until
        self.extended = True


class Landing(NamedTuple):
    """What a refresh brought.

    Args:
        record: to hold from now on.
        finish: to be called once that is held, or turned down as too late: stores it, or not, and gives the lease back.
    """

    record: Record
    finish: Callable[[bool], None]


class Job(Protocol):
    """What a refresh does."""

    def prepare(self) -> None:
        """Called in the asker's thread before a refresh starts; imports belong there."""

    def run(self, flight: Flight, record: Record | None) -> Landing:
        """The refresh, in its own thread; ``record`` is what is held.

        Raises:
            UpstreamError: there is nothing new to be had.
        """
        ...

    def drop(self) -> None:
        """Called when a refresh outlived its deadline."""


class Owner(Protocol):
    """Whose prices are refreshed."""

    @property
    def record(self) -> Record | None:
        """What is held."""

    def publish(self, record: Record) -> None:
        """Take what a refresh brought. Called with the slot still held, never for one that came too late.

        It takes no lock: see :class:`SingleFlight`.
        """

    def published(self, record: Record) -> None:
        """Told of it once more, with the slot free again."""

    def failed(self) -> None:
        """Told that a refresh failed."""

    def answered(self, error: UpstreamError) -> bool:
        """Whether a failure shows that the upstream is up all the same, which the breaker then notes."""
        ...


class SingleFlight:
    """The slot of the one refresh, with breaker and back-off before it.

    While its lock is held nothing is counted, logged or told: a signal handler that closes waits for this lock, and the
    thread that it interrupts may have the lock of the counters, of a log, or of a listener's worker.

    Args:
        job: the refresh.
        owner: who is told of its end.
        deadline: seconds that a refresh may take.
        clock: time and chance.
        breaker: asked before each refresh.
        recorder: counts.
        backoff: what went wrong so far.

    Attributes:
        publishing: the lock of the slot, under which the owner publishes.
    """

    def __init__(
        self,
        job: Job,
        owner: Owner,
        *,
        deadline: float,
        clock: Clock,
        breaker: CircuitBreaker,
        recorder: Recorder,
        backoff: Backoff,
    ) -> None:
        self._job = job
        self._owner = owner
        self._deadline = deadline
        self._clock = clock
        self._breaker = breaker
        self._recorder = recorder
        self._backoff = backoff
        self.publishing = threading.RLock()  # a signal handler may close in the middle of anything
        self._flight: Flight | None = None
        self._thread: threading.Thread | None = None
        self._finished: Latch | None = None
        self._closed = False

    def start(self, *, asked: bool, trusting: bool = False) -> Flight | None:
        """The refresh under way, or a new one; None where it is not time for one.

        Args:
            asked: ignore the back-off.
            trusting: what a new one brings is believed at once.

        Raises:
            CircuitOpenError: the breaker is open.
        """
        ended: list[Flight] = []
        try:
            with self.publishing:
                now = self._clock.monotonic()
                if self._flight is not None:
                    if now < self._flight.until:
                        return self._flight
                    ended += self._abandon(self._flight)
                if self._closed or (not asked and now < self._backoff.retry_at):
                    return None
                self._breaker.acquire()
                flight = self._flight = Flight(asked=asked, trusting=trusting, until=now + self._deadline)
                try:
                    self._job.prepare()
                    self._thread = threading.Thread(
                        target=self._fly, args=(flight,), name="openrouter-pricing-refresh", daemon=True
                    )
                    self._thread.start()
                    flight.starter = None
                except Exception as error:  # noqa: BLE001  # no thread, descriptor or module: as good as no upstream
                    ended += self._settle(flight, TransportError(f"no fetch could be started: {error!r}"))
        finally:
            self._tell(ended)
        self._recorder.count("fetches")
        return flight

    def wait(self, flight: Flight) -> None:
        """Wait for the end of a refresh, at most as long as one may take; one that had its time loses its slot."""
        if flight.starter == threading.get_ident():
            return  # this is a signal handler, and interrupts the very thread that would start it
        left = self._deadline if flight.extended else min(flight.until - self._clock.monotonic(), self._deadline)
        if flight.done.wait(left):
            return
        if not flight.extended:
            with self.publishing:
                ended = self._abandon(flight)
            self._tell(ended)

    def close(self) -> None:
        """Start no more; whoever waits is let go."""
        ended: list[Flight] = []
        with self.publishing:
            self._closed = True
            if self._flight is not None:
                ended = self._settle(self._flight, TransportError("closed in the middle of a fetch"))
            self._job.drop()
        self._tell(ended)

    def join(self, timeout: float, storing: float) -> None:
        """Give the last refresh a moment to clean up after itself.

        Args:
            timeout: seconds.
            storing: seconds where it is storing what it brought.
        """
        finished, thread = self._finished, self._thread
        if finished is not None and not finished.is_set():
            finished.wait(storing)
        elif thread is not None and thread.ident is not None and thread is not threading.current_thread():
            thread.join(timeout)

    def _fly(self, flight: Flight) -> None:
        began = self._clock.monotonic()
        error: UpstreamError | None = None
        before, finished = self._finished, Latch()
        if before is not None:  # what the last one brought is stored first: in order, and its lease is back
            before.wait(min(READ, self._deadline))
        try:
            landing = self._job.run(flight, self._owner.record)
            if is_alone():  # a fork must find no thread at work: it is stored before anybody goes on
                landing.finish(not flight.done.is_set())
                landing = Landing(landing.record, _nothing)
        except UpstreamError as failure:
            error = failure
        except Exception as failure:  # noqa: BLE001  # whatever went wrong: counted, logged, tried again
            error = TransportError(f"a refresh failed: {failure!r}")
            error.__cause__ = failure
        ended: list[Flight] = []
        with self.publishing:
            accepted = self._flight is flight
            if accepted:
                if error is None:
                    self._owner.publish(landing.record)
                    self._finished = finished
                    unfinished.get().add(finished)
                ended = self._settle(flight, error)
        try:
            if accepted and error is None:
                self._recorder.refreshed(self._clock.monotonic() - began, self._clock.utcnow())
                self._owner.published(landing.record)
        finally:
            self._tell(ended)
        if error is not None:
            return
        try:
            landing.finish(accepted)
        finally:
            finished.set()
            unfinished.get().discard(finished)

    def _abandon(self, flight: Flight) -> list[Flight]:
        """Take the slot from a refresh that outlived its deadline. As for :meth:`_settle`."""
        if self._flight is not flight:
            return []
        flight.abandoned = True
        ended = self._settle(flight, TransportError(f"no answer within the deadline of {self._deadline:g} s"))
        self._job.drop()
        return ended

    def _settle(self, flight: Flight, error: UpstreamError | None) -> list[Flight]:
        """End a refresh. The lock is held; what ended is to be told of by :meth:`_tell` when it is let go."""
        self._flight = None
        flight.error = error = None if error is None else without_frames(error)  # it is remembered, a body is not
        if error is None:
            self._breaker.success()
            self._backoff.over()
        else:
            if self._owner.answered(error):
                self._breaker.success()
            else:
                self._breaker.failure()
            self._backoff.add(error, self._clock)
            self._owner.failed()
        return [flight]

    def _tell(self, ended: list[Flight]) -> None:
        """Count and log what ended, and let go whoever waits for it. The lock is not held."""
        for flight in ended:
            try:
                self._note(flight)
            finally:
                flight.done.set()

    def _note(self, flight: Flight) -> None:
        if flight.abandoned:
            self._recorder.count("abandoned")
        if flight.error is not None:
            message, kind = mask(str(flight.error)), type(flight.error).__name__
            self._recorder.failed(flight.error, message)
            logger(__name__).warning("refreshing prices failed: %s", message, extra={"error": kind})
