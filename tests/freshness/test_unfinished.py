"""What is being stored when a process ends or forks."""

from __future__ import annotations

import multiprocessing
import threading
from pathlib import Path

import pytest
from support.children import in_child
from support.waiting import PATIENCE

from openrouter_pricing._base.latch import Latch
from openrouter_pricing._freshness import unfinished as ending
from openrouter_pricing._freshness.unfinished import let_them_finish, unfinished


def test_the_end_waits_for_what_is_being_stored() -> None:
    """It goes on once everything is stored, and not before."""
    latch = Latch()
    unfinished.get().add(latch)
    order: list[str] = []

    def store() -> None:
        order.append("stored")
        latch.set()

    thread = threading.Thread(target=store)
    thread.start()
    let_them_finish(60)
    order.append("ended")
    thread.join()
    unfinished.get().discard(latch)
    assert ["stored", "ended"] == order


def test_the_end_does_not_wait_for_ever() -> None:
    """What hangs is left behind."""
    latch = Latch()
    unfinished.get().add(latch)
    let_them_finish(0.01)
    unfinished.get().discard(latch)
    assert not latch.is_set()


def test_a_fork_waits_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """A fork finds what was being stored stored."""
    monkeypatch.setattr(ending, "_FORK_WAIT", PATIENCE)
    latch = Latch()
    unfinished.get().add(latch)
    threading.Timer(0.1, latch.set).start()
    assert in_child(latch.is_set)
    unfinished.get().discard(latch)


def _child(done: Path) -> None:
    latch = Latch()
    unfinished.get().add(latch)

    def store() -> None:
        done.write_text("stored")
        latch.set()

    threading.Timer(0.1, store).start()


def test_a_child_of_multiprocessing_waits_at_its_end(tmp_path: Path) -> None:
    """Such children skip atexit; their finalizers wait instead."""
    done = tmp_path / "done"
    child = multiprocessing.get_context("fork").Process(target=_child, args=(done,))
    child.start()
    child.join()
    assert "stored" == done.read_text()
