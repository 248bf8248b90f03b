"""Where past prices come from."""

from __future__ import annotations

import importlib.util
from datetime import datetime, timezone
from typing import Any

import pytest
from support.endpoints import endpoint, offers, path
from support.hands import Hands
from support.recordings import DAY, FIRST, MemoryHistory, listed
from support.upstream import Answer, Upstream, row

from openrouter_pricing import Catalog, Pricing, Settings, SettingsError, Usage
from openrouter_pricing._history.bundled import BundledHistory
from openrouter_pricing._history.opening import history_of

THEN = datetime(2025, 6, 1, tzinfo=timezone.utc)
MODEL = "openai/gpt-4o-mini"


def test_the_bundled_history_is_the_default(make_pricing: Any) -> None:
    """Prices that came over HTTP, from wherever, have OpenRouter's past."""
    cost = make_pricing().cost(MODEL, 1000, 500, at=THEN)
    assert ("history", ()) == (cost.source, cost.flags)


def test_the_bundled_list_has_a_past(make_pricing: Any, upstream: Upstream) -> None:
    """With nothing but the snapshot at hand a call of then costs what it cost then."""
    pricing = make_pricing(offline=True)
    assert ("bundled", "history") == (pricing.cost(MODEL, 1).source, pricing.cost(MODEL, 1, at=THEN).source)


def test_a_providers_prices_are_of_today(make_pricing: Any, upstream: Upstream) -> None:
    """A call of then at a provider's prices is priced by those of today, and says so."""
    upstream.pages[path()] = Answer(offers(endpoint("OpenAI", "openai", "7", "7")))
    pricing = make_pricing()
    cost = pricing.cost(MODEL, 1, at=THEN, provider="openai")
    assert ("live", 7) == (cost.source, cost.raw)
    assert cost.flags[0].endswith("not of the call's day (2025-06-01)")
    asked = pricing.price_range(MODEL, Usage(prompt_tokens=1), at=THEN)
    assert ("history", "live") == (asked.list.source, asked.max.source)


def test_none_is_none(make_pricing: Any) -> None:
    """Then every call is priced by the list of now, and says so."""
    pricing = make_pricing(history="none")
    cost = pricing.cost(MODEL, 1, at=THEN)
    assert "live" == cost.source
    assert cost.flags[0].startswith("priced by the list of 20")
    assert () == pricing.price_history(MODEL) == pricing.changes()
    assert history_of(Settings(history="none")) is None


def test_prices_of_ones_own_have_no_past_of_openrouter(hands: Hands) -> None:
    """A pinned list, and a source of the user's own, price every call by themselves, whenever it was."""

    class Mirror:
        def fetch(self, *, etag: str | None, deadline: float) -> Any:
            from openrouter_pricing import Fetched

            return Fetched(200, {}, b'{"data": [{"id": "openai/gpt-4o-mini", "pricing": {"prompt": "9"}}]}')

        def close(self) -> None: ...

    pinned = Pricing(catalog=Catalog.from_models([row()], as_of=hands.wall))
    assert "pinned" == pinned.cost(MODEL, 1, at=THEN).source
    with Pricing(Settings(backend="null://"), client=Mirror(), clock=hands.clock) as mirrored:
        cost = mirrored.cost(MODEL, 1, at=THEN)
    assert ("live", 9) == (cost.source, cost.raw)
    assert ("priced by the list of 2026-11-01, not of the call's day (2025-06-01)",) == cost.flags


def test_a_history_of_ones_own_is_used_with_any_list() -> None:
    """Given with a pinned list, it prices the calls before that."""
    history = MemoryHistory(listed(0, x="1"), listed(5, x="2"))
    pricing = Pricing(catalog=listed(9, x="3"), history=history)
    assert [("history", 1), ("history", 2), ("pinned", 3)] == [
        ((cost := pricing.cost("a/x", 1, at=FIRST + day * DAY)).source, cost.raw) for day in (1, 5, 9)
    ]


def test_a_given_bundled_history() -> None:
    """It is a history like any other."""
    pricing = Pricing(catalog=listed(300, x="3"), history=BundledHistory())
    assert "history" == pricing.cost(MODEL, 1, at=THEN).source


def test_what_is_no_history() -> None:
    """It is told at once, by name."""
    with pytest.raises(TypeError, match=r"history must be a HistoryStore, not str"):
        Pricing(history="bundled://")  # type: ignore[arg-type]


def test_a_database_needs_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where it is missing, making a ``Pricing`` says what to install."""
    monkeypatch.setattr("openrouter_pricing._history.opening.find_spec", lambda name: None)
    assert importlib.util.find_spec("attrs") is not None
    with pytest.raises(SettingsError, match=r"history.*pip install openrouter-pricing\[history\]"):
        Pricing(Settings(history="sqlite:///prices.db"))


def test_a_history_that_fails_costs_live_prices_a_counter(upstream: Upstream) -> None:
    """It is counted beside everything else that happened."""
    history = MemoryHistory()
    history.error = OSError("gone")
    with Pricing(Settings(base_url=upstream.url, backend="null://"), history=history) as pricing:
        assert "live" == pricing.cost(MODEL, 1, at=THEN).source
    assert 2 == pricing.stats().history_errors


def test_what_is_listed_is_recorded(make_pricing: Any, upstream: Upstream) -> None:
    """A history that is given is told of each list that this process comes to hold, and closed by its owner alone."""
    history = MemoryHistory()
    settings = Settings(base_url=upstream.url, backend="null://")
    pricing = Pricing(settings, history=history)
    catalog = pricing.catalog()
    pricing.close()
    assert [catalog] == history.lists
    assert 0 == history.closed
