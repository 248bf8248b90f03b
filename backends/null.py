"""The backend that keeps nothing: every process fetches for itself."""

from __future__ import annotations

__all__ = ["NullBackend"]


class NullBackend:
    """Keeps nothing."""

    @classmethod
    def from_url(cls, url: str) -> NullBackend:
        """``null://``."""
        if url.partition("://")[2]:
            raise ValueError("null:// takes nothing after it")
        return cls()

    def get(self, key: str) -> bytes | None:
        """Nothing, always."""
        return None

    def set(self, key: str, value: bytes, *, ttl: float | None = None) -> None:
        """Drop the value."""

    def add(self, key: str, value: bytes, *, ttl: float) -> bool:
        """True: nobody else can have it."""
        return True

    def delete(self, key: str) -> None:
        """Nothing to do."""

    def compare_and_delete(self, key: str, value: bytes) -> bool:
        """False: there is nothing to forget."""
        return False

    def close(self) -> None:
        """Nothing to do."""
