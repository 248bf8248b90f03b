"""The backend that keeps nothing."""

from __future__ import annotations

from openrouter_pricing.backends.null import NullBackend


def test_nothing_is_kept() -> None:
    """What was set is not there, and everybody who asks is granted a lease."""
    backend = NullBackend()
    backend.set("key", b"value")
    assert backend.get("key") is None
    assert [True, True] == [backend.add("lease", b"mine", ttl=60) for _ in range(2)]
    assert backend.get("lease") is None
