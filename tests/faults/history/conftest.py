"""The databases of the history suite: SQLite, and PostgreSQL from the system."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.databases import Postgres, emptied, postgres, postgres_folder

DATABASES = ["SQLite", "PostgreSQL"]


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    """One PostgreSQL for all; what needs it is skipped where there is none."""
    pytest.importorskip("psycopg")
    programs = postgres_folder()
    if programs is None:
        pytest.skip("no PostgreSQL: apt-get install postgresql")
    with postgres(programs, tmp_path_factory.mktemp("postgres") / "server") as running:
        yield running


@pytest.fixture(params=DATABASES)
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database."""
    pytest.importorskip("openrouter_pricing.history.store")
    if request.param == "SQLite":
        return f"sqlite:///{tmp_path}/prices.db"
    return emptied(request.getfixturevalue("server").url)
