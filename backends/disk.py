"""The backend that all processes of one user share: diskcache, a SQLite file with large values beside it."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import unquote, urlsplit

import platformdirs

from .directory import claim, make
from .plain_diskcache import import_diskcache

__all__ = ["DiskBackend"]

if TYPE_CHECKING:
    import diskcache  # type: ignore[import-untyped]
    import diskcache.core  # type: ignore[import-untyped]
else:
    diskcache = import_diskcache()
_T = TypeVar("_T")
#: A rollback journal leaves nothing behind when a connection closes, and a file that is not mapped into memory cannot
#: kill the process when somebody truncates it.
#: Opening is dozens of small transactions: without waiting for the disk after each, eight processes that open at once
#: take milliseconds. After a power cut the digest tells what is damaged, and a corrupt file is replaced.
_SQLITE = {"sqlite_journal_mode": "delete", "sqlite_mmap_size": 0, "sqlite_synchronous": 0}
_LOOK_UP = (
    "SELECT mode, filename, value FROM Cache WHERE key = ? AND raw = 1 AND (expire_time IS NULL OR expire_time > ?)"
)
_BUSY = 0.3  # seconds to wait for another process's write
_AGAIN = 0.005  # seconds between two tries to open
_FORK_WAIT = 0.8  # seconds that a fork waits for writes under way, of all stores together
_FILES = ("cache.db", "cache.db-journal", "cache.db-wal", "cache.db-shm")


class _BytesDisk(diskcache.Disk):  # type: ignore[misc]
    """Reads and writes bytes under string keys and nothing else.

    diskcache would unpickle a row that says it is a pickle, whoever planted it (CVE-2025-69872), and would read or
    remove a file outside its directory if a row named one.
    """

    def put(self, key: Any) -> Any:
        return super().put(_expect(key, str))

    def get(self, key: Any, raw: Any) -> Any:
        if not raw:
            raise ValueError("a pickled key in the store is not read")
        return super().get(key, raw)

    def filename(self, key: Any = diskcache.UNKNOWN, value: Any = diskcache.UNKNOWN) -> Any:
        """Where a large value goes. diskcache would make the directories as the umask says."""
        filename, full_path = super().filename(key, value)
        if not self._inside(filename):
            raise ValueError("a directory of the store leads outside of it and is not written to")
        folder = Path(full_path).parent
        make(folder.parent)
        make(folder)
        return filename, full_path

    def store(self, value: Any, read: Any, key: Any = diskcache.UNKNOWN) -> Any:
        return super().store(_expect(value, bytes), read, key)

    def fetch(self, mode: Any, filename: Any, value: Any, read: Any) -> Any:
        if mode not in (diskcache.core.MODE_RAW, diskcache.core.MODE_BINARY):
            raise ValueError("a value in the store that is not bytes is not read")
        if filename is not None and not self._inside(filename):
            raise ValueError("a value in the store that names a file outside of it is not read")
        return _expect(super().fetch(mode, filename, value, read), bytes)

    def remove(self, file_path: Any) -> Any:
        if self._inside(file_path):
            super().remove(file_path)

    def _inside(self, filename: str) -> bool:
        root = os.path.realpath(self._directory)
        return bool(os.path.commonpath([root, os.path.realpath(os.path.join(root, filename))]) == root)


class _Cache(diskcache.Cache):  # type: ignore[misc]
    """Closes its connection where opening fails; diskcache leaves it to the garbage collector."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        try:
            super().__init__(*arguments, **options)
        except sqlite3.Error:
            self.close()
            raise


def _expect(value: Any, kind: type) -> Any:
    if not isinstance(value, kind):
        raise TypeError(f"a backend keeps bytes under str keys, not {type(value).__name__}")
    return value


class DiskBackend:
    """Keeps values in a directory, for every process of its owner. The directory is made with the first question.

    A process that was forked opens the store anew, and a fork waits for a write under way. A database that SQLite
    calls corrupt is moved aside, that one question fails, and the next finds a new one.

    Args:
        directory: where; the platform's cache directory for this package when left out. It is made readable by its
            owner alone. One that is there already is used as it is, or refused with a :class:`PermissionError` where
            other users could write to it or swap it.
    """

    def __init__(self, directory: str | os.PathLike[str] | None = None) -> None:
        self._directory = Path(platformdirs.user_cache_dir("openrouter-pricing") if directory is None else directory)
        self._uri = (self._directory.absolute() / "cache.db").as_uri() + "?mode=ro"
        self._lock = threading.RLock()
        self._pid = os.getpid()
        self._cache: diskcache.Cache | None = None
        _stores[self] = None

    def __repr__(self) -> str:
        return f"<DiskBackend in {self._directory}>"

    @classmethod
    def from_url(cls, url: str) -> DiskBackend:
        """``disk://`` or ``disk:///directory``."""
        parts = urlsplit(url)
        if parts.netloc or parts.query or parts.fragment:
            raise ValueError("disk:// or an absolute directory, such as disk:///var/cache/prices")
        return cls(unquote(parts.path) or None)

    def get(self, key: str) -> bytes | None:
        """The value, or None where there is none or it has expired."""
        with self._own_lock():
            claim(self._directory, *_FILES)
            try:
                return self._look_up(key)
            except sqlite3.Error:
                # Not made yet, locked, left in the middle of a write, or corrupt: the longer way sees to it.
                value: bytes | None = self._do(lambda cache: cache.get(key))
                return value

    def set(self, key: str, value: bytes, *, ttl: float | None = None) -> None:
        """Keep ``value``, for ``ttl`` seconds if given."""
        self._do(lambda cache: cache.set(key, value, expire=ttl))

    def add(self, key: str, value: bytes, *, ttl: float) -> bool:
        """Keep ``value`` for ``ttl`` seconds if there is none, atomically over all processes; whether it was kept."""
        return bool(self._do(lambda cache: cache.add(key, value, expire=ttl)))

    def delete(self, key: str) -> None:
        """Forget the value; one that is not there is no error."""
        self._do(lambda cache: cache.delete(key))

    def compare_and_delete(self, key: str, value: bytes) -> bool:
        """Forget the value if it is this one, atomically over all processes; whether it was."""

        def work(cache: diskcache.Cache) -> bool:
            with cache.transact():
                return cache.get(key) == value and bool(cache.delete(key))

        return self._do(work)

    def close(self) -> None:
        """Let go of the store; the next question opens it again."""
        with self._own_lock():
            self._cache = None

    def _look_up(self, key: str) -> bytes | None:
        """Read a value by hand, over a connection that writes nothing.

        diskcache's own way in takes eighty statements and twenty small writes before the first question.
        """
        connection = sqlite3.connect(self._uri, uri=True, timeout=_BUSY)
        try:
            connection.execute("PRAGMA mmap_size = 0")
            row = connection.execute(_LOOK_UP, (_expect(key, str), time.time())).fetchone()
        finally:
            connection.close()
        if row is None:
            return None
        try:
            mode, filename, stored = row
            value: bytes = _BytesDisk(str(self._directory)).fetch(mode, filename, stored, False)
        except FileNotFoundError:  # it was deleted meanwhile
            return None
        return value

    # -- opening, forking, mending ---------------------------------------------------------------------------------

    def _own_lock(self) -> threading.RLock:
        """This process's lock. A child's parent may have held its own for ever."""
        if self._pid != os.getpid():
            self._lock = threading.RLock()
            self._cache = None
            self._pid = os.getpid()
        return self._lock

    def _do(self, work: Callable[[diskcache.Cache], _T]) -> _T:
        """Do ``work`` over a connection of its own.

        No connection is open between two questions, so none is inherited: SQLite would take the parent's file locks for
        the child's, and a question comes once in ``l1_ttl`` only.
        """
        with self._own_lock():
            try:
                cache = self._open()
                try:
                    return work(cache)
                finally:
                    cache.close()
            except sqlite3.OperationalError:
                raise  # locked, full or read-only: it may be well again later
            except sqlite3.DatabaseError:
                self._mend()
                raise  # told once; the next question finds it mended

    def _open(self) -> diskcache.Cache:
        if self._cache is None:
            claim(self._directory, *_FILES)
            self._cache = self._construct()
        return self._cache

    def _construct(self) -> diskcache.Cache:
        """diskcache does not wait for the lock in each step of its constructor: when many open at once, some fail."""
        until = time.monotonic() + _BUSY
        while True:
            try:
                return _Cache(str(self._directory), disk=_BytesDisk, timeout=_BUSY, **_SQLITE)
            except sqlite3.OperationalError as error:
                if "locked" not in str(error) or time.monotonic() >= until:
                    raise
            time.sleep(_AGAIN)

    def _mend(self) -> None:
        """Move a corrupt database aside, unless another process has done so already."""
        self._cache = None
        try:
            cache = self._open()
            try:
                cache.get("")
            finally:
                cache.close()
        except sqlite3.OperationalError:
            raise
        except sqlite3.DatabaseError:
            self._cache = None
            for name in ("cache.db-wal", "cache.db-shm", "cache.db"):
                path = self._directory / name
                if path.exists():
                    path.replace(path.with_name(f"{name}.corrupt"))


# -- forking: one hook for all stores, so that those that are dropped leave none ---------------------------------------

_stores: weakref.WeakKeyDictionary[DiskBackend, None] = weakref.WeakKeyDictionary()
_forking = threading.local()


def _before_fork() -> None:
    """Wait for writes under way: a child would inherit SQLite's file locks."""
    until = time.monotonic() + _FORK_WAIT
    held = _forking.held = []
    for reference in _stores.keyrefs():
        if (store := reference()) is not None:
            lock = store._own_lock()
            if lock.acquire(timeout=max(0.0, until - time.monotonic())):
                held.append(lock)


def _after_fork_in_parent() -> None:
    for lock in _forking.held:
        lock.release()


os.register_at_fork(before=_before_fork, after_in_parent=_after_fork_in_parent)
