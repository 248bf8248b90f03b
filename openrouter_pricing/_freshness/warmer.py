"""Warmer: the optional thread that refreshes prices before they are missed."""

from __future__ import annotations

import threading
from collections.abc import Callable

from .._base.clock import Clock
from .._base.fork import PerProcess, is_forking_master
from .._base.latch import Latch
from .._base.log import logger
from .cache import CatalogCache

_JITTER = 0.1  # of the interval, either way
_LEAST = 0.05  # seconds between two rounds, whatever the interval


class _Run:
    """One thread with the latch that ends it."""

    def __init__(self, loop: Callable[[Latch], None]) -> None:
        self.stop = Latch()
        self.thread = threading.Thread(target=loop, args=(self.stop,), name="openrouter-pricing-warmer", daemon=True)
        self._first = [None]

    def start(self) -> None:
        """Start the thread, if this is the first call; RuntimeError where none can be started."""
        try:
            self._first.pop()  # atomic: of two threads, one starts it
        except IndexError:
            return
        self.thread.start()


class Warmer:
    """A daemon thread that renews the prices of a cache every ``interval`` seconds, ±10 %, and survives everything.

    It looks at the age of the prices and not at its own last round, so that the warmers of many processes that share a
    store fetch once between them.

    Args:
        cache: what to keep warm.
        interval: seconds.
        clock: time and chance.
    """

    def __init__(self, cache: CatalogCache, interval: float, clock: Clock) -> None:
        self._cache = cache
        self._interval = interval
        self._clock = clock
        self._wanted = False
        self._runs = PerProcess(lambda: _Run(self._loop))

    @property
    def wanted(self) -> bool:
        """Whether it was started and not stopped."""
        return self._wanted

    @property
    def alive(self) -> bool:
        """Whether its thread runs in this process. After a fork a dead thread may still say that it is alive."""
        run = self._runs.peek()
        return run is not None and run.thread.is_alive()

    def start(self) -> None:
        """Start the thread in this process, unless it runs already.

        In the master of a uWSGI that forks it only notes that it is wanted: uWSGI forks whatever the threads do, and a
        worker whose master's thread held the interpreter's lock at that moment would hang for ever.
        """
        self._wanted = True
        self._cache.cap_l1_ttl(self._interval)
        if self.alive or is_forking_master():
            return
        try:
            self._runs.get().start()
        except RuntimeError as error:  # the interpreter is going down, or there are too many threads
            self._runs.pop()
            logger(__name__).warning("the warmer could not start: %s", error)

    def stop(self, timeout: float = 0.5) -> None:
        """Stop the thread; waits ``timeout`` seconds at most, even in the middle of a fetch."""
        self._wanted = False
        run = self._runs.pop()
        if run is not None:
            run.stop.set()
            if timeout and run.thread is not threading.current_thread():
                run.thread.join(timeout)

    def _loop(self, stop: Latch) -> None:
        while not stop.is_set():
            try:
                pause = self._round()
            except Exception:  # noqa: BLE001  # it must survive anything
                logger(__name__).exception("a round of the warmer failed; it goes on")
                pause = self._interval
            stop.wait(max(pause, _LEAST))

    def _round(self) -> float:
        """Renew what is due; seconds until the next round."""
        interval = self._interval * (1 + _JITTER * (2 * self._clock.random() - 1))
        self._cache.adopt_stored()
        if self._cache.age() >= interval:
            self._cache.renew()
        left = interval - self._cache.age()
        return left if left > 0 else max(self._cache.retry_in(), interval / 10)
