"""The thread that brings events to sinks."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest
from openrouter_pricing.backends.memory import MemoryBackend
from support.hands import Hands
from support.receiver import Receiver
from support.upstream import row
from support.waiting import until

from openrouter_pricing import Catalog, CatalogChange
from openrouter_pricing.errors import StatusError
from openrouter_pricing.history import NotifierStats, Webhook, courier
from openrouter_pricing.history.courier import Courier
from openrouter_pricing.history.entries import RETRIES, Entry
from openrouter_pricing.history.events import Watch
from openrouter_pricing.history.outbox import BackendOutbox

Make = Callable[..., Courier]
SECRET = "whsec_" + "c2VjcmV0" * 6


@pytest.fixture
def outbox(hands: Hands) -> BackendOutbox:
    """An outbox in memory."""
    backend = MemoryBackend()
    return BackendOutbox(lambda work, otherwise, timeout: work(backend), ["a sink"], hands.clock)


@pytest.fixture
def make(hands: Hands, outbox: BackendOutbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[Make]:
    """Makes couriers, whose threads look at the turned clock at once; closes them."""
    monkeypatch.setattr(courier, "_SECOND", 0.01)
    made: list[Courier] = []

    def make(settle: float = 0, **sinks: Any) -> Courier:
        made.append(Courier(lambda: outbox, sinks, Watch(None, Decimal(0), settle), hands.clock))
        return made[-1]

    yield make
    for each in made:
        each.close()


@pytest.fixture
def heard() -> list[dict[str, Any]]:
    """What a callable was told."""
    return []


def lists(hands: Hands, *prices: str) -> list[CatalogChange]:
    """The first list, and those that follow it, a minute apart."""
    made: list[CatalogChange] = []
    for price in prices:
        after = Catalog.from_models([row("a/one", pricing={"prompt": price})], as_of=hands.wall)
        made.append(CatalogChange(made[-1].after if made else None, after, ()))
        hands.turn(60)
    return made


def test_what_changes_is_told(make: Make, hands: Hands, heard: list[dict[str, Any]]) -> None:
    """In a thread of ours, which the first list starts and closing ends; the first list is told to nobody."""
    mine = make(sink=heard.append)
    assert mine._thread is None
    for change in lists(hands, "1", "2", "4"):
        mine.hear(change)
    until(lambda: mine.stats.delivered == 2 and not mine.stats.pending)
    assert [event["data"]["changes"][0]["moves"][0]["after"] for event in heard] == ["2", "4"]
    assert mine.stats == NotifierStats(delivered=2)
    thread = mine._thread
    assert thread is not None
    mine.close()
    mine.close()
    assert not thread.is_alive()


def test_a_failure_is_tried_again_in_time(
    make: Make, hands: Hands, heard: list[dict[str, Any]], caplog: pytest.LogCaptureFixture
) -> None:
    """After 5 s and no sooner, with the same id; others are not told twice for it."""
    tries: list[str] = []

    def failing(event: dict[str, Any]) -> None:
        tries.append(event["id"])
        if len(tries) < 3:
            raise ValueError("https://user:hush@host/ is down")

    mine = make(failing=failing, sink=heard.append)
    for change in lists(hands, "1", "2"):
        mine.hear(change)
    until(lambda: mine.stats.pending == 1 and heard)
    assert (mine.stats.failed, mine.stats.last_error) == (1, "ValueError: https://***@host/ is down")
    hands.turn(RETRIES[1])
    until(lambda: mine.stats.failed == 2)
    hands.turn(RETRIES[2])
    until(lambda: mine.stats.delivered == 2 and not mine.stats.pending)
    assert (len(tries), len(set(tries)), len(heard)) == (3, 1, 1)
    assert "hush" not in caplog.text
    assert len(caplog.records) == 2


def test_nothing_is_tried_before_its_time(make: Make, hands: Hands, outbox: BackendOutbox) -> None:
    """A look that comes too early delivers nothing."""
    tries: list[object] = []
    mine = make(failing=lambda event: tries.append(1 / 0 if tries.append(event) is None else 0))
    mine._news += lists(hands, "1", "2")
    mine._look(outbox)
    mine._look(outbox)
    hands.turn(RETRIES[1] - 0.1)
    mine._look(outbox)
    assert len(tries) == 1
    hands.turn(0.1)
    mine._look(outbox)
    assert len(tries) == 2


def test_it_is_given_up_after_seven_tries(
    make: Make, hands: Hands, outbox: BackendOutbox, caplog: pytest.LogCaptureFixture
) -> None:
    """Counted, logged as an error, and gone from the outbox."""
    mine = make(failing=lambda event: 1 / 0)
    mine._news += lists(hands, "1", "2")
    for pause in RETRIES:
        hands.turn(pause)
        mine._look(outbox)
    assert (mine.stats.failed, mine.stats.given_up, mine.stats.pending) == (7, 1, 0)
    assert caplog.records[-1].levelno == logging.ERROR
    assert mine._look_at is None


@pytest.mark.parametrize(("asked", "pause"), [(3600.0, 3600), (None, 5), ("soon", 5), (-1, 5)])
def test_a_sink_may_ask_for_more_time(
    make: Make, hands: Hands, outbox: BackendOutbox, asked: Any, pause: float
) -> None:
    """By ``retry_after`` of what it raises, as a webhook does; what is no number of seconds says nothing."""
    tries: list[object] = []

    def failing(event: object) -> None:
        tries.append(event)
        raise StatusError(503, asked)

    mine = make(failing=failing)
    mine._news += lists(hands, "1", "2")
    mine._look(outbox)
    hands.turn(pause - 0.1)
    mine._look(outbox)
    assert len(tries) == 1
    hands.turn(0.1)
    mine._look(outbox)
    assert len(tries) == 2


def test_who_is_gone_is_told_nothing_more(
    make: Make, hands: Hands, outbox: BackendOutbox, heard: list[dict[str, Any]], caplog: pytest.LogCaptureFixture
) -> None:
    """A 410 ends it for this sink: what waits for it goes, what comes is not kept for it; the others are told."""
    receiver = Receiver()
    receiver.script = [(500, {}), (410, {})]
    webhook = Webhook(receiver.url, SECRET)
    mine = make(webhook=webhook, sink=heard.append)
    first, *later = lists(hands, "1", "2", "3", "4")
    mine._news += [first, later[0]]
    mine._look(outbox)
    mine._news.append(later[1])
    mine._look(outbox)
    assert (mine.stats.disabled, mine.stats.pending) == (("webhook",), 0)
    mine._news.append(later[2])
    mine._look(outbox)
    hands.turn(86_400)
    mine._look(outbox)
    receiver.close()
    assert (len(receiver.received), len(heard)) == (2, 3)
    assert len([record for record in caplog.records if "gone (410)" in record.message]) == 1


def test_with_settle_nothing_is_told_of_what_comes_back(make: Make, hands: Hands, heard: list[dict[str, Any]]) -> None:
    """A-B-A is silence; B that stays is told when it has stood long enough, though no list comes any more."""
    mine = make(settle=3600, sink=heard.append)
    for change in lists(hands, "1", "2", "1"):
        mine.hear(change)
    until(lambda: mine._look_at is not None)
    hands.turn(7200)
    until(lambda: mine._look_at is None)
    assert heard == []
    for change in lists(hands, "1", "5"):
        mine.hear(change)
    until(lambda: mine._look_at is not None)
    hands.turn(3600)
    until(lambda: heard)
    assert heard[0]["data"]["changes"][0]["moves"] == [{"key": "prompt", "before": "1", "after": "5", "ratio": "5"}]


def test_closing_breaks_off_and_gives_back(
    make: Make, hands: Hands, outbox: BackendOutbox, heard: list[dict[str, Any]]
) -> None:
    """What a close breaks off is no failed try: another process has it at once, under the same id."""
    receiver = Receiver()
    receiver.hold = threading.Event()
    mine = make(sink=Webhook(receiver.url, SECRET))
    for change in lists(hands, "1", "2"):
        mine.hear(change)
    until(lambda: receiver.received)
    mine.close()
    assert (mine.stats.failed, mine.stats.delivered) == (0, 0)
    other = make(sink=heard.append)
    other._look(outbox)
    assert [event["id"] for event in heard] == [event["id"] for event in receiver.events]
    receiver.close()


def test_a_sink_may_close_its_courier(make: Make, hands: Hands) -> None:
    """From within its own thread."""
    mine: list[Courier] = []
    mine.append(make(sink=lambda event: mine[0].close()))
    for change in lists(hands, "1", "2"):
        mine[0].hear(change)
    thread = mine[0]._thread
    assert thread is not None
    thread.join(60)
    assert mine[0].stats.delivered == 1


def test_an_outbox_that_fails_is_asked_again(
    make: Make, hands: Hands, outbox: BackendOutbox, heard: list[dict[str, Any]], caplog: pytest.LogCaptureFixture
) -> None:
    """Nothing that was heard, and nothing that was delivered, is forgotten. One line tells of it; busy is no news."""
    errors: list[Exception] = [OSError("postgresql://user:hush@host/ is down"), TimeoutError("busy")]
    change, failing = outbox.change, [True]

    def change_or_fail(work: Callable[[list[Entry]], Any]) -> Any:
        if heard and errors:  # in the middle of a delivery
            raise errors.pop()
        return change(work)

    def note_or_fail(news: CatalogChange, note: Callable[[CatalogChange], None] = outbox.note) -> None:
        if failing:
            failing.clear()
            raise OSError("postgresql://user:hush@host/ is down")
        note(news)

    outbox.change, outbox.note = change_or_fail, note_or_fail  # type: ignore[method-assign,assignment]
    mine = make(sink=heard.append)
    for news in lists(hands, "1", "2"):
        mine.hear(news)

    def turned() -> bool:
        hands.turn(6)
        return mine._look_at is None and not errors

    until(turned)
    assert len(heard) == 1
    assert (mine.stats.delivered, mine.stats.pending) == (1, 0)
    assert mine.stats.last_error == "OSError: postgresql://***@host/ is down"
    assert len(caplog.records) == 1
    assert "hush" not in caplog.text


def test_a_sink_that_nobody_knows_any_more(make: Make, hands: Hands, outbox: BackendOutbox) -> None:
    """An entry that went meanwhile, as its lease ran out and another process delivered it, is no trouble."""

    def slow(event: object) -> None:
        outbox.change(lambda entries: entries.clear())

    mine = make(sink=slow)
    mine._news += lists(hands, "1", "2")
    mine._look(outbox)
    assert mine.stats == NotifierStats(delivered=1)
