"""Latch: an event that a signal handler may set while the thread it interrupts is about to wait for it."""

from __future__ import annotations

import threading


class Latch:
    """Set once, for ever. ``threading.Event`` takes a lock that is not reentrant in both ``wait`` and ``set``, so that
    a signal handler which sets it in the middle of a wait would stand still for ever; here one lock is all there is.
    """

    def __init__(self) -> None:
        self._set = False
        self._first = [None]
        self._gate = threading.Lock()
        self._gate.acquire()

    def is_set(self) -> bool:
        """Whether it was set."""
        return self._set

    def set(self) -> None:
        """Let everybody through, now and later."""
        self._set = True
        try:
            self._first.pop()  # atomic: of all that set it, one opens the gate
        except IndexError:
            return
        self._gate.release()

    def wait(self, timeout: float) -> bool:
        """Wait until it is set, ``timeout`` seconds at most; whether it is."""
        if not self._set and self._gate.acquire(timeout=max(0.0, timeout)):
            self._gate.release()
        return self._set
