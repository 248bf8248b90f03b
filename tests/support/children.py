"""Forked children."""

from __future__ import annotations

import os
from collections.abc import Callable


def in_child(work: Callable[[], bool]) -> bool:
    """Whether ``work`` says yes in a forked child, which ends there whatever goes wrong."""
    pid = os.fork()
    if pid == 0:
        good = False
        try:
            good = work()
        finally:
            os._exit(0 if good else 1)
    return os.waitpid(pid, 0)[1] == 0
