"""The notifier of a ``Pricing``."""

from __future__ import annotations

import json
import sys
import traceback
import types
from collections.abc import Callable, Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
from openrouter_pricing.backends.memory import MemoryBackend
from standardwebhooks import Webhook as Verifier
from support.children import in_child
from support.hands import Hands
from support.receiver import Receiver
from support.upstream import Upstream, row
from support.waiting import until

from openrouter_pricing import Pricing, SettingsError
from openrouter_pricing._history.bundled import BundledHistory
from openrouter_pricing.history import Notifier, NotifierStats, Slack, Webhook

Make = Callable[..., Pricing]
URL, SECRET = "OPENROUTER_PRICING_WEBHOOK_URL", "OPENROUTER_PRICING_WEBHOOK_SECRET"
GOOD = "whsec_" + "c2VjcmV0" * 6
NAME = "a/one"


@pytest.fixture
def heard() -> list[dict[str, Any]]:
    """What a callable was told."""
    return []


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A receiver on this machine."""
    made = Receiver()
    yield made
    made.close()


def fetch(pricing: Pricing, upstream: Upstream, hands: Hands, *rows: dict[str, Any]) -> None:
    """Let the upstream list these rows, a minute later, and fetch them; a steady row stands beside them."""
    hands.turn(60)
    upstream.say(*rows, row("a/steady"))
    pricing.refresh(force=True)


def priced(price: str, name: str = NAME) -> dict[str, Any]:
    """A row of that price."""
    return row(name, pricing={"prompt": price, "completion": "0"})


def test_what_changes_is_told_to_all(
    make_pricing: Make, upstream: Upstream, hands: Hands, receiver: Receiver, heard: list[dict[str, Any]]
) -> None:
    """From a real list over HTTP to a real receiver that verifies, to Slack, and to a callable."""
    pricing = make_pricing(clock=hands.clock)
    sinks = [Webhook(receiver.url, GOOD), Slack(receiver.url), heard.append]
    with Notifier(pricing, sinks) as notifier:
        assert notifier.stats() == NotifierStats()
        fetch(pricing, upstream, hands, priced("1"), priced("1", "a/old"))
        fetch(pricing, upstream, hands, priced("2"), priced("1", "a/new"))
        until(lambda: notifier.stats().delivered == 3)
    signed, text = receiver.received
    assert Verifier(GOOD).verify(signed.body, signed.headers) == heard[0]
    assert heard[0]["type"] == "prices.changed"
    kinds = [(change["model_id"], change["kind"]) for change in heard[0]["data"]["changes"]]
    assert kinds == [("a/one", "changed"), ("a/new", "listed"), ("a/old", "delisted")]
    assert heard[0]["data"]["after"] == pricing.catalog().digest
    assert heard[0]["timestamp"] == heard[0]["data"]["as_of"] == pricing.catalog().as_of.isoformat()
    assert text.event["text"].startswith("*OpenRouter prices*: 1 changed, 1 listed, 1 delisted")
    assert "127.0.0.1" in repr(notifier)
    assert "/hooks" not in repr(notifier)


def test_words_and_zeros_are_silent(
    make_pricing: Make, upstream: Upstream, hands: Hands, heard: list[dict[str, Any]]
) -> None:
    """A description, and a missing key that turns into 0, are told to nobody; what comes after them is."""
    pricing = make_pricing(clock=hands.clock)
    with Notifier(pricing, [heard.append]):
        fetch(pricing, upstream, hands, priced("1"))
        zeros = {"prompt": "1", "completion": "0", "image": "0", "request": "0", "web_search": "0"}
        fetch(pricing, upstream, hands, row(NAME, description="another", pricing=zeros))
        fetch(pricing, upstream, hands, priced("2"))
        until(lambda: heard)
    assert [len(event["data"]["changes"]) for event in heard] == [1]


def test_a_real_day_of_zeros_is_silent(
    make_pricing: Make, upstream: Upstream, hands: Hands, heard: list[dict[str, Any]]
) -> None:
    """The list of 2025-08-23, on which 313 rows turn a missing key into 0, is told to nobody; the next change is."""

    def rows(stamp: str) -> list[dict[str, Any]]:
        recorded = BundledHistory().as_of(datetime.fromisoformat(stamp))
        assert recorded is not None
        return [{"id": name, "pricing": json.loads(text)} for name, text in recorded.prices.items()]

    before, after = rows("2025-08-23T06:00:00+00:00"), rows("2025-08-23T18:00:00+00:00")
    assert sum(one not in before for one in after) == 313
    pricing = make_pricing(clock=hands.clock)
    with Notifier(pricing, [heard.append]):
        fetch(pricing, upstream, hands, *before)
        fetch(pricing, upstream, hands, *after)
        fetch(pricing, upstream, hands, *after, row("a/new"))
        until(lambda: heard)
    assert [(event["type"], len(event["data"]["changes"])) for event in heard] == [("model.listed", 1)]


def test_only_what_is_watched_is_told(
    make_pricing: Make, upstream: Upstream, hands: Hands, heard: list[dict[str, Any]]
) -> None:
    """Some models alone, and moves of a part or more."""
    pricing = make_pricing(clock=hands.clock)
    with Notifier(pricing, [heard.append], models=[NAME, "a/other"], min_change=0.05):
        fetch(pricing, upstream, hands, priced("100"), priced("1", "a/stranger"))
        fetch(pricing, upstream, hands, priced("104"), priced("2", "a/stranger"))
        fetch(pricing, upstream, hands, priced("110"), priced("3", "a/stranger"))
        until(lambda: heard)
    assert [change["moves"][0]["ratio"] for event in heard for change in event["data"]["changes"]] == ["1.05769"]


def test_a_process_that_starts_later_tells_what_it_finds(
    make_pricing: Make, upstream: Upstream, hands: Hands, heard: list[dict[str, Any]]
) -> None:
    """The outbox in the store of the list outlives a process: what changed while none ran is told by the next."""
    backend = MemoryBackend(hands.clock.monotonic)
    first = make_pricing(clock=hands.clock, backend=backend)
    with Notifier(first, [heard.append], settle=30) as notifier:
        fetch(first, upstream, hands, priced("1"))
        until(lambda: backend.get(outbox_key(backend)))
        assert notifier.stats() == NotifierStats()
    later = make_pricing(clock=hands.clock, backend=backend)
    with Notifier(later, [heard.append]):
        fetch(later, upstream, hands, priced("2"))
        until(lambda: heard)
    assert heard[0]["data"]["changes"][0]["moves"][0]["before"] == "1"


def outbox_key(backend: MemoryBackend) -> str:
    """Under which the outbox lies, once it does."""
    return next((key for key in backend._values if key.startswith("notify:") and not key.endswith(":lock")), "")


def test_a_history_with_an_outbox_has_it(
    make_pricing: Make, upstream: Upstream, hands: Hands, heard: list[dict[str, Any]]
) -> None:
    """A history that keeps one is asked for it, once in each process; the store is then left alone."""
    asked: list[object] = []

    class Outbox:
        def note(self, change: object) -> None:
            asked.append(change)

        def change(self, work: Callable[[list[Any]], Any]) -> Any:
            return work([])

    class History:
        outbox = Outbox()

        def record(self, catalog: object) -> tuple[()]:
            return ()

        def periods(self, *args: object, **kwargs: object) -> tuple[()]:
            return ()

        def as_of(self, at: object) -> None:
            return None

        def close(self) -> None:
            return None

    template = make_pricing(clock=hands.clock)
    pricing = Pricing(template._settings, history=History(), clock=hands.clock)
    with pricing, Notifier(pricing, [heard.append]):
        fetch(pricing, upstream, hands, priced("1"))
        until(lambda: asked)
    assert len(asked) == 1


def test_without_any_history(make_pricing: Make, upstream: Upstream, hands: Hands, heard: list[dict[str, Any]]) -> None:
    """The outbox lies in the store of the list."""
    pricing = make_pricing(clock=hands.clock, history="none")
    with Notifier(pricing, [heard.append]):
        fetch(pricing, upstream, hands, priced("1"))
        fetch(pricing, upstream, hands, priced("2"))
        until(lambda: heard)
    assert len(heard) == 1


def test_a_pinned_list_never_changes(pinned: Pricing, heard: list[dict[str, Any]]) -> None:
    """There is nothing to tell, and nothing to stop."""
    with Notifier(pinned, [heard.append]) as notifier:
        pinned.cost("openai/gpt-4o-mini", 1)
    assert notifier.stats() == NotifierStats()
    assert pinned._live.ask(lambda store: 1, 2, 3.0) == 2


def test_a_child_has_a_thread_of_its_own(
    make_pricing: Make, upstream: Upstream, hands: Hands, receiver: Receiver
) -> None:
    """A notifier made, and at work, before a fork works on in the child."""
    pricing = make_pricing(clock=hands.clock)
    with Notifier(pricing, [Webhook(receiver.url, GOOD)]) as notifier:
        fetch(pricing, upstream, hands, priced("1"))
        fetch(pricing, upstream, hands, priced("2"))
        until(lambda: notifier.stats().delivered == 1)

        upstream.say(priced("3"), row("a/steady"))

        def child() -> bool:
            assert notifier.stats() == NotifierStats()
            pricing.refresh(force=True)
            until(lambda: notifier.stats().delivered == 1)
            notifier.close()
            return True

        assert in_child(child)
    moves = [event["data"]["changes"][0]["moves"][0] for event in receiver.events]
    assert [(move["before"], move["after"]) for move in moves] == [("1", "2"), ("2", "3")]


def test_a_master_that_forks_starts_no_thread(
    make_pricing: Make, upstream: Upstream, hands: Hands, heard: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The master of a uWSGI leaves it to its workers."""
    pricing = make_pricing(clock=hands.clock)
    told: list[object] = []
    with Notifier(pricing, [heard.append]) as notifier:
        pricing.listen(told.append)
        monkeypatch.setitem(sys.modules, "uwsgi", types.SimpleNamespace(worker_id=lambda: 0, opt={}))
        fetch(pricing, upstream, hands, priced("1"))
        until(lambda: told)
        assert notifier._couriers.peek() is None


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"sinks": []}, TypeError, "sinks must be a list of callables"),
        ({"sinks": print}, TypeError, "sinks must be a list of callables"),
        ({"sinks": ["https://example.com"]}, TypeError, "sinks must be a list of callables"),
        ({"models": NAME}, TypeError, "models must be a collection of ids, not str"),
        ({"models": 7}, TypeError, "models must be a collection of ids, not int"),
        ({"models": [NAME, 7]}, TypeError, "models must hold ids, not 7"),
        ({"min_change": -1}, ValueError, "min_change must not be negative"),
        ({"min_change": "much"}, ValueError, "min_change"),
        ({"min_change": None}, TypeError, "min_change"),
        ({"settle": -1}, ValueError, "settle must be from 0 to 30 days"),
        ({"settle": float("nan")}, ValueError, "settle must be from 0 to 30 days"),
        ({"settle": float("inf")}, ValueError, "settle must be from 0 to 30 days"),
        ({"settle": "1"}, TypeError, "settle must be a number of seconds, not str"),
        ({"settle": True}, TypeError, "settle must be a number of seconds, not bool"),
        ({"pricing": None}, TypeError, "pricing must be a Pricing, not NoneType"),
    ],
)
def test_bad_arguments_are_named(
    pinned: Pricing, options: dict[str, Any], error: type[Exception], message: str
) -> None:
    """What is wrong, with which argument."""
    given = {"pricing": pinned, "sinks": [print], **options}
    with pytest.raises(error, match=message):
        Notifier(given.pop("pricing"), given.pop("sinks"), **given)


def test_sinks_of_one_name_are_told_apart(pinned: Pricing) -> None:
    """Two functions of one name, and two webhooks of one URL, are two sinks each."""
    sinks = [print, print, Webhook("https://example.com", GOOD), Webhook("https://example.com", GOOD)]
    names = list(Notifier(pinned, sinks)._sinks)
    assert (names[:2], len(set(names))) == (["print", "print #2"], 4)


def test_a_change_is_read_as_the_decimal_that_it_prints(pinned: Pricing) -> None:
    """0.05 is five percent exactly."""
    assert Notifier(pinned, [print], min_change=0.05)._watch.min_change == Decimal("0.05")


# -- from the environment ----------------------------------------------------------------------------------------------


def test_a_notifier_from_the_environment(
    make_pricing: Make, upstream: Upstream, hands: Hands, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One webhook, signed with each secret of the variable; other options are arguments."""
    other = "whsec_" + "b3RoZXJz" * 6
    monkeypatch.setenv(URL, receiver.url)
    monkeypatch.setenv(SECRET, f"{GOOD} {other}")
    pricing = make_pricing(clock=hands.clock)
    with Notifier.from_env(pricing, models=[NAME]) as notifier:
        fetch(pricing, upstream, hands, priced("1"))
        fetch(pricing, upstream, hands, priced("2"))
        until(lambda: notifier.stats().delivered)
    request = receiver.received[0]
    for secret in (GOOD, other):
        assert Verifier(secret).verify(request.body, request.headers)["type"] == "prices.changed"


@pytest.mark.parametrize(
    ("environ", "named"),
    [
        ({}, URL),
        ({SECRET: GOOD}, URL),
        ({URL: "", SECRET: GOOD}, URL),
        ({URL: "ftp://hush", SECRET: GOOD}, URL),
        ({URL: "https://example.com"}, SECRET),
        ({URL: "https://example.com", SECRET: "whsec_hush!"}, SECRET),
    ],
)
def test_what_is_missing_is_named(pinned: Pricing, environ: dict[str, str], named: str) -> None:
    """The variable and what it takes; not what it holds."""
    with pytest.raises(SettingsError) as caught:
        Notifier.from_env(pinned, environ=environ)
    assert caught.value.option == named
    assert "hush" not in str(caught.value)
    frames = [frame for frame, _ in traceback.walk_tb(caught.value.__traceback__) if "history/alerts" in str(frame)]
    shown = [repr(value) for frame in frames for value in frame.f_locals.values()]
    assert frames
    assert not [text for text in shown if "hush" in text or GOOD in text]
    assert (caught.value.__cause__, caught.value.__context__) == (None, None)
