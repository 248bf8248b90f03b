"""The backend of one process: a dictionary."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

__all__ = ["MemoryBackend"]


class MemoryBackend:
    """Keeps values in this process, as long as the object lives.

    Args:
        monotonic: the clock that expiry is measured by, in seconds.
    """

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._values: dict[str, tuple[bytes, float | None]] = {}

    @classmethod
    def from_url(cls, url: str) -> MemoryBackend:
        """``memory://``; each call makes a store of its own."""
        if url.partition("://")[2]:
            raise ValueError("memory:// takes nothing after it")
        return cls()

    def get(self, key: str) -> bytes | None:
        """The value, or None where there is none or it has expired."""
        with self._lock:
            return self._get(key)

    def set(self, key: str, value: bytes, *, ttl: float | None = None) -> None:
        """Keep ``value``, for ``ttl`` seconds if given."""
        with self._lock:
            self._set(key, value, ttl)

    def add(self, key: str, value: bytes, *, ttl: float) -> bool:
        """Keep ``value`` for ``ttl`` seconds if there is none, atomically; whether it was kept."""
        with self._lock:
            if self._get(key) is not None:
                return False
            self._set(key, value, ttl)
            return True

    def delete(self, key: str) -> None:
        """Forget the value; one that is not there is no error."""
        with self._lock:
            self._values.pop(key, None)

    def compare_and_delete(self, key: str, value: bytes) -> bool:
        """Forget the value if it is this one, atomically; whether it was."""
        with self._lock:
            return self._get(key) == value and self._values.pop(key, None) is not None

    def close(self) -> None:
        """Forget everything."""
        with self._lock:
            self._values.clear()

    def _get(self, key: str) -> bytes | None:
        value, until = self._values.get(key, (None, None))
        if until is not None and self._monotonic() >= until:
            del self._values[key]
            return None
        return value

    def _set(self, key: str, value: bytes, ttl: float | None) -> None:
        if not isinstance(key, str) or not isinstance(value, bytes):
            raise TypeError("a backend keeps bytes under str keys")
        self._values[key] = (value, None if ttl is None else self._monotonic() + ttl)
