"""For how long each price stood, and what changed when."""

from __future__ import annotations

from datetime import datetime

import pytest
from support.recordings import DAY, FIRST, MemoryHistory, listed

from openrouter_pricing import Catalog
from openrouter_pricing._history.bundled import BundledHistory
from openrouter_pricing._history.periods import (
    EARLIEST,
    LATEST,
    HistoryStore,
    RecordedList,
    price_periods,
    recorded_changes,
)


def days(*lists: Catalog, since: datetime = EARLIEST, until: datetime = LATEST) -> list[tuple[int, str, str]]:
    """What changed, with the day of each."""
    found = recorded_changes(MemoryHistory(*lists).periods(since=since, until=until), since, until)
    return [((change.at - FIRST).days, change.model_id, change.kind) for change in found]


def test_what_changes_is_told_with_its_time() -> None:
    """Listed, changed, delisted and listed again, in the order of their times."""
    lists = [listed(0, x="1", y="1"), listed(1, x="2", y="1"), listed(2, x="2"), listed(3, x="2", y="3")]
    assert [
        (0, "a/x", "listed"),
        (0, "a/y", "listed"),
        (1, "a/x", "changed"),
        (2, "a/y", "delisted"),
        (3, "a/y", "listed"),
    ] == days(*lists)


def test_the_edges_of_a_question() -> None:
    """``since`` itself is before what is asked for, and ``until`` is within."""
    lists = [listed(0, x="1"), listed(1, x="2"), listed(2, x="3"), listed(3)]
    assert [(2, "a/x", "changed")] == days(*lists, since=FIRST + DAY, until=FIRST + 2 * DAY)
    assert [(3, "a/x", "delisted")] == days(*lists, since=FIRST + 2 * DAY)


def test_a_change_says_what_moved() -> None:
    """As a change between two lists does, with its time beside it."""
    (change,) = recorded_changes(MemoryHistory(listed(0, x="1"), listed(1, x="2")).periods(), FIRST, LATEST)
    assert ("prompt", 1, 2, 2) == change.moves[0]
    assert FIRST + DAY == change.at


def test_what_charges_the_same_is_no_change() -> None:
    """A key that was missing and is 0 now changes nothing, and parts no period."""
    zero = {"id": "a/x", "pricing": {"prompt": "1", "completion": "0", "request": "0"}}
    history = MemoryHistory(listed(0, x="1"), listed(1, x=zero), listed(2, x="2"))
    assert [(0, "a/x", "listed"), (2, "a/x", "changed")] == days(*history.lists)
    assert [(FIRST, FIRST + 2 * DAY, 1), (FIRST + 2 * DAY, None, 2)] == [
        (period.since, period.until, period.rates.prompt) for period in price_periods(history.periods("a/x"))
    ]


def test_a_gap_parts_two_periods() -> None:
    """Delisted and listed again at the same price are two periods."""
    history = MemoryHistory(listed(0, x="1"), listed(1), listed(2, x="1"))
    assert [(FIRST, FIRST + DAY), (FIRST + 2 * DAY, None)] == [
        period[:2] for period in price_periods(history.periods("a/x"))
    ]


@pytest.mark.parametrize(("hours", "far"), [(-5, 5), (0, 0), (24, 0), (48, 0), (50, 2)])
def test_how_far_a_list_is_from_a_time(hours: int, far: int) -> None:
    """Nothing while it stood, and else what lies between."""
    stood = RecordedList(FIRST, FIRST + 2 * DAY, {})
    assert DAY * far / 24 == stood.distance(FIRST + DAY * hours / 24)


def test_a_digest_is_of_ids_and_prices() -> None:
    """However the prices are ordered, and nothing else."""
    one = RecordedList(FIRST, FIRST, {"a": '{"prompt":"1","completion":"2"}', "b": "{}"})
    same = RecordedList(FIRST + DAY, FIRST + DAY, {"b": "{}", "a": '{"completion": "2", "prompt": "1"}'})
    assert one.digest() == same.digest() == one.digest()
    assert one.digest() != RecordedList(FIRST, FIRST, {"a": '{"prompt":"1"}', "b": "{}"}).digest()


def test_stores_are_told_apart_by_what_they_can_do() -> None:
    """Anybody can write one: it takes four methods."""
    assert isinstance(BundledHistory(), HistoryStore)
    assert isinstance(MemoryHistory(), HistoryStore)
    assert not isinstance(object(), HistoryStore)
