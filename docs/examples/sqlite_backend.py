"""A backend that keeps values in one SQLite file."""

from __future__ import annotations

import math
import sqlite3
import threading
import time
from pathlib import Path
from urllib.parse import urlsplit


class SqliteBackend:
    """Bytes under string keys; opened with the first question."""

    def __init__(self, path: str | Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._opened: sqlite3.Connection | None = None

    @classmethod
    def from_url(cls, url: str) -> SqliteBackend:
        """``sqlite:///path``."""
        return cls(urlsplit(url).path)

    def get(self, key: str) -> bytes | None:
        with self._lock, self._database() as database:
            row = database.execute(
                "SELECT value FROM entries WHERE key = ? AND until > ?",
                (key, time.time()),
            )
            return next((value for (value,) in row), None)

    def set(self, key: str, value: bytes, *, ttl: float | None = None) -> None:
        with self._lock, self._database() as database:
            database.execute(
                "INSERT OR REPLACE INTO entries VALUES (?, ?, ?)",
                _entry(key, value, ttl),
            )

    def add(self, key: str, value: bytes, *, ttl: float) -> bool:
        # One transaction, so no other process comes between.
        with self._lock, self._database() as database:
            database.execute(
                "DELETE FROM entries WHERE key = ? AND until <= ?", (key, time.time())
            )
            stored = database.execute(
                "INSERT OR IGNORE INTO entries VALUES (?, ?, ?)",
                _entry(key, value, ttl),
            )
            return stored.rowcount == 1

    def delete(self, key: str) -> None:
        with self._lock, self._database() as database:
            database.execute("DELETE FROM entries WHERE key = ?", (key,))

    def close(self) -> None:
        with self._lock:
            if self._opened is not None:
                self._opened.close()
                self._opened = None

    def _database(self) -> sqlite3.Connection:
        if self._opened is None:
            self._opened = sqlite3.connect(
                self._path, timeout=0.5, check_same_thread=False
            )
            self._opened.execute(
                "CREATE TABLE IF NOT EXISTS entries "
                "(key TEXT PRIMARY KEY, value BLOB, until REAL)"
            )
        return self._opened


def _entry(key: str, value: bytes, ttl: float | None) -> tuple[str, bytes, float]:
    if not isinstance(key, str) or not isinstance(value, bytes):
        raise TypeError("a backend keeps bytes under str keys")
    return key, value, math.inf if ttl is None else time.time() + ttl
