"""Timeline: the list that prices each time is the one that single calls are priced by."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from typing import Any

import numpy as np
import pytest
from support.bulk import catalog

from openrouter_pricing import Catalog, Pricing, Settings
from openrouter_pricing._bulk.timeline import Timeline, microseconds, moment
from openrouter_pricing._history.bundled import BundledHistory
from openrouter_pricing._history.periods import EARLIEST, LATEST, RecordedList

HELD = datetime(2026, 6, 1, tzinfo=timezone.utc)
DAY = timedelta(days=1)


class Kept:
    """A history of a few lists, some of them last seen long before the next one was recorded."""

    def __init__(self, *spans: tuple[float, float]) -> None:
        prices = {"a/plain": '{"prompt":"1","completion":"1"}'}
        self.lists = [RecordedList(HELD - since * DAY, HELD - until * DAY, prices) for since, until in spans]
        self.broken = False

    def record(self, _: Catalog) -> Sequence[Any]:
        return ()

    def periods(self, *_: Any, **__: Any) -> Sequence[Any]:
        return ()

    def as_of(self, at: datetime) -> RecordedList | None:
        if self.broken:
            raise OSError("the disk is gone")
        before = [one for one in self.lists if one.as_of <= at]
        return before[-1] if before else self.lists[0] if self.lists else None

    def close(self) -> None:
        """Nothing to close."""


@pytest.mark.parametrize(
    "spans",
    [
        [(100, 90), (90, 40), (40, 3)],
        [(100, 99), (80, 50), (12, 11), (2, 1)],
        [(30, 29.5), (10, 10), (5, -3)],
        [(400, 399)],
        [(1, 0.5)],
        [(-5, -9)],
    ],
)
def test_each_time_has_the_list_of_single_calls(spans: list[tuple[float, float]]) -> None:
    """Before the first list, in gaps between two, beyond the last, and around every edge."""
    store = Kept(*spans)
    listed = Catalog.from_models([model.raw for model in catalog().decoded()], as_of=HELD)
    edges = [HELD - edge * DAY for span in spans for edge in span] + [HELD - DAY, HELD]
    chance = random.Random(1)
    times = [
        edge + tick
        for edge in edges
        for tick in (-DAY, timedelta(), timedelta(microseconds=1), timedelta(microseconds=-1), DAY)
    ]
    times += [HELD - chance.random() * 130 * DAY for _ in range(500)] + [EARLIEST, LATEST, HELD + DAY]
    timeline = Timeline(store, listed)
    with Pricing(Settings(), catalog=listed, history=store) as pricing:
        expected = [pricing._past.at(pricing._live.current(), at) for at in times]
        for _ in range(2):  # the second time they are known
            chance.shuffle(order := list(range(len(times))))
            stamps = np.array([microseconds(times[place]) for place in order], np.int64)
            found = [timeline.lists[place] for place in timeline.places(stamps).tolist()]
            assert [None if one is None else one.recorded.as_of for one in found] == [
                None if (one := expected[place]) is None else one.recorded.as_of for place in order
            ]


def test_the_bundled_history_is_found_in_few_looks() -> None:
    """A span for each list, however many times there are."""
    listed = Catalog.from_models([], as_of=HELD)
    timeline = Timeline(BundledHistory(), listed)
    stamps = np.linspace(microseconds(HELD - 30 * DAY), microseconds(HELD), 20_000).astype(np.int64)
    assert 20 < len(set(timeline.places(stamps).tolist())) == len(timeline.lists) < 100
    assert len(timeline._spans) < 100


def test_a_history_that_fails_leaves_the_list_held() -> None:
    """As for single calls; what failed is asked for again."""
    store = Kept((100, 3))
    timeline = Timeline(store, Catalog.from_models([], as_of=HELD))
    stamp = np.array([microseconds(HELD - 50 * DAY)], np.int64)
    store.broken = True
    assert timeline.places(stamp).tolist() == [0]
    store.broken = False
    assert timeline.places(stamp).tolist() == [1]


def test_a_list_may_price_two_spans() -> None:
    """As it does where earlier times are asked for later."""
    timeline = Timeline(Kept((100, 3)), Catalog.from_models([], as_of=HELD))
    found = [timeline.places(np.array([microseconds(HELD - days * DAY)], np.int64)).tolist() for days in (110, 120, 50)]
    assert found == [[1], [1], [1]]


def test_times_go_to_and_fro() -> None:
    """To the microsecond."""
    at = datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=timezone.utc)
    assert moment(microseconds(at)) == at
