"""Which lists are believed."""

from __future__ import annotations

import pytest
from openrouter_pricing.backends.memory import MemoryBackend
from support.freshness import Make, many, settle, source
from support.hands import Hands
from support.upstream import Answer, Upstream, row
from support.upstream import models as plain

from openrouter_pricing import (
    PayloadError,
)


def test_a_shrunken_catalogue_is_refused(make_pricing: Make, upstream: Upstream, hands: Hands) -> None:
    """A list that lost more than half of its ids is not believed, in either tier, until three in a row say the same."""
    backend = MemoryBackend()
    upstream.answer = Answer(plain(*many(10)), etag='"good"')
    pricing = make_pricing(clock=hands.clock, backend=backend)
    assert len(pricing.catalog()) == 10
    settle()
    upstream.answer = Answer(plain(*many(4)), etag='"bad"')
    for times in (1, 2):
        hands.turn(3601)
        with pytest.raises(PayloadError, match="only 4 of the 10"):
            pricing.refresh()
        settle()
        assert len(pricing.catalog()) == 10
        assert len(make_pricing(clock=hands.clock, backend=backend, offline=True).catalog()) == 10
        assert pricing.stats().refused_catalogs == times
    hands.turn(3601)
    pricing.refresh()
    assert len(pricing.catalog()) == 4
    assert [r.headers["if-none-match"] for r in upstream.requests[1:]] == ['"good"'] * 3


def test_exactly_half_is_believed(make_pricing: Make, upstream: Upstream) -> None:
    """Half of the ids is enough."""
    upstream.answer = Answer(plain(*many(10)))
    pricing = make_pricing()
    pricing.warm()
    upstream.answer = Answer(plain(*many(5)))
    assert len(pricing.refresh()) == 5


def test_disagreeing_refusals_do_not_add_up(make_pricing: Make, upstream: Upstream, hands: Hands) -> None:
    """Three different small lists convince nobody, nor do two with a good one between them, however far apart."""
    upstream.answer = Answer(plain(*many(10)))
    pricing = make_pricing(clock=hands.clock, breaker_threshold=100)
    pricing.warm()
    for start in (0, 100, 200, 0, 0):
        hands.turn(3601)
        upstream.answer = Answer(plain(*many(3, start)))
        with pytest.raises(PayloadError):
            pricing.refresh()
    hands.turn(1)
    upstream.answer = Answer(plain(*many(10)))
    pricing.refresh()
    for _ in range(2):
        hands.turn(3601)
        upstream.answer = Answer(plain(*many(3)))
        with pytest.raises(PayloadError):
            pricing.refresh()


def test_the_snapshot_is_no_measure(make_pricing: Make, upstream: Upstream) -> None:
    """A live list of one model is believed although the snapshot has hundreds."""
    upstream.fail(500)
    pricing = make_pricing()
    assert source(pricing) == "bundled"
    upstream.answer = Answer(plain(row("a/one")))
    assert list(pricing.refresh()) == ["a/one"]
