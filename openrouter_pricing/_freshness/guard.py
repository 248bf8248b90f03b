"""A backend that may fail or hang, and costs nobody more than a moment."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from .._base.log import logger
from .._base.masking import mask
from .._base.worker import Worker
from .recorder import Recorder

_T = TypeVar("_T")

READ = 0.8  # seconds that a question waits for the backend at most


class GuardedBackend:
    """A backend of which nobody ever waits for long, and that may fail in any way.

    Every question goes through a thread of its own with a time limit, and every failure is counted, logged once for
    its kind, and answered as "nothing there".

    Args:
        open_backend: makes the backend; called with the first question.
        recorder: counts failures.
    """

    def __init__(self, open_backend: Callable[[], Any], recorder: Recorder) -> None:
        self._open_backend = open_backend
        self._opened: Any = None
        self._recorder = recorder
        self._worker = Worker("openrouter-pricing-store")
        self._logged: set[str] = set()

    def ask(self, work: Callable[[Any], _T], otherwise: _T, timeout: float) -> _T:
        """What ``work`` answers when it is handed the backend; ``otherwise`` where it fails or takes too long."""
        try:
            if self._opened is None:
                self._opened = self._open_backend()  # imports happen in the asker's thread: a fork may come
            backend = self._opened
            return self._worker.run(lambda: work(backend), timeout)
        except Exception as error:  # noqa: BLE001  # a backend costs a counter and a log line, never a question
            return self.failed(error, otherwise)

    def failed(self, error: Exception, otherwise: _T) -> _T:
        """Count and log a failure; gives ``otherwise``."""
        self._recorder.count("backend_errors")
        kind = type(error).__name__
        if kind not in self._logged:
            self._logged.add(kind)
            logger(__name__).warning(
                "the price store failed (%s: %s); prices are answered without it",
                kind,
                mask(str(error)),
                extra={"error": kind},
            )
        return otherwise

    def close(self, *, owned: bool) -> None:
        """Close the backend if it is ours; waits a second at most."""
        if self._opened is not None and owned:
            self.ask(lambda backend: backend.close(), None, READ)
        self._worker.close()
