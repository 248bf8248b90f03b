"""A history that may fail or hang, and costs nobody more than a moment."""

from __future__ import annotations

import time
from bisect import bisect_right
from collections.abc import Callable
from datetime import datetime
from operator import attrgetter
from typing import Any, TypeVar

from .._base.clock import Clock
from .._base.fork import PerProcess
from .._base.latch import Latch
from .._base.worker import Worker
from .._freshness.guard import READ, GuardedBackend
from .._freshness.recorder import Recorder
from .._freshness.unfinished import STORING, let_them_finish, unfinished
from .._prices.catalog import Catalog
from .periods import HistoryStore, RecordedList, RecordedPeriod

_T = TypeVar("_T")
_MOST_LISTS = 1_000  # that are kept at hand; two years of lists twice a day are some 900
_since = attrgetter("as_of")


class GuardedHistory:
    """Asks a history on behalf of questions, of which none ever waits for it for long.

    What stood between two recordings never changes, so it is asked for once.

    Args:
        open_history: makes the history; called in each process, with the first question there.
        recorder: gives the counter of failures of this process.
        clock: time.
        owned: whether ``close()`` closes it.
        inline: the history, where it needs no thread of its own, as nothing in it can hang.
    """

    def __init__(
        self,
        open_history: Callable[[], HistoryStore | None],
        recorder: Callable[[], Recorder],
        clock: Clock,
        *,
        owned: bool,
        inline: HistoryStore | None = None,
    ) -> None:
        self._inline = inline
        self._histories: PerProcess[Any] = PerProcess(open_history)

        def guard() -> GuardedBackend:
            name, counter = "price history", "history_errors"
            return GuardedBackend(self._histories.get, recorder(), clock, owned=owned, name=name, counter=counter)

        self._guards = PerProcess(guard)
        self._writers = PerProcess(lambda: Worker("openrouter-pricing-recorder"))
        self._lists: list[RecordedList] = []

    def opened(self) -> HistoryStore | None:
        """The history itself, in this process; whoever asks it waits for it, and sees what it raises."""
        history: HistoryStore | None = self._histories.get()
        return history

    def as_of(self, at: datetime) -> RecordedList | None:
        """See :meth:`HistoryStore.as_of`; None where it cannot say."""
        if (inline := self._inline) is not None:
            try:
                return inline.as_of(at)
            except Exception as error:  # noqa: BLE001  # as below
                self.note(error)
                return None
        lists = self._lists
        place = bisect_right(lists, at, key=_since) - 1
        if place >= 0 and at < lists[place].until:
            return lists[place]
        found = self._ask(lambda history: history.as_of(at), None)
        if found is not None and len(lists) < _MOST_LISTS:
            self._lists = sorted({each.as_of: each for each in [*lists, found]}.values(), key=_since)
        return found

    def periods(
        self, model_id: str | None = None, *, since: datetime | None = None, until: datetime | None = None
    ) -> tuple[RecordedPeriod, ...]:
        """See :meth:`HistoryStore.periods`; none where it cannot say."""
        return self._ask(lambda history: tuple(history.periods(model_id, since=since, until=until)), ())

    def record(self, catalog: Catalog) -> None:
        """Have a list recorded, in a thread of ours; the end of the process waits for it as for one that is stored."""
        if self._inline is not None:
            return
        finished = Latch()
        unfinished.get().add(finished)
        try:
            self._writers.get().submit(lambda: self._record(catalog, finished))
        except RuntimeError as error:  # no thread can be started, or it is closed
            self._note(error, finished)

    def note(self, error: Exception) -> None:
        """Count and log something of it that cannot be read."""
        self._guards.get().note(error, None)

    def close(self, timeout: float = STORING) -> None:
        """Let go of it, when what is being recorded is done; waits for both so many seconds at most."""
        until = time.monotonic() + timeout
        writer = self._writers.peek()
        if writer is not None:
            writer.close()
            let_them_finish(timeout)
        guard = self._guards.peek()
        if guard is not None:
            guard.close(max(0.1, until - time.monotonic()))

    def _record(self, catalog: Catalog, finished: Latch) -> None:
        try:
            self._histories.get().record(catalog)
        except Exception as error:  # noqa: BLE001  # a history costs a counter and a log line, never more
            self._note(error, finished)
        else:
            self._done(finished)

    def _note(self, error: Exception, finished: Latch) -> None:
        self._done(finished)
        self.note(error)

    def _done(self, finished: Latch) -> None:
        unfinished.get().discard(finished)
        finished.set()

    def _ask(self, work: Callable[[HistoryStore], _T], otherwise: _T) -> _T:
        if self._inline is None:
            return self._guards.get().ask(work, otherwise, READ)
        try:
            return work(self._inline)
        except Exception as error:  # noqa: BLE001  # as above
            self.note(error)
            return otherwise
