"""Outbox: what the processes of a fleet still have to tell, kept where all of them find it."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Collection
from datetime import datetime
from typing import Any, Protocol, TypeAlias, TypeVar

import attrs

from .._base.clock import Clock
from .._base.latch import Latch
from .._prices.changes import CatalogChange
from .entries import Entry
from .events import Prices, differences, listed

_T = TypeVar("_T")
#: Asks the store: what to do with it, what to answer where it fails, and within how many seconds.
Ask: TypeAlias = Callable[[Callable[[Any], Any], Any, float], Any]

_LIMIT = 5.0  # seconds for one look
_LOCK = 10.0  # seconds after which the lock of a process that died is void
_TURNS, _PAUSE = 100, 0.05  # how often the lock is tried, and the seconds between
_TTL = 30 * 86_400.0  # seconds that an outbox is kept which nobody looks into
_FAILED, _BUSY = object(), object()


class Outbox(Protocol):
    """Entries that every process of a fleet sees alike. What fails is raised, and tried again later."""

    def note(self, change: CatalogChange) -> None:
        """A process came to hold a new list; the first list of all is noted silently."""
        ...

    def change(self, work: Callable[[list[Entry]], _T]) -> _T:
        """What ``work`` makes of the entries, while nobody else changes them; what it changes is kept."""
        ...


@attrs.define
class _State:
    """What a backend keeps: the last list that was noted, and what is still to be told.

    Args:
        as_of, digest: of that list; empty where there is none.
        prices: of that list.
        entries: what is to be told.
    """

    as_of: str = ""
    digest: str = ""
    prices: dict[str, Prices] = attrs.Factory(dict)
    entries: list[Entry] = attrs.Factory(list)

    def dumps(self) -> bytes:
        return json.dumps([self.as_of, self.digest, self.prices, [each.dumps() for each in self.entries]]).encode()

    @classmethod
    def loads(cls, data: bytes) -> _State:
        as_of, digest, prices, entries = json.loads(data)
        return cls(as_of, digest, prices, [Entry.loads(each) for each in entries])

    def take(self, as_of: str, digest: str, prices: dict[str, Prices]) -> None:
        """This is the last list from now on."""
        self.as_of, self.digest, self.prices = as_of, digest, prices


class BackendOutbox:
    """An outbox in the store of the price list: one value, changed by one process at a time.

    This process keeps a copy of what it saw last. Where the store has lost its own, or fails, it goes on from that:
    what is lost with the store is only what no process that lives has seen. Then more than one process may tell it,
    under the same id.

    Args:
        ask: asks the store.
        name: tells it from the outboxes of others in the same store.
        clock: time.
    """

    def __init__(self, ask: Ask, name: Collection[str], clock: Clock) -> None:
        self._ask = ask
        self._clock = clock
        self._key = "notify:" + hashlib.sha256("\n".join(name).encode()).hexdigest()[:16]
        self._own = b""
        self._ahead = False

    def note(self, change: CatalogChange) -> None:
        """See :class:`Outbox`. Waits for the store for some seconds at most.

        Raises:
            TimeoutError: other processes are at it all the time.
        """
        before, after = change.before, change.after
        prices = listed(after)

        def note(state: _State) -> None:
            if not state.as_of and before is not None:
                state.take(before.as_of.isoformat(), before.digest, listed(before))
            if state.as_of:
                found = differences(state.prices, prices)
                last = datetime.fromisoformat(state.as_of)
                if not found or after.as_of < last <= self._clock.utcnow():
                    return
                now, stamp = self._clock.utcnow().timestamp(), after.as_of.isoformat()
                state.entries.append(Entry.of(now, stamp, state.digest, after.digest, found))
            state.take(after.as_of.isoformat(), after.digest, prices)

        self._change(note)

    def change(self, work: Callable[[list[Entry]], _T]) -> _T:
        """See :class:`Outbox`. Raises as :meth:`note` does."""
        return self._change(lambda state: work(state.entries))

    def _change(self, work: Callable[[_State], _T]) -> _T:
        token = os.urandom(16)
        for _ in range(_TURNS):
            found = self._ask(lambda backend: self._locked(backend, token, work), _FAILED, _LIMIT)
            if found is _FAILED:  # better told twice than not at all
                self._ahead = True
                return self._worked(self._own, work)[0]
            if found is not _BUSY:
                answer: _T = found
                return answer
            Latch().wait(_PAUSE)
        raise TimeoutError("the outbox is busy")

    def _locked(self, backend: Any, token: bytes, work: Callable[[_State], _T]) -> Any:
        lock = self._key + ":lock"
        taken = False
        for _ in range(2):  # it may have been given back between the two questions
            taken = taken or backend.add(lock, token, ttl=_LOCK)
            if not taken and backend.get(lock) is not None:
                return _BUSY
        try:
            stored = backend.get(self._key)
            answer, data = self._worked(stored, work)
            if data != stored:
                backend.set(self._key, data, ttl=_TTL)
            self._ahead = False
        finally:
            if backend.get(lock) == token:
                backend.delete(lock)
        return answer

    def _worked(self, stored: bytes | None, work: Callable[[_State], _T]) -> tuple[_T, bytes]:
        own, state = _read(self._own), _read(stored)
        if state is None or not state.as_of:
            state = own or _State()
        elif self._ahead and own is not None:
            known = {entry.id for entry in state.entries}
            state.entries += [entry for entry in own.entries if entry.id not in known]
            if own.as_of > state.as_of:
                state.take(own.as_of, own.digest, own.prices)
        answer = work(state)
        self._own = state.dumps()
        return answer, self._own


def _read(data: bytes | None) -> _State | None:
    """What was kept; None where that is nothing that can be read."""
    try:
        return _State.loads(data) if data else None
    except (ValueError, TypeError, LookupError, RecursionError):
        return None
