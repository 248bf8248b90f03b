"""Flights: blocking work for event loops, in threads of its own; whoever asks for the same meanwhile shares it."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple, TypeAlias, TypeVar

from .._base.fork import PerProcess

_T = TypeVar("_T")
#: An event loop, and what is asked.
_Place: TypeAlias = "tuple[int, str]"


class _Job(NamedTuple):
    work: Callable[[], Any]
    copy: Callable[[Any], Any]


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


class _Here:
    """What is under way in one process; what waits to be computed there, and whether a thread sees to it."""

    def __init__(self) -> None:
        self.flights: dict[_Place, _Flight] = {}
        self.lock = threading.Lock()
        self.waiting: deque[tuple[_Place, _Flight, _Job]] = deque()
        self.running = False


class Flights:
    """Runs blocking work for coroutines. No loop waits for it, and none is remembered when it is done.

    The loop's own executor would do worse: a hung upstream fills it, and ``asyncio.run`` waits for it at the end.
    """

    def __init__(self) -> None:
        self._here: PerProcess[_Here] = PerProcess(_Here)  # a child has neither its parent's threads nor its locks

    async def ask(self, key: str, work: Callable[[], _T], copy: Callable[[_T], _T] = lambda found: found) -> _T:
        """What ``work`` gives.

        Args:
            key: callers in one loop with the same key share one run of ``work``.
            work: blocks; runs in a thread.
            copy: makes each caller's own of what it gave; runs in that thread too.

        Raises:
            whatever ``work`` raises.
        """
        found: _T = await self._join(key, _Job(work, copy), self._start)
        return found

    async def make(self, key: str, work: Callable[[], _T], copy: Callable[[_T], _T]) -> _T:
        """As :meth:`ask`, for work that computes and waits for nothing: one after another, in one thread.

        A loop takes turns with every thread that computes, and would stand still for the turns of all of them.
        """
        found: _T = await self._join(key, _Job(work, copy), self._queue)
        return found

    async def _join(self, key: str, job: _Job, start: Callable[[_Place, _Flight, _Job], None]) -> Any:
        loop = asyncio.get_running_loop()
        place = (id(loop), key)
        flights = self._here.get().flights
        flight = flights.get(place)
        future = None if flight is None or flight.loop is not loop else flight.join()
        if future is None:
            for other, dead in list(flights.items()):
                if dead.loop.is_closed():  # too early: it can never land
                    flights.pop(other, None)
            flight = flights[place] = _Flight(loop)
            future = flight.join()
            # Soon, and not now: a thread takes the interpreter for some milliseconds as it starts, and of a hundred
            # callers that run one after another each would find the flight of the one before it landed.
            loop.call_soon(start, place, flight, job)
        assert future is not None
        return await future

    def _start(self, place: _Place, flight: _Flight, job: _Job) -> None:
        try:
            _thread(self._fly, place, flight, job)
        except RuntimeError as error:  # there are too many threads
            _fail(self._land(place, flight), error)

    def _queue(self, place: _Place, flight: _Flight, job: _Job) -> None:
        turns = self._here.get()
        with turns.lock:
            turns.waiting.append((place, flight, job))
            if turns.running:
                return
            turns.running = True
        try:
            _thread(self._take_turns, turns)
        except RuntimeError as error:
            with turns.lock:
                turns.running = False
                waiting, turns.waiting = turns.waiting, deque()
            for at, late, _ in waiting:
                late.loop.call_soon_threadsafe(_fail, self._land(at, late), error)

    def _take_turns(self, turns: _Here) -> None:
        while True:
            with turns.lock:
                if not turns.waiting:
                    turns.running = False
                    return
                turn = turns.waiting.popleft()
            self._fly(*turn)

    def _fly(self, place: _Place, flight: _Flight, job: _Job) -> None:
        tell: Callable[[], None]
        try:
            found = job.work()
            tell = partial(_give, [(future, job.copy(found)) for future in self._land(place, flight)])
        except Exception as error:  # noqa: BLE001  # it is raised where it was asked for
            tell = partial(_fail, self._land(place, flight), error)
        try:
            flight.loop.call_soon_threadsafe(tell)
        except RuntimeError:  # the loop was closed: nobody waits any more
            return

    def _land(self, place: _Place, flight: _Flight) -> list[asyncio.Future[Any]]:
        flights = self._here.get().flights
        if flights.get(place) is flight:
            del flights[place]
        return flight.land()


def _thread(work: Callable[..., None], *arguments: Any) -> None:
    threading.Thread(target=work, args=arguments, name="openrouter-pricing-legacy", daemon=True).start()


def _give(results: list[tuple[asyncio.Future[Any], Any]]) -> None:
    for future, found in results:
        if not future.done():
            future.set_result(found)


def _fail(futures: list[asyncio.Future[Any]], error: Exception) -> None:
    for future in futures:
        if not future.done():
            future.set_exception(error)
