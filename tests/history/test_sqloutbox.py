"""What is to be told of changes, in the database that holds them."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from support.recordings import DAY, FIRST, listed

from openrouter_pricing import CatalogChange

store = pytest.importorskip("openrouter_pricing.history.store", reason="needs the extra history")


@pytest.fixture
def history(tmp_path: Path) -> Any:
    """A history with a list."""
    made = store.SqlHistory(f"sqlite:///{tmp_path}/prices.db")
    made.record(listed(0, x="1"))
    yield made
    made.close()


def entries(history: Any) -> list[Any]:
    """What is in its outbox."""
    found: list[Any] = history.outbox.change(list)
    return found


def test_what_changes_is_noted_as_it_is_recorded(history: Any) -> None:
    """One entry a list, with what differs; none for the first, and none where nothing is charged differently."""
    assert [] == entries(history)
    history.record(listed(1, x="2", y="1"))
    history.record(listed(2, x="2", y="1"))
    history.record(listed(3, y="1"))
    kinds = [{each.model_id: each.kind for each in entry.differences} for entry in entries(history)]
    assert [{"a/x": "changed", "a/y": "listed"}, {"a/x": "delisted"}] == kinds
    first = entries(history)[0]
    assert ((FIRST + DAY).timestamp(), (FIRST + DAY).isoformat()) == (first.at, first.as_of)


def test_a_notifier_sees_a_list_that_is_recorded_just_now(history: Any) -> None:
    """Whoever comes first writes it, once."""
    before, after = listed(0, x="1"), listed(1, x="2")
    history.outbox.note(CatalogChange(before, after, ()))
    assert () == history.record(after)
    history.outbox.note(CatalogChange(before, after, ()))
    assert 1 == len(entries(history))


def test_what_is_changed_is_kept(history: Any) -> None:
    """Entries that are new, others now, or gone; in their order."""
    for day in (1, 2, 3):
        history.record(listed(day, x=str(day + 1)))

    def work(found: list[Any]) -> str:
        found[0].event = {"id": "made"}
        del found[1]
        return "done"

    assert "done" == history.outbox.change(work)
    first, last = entries(history)
    assert ({"id": "made"}, None) == (first.event, last.event)
    assert first.as_of < last.as_of


def test_work_that_fails_changes_nothing(history: Any) -> None:
    """All or nothing, as for the lists."""
    history.record(listed(1, x="2"))

    def work(found: list[Any]) -> None:
        found.clear()
        raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        history.outbox.change(work)
    assert 1 == len(entries(history))


def test_what_nobody_tells_goes_in_time(history: Any) -> None:
    """A database without a notifier keeps no more than some days of it."""
    history.record(listed(1, x="2"))
    history.record(listed(5, x="3"))
    assert 2 == len(entries(history))
    history.record(listed(10, x="4"))
    assert [FIRST + timedelta(days=5), FIRST + timedelta(days=10)] == [
        FIRST + timedelta(seconds=entry.at - FIRST.timestamp()) for entry in entries(history)
    ]
