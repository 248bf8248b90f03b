"""What freshness asks of others: the methods, and nothing else."""

from __future__ import annotations

import pytest
from support.endpoints import Fixed
from support.freshness import Scripted

from openrouter_pricing import Backend, Client, Pricing, Settings, Source
from openrouter_pricing._freshness.protocols import EndpointSource


class Bytes:
    """A store of a stranger's, who imports nothing from here."""

    def get(self, key: str) -> bytes | None:
        """Nothing."""

    def set(self, key: str, value: bytes, *, ttl: float | None = None) -> None:
        """Nothing."""

    def add(self, key: str, value: bytes, *, ttl: float) -> bool:
        """No."""
        return False

    def delete(self, key: str) -> None:
        """Nothing."""

    def close(self) -> None:
        """Nothing."""


def test_whoever_has_the_methods_is_a_backend() -> None:
    """Five methods make a store; a sixth may be there and need not."""
    assert isinstance(Bytes(), Backend)
    assert not isinstance(Scripted(), Backend)
    with pytest.raises(TypeError, match="backend must be a Backend, not dict"):
        Pricing(Settings(), backend={})  # type: ignore[arg-type]


def test_whoever_has_the_methods_is_a_source() -> None:
    """Two methods make a source; one that knows each provider's prices has a third."""
    assert [isinstance(source, Source) for source in (Scripted(), Fixed(b""), Client(Settings()), Bytes())] == [
        True,
        True,
        True,
        False,
    ]
    assert [isinstance(source, EndpointSource) for source in (Scripted(), Fixed(b""))] == [False, True]
    with pytest.raises(TypeError, match="client must be a Source, not str"):
        Pricing(Settings(), client="https://openrouter.ai")  # type: ignore[arg-type]
