"""What counts."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections import Counter
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

import pytest
from support.hands import Hands
from support.waiting import PATIENCE

from openrouter_pricing import StatusError, TransportError
from openrouter_pricing._freshness.recorder import Observer, Recorder


def test_it_counts(hands: Hands) -> None:
    """Counters add up, failures by their kind, and the last of each is remembered."""
    recorder = Recorder()
    recorder.count("fetches")
    recorder.count("bytes_received", 7)
    recorder.count("bytes_received", 3)
    for error in (StatusError(500, None), TransportError("reset"), StatusError(503, None)):
        recorder.failed(error, str(error))
    recorder.refreshed(0.5, hands.wall)
    hands.turn(1)
    recorder.refreshed(0.25, hands.wall)
    stats = recorder.snapshot(models=4)
    assert (stats.fetches, stats.bytes_received, stats.models) == (1, 10, 4)
    assert (stats.failures, stats.last_error) == (
        {"StatusError": 2, "TransportError": 1},
        "upstream answered with HTTP status 503",
    )
    assert (stats.refreshes, stats.refresh_seconds, stats.last_refresh_seconds) == (2, 0.75, 0.25)
    assert stats.last_refresh == hands.wall


def test_what_was_shown_does_not_change() -> None:
    """A snapshot is of its moment."""
    recorder = Recorder()
    recorder.failed(TransportError("reset"), "reset")
    before = recorder.snapshot()
    recorder.failed(TransportError("reset"), "reset")
    assert (before.failures, recorder.snapshot().failures) == ({"TransportError": 1}, {"TransportError": 2})


def test_threads_lose_no_count() -> None:
    """Eight threads that count at once are all counted."""
    recorder = Recorder()
    start = threading.Barrier(8)

    def count() -> None:
        start.wait(PATIENCE)
        for _ in range(1000):
            recorder.count("requests")

    threads = [threading.Thread(target=count) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert recorder.snapshot().requests == 8000


def test_a_handler_may_count_in_the_middle_of_counting() -> None:
    """The lock is reentrant: who is interrupted while it is held is not waited for."""
    recorder = Recorder()
    with recorder._lock:
        recorder.count("fetches")
        assert recorder.snapshot().fetches == 1


def test_observers_are_told_of_everything(hands: Hands) -> None:
    """Of what was counted before they came, once, and of each count from then on."""
    recorder, told = Recorder(), Counter[tuple[str, str]]()
    recorder.count("fetches", 2)
    recorder.failed(TransportError("reset"), "reset")
    recorder.refreshed(0.5, hands.wall)
    recorder.observe(lambda name, by, kind: told.update({(name, kind): by}))
    recorder.count("fetches")
    recorder.failed(TransportError("reset"), "reset")
    recorder.refreshed(0.25, hands.wall)
    assert told == {
        ("fetches", ""): 3,
        ("failures", "TransportError"): 2,
        ("refreshes", ""): 2,
        ("refresh_seconds", ""): 0.75,
    }


def test_recorders_of_other_processes_tell_the_same_observers() -> None:
    """What observes one observes those that are made later from the same list."""
    told: list[str] = []
    observers: list[Observer] = []
    Recorder(observers).observe(lambda name, by, kind: told.append(name))
    Recorder(observers).count("fetches")
    assert told == ["refresh_seconds", "fetches"]


def test_an_observer_that_fails(caplog: pytest.LogCaptureFixture) -> None:
    """It is counted each time and logged once; what it was told of is counted, and others are told."""
    recorder, told = Recorder(), list[str]()

    def broken(name: str, by: float, kind: str) -> None:
        raise ZeroDivisionError(name)

    recorder.observe(broken)
    recorder.observe(lambda name, by, kind: told.append(name))
    recorder.count("requests")
    recorder.count("requests")
    assert (recorder.snapshot().requests, recorder.snapshot().listener_errors) == (2, 3)
    assert told[-2:] == ["requests", "requests"]
    assert ["an observer of the counters failed: ZeroDivisionError('refresh_seconds')"] == caplog.messages


IN_THE_MIDDLE = """
import sys
from openrouter_pricing._freshness.recorder import Recorder

recorder = Recorder()
recorder.count("fetches", 3)
seen = []

def handler(frame, event, argument):
    if event == "call" and frame.f_code.co_name == "<module>" and frame.f_code.co_filename.endswith("stats.py"):
        sys.setprofile(None)
        seen.append(recorder.snapshot().fetches)

sys.setprofile(handler)
seen.append(recorder.snapshot().fetches)
print(seen)
"""


def test_a_signal_handler_that_asks_while_the_class_is_imported() -> None:
    """A handler may come in the middle of that import, and ask for the very same."""
    done = subprocess.run(
        [sys.executable, "-c", IN_THE_MIDDLE], capture_output=True, text=True, check=True, cwd=Path(__file__).parent
    )
    assert ("[3, 3]\n", "") == (done.stdout, done.stderr)


def test_an_import_that_has_just_begun(monkeypatch: pytest.MonkeyPatch) -> None:
    """A signal handler that asks while its thread imports the statistics gets them all the same."""
    name = "openrouter_pricing._freshness.stats"
    begun = ModuleType(name)
    begun.__spec__ = find_spec(name)
    monkeypatch.setitem(sys.modules, name, begun)
    assert Recorder().snapshot().requests == 0
