"""One value a process, made anew where the world has changed."""

from __future__ import annotations

import sys
import threading
from types import SimpleNamespace

import pytest
from support.children import in_child

from openrouter_pricing._base.fork import PerProcess, is_alone


def test_a_value_is_made_once_and_when_first_asked_for() -> None:
    """Nothing is made before the first question, and once taken out it is made anew."""
    values: PerProcess[object] = PerProcess(object)
    assert values.peek() is None
    assert values.pop() is None
    first = values.get()
    assert values.get() is first is values.peek()
    assert values.pop() is first
    assert values.get() is not first


def test_threads_that_ask_at_once_agree() -> None:
    """Where another thread was faster while a value was made, its value is the value, and the own one is dropped."""
    other: list[object] = []

    def make() -> object:
        if not other:
            other.append(None)
            other[0] = values.get()  # as another thread would, in the middle of this
        return object()

    values: PerProcess[object] = PerProcess(make)
    assert values.get() is other[0]


def test_a_child_makes_its_own_and_keeps_its_parents() -> None:
    """After a fork there is another value; the parent's is neither used nor thrown away, which would close it."""
    values: PerProcess[list[int]] = PerProcess(lambda: [len(made)])
    made: list[object] = []
    inherited = values.get()
    made.append(None)
    assert in_child(lambda: values.peek() is None and values.get() == [1] and values._inherited == [inherited])
    assert values.get() is inherited


def test_a_patched_world_is_another(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was made before gevent or eventlet put their locks in the place of the real ones is made anew."""
    values: PerProcess[object] = PerProcess(object)
    first = values.get()
    monkeypatch.setattr(threading, "Lock", type("GreenLock", (), {}))
    assert values.get() is not first


@pytest.mark.parametrize(
    ("worker", "options", "alone"),
    [
        (0, {"enable-threads": b"true"}, True),
        (1, {b"enable-threads": b"true"}, False),
        (1, {"threads": b"2"}, False),
        (2, {}, True),
    ],
)
def test_where_threads_stop(
    monkeypatch: pytest.MonkeyPatch, worker: int, options: dict[str | bytes, bytes], alone: bool
) -> None:
    """Threads are not to be relied on in the master of a uWSGI, nor in a worker of one without threads."""
    assert not is_alone()
    monkeypatch.setitem(sys.modules, "uwsgi", SimpleNamespace(worker_id=lambda: worker, opt=options))
    assert alone == is_alone()
