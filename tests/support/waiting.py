"""How a test waits for another thread."""

from __future__ import annotations

import threading
from collections.abc import Callable

#: Seconds that what is meant to happen may take. No test waits for so long but one that fails.
PATIENCE = 60.0


def until(condition: Callable[[], object]) -> None:
    """Wait for what another thread is about to do."""
    for _ in range(round(PATIENCE * 100)):
        if condition():
            return
        threading.Event().wait(0.01)
    raise AssertionError("it did not happen")
