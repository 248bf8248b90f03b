"""A worker that is dropped unclosed takes its thread along."""

from __future__ import annotations

import gc
import threading

from openrouter_pricing._base.worker import Worker


def test_a_dropped_worker_ends_its_thread() -> None:
    """The thread waits for jobs without holding on to the worker, and ends with it, without anybody looking."""
    worker = Worker("dropped")
    thread = worker.run(threading.current_thread, 10)
    assert thread.name == "dropped"
    del worker
    gc.collect()
    thread.join(10)
    assert not thread.is_alive()


def test_a_worker_dropped_in_the_middle_of_a_job() -> None:
    """A job that is under way is finished; then the thread ends."""
    worker = Worker("dropped")
    begun, leave = threading.Event(), threading.Event()
    done: list[threading.Thread] = []

    def job() -> None:
        begun.set()
        leave.wait(10)
        done.append(threading.current_thread())

    asker = threading.Thread(target=worker.run, args=(job, 10))
    asker.start()
    begun.wait(10)
    del worker
    leave.set()
    asker.join()
    done[0].join(10)
    assert [False] == [thread.is_alive() for thread in done]


def test_a_worker_that_never_worked() -> None:
    """There is no thread to end where there was no job."""
    before = threading.active_count()
    del_me = Worker("idle")
    del del_me
    assert before == threading.active_count()
