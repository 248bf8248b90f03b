"""A history that fails or hangs."""

from __future__ import annotations

import os
import threading
from typing import Any

import pytest
from support.hands import Hands
from support.recordings import DAY, FIRST, MemoryHistory, listed

from openrouter_pricing import Pricing, Settings
from openrouter_pricing._freshness.recorder import Recorder
from openrouter_pricing._freshness.unfinished import unfinished
from openrouter_pricing._history.bundled import BundledHistory
from openrouter_pricing._history.guarded import GuardedHistory

LISTS = listed(0, x="1"), listed(5, x="2"), listed(9, x="3")


@pytest.fixture
def recorder() -> Recorder:
    """Counts."""
    return Recorder()


def guarded(history: Any, recorder: Recorder, hands: Hands, **options: Any) -> GuardedHistory:
    """The same, guarded."""
    return GuardedHistory(lambda: history, lambda: recorder, hands.clock, owned=True, **options)


def test_a_list_is_asked_for_once(recorder: Recorder, hands: Hands) -> None:
    """What stood between two recordings never changes; the last list may have stood for longer by now."""
    history = MemoryHistory(*LISTS)
    asking, before = guarded(history, recorder, hands), history.asked
    for day in (6, 0, 8, 4, 5, 0):
        found = asking.as_of(FIRST + day * DAY)
        assert found is not None
        assert FIRST + (5 if day >= 5 else 0) * DAY == found.as_of
    assert before + 2 == history.asked
    assert asking.as_of(FIRST + 10 * DAY) is not asking.as_of(FIRST + 10 * DAY)
    asking.close()
    assert 1 == history.closed


def test_no_more_lists_are_kept_than_are_good_for(
    recorder: Recorder, hands: Hands, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beyond the limit they are asked for anew."""
    monkeypatch.setattr("openrouter_pricing._history.guarded._MOST_LISTS", 1)
    history = MemoryHistory(*LISTS)
    asking = guarded(history, recorder, hands)
    found = [asking.as_of(FIRST + day * DAY) for day in (0, 6, 0, 6)]
    assert found[0] is found[2]
    assert found[1] is not found[3]
    asking.close()


def test_a_history_that_fails_costs_a_counter_and_a_line(
    recorder: Recorder, hands: Hands, caplog: pytest.LogCaptureFixture
) -> None:
    """Every call is answered, by the list held, and says so; and the history is left alone for a while."""
    history = MemoryHistory(*LISTS)
    history.error = OSError("no route to postgresql://me:secret@host/db")
    pricing = Pricing(catalog=listed(20, x="9"), history=history, clock=hands.clock)
    for _ in range(3):
        cost = pricing.cost("a/x", 1, at=FIRST)
        assert ("pinned", 9, 1) == (cost.source, cost.raw, len(cost.flags))
    assert () == pricing.price_history("a/x") == pricing.changes()
    assert 1 == pricing.stats().history_errors == len(caplog.records)
    assert "the price history failed (OSError: no route to postgresql://***@host/db)" in caplog.text
    history.error = None
    hands.turn(2)
    assert "history" == pricing.cost("a/x", 1, at=FIRST).source


def test_a_history_that_hangs_costs_a_moment(recorder: Recorder, hands: Hands, real_limits: None) -> None:
    """It is answered without; what hangs does so in a thread of ours."""
    released = threading.Event()

    class Hanging(MemoryHistory):
        def as_of(self, at: Any) -> Any:
            released.wait(60)
            return super().as_of(at)

    asking = guarded(Hanging(*LISTS), recorder, hands)
    assert asking.as_of(FIRST) is None
    released.set()
    assert 1 == recorder.snapshot().history_errors
    asking.close()


def test_a_damaged_bundle_costs_a_counter(recorder: Recorder, hands: Hands, monkeypatch: pytest.MonkeyPatch) -> None:
    """It needs no thread, and may be damaged all the same."""
    monkeypatch.setattr("openrouter_pricing.data.read", lambda name: b"torn")
    history = BundledHistory()
    asking = guarded(history, recorder, hands, inline=history)
    before = set(threading.enumerate())
    assert asking.as_of(FIRST) is None
    assert () == asking.periods()
    asking.record(LISTS[0])
    assert not set(threading.enumerate()) - before
    assert 2 == recorder.snapshot().history_errors


def test_a_recording_that_fails_costs_a_counter(recorder: Recorder, hands: Hands) -> None:
    """Nobody waits for it in vain."""
    history = MemoryHistory()
    history.error = OSError("disk full")
    asking = guarded(history, recorder, hands)
    asking.record(LISTS[0])
    asking.close()
    assert 1 == recorder.snapshot().history_errors
    assert not unfinished.get()


def test_nothing_is_recorded_after_the_end(recorder: Recorder, hands: Hands) -> None:
    """A list that comes when it is closed is told to nobody, and counted."""
    history = MemoryHistory()
    asking = guarded(history, recorder, hands)
    asking.record(LISTS[0])
    asking.close()
    asking.record(LISTS[1])
    assert ([LISTS[0]], 1) == (history.lists, recorder.snapshot().history_errors)
    assert not unfinished.get()


def test_a_child_asks_for_itself(recorder: Recorder, hands: Hands) -> None:
    """Each process opens a history of its own, and has threads of its own."""
    opened = []

    def opening() -> MemoryHistory:
        opened.append(os.getpid())
        return MemoryHistory(*LISTS)

    asking = GuardedHistory(opening, lambda: recorder, hands.clock, owned=True)
    assert asking.as_of(FIRST + 10 * DAY) is not None
    child = os.fork()
    if not child:
        found = asking.as_of(FIRST + 10 * DAY)
        os._exit(0 if found is not None and [os.getppid(), os.getpid()] == opened else 1)
    assert 0 == os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    asking.close()


def test_settings_say_when_there_is_nothing_to_close() -> None:
    """A ``Pricing`` whose past nobody asked for has opened nothing."""
    pricing = Pricing(Settings(offline=True, backend="null://"))
    pricing.close()
    assert 0 == pricing.stats().history_errors
