"""What one call consumed, as a value."""

from __future__ import annotations

import pickle

import attrs
import pytest

from openrouter_pricing import Usage


def test_one_request_and_nothing_else_unless_told() -> None:
    """A usage without arguments is one request that consumed nothing."""
    assert {"requests": 1} == {name: count for name, count in attrs.asdict(Usage()).items() if count}


@pytest.mark.parametrize("name", attrs.fields_dict(Usage))
def test_every_count_is_read_alike(name: str) -> None:
    """Each count is kept as it is, travels to another process, and is refused by its name where it is none."""
    usage = Usage(**{name: 7})
    assert (7, usage) == (getattr(usage, name), pickle.loads(pickle.dumps(usage)))
    with pytest.raises(TypeError, match=f"^{name} must be an integer, not bool$"):
        Usage(**{name: True})
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        setattr(usage, name, 8)
