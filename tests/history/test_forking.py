"""No process forks while one of its threads is in SQLite."""

from __future__ import annotations

import threading

import pytest

from openrouter_pricing.history.forking import Turns


def test_a_fork_waits_for_the_turn_of_a_thread() -> None:
    """It gets its own when that ends, and nobody else has one meanwhile."""
    turns, order = Turns(), []
    inside, leave = threading.Event(), threading.Event()

    def use(name: str) -> None:
        with turns.turn():
            inside.set()
            leave.wait(60)
            order.append(name)

    first = threading.Thread(target=use, args=("first",))
    first.start()
    inside.wait(60)
    fork = threading.Thread(target=lambda: (turns.before_fork(), order.append("fork"), turns.after_fork_in_parent()))
    fork.start()
    leave.set()
    first.join()
    fork.join()
    use("second")
    assert ["first", "fork", "second"] == order


def test_a_fork_does_not_wait_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    """A turn that does not end lets the fork go on; the child has turns of its own."""
    monkeypatch.setattr("openrouter_pricing.history.forking._FORK_WAIT", 0.01)
    turns, inside, leave = Turns(), threading.Event(), threading.Event()

    def use() -> None:
        with turns.turn():
            inside.set()
            leave.wait(60)

    stuck = threading.Thread(target=use)
    stuck.start()
    inside.wait(60)
    turns.before_fork()
    turns.after_fork_in_parent()
    turns.before_fork()
    turns.after_fork_in_child()
    entered = []
    with turns.turn():
        entered.append("child")
    leave.set()
    stuck.join()
    assert ["child"] == entered
