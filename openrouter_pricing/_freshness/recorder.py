"""Recorder: counts what happens, for Stats."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from datetime import datetime
from importlib import reload
from typing import TYPE_CHECKING, Any, TypeAlias

from .._base.log import logger

if TYPE_CHECKING:
    from .stats import Stats

#: Told of a counter of :class:`Stats`, by how much it grew, and of the kind of failure where there are kinds.
Observer: TypeAlias = Callable[[str, float, str], object]


class Recorder:
    """Counts what happens. One lock, taken only off the hot path.

    Args:
        observers: who is told of each count; shared by the recorders of all processes, as a fork takes them along.
    """

    def __init__(self, observers: list[Observer] | None = None) -> None:
        self._observers: list[Observer] = [] if observers is None else observers
        self._unheard = False
        self._lock = threading.RLock()  # a signal handler may come in the middle of anything
        self._counts: dict[str, Any] = {}
        self._failures: dict[str, int] = {}
        self._values: dict[str, Any] = {}
        self._seconds = 0.0

    def count(self, name: str, by: int = 1) -> None:
        """Add ``by`` to a counter of :class:`Stats`."""
        with self._lock:
            self._counts[name] = self._counts.get(name, 0) + by
            observers = tuple(self._observers)
        self._tell(observers, (name, by, ""))

    def failed(self, error: BaseException, message: str) -> None:
        """Note a failed fetch; ``message`` holds no secret."""
        with self._lock:
            kind = type(error).__name__
            self._failures[kind] = self._failures.get(kind, 0) + 1
            self._values["last_error"] = message
            observers = tuple(self._observers)
        self._tell(observers, ("failures", 1, kind))

    def refreshed(self, seconds: float, at: datetime) -> None:
        """Note a successful fetch that took ``seconds``."""
        with self._lock:
            self._counts["refreshes"] = self._counts.get("refreshes", 0) + 1
            self._seconds += seconds
            self._values.update(last_refresh_seconds=seconds, last_refresh=at)
            observers = tuple(self._observers)
        self._tell(observers, ("refreshes", 1, ""), ("refresh_seconds", seconds, ""))

    def observe(self, observer: Observer) -> None:
        """Tell ``observer`` of everything so far, and of each count from now on."""
        with self._lock:
            self._observers.append(observer)
            so_far = [(name, by, "") for name, by in (*self._counts.items(), ("refresh_seconds", self._seconds))]
            so_far += [("failures", by, kind) for kind, by in self._failures.items()]
        self._tell((observer,), *so_far)

    def snapshot(self, **now: Any) -> Stats:
        """Everything so far, with what is true just now."""
        stats = stats_class()
        with self._lock:
            return stats(
                **self._counts, **self._values, failures=dict(self._failures), refresh_seconds=self._seconds, **now
            )

    def _tell(self, observers: tuple[Observer, ...], *counts: tuple[str, float, str]) -> None:
        """Outside the lock: what an observer does is not ours."""
        for observer in observers:
            try:
                for count in counts:
                    observer(*count)
            except Exception as error:  # noqa: BLE001  # an observer may fail in any way, and costs nobody an answer
                with self._lock:
                    self._counts["listener_errors"] = self._counts.get("listener_errors", 0) + 1
                    first, self._unheard = not self._unheard, True
                if first:
                    logger(__name__).error("an observer of the counters failed: %r", error, exc_info=error)


def stats_class() -> type[Stats]:
    """:class:`Stats`, which only who looks pays for."""
    try:
        from .stats import Stats
    except ImportError:  # its import has just begun, in this very thread: a signal handler asks in between
        stats: type[Stats] = reload(sys.modules[f"{__package__}.stats"]).Stats
        return stats
    return Stats
