"""A list long enough that one model's price may move as it likes: the guard on money looks at the whole list."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.upstream import Upstream, steady


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    """A server in OpenRouter's place that lists one model, and four whose prices never move."""
    server = Upstream(steady)
    yield server
    server.close()
