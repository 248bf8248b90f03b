"""Timeline: which list prices which time, as ``Pricing.cost(at=)`` finds it."""

from __future__ import annotations

import threading
from bisect import insort
from datetime import datetime, timedelta, timezone
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .._base.clock import Clock
from .._freshness.held import Held
from .._freshness.recorder import Recorder
from .._history.guarded import GuardedHistory
from .._history.past import REACH, Past
from .._history.periods import EARLIEST, LATEST, HistoryStore
from .._history.recalled import PastList
from .._prices.catalog import Catalog

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_TICK = timedelta(microseconds=1)


def microseconds(at: datetime) -> int:
    """Since the epoch."""
    return (at - _EPOCH) // _TICK


def moment(at: int) -> datetime:
    """The instant of so many microseconds since the epoch."""
    return _EPOCH + at * _TICK


def guarded(store: HistoryStore) -> GuardedHistory:
    """A history that is waited for: many rows have the time."""
    recorder = Recorder()
    return GuardedHistory(lambda: store, lambda: recorder, Clock(), owned=False, inline=store)


class _Span(NamedTuple):
    """From when up to when (microseconds) one list prices."""

    since: int
    until: int
    place: int


class Timeline:
    """The lists of all times.

    Args:
        store: what was recorded.
        catalog: the list held.

    Attributes:
        lists: those found so far; the one held, which is no past list, is None and comes first.
    """

    def __init__(self, store: HistoryStore, catalog: Catalog) -> None:
        self._history = guarded(store)
        self._past = Past(lambda: self._history)
        self._held = Held(catalog, "pinned")
        self._from = microseconds(catalog.as_of - REACH)
        self._lock = threading.Lock()
        self._spans: list[_Span] = []
        self._places: dict[datetime, int] = {}
        self.lists: list[PastList | None] = [None]

    def places(self, times: NDArray[np.int64]) -> NDArray[np.int64]:
        """Which of ``lists`` prices each time (microseconds since the epoch)."""
        found = np.zeros(len(times), np.int64)
        past = times < self._from
        if past.any():
            asked = np.clip(times[past], microseconds(EARLIEST), microseconds(LATEST))
            with self._lock:
                found[past] = self._spread(asked)
        return found

    def _spread(self, times: NDArray[np.int64]) -> NDArray[np.int64]:
        found = np.full(len(times), -1, np.int64)
        if self._spans:
            since, until, place = np.array(self._spans, np.int64).T
            at = np.searchsorted(since, times, side="right") - 1
            inside = (at >= 0) & (times < until[at])
            found[inside] = place[at[inside]]
        while (unknown := found < 0).any():
            span = self._span(int(times[unknown].min()))
            if span is None:
                found[unknown] = 0
                break
            insort(self._spans, span)
            found[unknown & (times >= span.since) & (times < span.until)] = span.place
        return found

    def _span(self, at: int) -> _Span | None:
        """The span that a time lies in, from there on at the least; None where nothing recorded can be had."""
        listed, seen = self._past.at(self._held, moment(at)), self._seen(at)
        recorded = self._history.as_of(moment(at))
        if recorded is None:
            return None
        since, place = at, 0
        if listed is not None:
            as_of = listed.recorded.as_of
            since = min(at, microseconds(as_of))
            place = self._places.setdefault(as_of, len(self.lists))
            if place == len(self.lists):
                self.lists.append(listed)
        last, after = at, max(self._from, at + 1)
        end = microseconds(recorded.until)
        if last < end < after:  # as nearly always, that is where the next one begins
            for near in (end - 1, end):
                if self._seen(near) != seen:
                    after = near
                    break
                last = near
        while last + 1 < after:
            middle = (last + after) // 2
            if self._seen(middle) == seen:
                last = middle
            else:
                after = middle
        return _Span(since, after, place)

    def _seen(self, at: int) -> tuple[datetime | None, datetime | None]:
        """Which list prices a time, and which one was recorded last by then."""
        when = moment(at)
        listed, recorded = self._past.at(self._held, when), self._history.as_of(when)
        return None if listed is None else listed.recorded.as_of, None if recorded is None else recorded.as_of
