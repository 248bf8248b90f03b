"""A backend that fails or hangs, and costs nobody more than a moment."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from openrouter_pricing.backends.memory import MemoryBackend
from support.freshness import MODEL, Broken, Make, look, priced, settle, source
from support.hands import Hands
from support.upstream import Upstream
from support.waiting import PATIENCE, until

from openrouter_pricing import (
    Pricing,
    Settings,
    open_backend,
)
from openrouter_pricing._freshness.guard import READ, GuardedBackend
from openrouter_pricing._freshness.recorder import Recorder


@pytest.mark.parametrize("method", ["get", "set", "add", "delete"])
def test_a_backend_that_fails_costs_a_counter(
    make_pricing: Make, upstream: Upstream, hands: Hands, method: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A backend that raises is counted each time, logged once, and every question is answered."""
    pricing = make_pricing(backend=Broken(method), clock=hands.clock)
    assert source(pricing) == "live"
    upstream.say(priced("2"))
    pricing.refresh()
    settle()
    hands.turn(61)
    look(pricing)
    assert pricing.cost(MODEL, 1).raw == 2
    assert pricing.stats().backend_errors > 0
    assert caplog.text.count("disk full") == 1


def test_a_backend_that_cannot_be_opened(make_pricing: Make, tmp_path: Path) -> None:
    """A directory that cannot be made is a counter too."""
    (tmp_path / "file").write_text("not a directory")
    pricing = make_pricing(backend=open_backend(f"disk://{tmp_path}/file/store"))
    assert source(pricing) == "live"
    assert pricing.stats().backend_errors > 0


def test_a_backend_whose_opening_fails(upstream: Upstream, monkeypatch: pytest.MonkeyPatch) -> None:
    """A registered backend that raises when it is made costs no question."""
    pricing = Pricing(Settings(base_url=upstream.url, backend="memory://"))
    monkeypatch.setattr("openrouter_pricing.backends.open_backend", lambda url: 1 / 0)
    assert source(pricing) == "live"
    assert pricing.stats().backend_errors > 0
    pricing.close()


@pytest.mark.usefixtures("real_limits")
def test_a_backend_that_hangs(make_pricing: Make, upstream: Upstream, hands: Hands) -> None:
    """A backend that does not come back holds a question up for a second, once, and the later ones not at all; it is
    left alone, and asked again later."""
    release = threading.Event()

    class Hanging(MemoryBackend):
        def get(self, key: str) -> bytes | None:
            asked.append(key)
            release.wait(PATIENCE)
            return super().get(key)

    asked: list[str] = []
    pricing = make_pricing(backend=Hanging(), clock=hands.clock)
    assert source(pricing) == "live"
    assert (len(asked), pricing.stats().backend_errors) == (1, 1)
    release.set()

    def well() -> bool:
        hands.turn(61)
        pricing.cost(MODEL)
        return len(asked) > 1

    until(well)
    errors = pricing.stats().backend_errors
    hands.turn(61)
    look(pricing)
    assert pricing.stats().backend_errors == errors


# -- left alone --------------------------------------------------------------------------------------------------------


class Shaky:
    """A store that works or not, as it is told, and counts how often it was asked."""

    def __init__(self) -> None:
        self.well = False
        self.asked = 0

    def ask(self) -> str:
        """Answer, or fail."""
        self.asked += 1
        if not self.well:
            raise OSError("disk full")
        return "well"


@pytest.fixture
def shaky() -> Shaky:
    """A store that does not work yet."""
    return Shaky()


@pytest.fixture
def guarded(shaky: Shaky, hands: Hands) -> Iterator[GuardedBackend]:
    """The same, guarded."""
    guard = GuardedBackend(lambda: shaky, Recorder(), hands.clock, owned=False)
    yield guard
    guard.close()


def test_how_long_a_question_waits_for_a_store() -> None:
    """The documentation promises 0.8 s, the machine's turn included; the rows about stores that hang show it kept."""
    assert 0.75 == READ


def test_a_failing_store_is_left_alone(guarded: GuardedBackend, shaky: Shaky, hands: Hands) -> None:
    """For 1 s, doubling to 60 s with each failure in a row; one success ends it."""

    def ask() -> str:
        return guarded.ask(lambda backend: str(backend.ask()), "left alone", PATIENCE)

    pauses = [1, 2, 4, 8, 16, 32, 60, 60]
    for number, pause in enumerate(pauses, 1):
        assert (ask(), shaky.asked) == ("left alone", number)
        hands.turn(pause - 0.01)
        assert (ask(), shaky.asked) == ("left alone", number), "it was asked too soon"
        hands.turn(0.01)
    shaky.well = True
    assert [ask(), ask()] == ["well", "well"]
    shaky.well = False
    ask()
    hands.turn(1)
    shaky.well = True
    assert ask() == "well", "the pauses go on after a success"
    assert guarded._recorder.snapshot().backend_errors == len(pauses) + 1


def test_a_look_behind_counts_for_the_pauses_too(guarded: GuardedBackend, shaky: Shaky, hands: Hands) -> None:
    """A question that nobody waits for fails, is left out, and ends the pauses like any other; its end is told."""
    ended: list[int] = []

    def ask() -> None:
        before = len(ended)
        guarded.ask_behind(lambda backend: backend.ask(), lambda: ended.append(shaky.asked))
        until(lambda: len(ended) > before)

    ask()
    ask()
    assert guarded.left_alone
    hands.turn(1)
    ask()
    hands.turn(1.99)
    ask()
    hands.turn(0.01)
    shaky.well = True
    ask()
    assert ended == [1, 1, 2, 2, 3]
    assert not guarded.left_alone
    assert guarded._failures == 0


def test_a_look_behind_into_a_store_that_cannot_be_opened(hands: Hands) -> None:
    """It ends at once, counted."""
    guard = GuardedBackend(lambda: 1 / 0, Recorder(), hands.clock, owned=True)
    ended: list[bool] = []
    guard.ask_behind(lambda backend: None, lambda: ended.append(True))
    assert ended == [True]
    assert guard.left_alone
    guard.close()


def test_a_probe_asks_a_store_that_is_left_alone(guarded: GuardedBackend, shaky: Shaky) -> None:
    """Its failure is raised and costs no counter; its success ends the pause."""
    guarded.ask(lambda backend: backend.ask(), None, PATIENCE)
    with pytest.raises(OSError, match="disk full"):
        guarded.probe(lambda backend: backend.ask(), PATIENCE)
    shaky.well = True
    assert guarded.probe(lambda backend: str(backend.ask()), PATIENCE) == "well"
    assert not guarded.left_alone
    assert guarded._recorder.snapshot().backend_errors == 1


@pytest.mark.parametrize("owned", [True, False])
def test_only_an_own_store_is_closed(hands: Hands, owned: bool) -> None:
    """Also while it is left alone; one that was never opened is not opened for it."""
    closed: list[bool] = []
    backend = SimpleNamespace(close=lambda: closed.append(True))
    guard = GuardedBackend(lambda: backend, Recorder(), hands.clock, owned=owned)
    guard.ask(lambda backend: 1 / 0, None, PATIENCE)
    guard.close()
    assert closed == [True] * owned
    unused = GuardedBackend(lambda: 1 / 0, Recorder(), hands.clock, owned=True)
    unused.close()
    assert unused._recorder.snapshot().backend_errors == 0


class Slow:
    """Hangs until it is let go, and then raises."""

    def __init__(self) -> None:
        self.go, self.closed = threading.Event(), threading.Event()

    def hang(self) -> None:
        """Hang, and fail."""
        self.go.wait(PATIENCE)
        raise OSError("gone")

    def close(self) -> None:
        """Say that it is closed."""
        self.closed.set()


@pytest.mark.usefixtures("real_limits")
def test_a_store_that_hangs_is_closed_behind_it(hands: Hands, caplog: pytest.LogCaptureFixture) -> None:
    """Nobody waits for it, no connection stays open, and what it fails with then is told to nobody."""
    store, answered = Slow(), threading.Event()
    guard = GuardedBackend(lambda: store, Recorder(), hands.clock, owned=True)
    guard.ask(Slow.hang, None, 0.01)
    guard.close(0.01)
    assert not store.closed.is_set()
    store.go.set()
    assert store.closed.wait(PATIENCE)
    assert guard.left_alone
    assert [record.args[2] for record in caplog.records if isinstance(record.args, tuple)] == ["not done within 0.01 s"]
    late = Slow()
    guard = GuardedBackend(lambda: late, Recorder(), hands.clock, owned=True)
    guard.ask_behind(Slow.hang, answered.set)
    guard.close(0.01)
    errors = guard._recorder.snapshot().backend_errors
    late.go.set()
    assert answered.wait(PATIENCE)
    assert late.closed.wait(PATIENCE)
    assert (guard._recorder.snapshot().backend_errors, guard.left_alone) == (errors, True)


def test_a_store_that_cannot_be_closed(hands: Hands, caplog: pytest.LogCaptureFixture) -> None:
    """It is counted, and logged."""
    backend = SimpleNamespace(close=lambda: 1 / 0)
    guard = GuardedBackend(lambda: backend, Recorder(), hands.clock, owned=True)
    guard.ask(lambda backend: "well", None, PATIENCE)
    guard.close()
    assert guard._recorder.snapshot().backend_errors == 1
    assert "division by zero" in caplog.text
