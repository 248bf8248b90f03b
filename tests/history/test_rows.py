"""The outbox in a database."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError
from support.hands import Hands
from support.sql_history import OUTBOX, LastList
from support.upstream import Upstream, row
from support.waiting import until

from openrouter_pricing import Catalog, CatalogChange, Pricing, Settings
from openrouter_pricing.history import Notifier
from openrouter_pricing.history.entries import Entry

NAME = "a/one"


@pytest.fixture
def history(tmp_path: Path) -> LastList:
    """A history in a file."""
    return LastList(f"sqlite:///{tmp_path / 'history.db'}")


def listed(hands: Hands, price: str, *others: str) -> Catalog:
    """A list of that price, fetched a minute later."""
    hands.turn(60)
    rows = [row(name, pricing={"prompt": price, "image": "0"}) for name in (NAME, *others)]
    return Catalog.from_models(rows, as_of=hands.wall)


def entries(history: LastList) -> list[Entry]:
    """What is in the outbox."""
    return history.outbox.change(list)


def count(history: LastList) -> int | None:
    """How many rows there are."""
    with history.engine.connect() as connection:
        return connection.execute(select(func.count()).select_from(OUTBOX)).scalar()


def test_a_row_is_written_with_its_changes(history: LastList, hands: Hands) -> None:
    """None for the first list, nor for one without a change; one for what moved, came and went."""
    first, second = listed(hands, "1", "a/old"), listed(hands, "2", "a/new")
    for catalog in (first, first, second, second):
        history.outbox.note(CatalogChange(None, catalog, ()))
    history.outbox.note(CatalogChange(None, listed(hands, "2", "a/new"), ()))
    (entry,) = entries(history)
    assert (entry.before, entry.after, entry.as_of) == (first.digest, second.digest, second.as_of.isoformat())
    assert [(each.model_id, each.kind) for each in entry.differences] == [
        (NAME, "changed"),
        ("a/new", "listed"),
        ("a/old", "delisted"),
    ]
    assert entry.differences[0].moves() == [{"key": "prompt", "before": "1", "after": "2", "ratio": "2"}]


def test_rows_are_changed_dropped_and_added(history: LastList, hands: Hands) -> None:
    """What ``work`` leaves is what the table holds, in the order in which it was noted."""
    for price in ("1", "2", "3", "4"):
        history.outbox.note(CatalogChange(None, listed(hands, price), ()))

    def work(found: list[Entry]) -> int:
        del found[0]
        found[0].as_of = "changed"
        found.append(Entry.of(9e9, "new", "b", "a", []))
        return 7

    assert history.outbox.change(work) == 7
    assert [each.as_of for each in entries(history)][0::2] == ["changed", "new"]
    assert count(history) == 3


def test_what_fails_changes_nothing(history: LastList, hands: Hands) -> None:
    """The transaction is taken back."""
    for price in ("1", "2"):
        history.outbox.note(CatalogChange(None, listed(hands, price), ()))

    def work(found: list[Entry]) -> None:
        found.clear()
        raise KeyError("no")

    with pytest.raises(KeyError):
        history.outbox.change(work)
    assert count(history) == 1


def test_one_process_at_a_time(history: LastList, hands: Hands) -> None:
    """Eight that count at once count to eight; none sees what another one is about to change."""
    for price in ("1", "2"):
        history.outbox.note(CatalogChange(None, listed(hands, price), ()))
    start = threading.Barrier(8)

    def work(found: list[Entry]) -> None:
        found[0].event = {"count": (found[0].event or {"count": 0})["count"] + 1}

    def add() -> None:
        start.wait()
        while True:
            try:
                return history.outbox.change(work)
            except OperationalError:  # the machine is busy: five seconds went by
                continue

    threads = [threading.Thread(target=add) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert entries(history)[0].event == {"count": 8}


def test_a_notifier_finds_it(history: LastList, upstream: Upstream, hands: Hands) -> None:
    """The history of a ``Pricing`` is asked for its outbox; the store of the list holds none."""
    heard: list[dict[str, Any]] = []
    settings = Settings(base_url=upstream.url, backend="memory://")
    with Pricing(settings, history=history, clock=hands.clock) as pricing, Notifier(pricing, [heard.append]) as told:
        for price in ("1", "2"):
            hands.turn(60)
            upstream.say(row(NAME, pricing={"prompt": price}), row("a/steady"))
            pricing.refresh(force=True)
        until(lambda: told.stats().delivered == 1 and not count(history))
        assert pricing._live.ask(lambda store: [key for key in store._values if "notify" in key], None, 5) == []
    assert json.dumps(heard[0]["data"]["changes"][0]["moves"][0]["after"]) == '"2"'


@pytest.fixture(autouse=True)
def _disposed(history: LastList) -> Iterator[None]:
    """No connection outlives a test."""
    yield
    history.engine.dispose()
