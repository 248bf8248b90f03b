"""Forks: one hook for all disk stores, which waits for writes under way and holds on to nothing."""

from __future__ import annotations

import gc
import os
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from openrouter_pricing.backends import disk
from openrouter_pricing.backends.disk import DiskBackend


def test_stores_leave_no_hook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Making, using and dropping stores registers no fork hook, and the one that there is forgets them."""
    hooks: list[object] = []
    monkeypatch.setattr(os, "register_at_fork", lambda **hook: hooks.append(hook))
    gc.collect()
    before = len(disk._stores)
    for _ in range(100):
        DiskBackend(tmp_path / "store").get("key")
    gc.collect()
    assert ([], before) == (hooks, len(disk._stores))


def test_all_locks_are_held_over_a_fork(tmp_path: Path) -> None:
    """The locks of all stores are held until the parent goes on."""
    stores = [DiskBackend(tmp_path / str(number)) for number in range(2)]
    free: list[bool] = []

    def look() -> None:
        for store in stores:
            free.append(store._lock.acquire(timeout=0))
            if free[-1]:
                store._lock.release()

    for step in (disk._before_fork, disk._after_fork_in_parent):
        step()
        thread = threading.Thread(target=look)
        thread.start()
        thread.join()
    assert [False, False, True, True] == free


def test_stuck_stores_hold_up_a_fork_together(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many stores are stuck in a write, a fork waits for them once, and not for one just dropped."""
    waited: list[float] = []

    class Stuck:
        def acquire(self, timeout: float) -> bool:
            waited.append(timeout)
            return False

    stuck = SimpleNamespace(_own_lock=Stuck)
    monkeypatch.setattr(disk, "_stores", SimpleNamespace(keyrefs=lambda: [lambda: stuck, lambda: None] * 50))
    monkeypatch.setattr(time, "monotonic", lambda: sum(waited))
    disk._before_fork()
    disk._after_fork_in_parent()
    assert (50, disk._FORK_WAIT) == (len(waited), sum(waited))
