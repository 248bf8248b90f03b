"""Which lists are believed."""

from __future__ import annotations

import json
import threading
from datetime import datetime, timedelta, timezone
from decimal import Decimal

import pytest
from openrouter_pricing.backends.memory import MemoryBackend
from support.freshness import MODEL, Make, many, priced, process, settle, source
from support.hands import Hands
from support.upstream import Answer, Upstream, row
from support.upstream import models as plain
from support.waiting import PATIENCE, until

from openrouter_pricing import (
    PayloadError,
    Pricing,
    StatusError,
)
from openrouter_pricing._freshness.plausibility import Plausibility
from openrouter_pricing._freshness.store import Suspect


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


# -- money -------------------------------------------------------------------------------------------------------------


def prices(*prompts: str) -> bytes:
    """A list of so many models at these prices per prompt token, and the usual one."""
    rows = [row(f"a/{number}", pricing={"prompt": price, "completion": "0"}) for number, price in enumerate(prompts)]
    return plain(priced("1"), *rows)


def refused(pricing: Pricing) -> bool:
    """Whether a refresh brings what is not believed."""
    try:
        pricing.refresh()
    except PayloadError as error:
        return str(error).startswith("refused a catalogue: ")
    finally:
        settle()
    return False


@pytest.mark.parametrize(
    ("after", "believed"),
    [(("9", "1", "1"), True), (("9", "9", "1"), False), (("0", "0", "1"), False), (("4", "4", "4"), True)],
    ids=["a quarter", "more than a quarter", "lost", "by no more than 4 times"],
)
def test_a_list_whose_prices_moved_wildly_is_refused(
    make_pricing: Make, upstream: Upstream, after: tuple[str, ...], believed: bool
) -> None:
    """More than a quarter of the priced models that moved by more than 4 times, or lost their price, is too much."""
    upstream.answer = Answer(prices("1", "1", "1"))
    pricing = make_pricing()
    pricing.refresh()
    upstream.answer = Answer(prices(*after))
    assert refused(pricing) != believed
    assert [pricing.cost(f"a/{number}", 1).raw for number in range(3)] == (
        list(map(Decimal, after)) if believed else [1, 1, 1]
    )
    assert pricing.stats().refused_catalogs == (not believed)


def test_exchanged_columns_are_refused(make_pricing: Make, upstream: Upstream) -> None:
    """Prompt and completion prices that changed places are wild, however near they are to each other."""
    pricing = make_pricing()
    for given, made in (("1", "2"), ("2", "1")):
        rows = [row(f"a/{number}", pricing={"prompt": given, "completion": made}) for number in range(3)]
        upstream.answer = Answer(plain(*rows))
        if given == "1":
            pricing.refresh()
    assert refused(pricing)


def test_it_takes_time_and_not_tries(make_pricing: Make, upstream: Upstream, hands: Hands) -> None:
    """Refreshing again and again convinces nobody: fetches count that lie ``l2_ttl`` apart, three in a row."""
    pricing = make_pricing(clock=hands.clock, backend=MemoryBackend(), breaker_threshold=1000)
    pricing.refresh()
    settle()
    upstream.say(priced("9"), row("a/new"))
    upstream.answer = Answer(plain(priced("9")))
    for _ in range(2):
        for _ in range(5):
            hands.turn(700)
            assert refused(pricing)
        hands.turn(100)
    assert refused(pricing), "3,600 s after the second"
    hands.turn(2 * 3600)
    assert not refused(pricing)
    assert pricing.cost(MODEL, 1).raw == 9


def test_what_was_refused_is_remembered_by_the_store(make_pricing: Make, upstream: Upstream, hands: Hands) -> None:
    """Processes that fetch once each come to believe together what each of them saw once."""
    backend = MemoryBackend(monotonic=hands.clock.monotonic)
    make_pricing(clock=hands.clock, backend=backend).refresh()
    settle()
    upstream.answer = Answer(plain(priced("9")))
    found = []
    for _ in range(3):
        hands.turn(3600)
        pricing = make_pricing(clock=hands.clock, backend=backend)
        pricing.warm()
        found.append(refused(pricing))
    assert found == [True, True, False]
    assert not [key for key in backend._values if "suspect" in key]


@pytest.mark.parametrize("garbage", [b"", b"7", b"[" * 100_000, b'["x", 2, "soon"]', b'["x", "two", null]', b"\xff"])
def test_a_suspect_that_is_garbage_is_none(
    make_pricing: Make, upstream: Upstream, hands: Hands, garbage: bytes
) -> None:
    """What stands under its key counts as nothing, and is written over."""
    backend = MemoryBackend(monotonic=hands.clock.monotonic)
    pricing = make_pricing(clock=hands.clock, backend=backend)
    pricing.refresh()
    settle()
    key = f"{process(pricing).store._prefix}suspect"
    backend.set(key, garbage)
    upstream.answer = Answer(plain(priced("9")))
    hands.turn(1)
    assert refused(pricing)
    written = backend.get(key)
    assert written is not None
    assert json.loads(written)[1] == 1


def test_the_wall_clock_may_be_wrong(make_pricing: Make, upstream: Upstream, hands: Hands) -> None:
    """A suspect from the future is counted anew; a belief from the future stands in nobody's way."""
    pricing = make_pricing(clock=hands.clock, breaker_threshold=1000)
    hands.wall += timedelta(days=365)
    pricing.refresh()
    upstream.answer = Answer(plain(priced("9")))
    assert refused(pricing)
    hands.wall -= timedelta(days=365)
    for _ in range(2):
        hands.turn(3600)
        assert refused(pricing)
    hands.turn(3600)
    assert not refused(pricing)


def test_force_believes_at_once(make_pricing: Make, upstream: Upstream) -> None:
    """``refresh(force=True)`` takes what comes, a plain one obeys the guard; both raise for the upstream."""
    pricing = make_pricing()
    pricing.refresh()
    upstream.answer = Answer(plain(priced("9")))
    assert refused(pricing)
    assert list(pricing.refresh(force=True)) == [MODEL]
    assert pricing.cost(MODEL, 1).raw == 9
    upstream.fail(500)
    with pytest.raises(StatusError):
        pricing.refresh(force=True)


def test_force_that_joined_a_refresh_without_it_tries_again(make_pricing: Make, upstream: Upstream) -> None:
    """A plain refresh under way is waited for; where it believed nothing, another one believes."""
    pricing = make_pricing()
    pricing.refresh()
    hold = threading.Event()
    upstream.script = [Answer(plain(priced("9")), hold=hold)]
    upstream.answer = Answer(plain(priced("9")))
    assert process(pricing).flights.start(asked=True) is not None
    until(lambda: len(upstream.requests) == 2)
    answers: list[int] = []
    forcing = threading.Thread(target=lambda: answers.append(len(pricing.refresh(force=True))))
    forcing.start()
    hold.set()
    forcing.join(PATIENCE)
    assert (answers, len(upstream.requests)) == ([1], 3)


def test_price_jumps_are_named_once_and_counted(
    make_pricing: Make, upstream: Upstream, caplog: pytest.LogCaptureFixture
) -> None:
    """A believed price that moved by more than 10 times is one line in the log and one in the figures; 20 at most
    are named."""
    pricing = make_pricing()
    upstream.say(priced("1"))
    pricing.refresh()
    upstream.say(priced("11"))
    for _ in range(2):
        pricing.refresh()
    named = [record.getMessage() for record in caplog.records if "tenfold" in record.getMessage()]
    assert named == ["the price of openai/gpt-4o-mini moved more than tenfold: 1/0 to 11/0"]
    assert pricing.stats().price_jumps == 1
    upstream.answer = Answer(prices(*["1"] * 30))
    pricing.refresh(force=True)
    upstream.answer = Answer(prices(*["20"] * 30))
    caplog.clear()
    pricing.refresh(force=True)
    assert len([record for record in caplog.records if "tenfold" in record.getMessage()]) == 20
    assert pricing.stats().price_jumps == 1 + 1 + 30


@pytest.mark.parametrize(
    ("prices", "now", "believed", "times"),
    [
        ("one", 0, -1, 2),  # it is the same fetch
        ("one", 3599, -1, 2),  # too soon
        ("one", 3600, -1, 3),
        ("one", 3600, 0, 3),  # believed no later than it was refused
        ("one", 3600, 1, 1),  # another list was believed since
        ("one", 3600, 3600, 1),
        ("one", 3600, 3601, 3),  # a belief from the future says nothing
        ("one", -1, -9, 1),  # it was refused in the future
        ("two", 3600, -1, 1),
    ],
)
def test_how_often_a_list_was_refused(prices: str, now: int, believed: int, times: int) -> None:
    """The same prices count once more where they come an hour apart, with nothing else believed in between."""
    then = datetime(2026, 11, 1, 12, tzinfo=timezone.utc)
    last = Suspect("one", 2, then)
    found = Plausibility(3600)._again(last, prices, then + timedelta(seconds=believed), then + timedelta(seconds=now))
    assert (prices, times) == found[:2]
    assert found.counted == (then if times == 2 else then + timedelta(seconds=now))
    assert 1 == Plausibility(3600)._again(None, prices, then, then).times
