"""Store: the second tier. Says what lies under which key of a backend, and survives the backend."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from .._base.clock import Clock, aware
from .._prices.catalog import FORMAT, Catalog
from ..errors import PayloadError
from .guard import READ, GuardedBackend
from .recorder import Recorder

_WRITE = 5.0  # seconds that a refresh waits for it
_SUSPECT = 7 * 86400.0  # seconds that a refused list is remembered
_SKEW = timedelta(minutes=1)  # the clocks of two hosts may differ by this much


class Head(NamedTuple):
    """The small record that says what the store holds.

    Args:
        fetched_at: when the prices were fetched (aware UTC).
        digest: of the rows; the body lies under it.
        etag: of the answer that brought them, or None.
    """

    fetched_at: datetime
    digest: str
    etag: str | None

    def dumps(self) -> bytes:
        """As bytes."""
        return json.dumps([self.fetched_at.isoformat(), self.digest, self.etag]).encode()

    @classmethod
    def loads(cls, data: bytes) -> Head:
        """Read what ``dumps`` wrote; ValueError, TypeError or RecursionError for anything else."""
        stamp, digest, etag = json.loads(data)
        if not isinstance(digest, str) or not isinstance(etag, (str, type(None))):
            raise TypeError("not a head record")
        return cls(aware(datetime.fromisoformat(stamp), "fetched_at"), digest, etag)


class Record(NamedTuple):
    """A catalogue that was believed.

    Args:
        catalog: the models.
        head: what the store's head says, or would say, of it.
        fetched: reading of the monotonic clock when it was fetched.
    """

    catalog: Catalog
    head: Head
    fetched: float


class Suspect(NamedTuple):
    """A list that was refused.

    Args:
        prices: digest of its ids and prices.
        times: how many fetches said the same, each ``l2_ttl`` after the one before.
        counted: when the last of these was (aware UTC).
    """

    prices: str
    times: int
    counted: datetime


class Store:
    """What a backend holds of one address and one format version.

    Args:
        backend: the backend.
        url: whose prices these are; two of them never read each other's.
        clock: the wall clock dates heads, the monotonic one measures ages.
        recorder: counts reads.
    """

    def __init__(self, backend: GuardedBackend, url: str, clock: Clock, recorder: Recorder) -> None:
        self._backend = backend
        self._ask = backend.ask
        self._note = backend.note
        self._clock = clock
        self._recorder = recorder
        self._unreleased: str | None = None
        self._blocker: tuple[bytes, float] | None = None
        self._prefix = f"v{FORMAT}:{hashlib.sha256(url.encode()).hexdigest()[:16]}:"

    def newer(self, record: Record | None) -> Record | None:
        """What the store holds, if it is newer than ``record``; else None. Waits for the backend for 0.8 s at most.

        A wall clock that was wrong must not make prices fresh for ever: a head from the future counts from now on, for
        everybody, and a record from the future is always older.
        """
        self._recorder.count("l2_checks")
        # One job for head, body and their check: each hand-over to another thread takes as long as a small file.
        return self._ask(lambda backend: self._newer(backend, record), None, READ)

    def head(self, timeout: float = READ) -> Head | None:
        """What the store holds, or None."""
        return self._ask(self._head, None, timeout)

    def _newer(self, backend: Any, record: Record | None) -> Record | None:
        head = self._head(backend)
        if head is None or (record is not None and head == record.head):
            return None
        now = self._clock.utcnow()
        if record is not None and head.fetched_at <= record.head.fetched_at <= now + _SKEW:
            return None
        if head.fetched_at > now + _SKEW:
            head = head._replace(fetched_at=now)
            backend.set(self._prefix + "head", head.dumps())
        if record is not None and record.catalog.digest == head.digest:
            catalog = record.catalog.dated(head.fetched_at)
        else:
            found = self._catalog(backend, head)
            if found is None and (again := self._head(backend)) is not None and again != head:
                head = again  # it was being replaced
                found = self._catalog(backend, head)
            if found is None:
                return None
            catalog = found
            self._recorder.count("l2_reads")
        age = max(0.0, (now - head.fetched_at).total_seconds())
        return Record(catalog, head, self._clock.monotonic() - age)

    def look_behind(self, record: Record | None, take: Callable[[Record], None], done: Callable[[], None]) -> None:
        """As :meth:`newer`, without waiting: what is found is given to ``take``, in the store's own thread."""
        self._recorder.count("l2_checks")

        def look(backend: Any) -> None:
            newer = self._newer(backend, record)
            if newer is not None:
                take(newer)

        self._backend.ask_behind(look, done)

    def _read(self, backend: Any, key: str) -> bytes | None:
        """A value; None where there is none, or one that the backend will not read: it works, so it is asked on."""
        try:
            value: bytes | None = backend.get(key)
        except (ValueError, TypeError) as error:
            return self._note(error, None)
        return value

    def _head(self, backend: Any) -> Head | None:
        """What the backend holds, or None."""
        data = self._read(backend, self._prefix + "head")
        try:
            return None if data is None else Head.loads(data)
        except (ValueError, TypeError, RecursionError) as error:
            return self._note(error, None)

    def _catalog(self, backend: Any, head: Head) -> Catalog | None:
        """The catalogue of a head, verified; None where its body is gone or is not what the head says."""
        body = self._read(backend, self._body(head.digest))
        try:
            return None if body is None else Catalog.from_body(body, as_of=head.fetched_at, digest=head.digest)
        except (PayloadError, TypeError, ValueError) as error:
            return self._note(error, None)

    def save(self, catalog: Catalog, head: Head) -> None:
        """Keep a catalogue: first the body, then the head that points at it, then the body before goes."""

        def write(backend: Any) -> None:
            before = self._head(backend)
            anew = getattr(backend, "expires", False) is True  # it would take the body away under its head
            if anew or self._read(backend, self._body(head.digest)) != catalog.body:
                backend.set(self._body(head.digest), catalog.body)
            backend.set(self._prefix + "head", head.dumps())
            if before is not None and before.digest != head.digest:
                backend.delete(self._body(before.digest))
            if self._read(backend, self._prefix + "suspect") is not None:
                backend.delete(self._prefix + "suspect")

        self._backend.await_turn()  # a store that has just been mended gets the list, and the lease back, all the same
        self._ask(write, None, _WRITE)

    def suspect(self) -> Suspect | None:
        """The list that was refused last, if none was believed since."""
        data = self._ask(lambda backend: self._read(backend, self._prefix + "suspect"), None, _WRITE)
        try:
            prices, times, counted = json.loads(data or b"")
            return Suspect(str(prices), int(times), aware(datetime.fromisoformat(counted), "counted"))
        except (ValueError, TypeError, RecursionError):
            return None

    def keep_suspect(self, suspect: Suspect) -> None:
        """Keep it, for the processes that fetch after this one."""
        data = json.dumps([suspect.prices, suspect.times, suspect.counted.isoformat()]).encode()
        self._ask(lambda backend: backend.set(self._prefix + "suspect", data, ttl=_SUSPECT), None, _WRITE)

    def lease(self, seconds: float, before: Head | None) -> str | None:
        """Take the right to fetch for so many seconds: a token, or None where somebody else has it.

        A backend that fails gives a token too: better two fetches than none. So does one that refuses though nothing
        stands in the way: it keeps nothing.

        Args:
            seconds: how long it lasts.
            before: the head that the asker saw; another one now says that a holder has just finished.
        """
        token = os.urandom(16).hex()
        key = self._prefix + "lease"

        def take(backend: Any) -> tuple[bool, bytes | None]:
            taken = backend.add(key, token.encode(), ttl=seconds)
            return bool(taken), None if taken else self._read(backend, key)

        failing: tuple[bool, bytes | None] = (True, None)
        taken, holder = self._ask(take, failing, READ)
        if taken:
            return token
        if self._unreleased is not None and holder == self._unreleased.encode():
            return self._unreleased  # the one that stands in the way is our own: giving it back failed
        if holder is None:  # its holder has just given it back, or nothing is ever kept here
            taken, holder = self._ask(take, failing, READ)
            if taken:
                return token
            return token if holder is None and self.head() == before else None
        return self._overtake(key, token, holder, seconds)

    def _overtake(self, key: str, token: str, holder: bytes, seconds: float) -> str | None:
        """Take over a lease that outlived its time: its expiry may go by a wall clock that was set back."""
        now = self._clock.monotonic()
        if self._blocker is None or self._blocker[0] != holder:
            self._blocker = (holder, now)
            return None
        if now - self._blocker[1] <= seconds:
            return None

        def take(backend: Any) -> bool:
            backend.delete(key)
            return bool(backend.add(key, token.encode(), ttl=seconds))

        return token if self._ask(take, False, READ) else None

    def release(self, token: str) -> None:
        """Give the lease back, if it is still this token's."""
        key, value = self._prefix + "lease", token.encode()

        def give_back(backend: Any) -> bool:
            delete = getattr(backend, "compare_and_delete", None)
            if delete is not None:
                delete(key, value)
            elif backend.get(key) == value:
                backend.delete(key)
            return True

        self._backend.await_turn()  # or one failure would keep all others waiting until the lease runs out
        self._unreleased = None if self._ask(give_back, False, _WRITE) else token

    def _body(self, digest: str) -> str:
        return f"{self._prefix}catalog:{digest}"
