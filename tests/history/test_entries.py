"""What is to be told, and when."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from decimal import Decimal
from functools import cache
from itertools import pairwise

import pytest

from openrouter_pricing import Rates
from openrouter_pricing._history.bundled import BundledHistory
from openrouter_pricing.history.entries import (
    LEASE,
    LONGEST_PAUSE,
    RETRIES,
    Delivery,
    Entry,
    failed,
    lease,
    next_look,
    pending,
    settle,
    tidy,
)
from openrouter_pricing.history.events import Difference, Prices, Watch, differences, flat

EVERYTHING = Watch(None, Decimal(0), 0)
A, B, C = {"prompt": "1"}, {"prompt": "2"}, {"prompt": "3"}
HOUR = 3600.0
DAY = 24 * HOUR


def entry(at: float, *found: Difference) -> Entry:
    """A list that was noted then."""
    return Entry.of(at, f"as of {at}", f"before {at}", f"after {at}", found)


def moved(before: Prices | None, after: Prices | None, name: str = "a/one") -> Difference:
    """A model whose prices moved."""
    return Difference(name, before, after)


def told(entries: list[Entry]) -> list[list[str]]:
    """The models of each event, with the price before and after."""
    return [
        [f"{each['model_id']} {each['moves'][0]['before']}-{each['moves'][0]['after']}" for each in changes]
        for changes in (entry.event["data"]["changes"] for entry in entries if entry.event is not None)
    ]


def test_each_list_is_an_event() -> None:
    """Without settle= every list is told by itself, at once, and to each sink."""
    entries = [entry(1, moved(A, B)), entry(2, moved(B, A))]
    settle(entries, EVERYTHING, ["x", "y"], 2)
    assert told(entries) == [["a/one 1-2"], ["a/one 2-1"]]
    assert [list(each.deliveries) for each in entries] == [["x", "y"]] * 2
    assert pending(entries) == 4


def test_ids_differ_and_are_the_same_everywhere() -> None:
    """The id of an event follows from its lists: another process makes the same one of them, and of others another."""
    first, again = [entry(1, moved(A, B)), entry(2, moved(B, A))], [entry(1, moved(A, B)), entry(2, moved(B, A))]
    settle(first, EVERYTHING, ["x"], 2)
    settle(again, EVERYTHING, ["x"], 5)
    assert [each.id for each in first] == [each.id for each in again]
    assert len({each.id for each in first}) == 2


def test_what_comes_back_is_not_told() -> None:
    """A-B-A within ``settle`` is silence."""
    entries = [entry(0, moved(A, B)), entry(HOUR, moved(B, A))]
    watch = EVERYTHING._replace(settle=2 * HOUR)
    settle(entries, watch, ["x"], 2 * HOUR)
    assert (len(entries), told(entries)) == (2, [])
    assert next_look(entries, watch, ["x"]) == 2 * HOUR
    settle(entries, watch, ["x"], 3 * HOUR)
    assert entries == []


def test_what_stays_is_told_once() -> None:
    """A-B-C is told as A-C, once C has stood for ``settle`` seconds, and not before."""
    entries = [entry(0, moved(A, B)), entry(HOUR, moved(B, C))]
    watch = EVERYTHING._replace(settle=2 * HOUR)
    settle(entries, watch, ["x"], 3 * HOUR - 1)
    assert told(entries) == []
    settle(entries, watch, ["x"], 3 * HOUR)
    assert told(entries) == [["a/one 1-3"]]
    assert (entries[0].before, entries[0].after) == ("before 0", f"after {HOUR}")


def test_no_model_waits_for_another() -> None:
    """What moves every hour holds up nothing but itself, and both events have ids of their own."""
    entries = [entry(0, moved(A, B), moved(A, B, "a/restless")), entry(HOUR, moved(B, C, "a/restless"))]
    watch = EVERYTHING._replace(settle=2 * HOUR)
    settle(entries, watch, ["x"], 2 * HOUR)
    assert told(entries) == [["a/one 1-2"]]
    settle(entries, watch, ["x"], 3 * HOUR)
    assert told(entries) == [["a/one 1-2"], ["a/restless 1-3"]]
    assert len({each.id for each in entries}) == 2


def test_nobody_to_tell() -> None:
    """What nobody watches, and what there is no sink for, is dropped."""
    entries = [entry(0, moved(A, B))]
    settle(entries, EVERYTHING._replace(models=frozenset()), ["x"], 0)
    assert entries == []
    entries = [entry(0, moved(A, B))]
    settle(entries, EVERYTHING, [], 0)
    assert entries == []


def test_a_lease_keeps_others_away_until_it_runs_out() -> None:
    """One process has a delivery; when it died with it another one has it, half a minute later."""
    entries = [entry(0, moved(A, B))]
    settle(entries, EVERYTHING, ["x"], 0)
    assert lease(entries, ["x"], 0) == (entries[0], "x")
    assert lease(entries, ["x"], LEASE - 1) is None
    assert next_look(entries, EVERYTHING, ["x"]) == LEASE
    assert lease(entries, ["x"], LEASE) == (entries[0], "x")
    assert lease(entries, ["another"], 2 * LEASE) is None


def test_seven_tries() -> None:
    """At once, then after 5 s, 5 min, 30 min, 2 h, 5 h and 10 h; then it is given up."""
    assert RETRIES == (0, 5, 5 * 60, 30 * 60, 2 * HOUR, 5 * HOUR, 10 * HOUR)
    delivery, now, pauses = Delivery(0), 0.0, []
    while not failed(delivery, 0, now):
        pauses.append(delivery.due - now)
        now = delivery.due
    assert pauses == list(RETRIES[1:])
    assert delivery.over


@pytest.mark.parametrize(("asked", "pause"), [(0, 5), (1, 5), (60, 60), (10 * DAY, LONGEST_PAUSE)])
def test_a_receiver_may_ask_for_more_time(asked: float, pause: float) -> None:
    """Retry-After makes a pause longer, never shorter, and a day long at most."""
    delivery = Delivery(0, leased=30)
    assert failed(delivery, asked, 100) is False
    assert (delivery.due, delivery.leased) == (100 + pause, 0)


def test_what_is_over_is_dropped() -> None:
    """When all sinks are told, or disabled, an event goes; so does what no sink of ours took for eight days."""
    entries = [entry(0, moved(A, B)), entry(1, moved(B, C))]
    settle(entries, EVERYTHING, ["x", "gone", "foreign"], 0)
    first, second = entries
    first.deliveries["x"].over = first.deliveries["foreign"].over = True
    tidy(entries, ["gone"], 0)
    assert entries == [second]
    tidy(entries, [], 8 * DAY)
    assert entries == []


def test_a_clock_that_was_wrong_puts_nothing_off_for_ever() -> None:
    """What a host noted, leased or put off while its clock was years ahead has its turn all the same."""
    years = 1_000 * DAY
    watch = EVERYTHING._replace(settle=HOUR)
    told_one = [entry(years, moved(A, B))]
    settle(told_one, EVERYTHING, ["x", "y"], years)
    lease(told_one, ["x"], years)
    entries = [entry(years, moved(A, B)), *told_one]
    tidy(entries, [], 0)
    assert next_look(entries, watch, ["x"]) == HOUR
    assert [(each.due, each.leased) for each in entries[1].deliveries.values()] == [(DAY, LEASE), (DAY, 0)]


def test_entries_are_read_back_as_they_were() -> None:
    """JSON carries them, settled or not."""
    entries = [entry(0, moved(A, None)), entry(1, moved(None, B))]
    settle(entries[:1], EVERYTHING, ["x"], 0)
    settle(entries, EVERYTHING._replace(settle=1), ["x"], 1)
    assert [Entry.loads(json.loads(json.dumps(each.dumps()))) for each in entries] == entries


# -- two years of real lists -------------------------------------------------------------------------------------------


@cache
def recorded() -> list[tuple[float, dict[str, str]]]:
    """Every list that the package's history holds: when it was recorded, and the prices by id as JSON."""
    changes: dict[float, dict[str, str | None]] = {}
    for model_id, since, until, pricing in BundledHistory().periods():
        changes.setdefault(since.timestamp(), {})[model_id] = pricing
        if until is not None:
            changes.setdefault(until.timestamp(), {}).setdefault(model_id, None)
    lists: list[tuple[float, dict[str, str]]] = []
    listed: dict[str, str] = {}
    for at in sorted(changes):
        listed = {name: text for name, text in {**listed, **changes[at]}.items() if text is not None}
        lists.append((at, listed))
    return lists


@cache
def charged(pricing: str) -> Prices:
    """What a ``pricing`` object charges."""
    return flat(Rates.from_dict(json.loads(pricing)))


def entries_of_two_years() -> list[Entry]:
    """An entry for each recorded list that differs from the one before it."""
    lists = recorded()
    made = []
    for (_, before), (at, after) in pairwise(lists):
        moved = [name for name in {**after, **before} if before.get(name) != after.get(name)]
        was = {name: charged(before[name]) for name in moved if name in before}
        is_ = {name: charged(after[name]) for name in moved if name in after}
        made.append(entry(at, *differences(was, is_)))
    return [each for each in made if each.differences]


def test_two_years_told_list_by_list() -> None:
    """Every list on which a price moved is one event, and no event is empty."""
    entries = entries_of_two_years()
    count = len(entries)
    assert count > 500
    settle(entries, EVERYTHING, ["x"], 4e9)
    assert [each for each in entries if each.event is None or not sum(each.event["data"]["counts"].values())] == []
    assert len(entries) == count


def test_flapping_of_two_years_is_waited_out() -> None:
    """With two days of ``settle``, what came back within 48 hours is not told, and nothing else is left out."""
    moves: dict[str, list[tuple[float, Difference]]] = {}
    for each in entries_of_two_years():
        for one in each.differences:
            moves.setdefault(one.model_id, []).append((each.at, one))
    flaps = wanted = 0
    for of_one in moves.values():
        first, last = of_one[0]
        before = last.before
        for at, one in [*of_one[1:], (9e9, last)]:
            flaps += at < first + 2 * DAY and one.after == last.before
            if at >= first + 2 * DAY:
                wanted += before != last.after
                before = one.before
            first, last = at, one
    watch = EVERYTHING._replace(settle=2 * DAY)
    entries: list[Entry] = []
    for each in entries_of_two_years():
        settle(entries, watch, ["x"], each.at)
        entries.append(each)
    settle(entries, watch, ["x"], 4e9)
    assert flaps >= 11
    assert sum(sum((each.event or {})["data"]["counts"].values()) for each in entries) == wanted
    for each in entries[:-1]:
        for change in (each.event or {})["data"]["changes"]:
            assert not [at for at, _ in moves[change["model_id"]] if each.at - 2 * DAY < at < each.at]


def test_the_day_on_which_zeros_came_is_silent() -> None:
    """On 2025-08-23 many rows turned a missing key into 0, and nothing else: that is told to nobody."""
    then = datetime(2025, 8, 23, 12, 11, 15, tzinfo=timezone.utc).timestamp()
    lists = recorded()
    place = [at for at, _ in lists].index(then)
    before, after = lists[place - 1][1], lists[place][1]
    assert sum(before.get(name) != after[name] for name in after) == 313
    assert [each for each in entries_of_two_years() if each.at == then] == []
