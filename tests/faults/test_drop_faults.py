"""Objects that are dropped, closed or not: no thread, no descriptor, no fork hook is left of them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from support.figures import Figure

pytestmark = pytest.mark.faults

DROPS = """
import gc, json, os, sys, threading, time, warnings
from openrouter_pricing import Pricing, Settings

warnings.simplefilter("ignore")
directory, kind, times = sys.argv[1], sys.argv[2], int(sys.argv[3])
registered = []
register = os.register_at_fork
os.register_at_fork = lambda **hooks: (registered.append(hooks), register(**hooks))


def use():
    options = {"backend": "disk://" + directory, "base_url": "http://127.0.0.1:9/api/v1", "attempts": 1}
    pricing = Pricing(Settings(**options, offline=kind != "warmed", stale_while_revalidate=0))
    if kind == "closed":
        with pricing:
            pricing.cost("openai/gpt-4o-mini", 1000)
    elif kind == "asked":
        pricing.cost("openai/gpt-4o-mini", 1000)
    elif kind == "warmed":
        pricing.start_warmer()


def count():
    gc.collect()
    end = time.monotonic() + 20
    while threading.active_count() > 1 and time.monotonic() < end:
        time.sleep(0.01)
        gc.collect()
    return threading.active_count() - 1, len(os.listdir("/proc/self/fd")), len(registered)


def fork():
    seconds = []
    for _ in range(9):
        began = time.perf_counter()
        pid = os.fork()
        if pid == 0:
            os._exit(0)
        seconds.append(time.perf_counter() - began)
        os.waitpid(pid, 0)
    return min(seconds)


use()
before, first = count(), fork()
for number in range(times):
    use()
    if number % 50 == 0:
        gc.collect()
print(json.dumps([before, count(), first, fork()]))
"""


@pytest.mark.parametrize(("kind", "times"), [("made", 10_000), ("asked", 300), ("closed", 1_000), ("warmed", 100)])
def test_dropped_objects_leave_nothing(kind: str, times: int, tmp_path: Path, figure: Figure) -> None:
    """Whatever a dropped ``Pricing`` did, nothing of it is left, and a fork afterwards takes as long as before.

    Guards: one fork hook in ``backends.disk`` over weak references; ``Worker.__del__``; ``Pricing.__del__`` stops the
    warmer.
    """
    command = [sys.executable, "-c", DROPS, str(tmp_path / "store"), kind, str(times)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, timeout=300, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    before, after, first, last = json.loads(done.stdout)
    assert before == after
    assert after[0] == 0
    assert last < 3 * first
    figure(f"{times} dropped Pricings, {kind}", f"0 threads, 0 hooks more; a fork takes {last / first:.1f} x as long")
