"""Paired timing: two ways to do something take turns, so that whatever slows the machine slows both."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from typing import NamedTuple, TypeAlias

import pyperf

#: Does the work of one round; gives the seconds that it took.
Round: TypeAlias = "Callable[[], float]"


class Pair(NamedTuple):
    """Two timings of one run.

    Args:
        ratio: median over the rounds of the subject's seconds by the other one's.
        subject: seconds of each round of the subject.
        other: seconds of each round of the floor or peer.
    """

    ratio: float
    subject: list[float]
    other: list[float]


def loops(work: Callable[[], object], seconds: float) -> int:
    """How often ``work`` fits into so many seconds."""
    work()  # what is decoded or imported once is no part of it
    count = 1
    while (took := _time(work, count)) < seconds / 4:
        count *= 2
    return max(1, round(count * seconds / took))


def repeated(work: Callable[[], object], count: int, units: int = 1) -> Round:
    """A round of ``count`` times ``work``; its seconds are those of one of the ``units`` that each does."""
    return lambda: _time(work, count) / (count * units)


def paired(subject: Round, other: Round, rounds: int) -> Pair:
    """Time both in turns, once before without counting."""
    subject()
    other()
    times = [(subject(), other()) for _ in range(rounds)]
    ratio = statistics.median(mine / its for mine, its in times)
    return Pair(ratio, [mine for mine, _ in times], [its for _, its in times])


def _time(work: Callable[[], object], count: int) -> float:
    began = pyperf.perf_counter()
    for _ in range(count):
        work()
    return pyperf.perf_counter() - began
