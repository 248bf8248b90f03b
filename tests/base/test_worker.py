"""The thread that does jobs for those who cannot wait for ever."""

from __future__ import annotations

import threading

import pytest
from support.waiting import PATIENCE

from openrouter_pricing._base.worker import Worker


def test_a_job_is_done_in_a_thread_of_its_own() -> None:
    """What it answers comes back, and so does what it raises."""
    worker = Worker("test")
    assert worker.run(lambda: threading.current_thread().name, PATIENCE) == "test"
    with pytest.raises(ZeroDivisionError):
        worker.run(lambda: 1 / 0, PATIENCE)
    worker.close()


def test_a_job_that_hangs_is_not_waited_for() -> None:
    """Its asker is let go in time, later ones at once, and all is well again when it has ended."""
    worker, hold = Worker("test"), threading.Event()
    with pytest.raises(TimeoutError, match="not done"):
        worker.run(lambda: hold.wait(PATIENCE), 0.05)
    with pytest.raises(TimeoutError, match="still hangs"):
        worker.run(lambda: None, PATIENCE)
    hold.set()
    while True:
        try:
            assert worker.run(lambda: "well", PATIENCE) == "well"
            break
        except TimeoutError:
            continue
    worker.close()


def test_a_closed_worker_takes_no_jobs() -> None:
    """After ``close`` there is no thread and no new one."""
    worker = Worker("never started")
    worker.close()
    worker.close()
    with pytest.raises(RuntimeError, match="closed"):
        worker.run(lambda: None, PATIENCE)
    assert "never started" not in [thread.name for thread in threading.enumerate()]
