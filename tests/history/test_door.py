"""The package of the history, whose names come when they are asked for."""

from __future__ import annotations

import pytest

import openrouter_pricing.history as door


def test_every_name_is_there() -> None:
    """All of ``__all__`` can be imported, is sorted, and nothing else is promised."""
    assert door.__all__ == sorted(name for names in door._HOMES.values() for name in names)
    assert dir(door) == door.__all__
    for name in door.__all__:
        door.__dict__.pop(name, None)
        assert getattr(door, name).__name__ == name
    with pytest.raises(AttributeError, match="nonsense"):
        door.nonsense  # noqa: B018
