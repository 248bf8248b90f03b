"""The backend of a Django project: one of its caches. Imported without Django, which comes with the first question."""

from __future__ import annotations

import logging
import math
import pickle
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any
from urllib.parse import quote

from .packing import KEPT, pack, unpack

__all__ = ["DjangoBackend"]

_PREFIX = "openrouter-pricing:"
#: Seconds after which a cache is asked again that says no and holds nothing: so does a SQLite that somebody writes to.
_PAUSES = (0.01, 0.03, 0.1, 0)
#: What unpickling raises of a value that is damaged, or of somebody else's.
_BROKEN = (pickle.UnpicklingError, AttributeError, EOFError, ImportError, LookupError, TypeError, ValueError)


class DjangoBackend:
    """Keeps values in a cache of ``CACHES``, for every process that shares it.

    Django pickles what it caches, and unpickles what it reads: whoever can write to that cache can run code in every
    process that reads it. A value that is none of ours is not there. One without a ``ttl`` is kept for 30 days, and
    every fetch stores it anew. Durations are rounded up to whole seconds.

    Args:
        alias: of the cache.
    """

    #: Caches evict: a list that has not changed is stored anew, not read back and compared.
    expires = True

    def __init__(self, alias: str = "default") -> None:
        self._alias = alias
        self._warned: list[bool] = []

    @classmethod
    def from_url(cls, url: str) -> DjangoBackend:
        """The cache that a URL names: ``django://alias``, ``django://`` for ``default``.

        Raises:
            ValueError: it holds something else, or Django is not installed.
        """
        alias = url.partition("://")[2]
        if not re.fullmatch(r"[\w.-]*", alias):
            raise ValueError("django:// takes the alias of a cache after it, such as django://default")
        if find_spec("django") is None:
            raise ValueError("it once Django is there: pip install openrouter-pricing[django]")
        return cls(alias or "default")

    def __repr__(self) -> str:
        return f"<DjangoBackend {self._alias!r}>"

    def get(self, key: str) -> bytes | None:
        """The value, or None where there is none, it has expired, or it is none of ours."""
        with self._cache() as cache:
            try:
                held = cache.get(_name(key))
                return unpack(held) if isinstance(held, bytes) else None
            except _BROKEN as error:
                logging.getLogger(__name__).warning(
                    "a value in the cache %r cannot be read: %s", self._alias, type(error).__name__
                )
                return None

    def set(self, key: str, value: bytes, *, ttl: float | None = None) -> None:
        """Keep ``value``, for ``ttl`` seconds if given, else for 30 days."""
        name, packed = _name(key), pack(value)
        with self._cache() as cache:
            cache.set(name, packed, timeout=_whole(KEPT if ttl is None else ttl))

    def add(self, key: str, value: bytes, *, ttl: float) -> bool:
        """Keep ``value`` for ``ttl`` seconds if there is none; whether it was kept. As atomic as the cache's own."""
        name, packed = _name(key), pack(value)
        with self._cache() as cache:
            for pause in _PAUSES:
                if cache.add(name, packed, timeout=_whole(ttl)):
                    return True
                if cache.has_key(name):
                    return False
                time.sleep(pause)
            return False

    def delete(self, key: str) -> None:
        """Forget the value; one that is not there is no error."""
        name = _name(key)
        with self._cache() as cache:
            cache.delete(name)

    def close(self) -> None:
        """Nothing: the cache is the project's."""

    @contextmanager
    def _cache(self) -> Iterator[Any]:
        """This thread's connection to the cache, which may lie in a database."""
        from django.core.cache import caches

        if not self._warned:
            self._warned.append(True)
            logging.getLogger(__name__).warning(
                "prices are kept in Django's cache %r, which unpickles what it reads: "
                "whoever can write to it can run code here",
                self._alias,
            )
        with given_back():
            yield caches[self._alias]


@contextmanager
def given_back() -> Iterator[None]:
    """Close, in the end, the database connections that were opened within: no request ends in a thread of ours.

    Those of whoever asks stay as they are.
    """
    from django.db import connections

    kept = {each.alias for each in connections.all(initialized_only=True) if each.connection is not None}
    try:
        yield
    finally:
        for each in connections.all(initialized_only=True):
            if each.alias not in kept:
                each.close()


def _name(key: str) -> str:
    if not isinstance(key, str):
        raise TypeError(f"a backend keeps bytes under str keys, not {type(key).__name__}")
    return _PREFIX + quote(key, safe=":")  # memcached takes neither spaces nor letters of other scripts


def _whole(seconds: float) -> int:
    return max(1, math.ceil(seconds))
