"""How values lie in a store that other programs use too."""

from __future__ import annotations

from typing import Any

import pytest
from openrouter_pricing.backends.packing import LARGE, pack, unpack


@pytest.mark.parametrize("value", [b"", b"head", b"\x00", b"\x00z", b"\x00=", b"\x00" * LARGE, b"\x00" * (LARGE + 1)])
def test_values_come_back(value: bytes) -> None:
    """Also those that look like a mark."""
    assert value == unpack(pack(value))


def test_large_values_are_compressed() -> None:
    """Small ones stand as they are."""
    assert pack(b"x" * LARGE) == b"x" * LARGE
    assert len(pack(b"x" * (LARGE + 1))) < 200


@pytest.mark.parametrize("data", [b"\x00", b"\x00?x", b"\x00z", b"\x00zfoo", b"\x00z\x78\x9c"])
def test_what_is_none_of_ours(data: bytes) -> None:
    """A marked value that cannot be unpacked is an error."""
    with pytest.raises(ValueError, match="none of ours"):
        unpack(data)


def test_what_cannot_be_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Text is none, and there is a most, in both directions."""
    text: Any = "text"
    with pytest.raises(TypeError, match="bytes"):
        pack(text)
    packed = pack(b"x" * 100_000)
    monkeypatch.setattr("openrouter_pricing.backends.packing._MOST", 99_999)
    with pytest.raises(ValueError, match="none of ours"):
        unpack(packed)
    with pytest.raises(ValueError, match="not kept"):
        pack(b"x" * 100_000)
