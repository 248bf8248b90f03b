"""Which list prices a call of some time."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from support.recordings import DAY, FIRST, MemoryHistory, listed

from openrouter_pricing import Pricing, PricingError, Usage

HELD = listed(40, x="9")


def asked(*days: float, lists: tuple[int, ...] = (0, 5, 9)) -> list[tuple[str, int, int]]:
    """Of each day: the source, the prompt price, and how many flags."""
    history = MemoryHistory(*(listed(day, x=str(day + 1)) for day in lists))
    pricing = Pricing(catalog=HELD, history=history)
    costs = [pricing.cost("a/x", 1, at=FIRST + timedelta(days=day), markup_rate=1) for day in days]
    return [(cost.source, int(cost.raw), len(cost.flags)) for cost in costs]


def test_the_last_recording_before_a_call_prices_it() -> None:
    """Also one of long ago, if nothing changed since."""
    assert [("history", 1, 0), ("history", 1, 0), ("history", 6, 0), ("history", 10, 0)] == asked(0, 4.9, 5, 9)


def test_a_history_reaches_a_day_beyond_its_last_recording() -> None:
    """Then the nearest list answers, and its cost says so: the last recording, or the list held."""
    assert [("history", 10, 0), ("history", 10, 1), ("history", 10, 1), ("pinned", 9, 1)] == asked(10, 10.1, 24, 25)


def test_a_list_reaches_a_day_back() -> None:
    """A call less than a day before the list held is priced by that."""
    assert [("pinned", 9, 0), ("pinned", 9, 0), ("history", 39, 0)] == asked(39, 41, 38.9, lists=(0, 38))


def test_before_the_first_recording_the_first_one_answers() -> None:
    """And says so, but within a day of it."""
    assert [("history", 1, 1), ("history", 1, 0)] == asked(-30, -0.5)


def test_a_model_that_was_not_listed_then() -> None:
    """It is priced by the list held, which says of when it is."""
    pricing = Pricing(catalog=listed(40, x="9", new="7"), history=MemoryHistory(listed(0, x="1"), listed(5, x="2")))
    cost = pricing.cost("a/new", 1, at=FIRST + DAY)
    assert ("pinned", 7) == (cost.source, cost.computed)
    assert ("priced by the list of 2026-04-10, not of the call's day (2026-03-02)",) == cost.flags


def test_a_response_names_its_time() -> None:
    """``created`` chooses the list, and what no history explains is no change of price."""
    pricing = Pricing(catalog=HELD, history=MemoryHistory(listed(0, x="1"), listed(5, x="2")))
    response = {
        "model": "a/x",
        "created": int((FIRST + DAY).timestamp()),
        "usage": {"prompt_tokens": 10, "completion_tokens": 0, "cost": 10},
    }
    cost = pricing.cost_of(response)
    assert ("history", 10, None) == (cost.source, cost.computed, cost.residual_kind)
    response["usage"]["cost"] = 11  # type: ignore[index]
    assert "provider" == pricing.cost_of(response).residual_kind
    assert 20 == pricing.cost_of(response, at=FIRST + 5 * DAY).computed
    response["created"] = int((FIRST + 30 * DAY).timestamp())
    assert "price_change" == pricing.cost_of(response).residual_kind


def test_a_stream_names_its_time() -> None:
    """As any response does."""
    pricing = Pricing(catalog=HELD, history=MemoryHistory(listed(0, x="1"), listed(5, x="2")))
    stream = pricing.stream()
    stream.feed(
        {
            "model": "a/x",
            "created": int(FIRST.timestamp()),
            "choices": [],
            "usage": {"prompt_tokens": 3, "completion_tokens": 0},
        }
    )
    assert ("history", 3) == ((cost := stream.cost()).source, cost.raw)


def test_a_range_of_then_needs_providers() -> None:
    """The list price of a range is of then; nobody sells by a pinned list."""
    pricing = Pricing(catalog=HELD, history=MemoryHistory(listed(0, x="1"), listed(5, x="2")))
    with pytest.raises(PricingError, match="pinned"):
        pricing.price_range("a/x", Usage(prompt_tokens=1), at=FIRST)


def test_a_batch_of_then_is_priced_by_the_row_of_then() -> None:
    """The rows beside a model are those of its time, too."""
    lists = [
        listed(day, x="4", **{"x:batch": price} if price else {}) for day, price in ((0, "2"), (5, "3"), (40, "1"))
    ]
    pricing = Pricing(catalog=lists[2], history=MemoryHistory(*lists[:2]))
    cost = pricing.cost("a/x", 1, at=FIRST, service_tier="batch")
    assert ("a/x:batch", 2, "history") == (cost.model_id, cost.raw, cost.source)


def test_lists_are_put_together_once_and_anew_where_more_is_known() -> None:
    """While neither the list held nor the recording changes, models are decoded once."""
    history = MemoryHistory(listed(0, x="1"), listed(5, x="2"))
    pricing = Pricing(catalog=HELD, history=history)
    first = pricing.cost("a/x", 1, at=FIRST)
    assert first.rates is pricing.cost("a/x", 1, at=FIRST + DAY).rates
    assert pricing.cost("a/x", 1, at=FIRST + 8 * DAY).flags
    history.record(listed(9, x="2"))
    assert () == pricing.cost("a/x", 1, at=FIRST + 8 * DAY).flags


def test_few_lists_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the limit they are put together anew, with the same answers."""
    monkeypatch.setattr("openrouter_pricing._history.past._MOST_LISTS", 1)
    assert [("history", 1, 0), ("history", 6, 0), ("history", 1, 0)] == asked(0, 5, 0)


def test_threads_that_ask_at_once_agree() -> None:
    """Whoever comes first, all are answered alike."""
    pricing = Pricing(catalog=HELD, history=MemoryHistory(*(listed(day, x=str(day + 1)) for day in range(9))))
    answers: list[list[int]] = []

    def ask() -> None:
        answers.append([int(pricing.cost("a/x", 1, at=FIRST + day * DAY, markup_rate=1).raw) for day in range(8)])

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [list(range(1, 9))] * 8 == answers
