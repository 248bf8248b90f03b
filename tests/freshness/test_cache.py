"""Which list answers: tiers, waiting, stale answers, the fallback. Time is a clock that the test turns."""

from __future__ import annotations

import json
import logging
import threading
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from openrouter_pricing.backends.memory import MemoryBackend
from support.freshness import MODEL, Held, Make, live, look, priced, process, settle, source
from support.hands import Hands
from support.upstream import Answer, Upstream, row
from support.upstream import steady as models
from support.waiting import PATIENCE, until

from openrouter_pricing import (
    Catalog,
    CatalogUnavailableError,
    PricingError,
    StatusError,
    open_backend,
)
from openrouter_pricing._freshness.held import Held as Holding

# -- the first tier ----------------------------------------------------------------------------------------------------


def test_the_first_question_fetches(make_pricing: Make, upstream: Upstream, hands: Hands) -> None:
    """Nothing is asked at construction; the first question waits for one fetch."""
    pricing = make_pricing(clock=hands.clock)
    assert upstream.requests == []
    assert source(pricing) == "live"
    assert len(upstream.requests) == 1
    assert pricing.cost(MODEL, 1).as_of == hands.wall


def test_l1_answers_without_looking(make_pricing: Make, upstream: Upstream, hands: Hands) -> None:
    """Within ``l1_ttl`` neither backend nor upstream is asked; after it the backend is, behind the answer."""
    backend = MemoryBackend()
    pricing, other = (make_pricing(clock=hands.clock, backend=backend) for _ in range(2))
    assert pricing.cost(MODEL, 1).raw == Decimal("1.5E-7")
    settle()
    upstream.say(priced("5"))
    hands.turn(1)
    other.refresh()
    settle()
    hands.turn(58)
    assert pricing.cost(MODEL, 1).raw == Decimal("1.5E-7")
    hands.turn(2)
    look(pricing)
    assert pricing.cost(MODEL, 1).raw == 5
    assert len(upstream.requests) == 2


def test_a_process_reads_what_another_stored(make_pricing: Make, upstream: Upstream, tmp_path: Path) -> None:
    """A second object answers from the disk without a request."""
    url = f"disk://{tmp_path}/store"
    first = make_pricing(backend=open_backend(url))
    assert source(first) == "live"
    settle()
    second = make_pricing(backend=open_backend(url))
    assert source(second) == "live"
    assert second.catalog() == first.catalog()
    assert len(upstream.requests) == 1
    assert second.stats().l2_reads == 1


# -- freshness ---------------------------------------------------------------------------------------------------------


def test_stale_while_revalidate(make_pricing: Make, upstream: Upstream, hands: Hands) -> None:
    """Past ``l2_ttl`` the answer is stale and at once, and one refresh runs behind."""
    pricing = make_pricing(clock=hands.clock)
    source(pricing)
    hold = threading.Event()
    upstream.answer = Answer(models(priced("2")), hold=hold)
    hands.turn(3601)
    stale = [pricing.cost(MODEL, 1) for _ in range(5)]
    assert [("stale", Decimal("1.5E-7"))] * 5 == [(cost.source, cost.raw) for cost in stale]
    hold.set()
    settle()
    fresh = pricing.cost(MODEL, 1)
    assert (fresh.source, fresh.raw) == ("live", 2)
    assert len(upstream.requests) == 2


def test_the_name_changes_the_moment_prices_grow_stale(make_pricing: Make, upstream: Upstream, hands: Hands) -> None:
    """Nothing is called live that is older than ``l2_ttl``, however recently the process looked."""
    pricing = make_pricing(clock=hands.clock)
    source(pricing)
    hands.turn(3590)
    assert source(pricing) == "live"
    upstream.fail(500)
    hands.turn(11)
    assert source(pricing) == "stale"


def test_too_old_prices_wait_for_a_refresh(make_pricing: Make, upstream: Upstream, hands: Hands) -> None:
    """Past ``stale_while_revalidate`` the question waits for the refresh."""
    pricing = make_pricing(clock=hands.clock)
    source(pricing)
    upstream.say(priced("3"))
    hands.turn(7201)
    cost = pricing.cost(MODEL, 1)
    assert (cost.source, cost.raw) == ("live", 3)


def test_stale_if_error(make_pricing: Make, upstream: Upstream, hands: Hands) -> None:
    """When the refresh fails, prices of any age are preferred to an error."""
    pricing = make_pricing(clock=hands.clock)
    source(pricing)
    upstream.fail(500)
    hands.turn(10 * 365 * 86400)
    assert source(pricing) == "stale"


def test_stale_if_error_is_bounded(make_pricing: Make, upstream: Upstream, hands: Hands) -> None:
    """Past ``stale_if_error`` the prices are as good as none: the snapshot answers, or an error."""
    limits = {"clock": hands.clock, "stale_while_revalidate": 500, "stale_if_error": 1000}
    pricing = make_pricing(**limits)
    strict = make_pricing(**limits, fallback=False)
    assert [source(pricing), source(strict)] == ["live", "live"]
    upstream.fail(500)
    hands.turn(4600)
    assert [source(pricing), source(strict)] == ["stale", "stale"]
    hands.turn(1)
    assert source(pricing) == "bundled", "prices are called stale for longer than allowed"
    with pytest.raises(CatalogUnavailableError):
        source(strict)


def test_no_stale_if_error_leaves_stale_while_revalidate(make_pricing: Make, upstream: Upstream, hands: Hands) -> None:
    """Stale prices answer while a refresh runs behind, also where errors must not be answered with stale prices."""
    pricing = make_pricing(clock=hands.clock, stale_if_error=0)
    source(pricing)
    upstream.fail(500)
    hands.turn(7200)
    assert source(pricing) == "stale"
    settle()
    hands.turn(1)
    assert source(pricing) == "bundled"


def test_nothing_held_and_nothing_to_be_had(make_pricing: Make, upstream: Upstream) -> None:
    """Cold and without an upstream, the snapshot answers; without the snapshot there is an error."""
    upstream.fail(500)
    cost = make_pricing().cost(MODEL, 1000, 500)
    assert (cost.source, cost.raw) == ("bundled", Decimal("0.00045"))
    strict = make_pricing(fallback=False)
    for _ in range(2):
        with pytest.raises(CatalogUnavailableError, match="HTTP status 500") as caught:
            strict.cost(MODEL)
        assert isinstance(caught.value.__cause__, StatusError)
    strict.warm()
    assert strict.stats().source is None


def test_the_snapshot_is_warned_of_once(
    make_pricing: Make, upstream: Upstream, hands: Hands, caplog: pytest.LogCaptureFixture
) -> None:
    """The first answer from the snapshot logs one warning; later ones are counted only."""
    upstream.fail(500)
    pricing = make_pricing(clock=hands.clock)
    with caplog.at_level(logging.WARNING, "openrouter_pricing.data"):
        for _ in range(3):
            source(pricing)
            hands.turn(61)
    assert len([r for r in caplog.records if "snapshot" in r.getMessage()]) == 1
    assert pricing.stats().bundled_answers == 3


def test_offline(make_pricing: Make, upstream: Upstream, tmp_path: Path, hands: Hands) -> None:
    """Offline answers from the store at any age, else from the snapshot; refreshing is an error."""
    backend = MemoryBackend()
    source(make_pricing(clock=hands.clock, backend=backend))
    settle()
    hands.turn(86400)
    assert source(make_pricing(clock=hands.clock, backend=backend, offline=True)) == "stale"
    pricing = make_pricing(offline=True)
    assert source(pricing) == "bundled"
    with pytest.raises(PricingError, match="offline"):
        pricing.refresh()
    pricing.start_warmer()
    assert not pricing.stats().warmer_alive
    assert len(upstream.requests) == 1


# -- failing and waiting -----------------------------------------------------------------------------------------------


def test_only_the_first_failure_is_waited_for(make_pricing: Make, upstream: Upstream, hands: Hands) -> None:
    """After one failure nobody waits; refreshes run behind when the back-off allows, and a success ends it."""
    upstream.fail(500)
    pricing = make_pricing(clock=hands.clock)
    assert source(pricing) == "bundled"
    assert len(upstream.requests) == 1
    hold = threading.Event()
    upstream.answer = Answer(models(priced("4")), hold=hold)
    assert source(pricing) == "bundled"
    live(pricing).cache.renew()
    assert len(upstream.requests) == 1, "the back-off was ignored"
    hands.turn(1.1)
    assert source(pricing) == "bundled"  # answered although the fetch hangs
    hold.set()
    settle()
    cost = pricing.cost(MODEL, 1)
    assert (cost.source, cost.raw) == ("live", 4)


def test_refresh_says_what_went_wrong(make_pricing: Make, upstream: Upstream) -> None:
    """A refresh that was asked for raises; the prices held before still answer."""
    pricing = make_pricing()
    source(pricing)
    upstream.fail(503)
    with pytest.raises(StatusError):
        pricing.refresh()
    assert source(pricing) == "live"
    assert pricing.stats().failures == {"StatusError": 1}
    assert pricing.stats().last_error == "upstream answered with HTTP status 503"


def test_no_prices_for_another_reason_than_a_failure(make_pricing: Make) -> None:
    """Without a failed fetch the error says what kept prices from being there."""
    offline, closed = make_pricing(fallback=False, offline=True), make_pricing(fallback=False)
    closed.close()
    for pricing, words in ((offline, "the settings say offline"), (closed, "nothing could be fetched")):
        with pytest.raises(CatalogUnavailableError, match=words) as caught:
            pricing.cost(MODEL)
        assert caught.value.__cause__ is None


def test_a_question_beside_a_look_is_answered(make_pricing: Make, upstream: Upstream, hands: Hands) -> None:
    """While one thread looks, the others answer from what is held, under its right name."""
    pricing = make_pricing(clock=hands.clock)
    source(pricing)
    hands.turn(3601)
    looking = process(pricing).looking
    release, held = threading.Event(), threading.Event()

    def hold() -> None:
        with looking:
            held.set()
            release.wait(PATIENCE)

    thread = threading.Thread(target=hold)
    thread.start()
    assert held.wait(PATIENCE)
    assert source(pricing) == "stale"
    assert len(upstream.requests) == 1
    release.set()
    thread.join(PATIENCE)


# -- clocks ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("jump", [3600, -3600, 10 * 365 * 86400, -10 * 365 * 86400])
def test_the_wall_clock_does_not_matter_inside_a_process(
    make_pricing: Make, upstream: Upstream, hands: Hands, jump: float
) -> None:
    """However the wall clock is set, prices stay fresh for ``l2_ttl`` and not longer."""
    pricing = make_pricing(clock=hands.clock, backend=MemoryBackend(monotonic=hands.clock.monotonic))
    source(pricing)
    hands.wall += timedelta(seconds=jump)
    hands.turn(1800)
    assert source(pricing) == "live"
    assert len(upstream.requests) == 1
    upstream.say(priced("2"))
    hands.turn(1801)
    assert source(pricing) == "stale"
    settle()
    assert pricing.cost(MODEL, 1).raw == 2


# -- looks behind ------------------------------------------------------------------------------------------------------


def test_no_question_waits_for_the_store_while_prices_are_fresh(
    make_pricing: Make, upstream: Upstream, hands: Hands
) -> None:
    """Within ``l2_ttl`` one look runs behind however many ask; the question after it has what it found."""
    backend = Held()
    pricing, other = (make_pricing(clock=hands.clock, backend=backend) for _ in range(2))
    assert source(pricing) == "live"
    settle()
    hands.turn(1)
    upstream.say(priced("2"))
    other.refresh()
    settle()
    hands.turn(61)
    backend.hold("get")
    for _ in range(3):
        assert pricing.cost(MODEL, 1).raw == Decimal("1.5E-7")
        hands.turn(61)
    backend.release()
    until(lambda: not process(pricing).behind)
    assert pricing.stats().l2_checks == 3, "one for the first question, one of its refresh, and one behind"
    assert pricing.cost(MODEL, 1).raw == 2
    assert len(upstream.requests) == 2


def test_prices_past_their_time_are_looked_for_in_the_store_first(
    make_pricing: Make, upstream: Upstream, hands: Hands
) -> None:
    """Past ``l2_ttl`` the question itself has what another process stored, and fetches nothing."""
    backend = MemoryBackend(monotonic=hands.clock.monotonic)
    pricing, other = (make_pricing(clock=hands.clock, backend=backend) for _ in range(2))
    source(pricing)
    settle()
    hands.turn(3601)
    upstream.say(priced("2"))
    other.refresh()
    settle()
    cost = pricing.cost(MODEL, 1)
    assert (cost.source, cost.raw) == ("live", 2)
    assert len(upstream.requests) == 2


def test_what_is_published_while_an_answer_is_made_is_not_lost(
    make_pricing: Make, upstream: Upstream, hands: Hands, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A look that finds something just as the question behind which it runs is answered has it for the next one."""
    pricing = make_pricing(clock=hands.clock)
    source(pricing)
    found = live(pricing).cache.record
    assert found is not None
    hands.turn(61)
    newer = found._replace(catalog=Catalog.from_models([priced("2")]), fetched=hands.seconds)

    def publish(*args: Any) -> Holding:
        monkeypatch.undo()
        live(pricing).cache.publish(newer)
        return Holding(*args)

    monkeypatch.setattr("openrouter_pricing._freshness.cache.Held", publish)
    assert pricing.cost(MODEL, 1).raw == Decimal("1.5E-7")
    assert pricing.cost(MODEL, 1).raw == 2


def test_a_look_that_was_slower_than_a_fetch_is_dropped(make_pricing: Make, upstream: Upstream, hands: Hands) -> None:
    """What a look behind brings does not replace what was fetched meanwhile."""
    backend = Held()
    pricing, other = (make_pricing(clock=hands.clock, backend=backend) for _ in range(2))
    source(pricing)
    settle()
    hands.turn(1)
    upstream.say(priced("2"))
    other.refresh()
    settle()
    hands.turn(61)
    backend.hold("get")
    source(pricing)
    until(lambda: backend.held)
    newest = Catalog.from_models([priced("3")])
    record = live(pricing).cache.record
    assert record is not None
    live(pricing).cache.publish(record._replace(catalog=newest, fetched=hands.seconds))
    backend.release()
    until(lambda: not process(pricing).behind)
    assert pricing.cost(MODEL, 1).raw == 3


@pytest.mark.parametrize(
    ("field", "value"),
    [("created", "1e400"), ("created", "NaN"), ("context_length", "1e400"), ("created", "[" * 600 + "]" * 600)],
    ids=["1e400", "NaN", "a length of 1e400", "nested"],
)
def test_a_hostile_row_never_breaks_a_question(make_pricing: Make, upstream: Upstream, field: str, value: str) -> None:
    """A row is checked whole when it is read: whatever stands in it, the models beside it are found and priced."""
    good, hostile = json.dumps(row()), json.dumps(row("a/hostile", **{field: "HERE"})).replace('"HERE"', value)
    upstream.answer = Answer(f'{{"data": [{hostile}, {good}]}}'.encode())
    pricing = make_pricing(backend=MemoryBackend())
    catalog = pricing.catalog()
    assert pricing.cost(MODEL, 1).source == "live"
    assert MODEL in [model.id for model in catalog.find(text="gpt")]
    assert MODEL in [model.id for model in catalog.cheapest(10)]
    assert [model.to_dict()["id"] for model in catalog.values() if model.id == MODEL] == [MODEL]
    for model in catalog.values():
        json.dumps(model.to_dict())
        pricing.cost(model.id, 1, 1)


def test_renewing_is_no_question(make_pricing: Make, upstream: Upstream) -> None:
    """It never raises and says whether it failed; offline nobody is asked."""
    cache = live(make_pricing()).cache
    assert not cache.failing
    upstream.fail(500)
    cache.renew()
    assert cache.failing
    live(make_pricing(offline=True)).cache.renew()
    assert len(upstream.requests) == 1
