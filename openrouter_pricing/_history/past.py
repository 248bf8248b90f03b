"""Past: finds the list that prices a call of some time before the list that is held."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

TYPE_CHECKING = False
if TYPE_CHECKING:  # imported where they are first needed: nearly all questions are about now
    from .._freshness.held import Held
    from .._prices.catalog import Catalog
    from .guarded import GuardedHistory
    from .periods import RecordedList
    from .recalled import Known, PastList

#: A history reaches so far beyond its last recording, and a list so far back from when it was fetched.
REACH = timedelta(days=1)
_MOST_LISTS = 1_000  # that are kept at hand; two years of lists twice a day are some 900


class Past:
    """What was listed before now.

    Args:
        open_history: gives what was recorded; None for nothing at all.
    """

    def __init__(self, open_history: Callable[[], GuardedHistory] | None) -> None:
        self._open_history = open_history
        self._history: GuardedHistory | None = None
        self._known: tuple[Known | None, dict[datetime, PastList]] = None, {}

    @property
    def history(self) -> GuardedHistory | None:
        """What was recorded, if anything is."""
        if self._history is None and self._open_history is not None:
            self._history = self._open_history()
        return self._history

    def at(self, held: Held, at: datetime) -> PastList | None:
        """The list that prices a call of that time; None where the one held does it best.

        Args:
            held: what is answered from now.
            at: aware.
        """
        catalog = held.catalog
        ago = catalog.as_of - at
        if ago <= REACH or (history := self.history) is None:
            return None
        recorded = history.as_of(at)
        if recorded is None or recorded.distance(at) > max(REACH, ago):
            return None
        past = self._known[1].get(recorded.as_of)
        if past is not None and past.recorded is recorded and past.held == catalog.digest:
            return past
        return self._put_together(recorded, catalog, history)

    def _put_together(self, recorded: RecordedList, catalog: Catalog, history: GuardedHistory) -> PastList:
        from .recalled import Known, PastList

        known, lists = self._known
        if known is None or known.digest != catalog.digest:
            self._known = known, lists = Known(catalog), {}
        past = PastList(recorded, known, history)
        if len(lists) < _MOST_LISTS:
            lists[recorded.as_of] = past
        return past

    def record(self, catalog: Catalog) -> None:
        """Have a list recorded."""
        history = self.history
        assert history is not None  # who records has one
        history.record(catalog)

    def close(self, timeout: float) -> None:
        """Let go of the history, within so many seconds."""
        if self._history is not None:
            self._history.close(timeout)
