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


def test_a_job_may_be_left_to_itself() -> None:
    """Nobody waits for a job that is submitted; it is done, and what it raised is kept with it."""
    worker, hold = Worker("test"), threading.Event()
    job, failing = worker.submit(lambda: hold.wait(PATIENCE)), worker.submit(lambda: 1 / 0)
    assert not job.done.is_set()
    hold.set()
    assert failing.done.wait(PATIENCE)
    assert (job.result, type(failing.error)) == (True, ZeroDivisionError)
    worker.close()


def test_what_was_taken_is_done_after_closing() -> None:
    """Closing lets the thread do the jobs that it has, and end."""
    worker, hold = Worker("closing"), threading.Event()
    worker.submit(lambda: hold.wait(PATIENCE))
    last = worker.submit(lambda: "done")
    worker.close()
    hold.set()
    assert last.done.wait(PATIENCE)
    assert last.result == "done"


def test_a_thread_that_cannot_start_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a thread there is an error, and the next job tries once more."""
    worker = Worker("test")

    def refuse(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        with pytest.raises(RuntimeError, match="can't start"):
            worker.submit(lambda: None)
    assert worker.run(lambda: "well", PATIENCE) == "well"
    worker.close()
