"""The databases of the history suite: SQLite, and PostgreSQL from the system."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.databases import Postgres, emptied, postgres

DATABASES = ["SQLite", "PostgreSQL"]


@pytest.fixture(scope="session")
def server() -> Iterator[Postgres]:
    """One PostgreSQL for all."""
    with postgres() as running:
        yield running


@pytest.fixture(params=DATABASES)
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database."""
    pytest.importorskip("openrouter_pricing.history.store")
    if request.param == "SQLite":
        return f"sqlite:///{tmp_path}/prices.db"
    return emptied(request.getfixturevalue("server").url)
