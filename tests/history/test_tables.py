"""The tables, and how a database comes to have them."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.recordings import FIRST, listed

from openrouter_pricing import PricingError

sql = pytest.importorskip("sqlalchemy", reason="needs the extra history")
tables = pytest.importorskip("openrouter_pricing.history.tables")
store = pytest.importorskip("openrouter_pricing.history.store")


@pytest.fixture
def connection() -> Any:
    """An empty database, in memory."""
    engine = sql.create_engine("sqlite://")
    with engine.connect() as opened:
        yield opened
    engine.dispose()


@given(st.datetimes(timezones=st.just(timezone.utc)))
def test_an_instant_is_kept_to_the_microsecond(at: datetime) -> None:
    """It comes back as it went."""
    assert at == tables.instant(tables.micros(at))
    assert tables.micros(at + timedelta(microseconds=1)) == tables.micros(at) + 1 or at.year == 9999


def test_tables_are_made_once(connection: Any) -> None:
    """Bringing a database up to date that is so changes nothing."""
    assert tables.version_of(connection) is None
    for _ in range(2):
        tables.bring_up_to_date(connection)
        assert tables.VERSION == tables.version_of(connection)
    assert 1 == connection.scalar(sql.select(sql.func.count()).select_from(tables.schema))


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("CREATE TABLE openrouter_pricing_prices (a TEXT)", "openrouter_pricing_prices that is not of this package"),
        ("CREATE TABLE openrouter_pricing_schema (version TEXT)", "openrouter_pricing_schema that is not of this"),
    ],
)
def test_tables_of_others_are_left_alone(connection: Any, statement: str, said: str) -> None:
    """Whatever has one of our names and is not ours is named, and not touched."""
    connection.execute(sql.text(statement))
    for ask in (tables.version_of, tables.bring_up_to_date):
        with pytest.raises(PricingError, match=said):
            ask(connection)
    assert 1 == len(sql.inspect(connection).get_table_names())


def test_tables_of_a_later_release_are_left_alone(connection: Any) -> None:
    """What that release keeps there is not known here."""
    tables.bring_up_to_date(connection)
    connection.execute(sql.update(tables.schema).values(version=7))
    with pytest.raises(PricingError, match=r"of version 7, and this release knows 1: update it"):
        tables.bring_up_to_date(connection)


def test_a_database_of_an_earlier_release_is_brought_up_to_date(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Step by step, each once, when it is next written to, with all that it holds."""
    url = f"sqlite:///{tmp_path}/prices.db"
    first = store.SqlHistory(url)
    first.record(listed(0, x="1"))
    first.close()
    steps: list[int] = []

    def step(version: int) -> Any:
        return lambda connection: (
            steps.append(version),
            connection.execute(sql.text(f"ALTER TABLE openrouter_pricing_head ADD COLUMN more_{version} TEXT")),
        )

    monkeypatch.setattr(tables, "VERSION", 3)
    monkeypatch.setattr(tables, "MIGRATIONS", {1: step(1), 2: step(2)})
    later = store.SqlHistory(url)
    later.record(listed(1, x="2"))
    later.initialise()
    assert [1, 2] == steps
    assert 2 == len(later.periods("a/x"))
    assert FIRST == later.as_of(FIRST).as_of
    later.close()
