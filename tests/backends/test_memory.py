"""The backend of one process."""

from __future__ import annotations

from openrouter_pricing.backends.memory import MemoryBackend
from support.hands import Hands

from openrouter_pricing import open_backend


def test_values_end_with_their_time(hands: Hands) -> None:
    """A value is there until just before its seconds are over, by the clock that was handed in."""
    backend = MemoryBackend(hands.clock.monotonic)
    backend.set("key", b"value", ttl=60)
    hands.turn(59)
    assert b"value" == backend.get("key")
    hands.turn(1)
    assert backend.get("key") is None
    assert backend.add("key", b"another", ttl=60) is True


def test_each_has_a_store_of_its_own() -> None:
    """Two backends of one URL do not see each other's values, and one that is closed forgets its own."""
    one, other = open_backend("memory://"), open_backend("memory://")
    one.set("key", b"value")
    assert (b"value", None) == (one.get("key"), other.get("key"))
    one.close()
    assert one.get("key") is None
