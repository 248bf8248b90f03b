"""Files that commands read: logged responses, with a bar that shows how far it is, and stored prices."""

from __future__ import annotations

import gzip
import os
import sys
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import click

from .._prices.catalog import Catalog
from ..errors import PayloadError
from ..metering.audit import Lines
from ..pricing import Pricing
from .options import one_answer
from .terminal import may_be_seen, waiting

_STEP = 2**20  # bytes between two looks at the progress bar


def prices(stored: Path | None) -> tuple[Catalog, str | None]:
    """Stored prices, or those of now where there are none; and what source they are."""
    if stored is not None:
        return _load(stored), "pinned"
    with Pricing(one_answer()) as pricing, waiting("asking for prices"):
        return pricing.catalog(), pricing.stats().source


def _load(path: Path) -> Catalog:
    """A stored catalogue, as ``snapshot`` or ``Catalog.dumps()`` wrote it; gzipped or not."""
    try:
        data = path.read_bytes()
        return Catalog.loads(gzip.decompress(data) if data.startswith(b"\x1f\x8b") else data)
    except OSError as error:
        raise click.ClickException(f"cannot read {path}: {error.strerror or error}") from error
    except (PayloadError, EOFError, zlib.error) as error:
        raise click.ClickException(f"cannot read {path}: {error}") from error


def read_log(add: Callable[[int, bytes | None], None], path: Path, doing: str) -> None:
    """Give every line of a file, or of the standard input for ``-``, to ``add``.

    Args:
        add: takes a line's number, from 1, and its bytes; None if it was too long.
        path: the file.
        doing: what the bar says.
    """
    try:
        if str(path) == "-":
            _read(add, _standard_input(), doing)
        else:
            with path.open("rb") as file:
                _read(add, file, doing)
    except OSError as error:
        raise click.ClickException(f"cannot read {path}: {error.strerror}") from error


def _standard_input() -> BinaryIO:
    if sys.stdin is None:
        raise click.ClickException("there is no standard input to read")
    return sys.stdin.buffer


def _read(add: Callable[[int, bytes | None], None], file: BinaryIO, doing: str) -> None:
    lines = Lines(file)
    with _progress(file, doing) as show:
        shown = 0
        for number, text in enumerate(lines, 1):
            add(number, text)
            if lines.read - shown >= _STEP:
                shown = lines.read
                show(shown)


@contextmanager
def _progress(file: BinaryIO, doing: str) -> Iterator[Callable[[int], None]]:
    """A bar on stderr, if a person sees it; its length is known for a file."""
    if not may_be_seen(sys.stderr):
        yield lambda read: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    size = os.fstat(file.fileno()).st_size
    columns = (TextColumn(doing), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_interactive) as progress:
        task = progress.add_task(doing, total=size or None)
        yield lambda read: progress.update(task, completed=read)
