"""What freshness asks of others: a Backend that keeps bytes, a Source that catalogues come from."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from .._prices.wire import Fetched


@runtime_checkable
class Backend(Protocol):
    """What keeps catalogues between processes: bytes under string keys, and nothing but bytes.

    It may have a sixth method, ``compare_and_delete(key, value) -> bool``, which forgets a value only if it is equal,
    atomically; a lease is given back by it. Without it, ``get`` and ``delete`` do that in two steps.

    One that drops values which were given no ``ttl`` says so by an attribute, ``expires = True``: a list is then stored
    anew with each fetch, also one that has not changed.
    """

    def get(self, key: str) -> bytes | None:
        """The value, or None where there is none or it has expired."""

    def set(self, key: str, value: bytes, *, ttl: float | None = None) -> None:
        """Keep ``value``, for ``ttl`` seconds if given."""

    def add(self, key: str, value: bytes, *, ttl: float) -> bool:
        """Keep ``value`` for ``ttl`` seconds if there is none, atomically; whether it was kept."""
        ...

    def delete(self, key: str) -> None:
        """Forget the value; one that is not there is no error."""

    def close(self) -> None:
        """Let go of everything."""


@runtime_checkable
class Source(Protocol):
    """Where catalogues come from. ``Client`` is the one that speaks HTTP to OpenRouter."""

    def fetch(self, *, etag: str | None, deadline: float) -> Fetched:
        """The model list, or a 304 if ``etag`` still holds; within ``deadline`` seconds.

        Raises:
            UpstreamError: there is none to be had.
        """
        ...

    def close(self) -> None:
        """Let go of everything, also of a fetch that is under way in another thread."""


@runtime_checkable
class EndpointSource(Source, Protocol):
    """A source that knows the prices of each provider too."""

    def fetch_endpoints(self, model_id: str, *, etag: str | None, deadline: float) -> Fetched:
        """The endpoints of a model, or a 304 if ``etag`` still holds; within ``deadline`` seconds.

        Raises:
            UpstreamError: there are none to be had.
        """
        ...
