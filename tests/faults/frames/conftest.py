"""Each engine in turn, started once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.engines import ENGINES, Kind


@pytest.fixture(scope="session", params=list(ENGINES))
def engine(request: pytest.FixtureRequest) -> Iterator[tuple[str, Kind]]:
    """An engine's name, and how its frames are made and read."""
    with ENGINES[request.param]() as kind:
        yield request.param, kind


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What is measured comes first, before there are engines beside it."""
    items.sort(key=lambda item: "engine" in getattr(item, "fixturenames", ()))
