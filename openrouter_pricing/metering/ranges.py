"""Ranges: a log counted by several processes, each a range of bytes at a time, as one would count it alone."""

from __future__ import annotations

from array import array
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import lru_cache
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from signal import SIG_IGN, SIGINT, signal
from typing import NamedTuple

import attrs

from .._history.opening import history_of
from .._prices.catalog import Catalog
from ..settings import Settings
from .audit import Audit
from .counted import Counted
from .files import FileError, entries, is_plain, opened
from .ids import stable
from .lines import MOST_BYTES, Block, blocks
from .naming import By
from .report import Places

#: Bytes that a process reads in a row, so many that few ids of a range are in the one before, too.
RANGE = 2**27
_PIECES = 16  # of a range, each counted by itself: what has to be counted again is one of them
_AHEAD = 2  # ranges for each process that are under way at once


@attrs.frozen
class How:
    """How an audit is made, in whichever process.

    Args:
        prices: the catalogue, as ``dumps()`` gives it.
        worst, by: as for :class:`Audit`.
        settings: name the history; None to price all by the catalogue.
    """

    prices: bytes = attrs.field(repr=False)
    worst: int
    by: By | None
    settings: Settings | None

    def audit(self, digest: Callable[[str], int]) -> Audit:
        """An audit that has counted nothing."""
        history = None if self.settings is None else history_of(self.settings)
        return Audit(Catalog.loads(self.prices), self.worst, history, by=self.by, digest=digest)


class Range(NamedTuple):
    """A part of a file: the lines that begin in it.

    Args:
        path: the file.
        start, end: bytes; ``end`` is None for a whole file, which may be compressed or an array.
    """

    path: Path
    start: int = 0
    end: int | None = None

    def entries(self, number: int, note: Callable[[int], None]) -> Iterator[Block]:
        """Its lines, the first of them with that number.

        Args:
            number: from 1.
            note: told how many more bytes were read.
        """
        with opened(self.path, note, max(self.start - 1, 0)) as file:
            if self.end is None:
                yield from entries(file, number)
                return
            begun = self.start > 0  # a line that began before, if only its end, is none of this range
            while begun and (line := file.readline(MOST_BYTES)):
                begun = not line.endswith(b"\n")
            yield from blocks(file, number, self.end - file.tell())

    def cut(self, size: int) -> list[Range]:
        """The same in smaller parts, if it can be cut."""
        if self.end is None:
            return [self]
        return [Range(self.path, at, min(at + size, self.end)) for at in range(self.start, self.end, size)]


class Part(NamedTuple):
    """What was counted of a piece of a range.

    Args:
        range: the piece.
        counted: the tallies.
        digests: of the ids in it that are in no piece before it of the same range.
        before: the lines are numbered as if so many stood before them.
        lines: how many there are.
    """

    range: Range
    counted: Counted
    digests: array[int]
    before: int
    lines: int


def ranges_of(path: Path, size: int = RANGE) -> list[Range]:
    """The ranges of a file; one for what cannot be read in parts."""
    if str(path) == "-" or not is_plain(path):
        return [Range(path)]
    return Range(path, 0, path.stat().st_size).cut(size) or [Range(path)]


def audited(
    how: How, paths: Sequence[Path], jobs: int, note: Callable[[int], None], places: Places, size: int = RANGE
) -> Audit:
    """An audit of files, one after the other.

    Args:
        how: how it is made.
        paths: the files; ``-`` is the standard input.
        jobs: how many processes read them. The tallies are the same however many there are.
        note: told how many more bytes were read.
        places: told where each file begins.
        size: bytes of a range, where there are several processes.

    Raises:
        FileError: a file cannot be read, or a process that was reading it died.
    """
    if jobs > 1:
        return _audited_by(jobs, how, paths, note, places, size)
    audit = how.audit(hash)
    lines = 0
    for path in paths:
        places.begin(str(path), lines)
        lines = _read(audit, Range(path), lines, note)
    return audit


def _read(audit: Audit, part: Range, lines: int, note: Callable[[int], None]) -> int:
    """Count a range behind so many lines; how many there are then."""
    return audit.add_all(part.entries(lines + 1, note)) or lines


def _audited_by(
    jobs: int, how: How, paths: Sequence[Path], note: Callable[[int], None], places: Places, size: int
) -> Audit:
    audit = how.audit(stable)
    lines, piece = 0, max(size // _PIECES, 1)
    waiting: deque[tuple[Range, Future[list[Part]] | None]] = deque()
    ranges = iter([part for path in paths for part in ranges_of(path, size)])
    pool = ProcessPoolExecutor(jobs, get_context("spawn"), signal, (SIGINT, SIG_IGN))
    try:
        while True:
            for part in islice(ranges, _AHEAD * jobs - len(waiting)):
                first = not waiting and not places.names
                mine = str(part.path) == "-"
                waiting.append((part, None if mine else pool.submit(count_range, how, part, first, piece)))
            if not waiting:
                return audit
            part, future = waiting.popleft()
            if not part.start:
                places.begin(str(part.path), lines)
            if future is None:
                lines = _read(audit, part, lines, note)
                continue
            for found in future.result():
                if audit.include(found.counted, found.digests, lines - found.before):
                    lines += found.lines
                else:
                    lines = _read(audit, found.range, lines, _unheard)
            note((part.end or part.path.stat().st_size) - part.start)
    except BrokenProcessPool as error:
        raise FileError(part.path, "a process that was reading it died") from error
    finally:
        pool.shutdown(cancel_futures=True)


def _unheard(count: int) -> None:
    """Nobody is told."""


@lru_cache(maxsize=1)
def _audit_of(how: How) -> Audit:
    """The audit of a process, which counts one range after the other: what it learnt of the models it knows on."""
    return how.audit(stable)


def count_range(how: How, part: Range, first: bool, size: int) -> list[Part]:
    """Count a range in a process that may have counted others.

    Args:
        how: how.
        part: what.
        first: whether the log begins with it: no other line is the first one.
        size: bytes of what is counted by itself.
    """
    audit = _audit_of(how)
    audit.begin_anew()
    found: list[Part] = []
    for piece in part.cut(size):
        before = 0 if first and not found else 1
        lines = _read(audit, piece, before, _unheard)
        found.append(Part(piece, *audit.hand_out(), before, lines - before))
    return found
