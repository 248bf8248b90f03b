"""A backend that may fail or hang, and costs nobody more than a moment."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, TypeVar

from .._base.clock import Clock
from .._base.latch import Latch
from .._base.log import logger
from .._base.masking import mask
from .._base.worker import Worker
from .recorder import Recorder

_T = TypeVar("_T")

READ = 0.75  # seconds that a question waits for the backend; 0.8 s are promised, with the machine's turn in them
_PAUSE, _PAUSE_MAX = 1.0, 60.0  # seconds that a backend is left alone after a failure, doubled with each


class GuardedBackend:
    """A backend of which nobody ever waits for long, and that may fail in any way.

    Every question goes through a thread of its own with a time limit. A failure is counted, logged once for its kind,
    and answered as "nothing there"; after it the backend is left alone for a while, longer with each, until one
    question is answered.

    Args:
        open_backend: makes the backend; called with the first question.
        recorder: counts failures.
        clock: the monotonic one says when to ask again.
        owned: whether ``close()`` closes the backend.
        name: what the log calls it.
        counter: which counter of :class:`Stats` its failures are added to.
    """

    def __init__(
        self,
        open_backend: Callable[[], Any],
        recorder: Recorder,
        clock: Clock,
        *,
        owned: bool,
        name: str = "price store",
        counter: str = "backend_errors",
    ) -> None:
        self._open_backend = open_backend
        self._opened: Any = None
        self._recorder = recorder
        self._clock = clock
        self._owned = owned
        self._name = name
        self._counter = counter
        self._worker = Worker(f"openrouter-pricing-{name.rsplit(maxsplit=1)[-1]}")
        self._logged: set[str] = set()
        self._failures = 0
        self._ask_at = -math.inf

    def ask(self, work: Callable[[Any], _T], otherwise: _T, timeout: float) -> _T:
        """What ``work`` answers when it is handed the backend; ``otherwise`` where it fails, or takes too long."""
        if self.left_alone:
            return otherwise
        try:
            backend = self._open()
            answer = self._worker.run(lambda: work(backend), timeout)
        except Exception as error:  # noqa: BLE001  # a backend costs a counter and a log line, never a question
            return self._fail(error, otherwise)
        self._failures = 0
        return answer

    def ask_behind(self, work: Callable[[Any], object], done: Callable[[], None]) -> None:
        """Hand the backend to ``work`` without waiting for it; ``done`` is called at the end, in the same thread."""
        try:
            if self.left_alone:
                done()
                return
            backend = self._open()
            self._worker.submit(lambda: self._do(work, backend, done))
        except Exception as error:  # noqa: BLE001  # as above
            self._fail(error, None)
            done()

    @property
    def left_alone(self) -> bool:
        """Whether it failed so lately that it is not asked."""
        return self._clock.monotonic() < self._ask_at

    def await_turn(self) -> None:
        """Wait out the first, short pause after a failure, for what is worth it; longer ones are not waited for."""
        left = self._ask_at - self._clock.monotonic()
        if 0 < left <= _PAUSE:
            Latch().wait(left)

    def probe(self, work: Callable[[Any], _T], timeout: float) -> _T:
        """As :meth:`ask`, however lately it failed, and its error is raised."""
        backend = self._open()
        answer = self._worker.run(lambda: work(backend), timeout)
        self._failures, self._ask_at = 0, -math.inf
        return answer

    def close(self, timeout: float = READ) -> None:
        """Close the backend if it is ours, behind what is still asked of it; waits so many seconds at most."""
        self._ask_at = math.inf  # what is still on its way to a closed store is no failure
        mine = self._opened if self._owned else None
        try:
            self._worker.close(None if mine is None else mine.close, min(timeout, READ))
        except Exception as error:  # noqa: BLE001  # as above
            self.note(error, None)

    def note(self, error: Exception, otherwise: _T) -> _T:
        """Count and log something of it that cannot be read; gives ``otherwise``."""
        self._recorder.count(self._counter)
        kind = type(error).__name__
        if kind not in self._logged:
            self._logged.add(kind)
            logger(__name__).warning(
                "the %s failed (%s: %s); prices are answered without it",
                self._name,
                kind,
                mask(str(error)),
                extra={"error": kind},
            )
        return otherwise

    def _open(self) -> Any:
        if self._opened is None:
            self._opened = self._open_backend()  # imports happen in the asker's thread: a fork may come
        return self._opened

    def _do(self, work: Callable[[Any], object], backend: Any, done: Callable[[], None]) -> None:
        try:
            work(backend)
            self._failures = 0
        except Exception as error:  # noqa: BLE001  # as above
            self._fail(error, None)
        finally:
            done()

    def _fail(self, error: Exception, otherwise: _T) -> _T:
        if self._ask_at == math.inf:
            return otherwise
        self._ask_at = self._clock.monotonic() + min(_PAUSE * 2.0 ** min(self._failures, 30), _PAUSE_MAX)
        self._failures += 1
        return self.note(error, otherwise)
