"""A client without a hurry, and a list so long that one price may move: the guard on money looks at the whole list."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.freshness import Patient
from support.upstream import Upstream, steady
from support.waiting import PATIENCE

from openrouter_pricing import Settings


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    """A server in OpenRouter's place that lists one model, and four whose prices never move."""
    server = Upstream(steady)
    yield server
    server.close()


@pytest.fixture
def patient(upstream: Upstream) -> Iterator[Patient]:
    """A client of the upstream that goes on after the deadline."""
    client = Patient(Settings(base_url=upstream.url, attempts=1, read_timeout=PATIENCE))
    yield client
    client.close()
