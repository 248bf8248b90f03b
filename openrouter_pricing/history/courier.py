"""Courier: the thread of one process that brings events to sinks."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import attrs

from .._base.clock import Clock
from .._base.log import logger
from .._base.masking import mask
from .._prices.changes import CatalogChange
from . import entries as desk
from .entries import Delivery, Entry
from .events import Watch
from .outbox import Outbox

#: Called with an event, ready for JSON. What it raises is a try that failed.
Sink: TypeAlias = Callable[[dict[str, Any]], object]

_GONE = 410
_SECOND = 1.0  # after which the wall clock is looked at again: it may have been set, and goes on while a host sleeps
_CLOSING = 2.0  # seconds that closing takes at most


@attrs.frozen(kw_only=True)
class NotifierStats:
    """What a notifier did in this process so far.

    Args:
        delivered: events that a sink took.
        failed: tries that failed.
        given_up: events that a sink did not take within all tries.
        pending: deliveries that were still to be made when this process looked last, by whichever process.
        disabled: sinks that are told nothing any more, as they said that they are gone (410).
        last_error: the last failure, without secrets.
    """

    delivered: int = 0
    failed: int = 0
    given_up: int = 0
    pending: int = 0
    disabled: tuple[str, ...] = ()
    last_error: str | None = None


class Courier:
    """Notes new lists in an outbox, and delivers what is due, in a thread that the first list starts.

    Args:
        outbox: what the fleet has to tell.
        sinks: who is told, by name.
        watch: what is worth telling.
        clock: the wall clock says what is due.

    Attributes:
        stats: what happened so far.
    """

    def __init__(self, outbox: Callable[[], Outbox], sinks: Mapping[str, Sink], watch: Watch, clock: Clock) -> None:
        self._open_outbox = outbox
        self._sinks = sinks
        self._watch = watch
        self._clock = clock
        self._heard: queue.SimpleQueue[CatalogChange | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._news: list[CatalogChange] = []
        self._done: list[Callable[[list[Entry]], None]] = []
        self._look_at: float | None = None
        self._closing = self._failing = False
        self.stats: NotifierStats = NotifierStats()

    def hear(self, change: CatalogChange) -> None:
        """There is a new list; called by one thread at a time."""
        self._heard.put(change)
        if self._thread is None:
            thread = threading.Thread(target=self._serve, name="openrouter-pricing-notifier", daemon=True)
            thread.start()
            self._thread = thread

    def close(self) -> None:
        """Break off what is under way, and end the thread within two seconds."""
        self._closing = True
        self._heard.put(None)
        for sink in self._sinks.values():
            getattr(sink, "close", _nothing)()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(_CLOSING)

    # -- in our thread ---------------------------------------------------------------------------------------------

    def _serve(self) -> None:
        outbox: Outbox | None = None
        while not self._closing:
            try:
                if self._awaited():
                    outbox = outbox or self._open_outbox()
                    self._look(outbox)
                    self._failing = False
            except TimeoutError:  # other processes are at it
                self._look_at = self._now() + _SECOND
            except Exception as error:  # noqa: BLE001  # an outbox may fail in any way; what is in it is not lost
                self._look_at = self._now() + desk.RETRIES[1]
                self._count(last_error=_said(error))
                if not self._failing:
                    logger(__name__).warning("the outbox of price events failed (%s); it is asked again", _said(error))
                self._failing = True

    def _awaited(self) -> bool:
        """Wait for a new list, or until a delivery is due; whether there is something to do."""
        wait = None if self._look_at is None else min(max(self._look_at - self._now(), 0.0), _SECOND)
        try:
            change = self._heard.get(timeout=wait)
        except queue.Empty:
            return self._look_at is not None and self._look_at <= self._now()
        if change is not None:
            self._news.append(change)
        return change is not None

    def _look(self, outbox: Outbox) -> None:
        """Note what is new, and deliver what is due."""
        while self._news:
            outbox.note(self._news[0])
            del self._news[0]
        while True:
            task = outbox.change(self._next)
            self._done.clear()
            if task is None:
                return
            self._done.append(self._deliver(*task))

    def _next(self, entries: list[Entry]) -> tuple[Entry, str] | None:
        """Bring the outbox up to date, and take what is due; None where nothing is."""
        now = self._now()
        disabled = self.stats.disabled
        sinks = [name for name in self._sinks if name not in disabled]
        for note in self._done:
            note(entries)
        desk.tidy(entries, disabled, now)
        desk.settle(entries, self._watch, sinks, now)
        task = None if self._closing else desk.lease(entries, sinks, now)
        self._look_at = desk.next_look(entries, self._watch, sinks)
        self._count(pending=desk.pending(entries))
        return task

    def _deliver(self, entry: Entry, name: str) -> Callable[[list[Entry]], None]:
        """Tell a sink; gives what is to be noted of that in the outbox."""
        stats = self.stats
        assert entry.event is not None  # only what is settled is delivered
        try:
            self._sinks[name](entry.event)
        except Exception as error:  # noqa: BLE001  # a sink may fail in any way
            if self._closing:  # broken off by us
                return _noting(entry.id, name, lambda delivery: desk.put_off(delivery, self._now()))
            said = _said(error)
            self._count(failed=stats.failed + 1, last_error=said)
            if getattr(error, "status", None) == _GONE:
                self._count(disabled=(*stats.disabled, name))
                logger(__name__).error("%s is gone (410): it is told of no price any more", name)
                return _noting(entry.id, name, _over)
            asked, now = _seconds(getattr(error, "retry_after", None)), self._now()
            return _noting(entry.id, name, lambda delivery: self._failed(delivery, asked, now, f"{name}: {said}"))
        self._count(delivered=stats.delivered + 1)
        return _noting(entry.id, name, _over)

    def _failed(self, delivery: Delivery, asked: float, now: float, said: str) -> None:
        if desk.failed(delivery, asked, now):
            self._count(given_up=self.stats.given_up + 1)
            logger(__name__).error("an event of new prices was not delivered, and is given up: %s", said)
        else:
            logger(__name__).warning("an event of new prices was not delivered, and is tried again: %s", said)

    def _now(self) -> float:
        return self._clock.utcnow().timestamp()

    def _count(self, **counts: Any) -> None:
        self.stats = attrs.evolve(self.stats, **counts)


def _noting(entry_id: str, name: str, done: Callable[[Delivery], object]) -> Callable[[list[Entry]], None]:
    def note(entries: list[Entry]) -> None:
        for entry in entries:
            if entry.id == entry_id and name in entry.deliveries:
                done(entry.deliveries[name])

    return note


def _over(delivery: Delivery) -> None:
    delivery.over = True


def _nothing() -> None:
    """A callable has nothing to break off."""


def _seconds(asked: object) -> float:
    """What an error says that its sink asked for; anybody's error may have an attribute of that name."""
    return float(asked) if isinstance(asked, (int, float)) and asked > 0 else 0.0


def _said(error: Exception) -> str:
    try:
        return f"{type(error).__name__}: {mask(str(error))}"
    except Exception:  # noqa: BLE001  # a stranger's error may fail even in this
        return type(error).__name__
