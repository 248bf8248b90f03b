"""Recorder: counts what happens, for Stats."""

from __future__ import annotations

import sys
import threading
from datetime import datetime
from importlib import reload
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .stats import Stats


class Recorder:
    """Counts what happens. One lock, taken only off the hot path."""

    def __init__(self) -> None:
        self._lock = threading.RLock()  # a signal handler may come in the middle of anything
        self._counts: dict[str, Any] = {}
        self._failures: dict[str, int] = {}
        self._values: dict[str, Any] = {}
        self._seconds = 0.0

    def count(self, name: str, by: int = 1) -> None:
        """Add ``by`` to a counter of :class:`Stats`."""
        with self._lock:
            self._counts[name] = self._counts.get(name, 0) + by

    def failed(self, error: BaseException, message: str) -> None:
        """Note a failed fetch; ``message`` holds no secret."""
        with self._lock:
            kind = type(error).__name__
            self._failures[kind] = self._failures.get(kind, 0) + 1
            self._values["last_error"] = message

    def refreshed(self, seconds: float, at: datetime) -> None:
        """Note a successful fetch that took ``seconds``."""
        with self._lock:
            self._counts["refreshes"] = self._counts.get("refreshes", 0) + 1
            self._seconds += seconds
            self._values.update(last_refresh_seconds=seconds, last_refresh=at)

    def snapshot(self, **now: Any) -> Stats:
        """Everything so far, with what is true just now."""
        stats = stats_class()
        with self._lock:
            return stats(
                **self._counts, **self._values, failures=dict(self._failures), refresh_seconds=self._seconds, **now
            )


def stats_class() -> type[Stats]:
    """:class:`Stats`, which only who looks pays for."""
    try:
        from .stats import Stats
    except ImportError:  # its import has just begun, in this very thread: a signal handler asks in between
        stats: type[Stats] = reload(sys.modules[f"{__package__}.stats"]).Stats
        return stats
    return Stats
