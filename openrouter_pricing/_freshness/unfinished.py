"""What is being stored when a process ends, or forks: it reaches its store first."""

from __future__ import annotations

import atexit
import os
import sys
import time

from .._base.fork import PerProcess
from .._base.latch import Latch

STORING = 1.3  # seconds that closing, and the end of the interpreter, give a list that is being stored
_FORK_WAIT = 0.15  # seconds that a fork waits for a list that is being stored


def _see_to_the_end() -> set[Latch]:
    """What the end of this process waits for; children of multiprocessing skip atexit, and run finalizers instead."""
    util = sys.modules.get("multiprocessing.util")
    if util is not None:
        util.Finalize(None, let_them_finish, exitpriority=1)
    return set()


unfinished: PerProcess[set[Latch]] = PerProcess(_see_to_the_end)


def let_them_finish(seconds: float = STORING) -> None:
    """Let lists that are being stored reach their store, so that a short script leaves its list to the next one."""
    until = time.monotonic() + seconds
    for finished in list(unfinished.peek() or ()):
        finished.wait(until - time.monotonic())


atexit.register(let_them_finish)
# A parent that goes right after a fork would leave its lease behind.
os.register_at_fork(before=lambda: let_them_finish(_FORK_WAIT))
