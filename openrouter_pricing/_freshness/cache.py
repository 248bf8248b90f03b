"""CatalogCache: tiers, freshness, single flight, stale answers, fallback."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable

from .._base.clock import Clock
from .._base.fork import PerProcess
from .._base.masking import again, mask
from .._prices.catalog import Catalog
from .._prices.wire import read_catalog
from ..errors import CatalogUnavailableError, CircuitOpenError, TransportError, UpstreamError
from ..settings import Settings
from .flight import Backoff, Flight, SingleFlight
from .held import Held
from .plausibility import Plausibility
from .process import Shared
from .protocols import Source
from .recorder import Recorder
from .refresh import Reader, Refresher
from .store import Record, Store
from .unfinished import STORING

_GRACE = 0.4  # seconds that closing gives a refresh under way to return its lease


class _Process:
    """What belongs to one process and must not be taken over a fork: locks, threads, sockets, connections."""

    def __init__(self, shared: Shared, store: Store, flights: SingleFlight) -> None:
        self.shared = shared
        self.store = store
        self.flights = flights
        self.looking = threading.RLock()  # a signal handler may ask in the middle of a look
        self.behind = False  # whether a look is under way that nobody waits for


class CatalogCache:
    """Decides what a question is answered from, and when to fetch.

    Args:
        settings: the times and ``offline`` are used.
        shared: the counters, the breaker and the store of each process.
        open_source: makes the source; called in each process, with the first fetch there and after a stuck one.
        clock: time and chance.
        owns_source: whether ``close()`` closes the source.
        url: what the prices are kept under; ``settings.base_url`` when left out.
        read: what an answer of the source means.
        plausibility: judges what was fetched; None to believe everything that can be read.
        fallback: gives the list that answers when nothing else is held; None to do without.
        answered: whether a failed refresh shows that the upstream is up all the same.
        listener: told of every list that is held from now on.

    Attributes:
        held: what questions are answered from until its time is up; None before the first.
    """

    def __init__(
        self,
        settings: Settings,
        shared: PerProcess[Shared],
        open_source: Callable[[Recorder], Source],
        clock: Clock,
        *,
        owns_source: bool = True,
        url: str | None = None,
        read: Reader = read_catalog,
        plausibility: Plausibility | None = None,
        fallback: Callable[[], Catalog] | None = None,
        answered: Callable[[UpstreamError], bool] = lambda error: False,
        listener: Callable[[Catalog], None] = lambda catalog: None,
    ) -> None:
        self._url = settings.base_url if url is None else url
        self._read = read
        self._fallback = fallback
        self._settings = settings
        self._shared = shared
        self._open_source = open_source
        self._clock = clock
        self._owns_source = owns_source
        self._plausibility = plausibility
        self.answered = answered
        self._listener = listener
        self._processes = PerProcess(self._make_process)
        self._l1_ttl = settings.l1_ttl
        self._closed = False
        self._backoff = Backoff()
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
        process = self._processes.get()
        fresh = self.age() <= self._settings.l2_ttl
        # One thread looks. The others answer from what is held, and wait for it only where that will not do.
        if process.looking.acquire(timeout=self._settings.deadline if held is None or self._must_wait() else 0):
            try:
                if self.held is held and not self._closed:
                    if fresh:
                        self._look_behind(process)
                    else:
                        self._look(process)
            finally:
                process.looking.release()
        return self._hold(process)

    def at_hand(self, patience: float = 0) -> Held:
        """As :meth:`current`, but a look that is due runs behind, and a refresh is waited for ``patience`` seconds."""
        held, process = self.held, self._processes.get()
        if held is not None and self._clock.monotonic() < held.until:
            return held
        if not self._closed:
            self._look_behind(process)
            if self.age() > self._settings.l2_ttl and (flight := self.renew(wait=False)) is not None:
                flight.done.wait(patience)
        return self._hold(process)

    def _must_wait(self) -> bool:
        """Whether what is held is too old to be answered while a refresh runs behind."""
        settings = self._settings
        return self._backoff.failures == 0 and self.age() > settings.l2_ttl + settings.stale_while_revalidate

    def _look(self, process: _Process) -> None:
        """Ask the backend; then see to a refresh, and wait for it only where that is due."""
        self._adopt(process)
        if self.age() <= self._settings.l2_ttl or self._settings.offline:
            return
        must_wait = self._must_wait()
        try:
            flight = process.flights.start(asked=False)
        except CircuitOpenError as error:
            if self._backoff.failures == 0:
                self._backoff.error = error  # others' failures opened it; it is why there is nothing
            return
        if flight is not None and must_wait:
            process.flights.wait(flight)

    def _look_behind(self, process: _Process) -> None:
        """Ask the backend in its own thread: what is held will do until the next question."""
        if process.behind:
            return
        process.behind = True
        record = self._record

        def take(newer: Record) -> None:
            self._take(process, record, newer)

        def done() -> None:
            process.behind = False

        process.store.look_behind(record, take, done)

    def _adopt(self, process: _Process) -> None:
        record = self._record
        newer = process.store.newer(record)
        if newer is not None:
            self._take(process, record, newer)

    def _take(self, process: _Process, before: Record | None, newer: Record) -> None:
        """Publish what the store held, unless a refresh was faster."""
        with process.flights.publishing:
            if self._record is not before:
                return
            self.publish(newer)
            if self.age() <= self._settings.l2_ttl:
                self._backoff.over()  # another process got through
        self.published(newer)

    def _hold(self, process: _Process) -> Held:
        """Hold what there is, under the name it deserves."""
        now, settings, record = self._clock.monotonic(), self._settings, self._record
        age = math.inf if record is None else now - record.fetched
        until = now + self._l1_ttl
        if record is not None and age <= settings.l2_ttl:
            held = Held(record.catalog, "live", min(until, record.fetched + settings.l2_ttl))
        else:
            oldest = settings.l2_ttl + max(settings.stale_while_revalidate, settings.stale_if_error)
            if record is not None and age <= oldest:
                process.shared.recorder.count("stale_answers")
                held = Held(record.catalog, "stale", min(until, record.fetched + oldest))
            elif self._fallback is not None:
                if self._bundled is None:
                    self._bundled = self._fallback()
                process.shared.recorder.count("bundled_answers")
                held = Held(self._bundled, "bundled", until)
            else:
                self.held = None
                error = self._backoff.error
                silence = "the settings say offline" if settings.offline else "nothing could be fetched"
                reason = silence if error is None else mask(str(error))
                whose = "" if self._url == settings.base_url else "providers' "
                raise CatalogUnavailableError(
                    f"no {whose}prices are held, and the bundled snapshot does not stand in for them: {reason}"
                ) from (None if error is None else again(error))
        if (before := self.held) is not None and before.origin.digest == held.origin.digest:
            held.prices = before.prices
        self.held = held
        # Whoever published or failed meanwhile saw the one before, and could not end this one's time.
        if self._record is not record:
            held.until = -math.inf
        if now < self._backoff.retry_at:
            self.failed()
        return held

    def cap_l1_ttl(self, seconds: float) -> None:
        """Answer without looking for at most so many seconds: a forked child has no warmer before it looks."""
        self._l1_ttl = min(self._settings.l1_ttl, seconds)

    def adopt_stored(self) -> None:
        """Take over what other processes stored, without waiting for a fetch. For the warmer."""
        self._adopt(self._processes.get())

    def retry_in(self) -> float:
        """Seconds until the back-off after a failed refresh is over."""
        return max(0.0, self._backoff.retry_at - self._clock.monotonic())

    def age(self) -> float:
        """Seconds since the held prices were fetched, by the monotonic clock; infinite where none are held."""
        record = self._record
        return math.inf if record is None else self._clock.monotonic() - record.fetched

    # -- refreshing ------------------------------------------------------------------------------------------------

    def refresh(self, *, trusting: bool = False) -> Catalog:
        """Fetch now and wait: joins a flight, ignores back-off, obeys the breaker.

        Args:
            trusting: believe what comes, however much of it moved.

        Raises:
            UpstreamError: what went wrong.
        """
        process = self._processes.get()
        flight = self._fly(process, trusting=trusting)
        if trusting and flight.error is not None and not flight.trusting:
            flight = self._fly(process, trusting=True)  # the one that was joined believed nothing wild
        if flight.error is not None:
            raise again(flight.error)
        return self._hold(process).catalog

    def _fly(self, process: _Process, *, trusting: bool) -> Flight:
        flight = process.flights.start(asked=True, trusting=trusting)
        if flight is None:
            raise TransportError("closed")
        process.flights.wait(flight)
        if not flight.done.is_set():
            raise TransportError(f"no answer within the deadline of {self._settings.deadline:g} s")
        return flight

    def renew(self, *, wait: bool = True) -> Flight | None:
        """Refresh, if settings, back-off and breaker allow it, and wait for the end. Never raises for the upstream."""
        if self._settings.offline:
            return None
        process = self._processes.get()
        try:
            flight = process.flights.start(asked=False)
        except CircuitOpenError:
            return None
        if flight is not None and wait:
            process.flights.wait(flight)
        return flight

    @property
    def failing(self) -> bool:
        """Whether the last refresh failed."""
        return self._backoff.failures > 0

    @property
    def record(self) -> Record | None:
        """What was believed last."""
        return self._record

    def publish(self, record: Record) -> None:
        """Take what a refresh or the store brought; the next question holds it."""
        self._record = record
        held = self.held
        if held is not None:
            held.until = -math.inf

    def published(self, record: Record) -> None:
        """Tell the listener of it."""
        self._listener(record.catalog)

    def failed(self) -> None:
        """Look again when the back-off is over, however long this process could answer without looking."""
        held = self.held
        if held is not None and held.origin.source != "live":
            held.until = min(held.until, self._backoff.retry_at)

    @property
    def closed(self) -> bool:
        """Whether it was closed."""
        return self._closed

    @property
    def in_use(self) -> bool:
        """Whether this process has anything to close."""
        return not self._closed and self._processes.peek() is not None

    def close(self, within: float = STORING) -> None:
        """Let go of threads and sockets. What is held still answers.

        Args:
            within: seconds to wait at most for a refresh that is storing what it brought; less for one that has to
                return its lease.
        """
        if self._closed:
            return
        self._closed = True
        process = self._processes.peek()
        if process is not None:
            process.flights.close()
            process.flights.join(min(_GRACE, within), min(STORING, within))

    def _make_process(self) -> _Process:
        settings, clock, shared = self._settings, self._clock, self._shared.get()
        store = Store(shared.backend, self._url, clock, shared.recorder)
        refresher = Refresher(
            self._open_source,
            owns_source=self._owns_source,
            store=store,
            read=self._read,
            plausibility=self._plausibility,
            settings=settings,
            clock=clock,
            recorder=shared.recorder,
        )
        flights = SingleFlight(
            refresher,
            self,
            deadline=settings.deadline,
            clock=clock,
            breaker=shared.breaker,
            recorder=shared.recorder,
            backoff=self._backoff,
        )
        return _Process(shared, store, flights)
