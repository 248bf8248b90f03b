"""SQLite takes locks of its own, which a child would inherit as they are: no process forks while one is held."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_FORK_WAIT = 0.8  # seconds that a fork waits for what is under way


class Turns:
    """Lets one thread of this process at a time into SQLite, and a fork when none is in it.

    Where forks fire no hooks, as under uWSGI, a child may find SQLite locked for ever: whoever asks it waits for a
    moment only, as for any history that hangs.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._held: list[bool] = []

    @contextmanager
    def turn(self) -> Iterator[None]:
        """This thread's turn."""
        with self._lock:
            yield

    def before_fork(self) -> None:
        """Wait until nobody is in it, for a moment."""
        self._held.append(self._lock.acquire(timeout=_FORK_WAIT))

    def after_fork_in_parent(self) -> None:
        """Go on."""
        if self._held.pop():
            self._lock.release()

    def after_fork_in_child(self) -> None:
        """Begin anew: whoever had the turn is not here."""
        self._lock = threading.RLock()
        self._held.clear()


turns: Turns = Turns()
os.register_at_fork(
    before=turns.before_fork,
    after_in_parent=turns.after_fork_in_parent,
    after_in_child=turns.after_fork_in_child,
)
