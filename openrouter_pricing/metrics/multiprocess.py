"""Counters of which every process has a file, so that any process can add them up.

The client's own counters take one lock for all of them, which is not reentrant: a child that was forked while it was
held, or a signal handler that counts, would stand still in the middle of ``cost()``. Here a count is one store into
mapped memory, in a file that the client reads like its own.
"""

from __future__ import annotations

import mmap
import os
from os import getpid
from typing import Any

from prometheus_client.mmap_dict import MmapedDict, mmap_key

from .._base.fork import PerProcess
from .._base.log import logger
from .table import COUNTERS, FAILURES, Metric

_MmapedDict: Any = MmapedDict  # which has no types
_KEYS = [(metric, value) for metric in COUNTERS for value in (metric.values or ("",))]


class _Place:
    """Where one process counts one thing."""

    __slots__ = ("count", "pid", "view")

    def __init__(self, view: memoryview[float] | list[float]) -> None:
        self.view = view
        self.pid = getpid()
        self.count: float = 0


class Tally:
    """One counter. ``tally += 1`` is all that counting takes; a forked child begins at 0, in a file of its own."""

    __slots__ = ("_number", "_pages", "_place")

    def __init__(self, pages: PerProcess[_Page], number: int) -> None:
        self._pages = pages
        self._number = number
        self._place = pages.get().places[number]

    def __iadd__(self, by: float) -> Tally:
        place = self._place
        if place.pid != getpid():  # uWSGI fires no fork hooks
            place = self._turn()
        place.count += by
        place.view[0] = place.count  # what is the count now: another thread may have gone before
        return self

    def __int__(self) -> int:
        place = self._place
        return int(place.count if place.pid == getpid() else self._turn().count)

    def _turn(self) -> _Place:
        place = self._place = self._pages.get().places[self._number]
        return place


class _Page:
    """The file of one process; memory alone where it cannot be made.

    Args:
        folder: where the client looks for such files.
    """

    def __init__(self, folder: str) -> None:
        self.error: OSError | None = None
        try:
            self.places = [_Place(view) for view in _views(folder)]
        except OSError as error:
            self.error = error
            self.places = [_Place([0.0]) for _ in _KEYS]
            logger(__name__).error("metrics of this process are not counted: %r", error)


def _views(folder: str) -> list[memoryview[float]]:
    """A cell for each counter, in a file that nobody else writes to."""
    path = os.path.join(folder, f"counter_openrouter-pricing-{getpid()}-{os.urandom(4).hex()}")
    file = _MmapedDict(path)
    try:
        for metric, value in _KEYS:
            file.write_value(_key(metric, value), 0.0, 0.0)
    finally:
        file.close()
    with open(path, "r+b") as opened:
        whole = memoryview(mmap.mmap(opened.fileno(), 0))
    places = [place for *_, place in _MmapedDict.read_all_values_from_file(path)]
    os.rename(path, f"{path}.db")  # the client reads it from now on; one that is not whole would fail its scrape
    return [whole[place : place + 8].cast("d") for place in places]


def _key(metric: Metric, value: str) -> str:
    names, values = ([metric.label], [value]) if metric.label is not None else ([], [])
    name = metric.prometheus
    return str(mmap_key(name.removesuffix("_total"), name, names, values, metric.meaning))


class Tallies:
    """The counters of one ``Pricing``, in all processes that it is in; an observer of its recorders.

    Args:
        folder: where the client looks for its files.

    Raises:
        OSError: no file can be made there.
    """

    def __init__(self, folder: str) -> None:
        self._pages = PerProcess(lambda: _Page(folder))
        if (error := self._pages.get().error) is not None:
            raise error
        self._tallies = {
            (metric.field, value): Tally(self._pages, number) for number, (metric, value) in enumerate(_KEYS)
        }
        self.answers: Tally = self._tallies["l1_answers", ""]

    def __call__(self, name: str, by: float, kind: str) -> None:
        """Count."""
        tally = self._tallies.get((name, kind)) or self._tallies[name, FAILURES[-1]]
        tally += by
