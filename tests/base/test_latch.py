"""An event that a signal handler may set in the middle of anything."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from pathlib import Path

from support.waiting import PATIENCE

from openrouter_pricing._base.latch import Latch

#: Waits while handlers set and wait for the same latch; a lock that is not reentrant would stand still.
BOMBARDED = """
import signal, sys
from openrouter_pricing._base.latch import Latch

def handle(number, frame):
    global latch
    latch.set()
    latch.set()
    assert latch.wait(60) and latch.is_set()

latch = Latch()
signal.signal(signal.SIGALRM, handle)
signal.setitimer(signal.ITIMER_REAL, 0.001, 0.0003)
for _ in range(1000):
    assert latch.wait(60)
    latch = Latch()
signal.setitimer(signal.ITIMER_REAL, 0)
print("well")
"""


def test_it_lets_everybody_through_once_it_is_set() -> None:
    """All that wait are let go, and those that come later do not wait."""
    latch, through = Latch(), []
    threads = [threading.Thread(target=lambda: through.append(latch.wait(PATIENCE))) for _ in range(5)]
    for thread in threads:
        thread.start()
    assert (latch.is_set(), through) == (False, [])
    latch.set()
    for thread in threads:
        thread.join(PATIENCE)
    assert through == [True] * 5
    assert latch.is_set()
    assert latch.wait(0)


def test_waiting_ends_with_its_time() -> None:
    """Whoever gives up first is told that it is not set; no time, or less, is no wait."""
    latch = Latch()
    assert [latch.wait(seconds) for seconds in (0.01, 0, -1)] == [False] * 3


def test_setting_it_twice_is_setting_it() -> None:
    """The second time changes nothing."""
    latch = Latch()
    latch.set()
    latch.set()
    assert latch.wait(0)


def test_a_handler_sets_what_the_thread_it_interrupts_waits_for() -> None:
    """The wait ends, and finds the latch set."""
    latch = Latch()
    before = signal.signal(signal.SIGUSR1, lambda *_: latch.set())
    try:
        main = threading.get_ident()
        killer = threading.Thread(target=lambda: signal.pthread_kill(main, signal.SIGUSR1))
        killer.start()
        assert latch.wait(PATIENCE)
        killer.join(PATIENCE)
    finally:
        signal.signal(signal.SIGUSR1, before)


def test_handlers_at_any_instant_do_not_stop_it(tmp_path: Path) -> None:
    """A thousand latches are waited for, while handlers that set and wait for them interrupt all the time."""
    done = subprocess.run(
        [sys.executable, "-c", BOMBARDED],
        capture_output=True,
        text=True,
        timeout=2 * PATIENCE,
        check=False,
        cwd=tmp_path,
    )
    assert done.stdout == "well\n", done.stderr
