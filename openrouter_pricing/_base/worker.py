"""Worker: does jobs in one daemon thread, so that nobody waits on them for longer than they want to."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from typing import Any, TypeVar

from .latch import Latch

_T = TypeVar("_T")


class Job:
    """Something to do, and what came of it."""

    def __init__(self, work: Callable[[], Any]) -> None:
        self.work = work
        self.done = Latch()
        self.result: Any = None
        self.error: Exception | None = None


class Worker:
    """One daemon thread, started with the first job. A job that hangs blocks the later ones, never their askers.

    The thread ends when the worker is closed or dropped.

    Args:
        name: of the thread.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._lock = threading.RLock()
        self._jobs: queue.SimpleQueue[Job | None] | None = None
        self._late: Job | None = None
        self._closed = False

    def submit(self, work: Callable[[], Any]) -> Job:
        """Have ``work`` done in the thread, without waiting for it.

        Raises:
            TimeoutError: an earlier job still hangs.
            RuntimeError: no thread can be started, or it is closed.
        """
        job = Job(work)
        with self._lock:
            if self._closed:
                raise RuntimeError("closed")
            if self._late is not None and not self._late.done.is_set():
                raise TimeoutError("an earlier operation still hangs")
            if self._jobs is None:
                # Kept before it is served: a signal handler may come between, and must not start a second thread.
                self._jobs = queue.SimpleQueue()
                try:
                    threading.Thread(target=_loop, args=(self._jobs,), name=self._name, daemon=True).start()
                except RuntimeError:
                    self._jobs = None
                    raise
            self._jobs.put(job)
        return job

    def run(self, work: Callable[[], _T], timeout: float) -> _T:
        """Do ``work`` in the thread and wait for it, at most ``timeout`` seconds; its error is raised here.

        Raises:
            TimeoutError: it is not done by then, or an earlier job still hangs.
            RuntimeError: no thread can be started, or it is closed.
        """
        job = self.submit(work)
        self._await(job, timeout)
        result: _T = job.result
        return result

    def close(self, last: Callable[[], Any] | None = None, timeout: float = 0.0) -> None:
        """Take no more jobs, and let the thread end after those that it has.

        Args:
            last: done before it ends, even behind a job that hangs; not at all if it never started.
            timeout: seconds to wait for ``last``, whose error is raised here.

        Raises:
            TimeoutError: ``last`` is not done by then; it will be, if what hangs ever ends.
        """
        with self._lock:
            self._closed = True
            jobs, self._jobs = self._jobs, None
        if jobs is None:
            return
        job = None if last is None else Job(last)
        if job is not None:
            jobs.put(job)
        jobs.put(None)
        if job is not None:
            self._await(job, timeout)

    def _await(self, job: Job, timeout: float) -> None:
        if not job.done.wait(timeout):
            self._late = job
            raise TimeoutError(f"not done within {timeout:g} s")
        if job.error is not None:
            raise job.error

    def __del__(self) -> None:
        if self._jobs is not None:
            self._jobs.put(None)  # which is safe here, wherever the collector interrupts what


def _loop(jobs: queue.SimpleQueue[Job | None]) -> None:
    while (job := jobs.get()) is not None:
        try:
            job.result = job.work()
        except Exception as error:  # noqa: BLE001  # it is raised where the job was asked for
            job.error = error
        job.done.set()
        del job
