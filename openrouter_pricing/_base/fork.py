"""One value a process, made anew where a fork, or a patch of ``threading``, has changed the world."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

_T = TypeVar("_T")


def _world() -> tuple[int, object]:
    """This process, and the locks that its threads use: gevent and eventlet put others in their place.

    Comparing process ids is what works everywhere: uWSGI fires no fork hooks.
    """
    return os.getpid(), threading.Lock


def is_forking_master() -> bool:
    """Whether this is the master of a uWSGI, which forks whatever its threads do, and fires no hooks."""
    uwsgi = sys.modules.get("uwsgi")
    return uwsgi is not None and uwsgi.worker_id() == 0


def is_alone() -> bool:
    """Whether other threads stop when this one goes on: in a forking master, or a uWSGI without threads."""
    uwsgi = sys.modules.get("uwsgi")
    if uwsgi is None:
        return False
    options = {name.decode() if isinstance(name, bytes) else name for name in getattr(uwsgi, "opt", ())}
    return is_forking_master() or not options & {"enable-threads", "threads"}


class PerProcess(Generic[_T]):
    """A value that must not be taken over a fork: locks, threads, sockets, connections.

    What a parent made is kept and never touched, as its connections and threads are the parent's.

    Args:
        make: makes a value; called with the first question in each process. It must start nothing, as two threads that
            ask at once may both call it, and one value is thrown away.
    """

    def __init__(self, make: Callable[[], _T]) -> None:
        self._make = make
        self._values: dict[object, _T] = {}
        self._inherited: list[_T] = []

    def get(self) -> _T:
        """This process's value."""
        world = _world()
        if world not in self._values:
            self._values.setdefault(world, self._make())  # atomic, so that two threads agree
            for other in [other for other in self._values if other != world]:
                self._inherited.append(self._values.pop(other))
        return self._values[world]

    def peek(self) -> _T | None:
        """This process's value, if it was made."""
        return self._values.get(_world())

    def pop(self) -> _T | None:
        """Take this process's value out, if it was made; the next question makes another."""
        return self._values.pop(_world(), None)
