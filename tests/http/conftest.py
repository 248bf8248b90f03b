"""A client for every test of this folder."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.clients import quick
from support.upstream import Upstream

from openrouter_pricing import Client


@pytest.fixture
def client(upstream: Upstream) -> Iterator[Client]:
    """A client of the upstream that tries once."""
    made = quick(upstream.url)
    yield made
    made.close()
