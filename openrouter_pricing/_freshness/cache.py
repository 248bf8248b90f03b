"""CatalogCache: tiers, freshness, single flight, stale answers, fallback."""

from __future__ import annotations

import math
import os
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from .._base.clock import Clock
from .._base.log import logger
from .._base.masking import mask
from .._prices.catalog import Catalog
from .._prices.wire import read_catalog
from ..errors import (
    CatalogUnavailableError,
    CircuitOpenError,
    PayloadError,
    StatusError,
    TransportError,
    UpstreamError,
)
from ..settings import Settings
from .breaker import CircuitBreaker
from .flight import Backoff, SingleFlight
from .guard import GuardedBackend
from .held import Held
from .protocols import Backend, Source
from .recorder import Recorder
from .refresh import Plausibility, Reader, Refresher
from .store import Record, Store

if TYPE_CHECKING:
    from .stats import Stats


_GRACE = 0.4  # seconds that closing gives a refresh under way to return its lease


class _Process(NamedTuple):
    """What belongs to one process and must not be taken over a fork: locks, threads, sockets, connections."""

    recorder: Recorder
    breaker: CircuitBreaker
    side_breaker: CircuitBreaker
    backend: GuardedBackend
    refresher: Refresher
    store: Store
    flights: SingleFlight[Record]
    look: threading.Lock


class CatalogCache:
    """Decides what a question is answered from, and when to fetch.

    Args:
        settings: the times and ``offline`` are used.
        open_backend: makes the backend; called in each process, with the first question there.
        open_source: makes the source; called in each process, with the first fetch there and after a stuck one.
        clock: time and chance.
        owns_backend: whether ``close()`` closes the backend.
        owns_source: whether it closes the source.
        url: what the prices are kept under; ``settings.base_url`` when left out.
        read: what an answer of the source means.
        fallback: gives the list that answers when nothing else is held; None to do without.
        beside: the main cache, where this one is for other prices: it uses that one's backend and counters, and shares
            one circuit breaker with all that stand beside it. Everything that can be read is believed.

    Attributes:
        held: what questions are answered from until its time is up; None before the first.
    """

    def __init__(
        self,
        settings: Settings,
        open_backend: Callable[[], Backend],
        open_source: Callable[[Recorder], Source],
        clock: Clock,
        *,
        owns_backend: bool = True,
        owns_source: bool = True,
        url: str | None = None,
        read: Reader = read_catalog,
        fallback: Callable[[], Catalog] | None = None,
        beside: CatalogCache | None = None,
    ) -> None:
        self._url = settings.base_url if url is None else url
        self._read = read
        self._fallback = fallback
        self._beside = beside
        self._settings = settings
        self.open_backend = open_backend
        self._open_source = open_source
        self._clock = clock
        self._owns_backend = owns_backend
        self._owns_source = owns_source
        self._processes: dict[int, _Process] = {}
        self._inherited: list[_Process] = []
        self._listeners: list[Callable[[Catalog], None]] = []
        self._l1_ttl = settings.l1_ttl
        self._closed = False
        self._backoff = Backoff()
        self._plausibility = Plausibility() if beside is None else None
        self._record: Record | None = None
        self._bundled: Catalog | None = None
        self.held: Held | None = None

    # -- questions -------------------------------------------------------------------------------------------------

    def current(self) -> Held:
        """What to answer from now. Waits only while nothing acceptable is held and nothing has failed yet.

        Raises:
            CatalogUnavailableError: nothing is held, nothing can be fetched, and the fallback is off.
        """
        held = self.held
        process = self._process()
        # One thread looks. The others answer from what is held, and wait for it only where that will not do.
        if process.look.acquire(timeout=self._settings.deadline if held is None or self._must_wait() else 0):
            try:
                if self.held is held:
                    self._look(process)
            finally:
                process.look.release()
        return self._hold(process)

    def _must_wait(self) -> bool:
        """Whether what is held is too old to be answered while a refresh runs behind."""
        settings = self._settings
        return self._backoff.failures == 0 and self.age() > settings.l2_ttl + settings.stale_while_revalidate

    def _look(self, process: _Process) -> None:
        """Ask the backend; then see to a refresh, and wait for it only where that is due."""
        if self.closed:
            return
        self._adopt(process)
        if self.age() <= self._settings.l2_ttl or self._settings.offline:
            return
        must_wait = self._must_wait()
        try:
            flight = process.flights.start(force=False)
        except CircuitOpenError as error:
            if self._backoff.failures == 0:
                self._backoff.error = error  # others' failures opened it; it is why there is nothing
            return
        if flight is not None and must_wait:
            process.flights.wait(flight)

    def _adopt(self, process: _Process) -> None:
        record = self._record
        newer = process.store.newer(record)
        if newer is not None and self._record is record:
            self._publish(newer)
            if self.age() <= self._settings.l2_ttl:
                self._backoff.over()  # another process got through

    def _hold(self, process: _Process) -> Held:
        """Hold what there is, under the name it deserves."""
        now, settings, record = self._clock.monotonic(), self._settings, self._record
        age = math.inf if record is None else now - record.fetched
        until = now + self._l1_ttl
        if record is not None and age <= settings.l2_ttl:
            held = Held(record.catalog, "live", min(until, record.fetched + settings.l2_ttl))
        else:
            if now < self._backoff.retry_at:
                until = min(until, self._backoff.retry_at)
            oldest = settings.l2_ttl + max(settings.stale_while_revalidate, settings.stale_if_error)
            if record is not None and age <= oldest:
                process.recorder.count("stale_answers")
                held = Held(record.catalog, "stale", min(until, record.fetched + oldest))
            elif self._fallback is not None:
                if self._bundled is None:
                    self._bundled = self._fallback()
                process.recorder.count("bundled_answers")
                held = Held(self._bundled, "bundled", until)
            else:
                self.held = None
                error = self._backoff.error
                reason = "the settings say offline" if settings.offline else "nothing could be fetched"
                reason = reason if error is None else mask(str(error))
                raise CatalogUnavailableError(
                    f"no prices are held, and the bundled snapshot does not stand in for them: {reason}"
                ) from error
        before = self.held
        if before is not None and before.catalog is held.catalog:
            held.prices = before.prices
        self.held = held
        return held

    def cap_l1_ttl(self, seconds: float) -> None:
        """Answer without looking for at most so many seconds: a forked child has no warmer before it looks."""
        self._l1_ttl = min(self._settings.l1_ttl, seconds)

    def adopt_stored(self) -> None:
        """Take over what other processes stored, without waiting for a fetch. For the warmer."""
        self._adopt(self._process())

    def retry_in(self) -> float:
        """Seconds until the back-off after a failed refresh is over."""
        return max(0.0, self._backoff.retry_at - self._clock.monotonic())

    def age(self) -> float:
        """Seconds since the held prices were fetched, by the monotonic clock; infinite where none are held."""
        record = self._record
        return math.inf if record is None else self._clock.monotonic() - record.fetched

    # -- refreshing ------------------------------------------------------------------------------------------------

    def refresh(self) -> Catalog:
        """Fetch now and wait: joins a flight, ignores back-off, obeys the breaker.

        Raises:
            UpstreamError: what went wrong.
        """
        process = self._process()
        flight = process.flights.start(force=True)
        if flight is None:
            raise TransportError("closed")
        process.flights.wait(flight)
        if not flight.done.is_set():
            raise TransportError(f"no answer within the deadline of {self._settings.deadline:g} s")
        if flight.error is not None:
            raise flight.error
        return self._hold(process).catalog

    def renew(self, *, wait: bool = True) -> None:
        """Refresh, if settings, back-off and breaker allow it, and wait for the end. Never raises for the upstream."""
        if self._settings.offline:
            return
        process = self._process()
        try:
            flight = process.flights.start(force=False)
        except CircuitOpenError:
            return
        if flight is not None and wait:
            process.flights.wait(flight)

    @property
    def failing(self) -> bool:
        """Whether the last refresh failed."""
        return self._backoff.failures > 0

    def _publish(self, record: Record) -> None:
        """Take what a refresh brought, stored already; the next question holds it."""
        self._record = record
        held = self.held
        if held is not None:
            held.until = -math.inf

    def _retry_later(self) -> None:
        """Look again when the back-off is over, however long this process could answer without looking."""
        held = self.held
        if held is not None and held.origin.source != "live":
            held.until = min(held.until, self._backoff.retry_at)

    def _tell(self, record: Record) -> None:
        for listener in self._listeners:
            try:
                listener(record.catalog)
            except Exception:  # noqa: BLE001  # a listener may fail in any way
                self._process().recorder.count("listener_errors")
                logger(__name__).exception("a listener for new prices failed")

    def listen(self, listener: Callable[[Catalog], None]) -> None:
        """Tell ``listener`` of every catalogue that is believed from now on, after it is stored."""
        self._listeners.append(listener)

    @property
    def closed(self) -> bool:
        """Whether it was closed."""
        return self._closed

    @property
    def in_use(self) -> bool:
        """Whether this process has anything to close."""
        return not self._closed and os.getpid() in self._processes

    # -- the rest --------------------------------------------------------------------------------------------------

    def stats(self, **more: object) -> Stats:
        """What happened in this process so far, with ``more`` that the caller counts."""
        process, held = self._process(), self.held
        return process.recorder.snapshot(
            breaker=process.breaker.state,
            age=None if self._record is None else self.age(),
            source=None if held is None else held.origin.source,
            models=0 if held is None else len(held.catalog),
            **more,
        )

    def close(self, grace: float = _GRACE) -> None:
        """Let go of threads, sockets and the store, within two seconds. What is held still answers.

        Args:
            grace: seconds to wait for a refresh under way to return its lease.
        """
        if self._closed:
            return
        self._closed = True
        process = self._processes.get(os.getpid())
        if process is not None:
            process.flights.close()
            process.refresher.drop()
            process.flights.join(grace)
            if self._beside is None:
                process.backend.close(owned=self._owns_backend)

    def _process(self) -> _Process:
        """This process's part. Comparing ids is what works everywhere: uWSGI fires no fork hooks."""
        pid = os.getpid()
        process = self._processes.get(pid)
        if process is None:
            # Atomic, so that two threads of a child agree; what is made in vain here has started nothing yet.
            process = self._processes.setdefault(pid, self._make_process())
            for other in [other for other in self._processes if other != pid]:
                # Kept and never closed: its connections and threads are the parent's.
                self._inherited.append(self._processes.pop(other))
        return process

    def _make_process(self) -> _Process:
        settings, clock = self._settings, self._clock
        if self._beside is not None:
            main = self._beside._process()
            recorder, breaker, side_breaker, backend = main.recorder, main.side_breaker, main.side_breaker, main.backend
        else:
            recorder = Recorder()
            breaker, side_breaker = (
                CircuitBreaker(settings.breaker_threshold, settings.breaker_recovery, clock.monotonic) for _ in "12"
            )
            backend = GuardedBackend(self.open_backend, recorder)
        store = Store(backend, self._url, clock, recorder)
        refresher = Refresher(
            self._open_source,
            owns_source=self._owns_source,
            store=store,
            read=self._read,
            plausibility=self._plausibility,
            settings=settings,
            clock=clock,
            recorder=recorder,
        )
        flights = SingleFlight(
            prepare=refresher.prepare,
            work=lambda flight: refresher.run(flight, self._record),
            publish=self._publish,
            landed=self._tell,
            failed=self._retry_later,
            stuck=refresher.drop,
            deadline=settings.deadline,
            clock=clock,
            breaker=breaker,
            recorder=recorder,
            backoff=self._backoff,
            answered=lambda error: self._beside is not None and _is_about_it_alone(error),
        )
        return _Process(recorder, breaker, side_breaker, backend, refresher, store, flights, threading.Lock())


def _is_about_it_alone(error: UpstreamError) -> bool:
    """Whether the upstream is up, but has nothing readable under this one address."""
    return isinstance(error, PayloadError) or (isinstance(error, StatusError) and error.status == 404)
