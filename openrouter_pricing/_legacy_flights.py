"""Flights: blocking work for event loops, in threads of its own; whoever asks for the same meanwhile shares it."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable
from functools import partial
from typing import Any, TypeAlias, TypeVar

_T = TypeVar("_T")
#: A process, an event loop in it, and what is asked.
_Place: TypeAlias = "tuple[int, int, str]"


class _Flight:
    """Work under way, and who waits for it in one event loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self._lock = threading.Lock()
        self._waiting: list[asyncio.Future[Any]] = []
        self._landed = False

    def join(self) -> asyncio.Future[Any] | None:
        """A place to wait; None if it has landed."""
        with self._lock:
            if self._landed:
                return None
            self._waiting.append(self.loop.create_future())
            return self._waiting[-1]

    def land(self) -> list[asyncio.Future[Any]]:
        """Let nobody join any more; who waits. The same when called again."""
        with self._lock:
            self._landed = True
            return self._waiting


class Flights:
    """Runs blocking work for coroutines. No loop waits for it, and none is remembered when it is done.

    The loop's own executor would do worse: a hung upstream fills it, and ``asyncio.run`` waits for it at the end.
    """

    def __init__(self) -> None:
        self._flights: dict[_Place, _Flight] = {}

    async def ask(self, key: str, work: Callable[[], _T], copy: Callable[[_T], _T] = lambda found: found) -> _T:
        """What ``work`` gives.

        Args:
            key: callers in one loop with the same key share one run of ``work``.
            work: blocks; runs in a thread.
            copy: makes each caller's own of what it gave; runs in that thread too.

        Raises:
            whatever ``work`` raises.
        """
        loop = asyncio.get_running_loop()
        place = (os.getpid(), id(loop), key)
        flight = self._flights.get(place)
        future = None if flight is None or flight.loop is not loop else flight.join()
        if future is None:
            self._forget_the_dead()
            flight = self._flights[place] = _Flight(loop)
            future = flight.join()
            # Soon, and not now: a thread takes the interpreter for some milliseconds as it starts, and of a hundred
            # callers that run one after another each would find the flight of the one before it landed.
            loop.call_soon(self._start, place, flight, work, copy)
        assert future is not None
        found: _T = await future
        return found

    def _start(self, place: _Place, flight: _Flight, work: Callable[[], _T], copy: Callable[[_T], _T]) -> None:
        thread = threading.Thread(
            target=self._fly, args=(place, flight, work, copy), name="openrouter-pricing-legacy", daemon=True
        )
        try:
            thread.start()
        except RuntimeError as error:  # there are too many threads
            _fail(self._land(place, flight), error)

    def _fly(self, place: _Place, flight: _Flight, work: Callable[[], _T], copy: Callable[[_T], _T]) -> None:
        tell: Callable[[], None]
        try:
            found = work()
            tell = partial(_give, [(future, copy(found)) for future in self._land(place, flight)])
        except Exception as error:  # noqa: BLE001  # it is raised where it was asked for
            tell = partial(_fail, self._land(place, flight), error)
        try:
            flight.loop.call_soon_threadsafe(tell)
        except RuntimeError:  # the loop was closed: nobody waits any more
            return

    def _forget_the_dead(self) -> None:
        """Drop what can never land here: flights of a parent process, and of loops that were closed too early."""
        for place, flight in list(self._flights.items()):
            if place[0] != os.getpid() or flight.loop.is_closed():
                self._flights.pop(place, None)

    def _land(self, place: _Place, flight: _Flight) -> list[asyncio.Future[Any]]:
        if self._flights.get(place) is flight:
            del self._flights[place]
        return flight.land()


def _give(results: list[tuple[asyncio.Future[Any], Any]]) -> None:
    for future, found in results:
        if not future.done():
            future.set_result(found)


def _fail(futures: list[asyncio.Future[Any]], error: Exception) -> None:
    for future in futures:
        if not future.done():
            future.set_exception(error)
