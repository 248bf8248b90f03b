"""What every price history must do."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from itertools import pairwise
from typing import TypeAlias

from .._prices.catalog import Catalog
from .periods import HistoryStore

#: Takes what opens a fresh view of one and the same history, empty at first; raises AssertionError where it fails.
HistoryCheck: TypeAlias = Callable[[Callable[[], HistoryStore]], None]

_DAY = timedelta(days=1)
_FIRST = datetime(2026, 3, 1, 12, 30, 15, 123456, tzinfo=timezone.utc)


def history_checks() -> list[HistoryCheck]:
    """The checks of the ``HistoryStore`` protocol."""
    return [
        it_is_a_history,
        an_empty_history_knows_nothing,
        the_first_list_is_no_change,
        what_changes_is_told,
        what_charges_the_same_is_no_change,
        a_list_that_is_older_is_refused,
        a_list_of_then_is_as_it_was,
        the_last_list_stands_until_it_was_seen,
        a_model_comes_back,
        periods_can_be_asked_for_in_part,
        what_is_recorded_stays,
        threads_record_a_change_once,
        closing_twice_is_allowed,
    ]


def it_is_a_history(open_history: Callable[[], HistoryStore]) -> None:
    """It has the four methods of the protocol."""
    assert isinstance(open_history(), HistoryStore)


def an_empty_history_knows_nothing(open_history: Callable[[], HistoryStore]) -> None:
    """Its questions have answers all the same."""
    history = open_history()
    assert history.as_of(_FIRST) is None
    assert not list(history.periods())
    assert not list(history.periods("a/x"))
    history.close()


def the_first_list_is_no_change(open_history: Callable[[], HistoryStore]) -> None:
    """It is recorded silently."""
    history = open_history()
    assert not list(history.record(_listed(0, x="1", y="2")))
    assert sorted(period.model_id for period in history.periods()) == ["a/x", "a/y"]
    history.close()


def what_changes_is_told(open_history: Callable[[], HistoryStore]) -> None:
    """Each model with its kind, and its rates before and after."""
    history = open_history()
    history.record(_listed(0, x="1", y="2"))
    told = {change.model_id: change for change in history.record(_listed(1, x="3", z="4"))}
    assert {name: told[name].kind for name in told} == {"a/x": "changed", "a/y": "delisted", "a/z": "listed"}
    before, after = told["a/x"].before, told["a/x"].after
    assert before is not None
    assert after is not None
    assert [before.prompt, after.prompt] == [1, 3]
    assert not list(history.record(_listed(2, x="3", z="4")))
    history.close()


def what_charges_the_same_is_no_change(open_history: Callable[[], HistoryStore]) -> None:
    """A missing key and a price of 0 are the same, and so is every other field of a row."""
    history = open_history()
    row = {"id": "a/x", "name": "X", "pricing": {"prompt": "1", "completion": "0", "image": "0"}}
    history.record(_listed(0, x="1"))
    assert not list(history.record(Catalog.from_models([row], as_of=_FIRST + _DAY)))
    history.close()


def a_list_that_is_older_is_refused(open_history: Callable[[], HistoryStore]) -> None:
    """One that is older than the last, or as old, changes nothing."""
    history = open_history()
    history.record(_listed(1, x="1"))
    history.record(_listed(2, x="2"))
    assert not list(history.record(_listed(2, x="9")))
    assert not list(history.record(_listed(1.5, x="9")))
    assert len(list(history.periods("a/x"))) == 2
    history.close()


def a_list_of_then_is_as_it_was(open_history: Callable[[], HistoryStore]) -> None:
    """The last one at or before a time, to the microsecond; before the first that one."""
    history = open_history()
    for day in (0, 1, 5):
        history.record(_listed(day, x=str(day + 1)))
    tick = timedelta(microseconds=1)
    for at, day, until in ((-9, 0, 1), (0, 0, 1), (1, 1, 5), (4.9, 1, 5), (5, 5, 5), (99, 5, 5)):
        found = history.as_of(_FIRST + at * _DAY)
        assert found is not None
        assert (_FIRST + day * _DAY, _FIRST + until * _DAY) == (found.as_of, found.until)
        assert {"a/x": str(day + 1)} == {name: json.loads(text)["prompt"] for name, text in found.prices.items()}
    found = history.as_of(_FIRST + _DAY - tick)
    assert found is not None
    assert found.as_of == _FIRST
    history.close()


def the_last_list_stands_until_it_was_seen(open_history: Callable[[], HistoryStore]) -> None:
    """A list that changes nothing is no recording of its own; it says how long the last one stood."""
    history = open_history()
    for day in (0, 1, 3, 4):
        history.record(_listed(day, x="1" if day < 1 else "2"))
    found = history.as_of(_FIRST + 2 * _DAY)
    assert found is not None
    assert (found.as_of, found.until) == (_FIRST + _DAY, _FIRST + 4 * _DAY)
    history.close()


def a_model_comes_back(open_history: Callable[[], HistoryStore]) -> None:
    """Delisted and listed again are two periods, with nothing between."""
    history = open_history()
    for catalog in (_listed(0, x="1", y="1"), _listed(1, y="1"), _listed(2, x="1", y="1")):
        history.record(catalog)
    periods = [(period.since, period.until) for period in history.periods("a/x")]
    assert periods == [(_FIRST, _FIRST + _DAY), (_FIRST + 2 * _DAY, None)]
    between = history.as_of(_FIRST + 1.5 * _DAY)
    assert between is not None
    assert list(between.prices) == ["a/y"]
    history.close()


def periods_can_be_asked_for_in_part(open_history: Callable[[], HistoryStore]) -> None:
    """Of one model, and of a time: those that were listed within it, one that ends with its beginning too."""
    history = open_history()
    for day in range(4):
        history.record(_listed(day, x=str(day + 1), y="1"))
    whole = list(history.periods("a/x"))
    assert [period.rates.prompt for period in whole] == [1, 2, 3, 4]
    assert whole[:3] == list(history.periods("a/x", since=_FIRST + _DAY, until=_FIRST + 2 * _DAY))
    assert len(list(history.periods())) == 5
    assert not list(history.periods("a/nobody"))
    history.close()


def what_is_recorded_stays(open_history: Callable[[], HistoryStore]) -> None:
    """Another view of the same history sees it."""
    first, second = open_history(), open_history()
    first.record(_listed(0, x="1"))
    found = second.as_of(_FIRST)
    assert found is not None
    assert {"a/x"} == set(found.prices)
    first.close()
    second.close()


def threads_record_a_change_once(open_history: Callable[[], HistoryStore]) -> None:
    """Of eight that record the same lists at once, one is told of each change."""
    lists = [_listed(day, x=str(day + 1)) for day in range(5)]
    first = open_history()
    first.record(lists[0])
    first.close()
    told: list[int] = []
    start = threading.Barrier(8)

    def run() -> None:
        history = open_history()
        start.wait()
        told.extend(len(list(history.record(catalog))) for catalog in lists[1:])
        history.close()

    threads = [threading.Thread(target=run) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    history = open_history()
    periods = list(history.periods("a/x"))
    assert sum(told) == len(periods) - 1
    assert periods[-1].rates.prompt == 5
    assert all(one.until == other.since for one, other in pairwise(periods))
    history.close()


def closing_twice_is_allowed(open_history: Callable[[], HistoryStore]) -> None:
    """``close`` may be called as often as one likes."""
    history = open_history()
    history.record(_listed(0, x="1"))
    history.close()
    history.close()


def _listed(day: float, **prompt: str) -> Catalog:
    rows = [{"id": f"a/{name}", "pricing": {"prompt": price, "completion": "0"}} for name, price in prompt.items()]
    return Catalog.from_models(rows, as_of=_FIRST + day * _DAY)
