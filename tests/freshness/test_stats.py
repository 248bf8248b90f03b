"""What happened so far, in figures."""

from __future__ import annotations

import json
import math

from support.freshness import Make, source
from support.hands import Hands
from support.upstream import Answer, Upstream, row
from support.upstream import models as plain

from openrouter_pricing import Stats


def test_stats(make_pricing: Make, upstream: Upstream, hands: Hands) -> None:
    """Stats say what happened, and are JSON."""
    pricing = make_pricing(clock=hands.clock)
    assert pricing.stats().source is None
    assert pricing.stats().age is None
    for _ in range(3):
        source(pricing)
    hands.turn(5)
    stats = pricing.stats()
    assert (stats.l1_answers, stats.fetches, stats.refreshes, stats.age) == (3, 1, 1, 5)
    assert (stats.source, stats.models, stats.breaker) == ("live", 5, "closed")
    assert stats.bytes_received == len(upstream.answer.body)
    assert json.loads(json.dumps(stats.to_dict()))["last_refresh"] == "2026-11-01T12:00:00+00:00"
    assert json.dumps(make_pricing().stats().to_dict())


def test_nothing_happened_yet() -> None:
    """Everything is counted from nothing."""
    shown = Stats().to_dict()
    assert set(map(repr, shown.values())) == {"0", "{}", "'closed'", "None", "0.0", "False"}


def test_infinite_values_do_not_reach_json(make_pricing: Make) -> None:
    """Nothing in the stats is infinite before the first fetch."""
    assert not any(
        isinstance(value, float) and math.isinf(value) for value in make_pricing().stats().to_dict().values()
    )


def test_requests_are_counted_beside_fetches(make_pricing: Make, upstream: Upstream) -> None:
    """Every HTTP request that is sent counts, retries and further pages included."""
    pricing = make_pricing(attempts=3)
    upstream.script = [Answer(status=503, headers={"Retry-After": "0"})]
    upstream.answer = Answer(
        plain(row()).replace(b'{"data"', b'{"links": {"next": "/api/v1/models?page=2"}, "data"', 1)
    )
    upstream.pages["/api/v1/models?page=2"] = Answer(plain(row("a/more")))
    assert len(pricing.refresh()) == 2
    stats = pricing.stats()
    assert (stats.fetches, stats.requests, stats.retries) == (1, 3, 1)
    assert stats.requests == len(upstream.requests)
