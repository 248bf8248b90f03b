"""Files that commands read: logged responses, with a bar that shows how far it is, and stored prices."""

from __future__ import annotations

import gzip
import sys
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path

import click

from .._prices.catalog import Catalog
from .._prices.wire import Fetched, read_catalog
from ..errors import PayloadError
from ..metering.files import FileError, entries, find, opened
from ..pricing import Pricing
from .options import one_answer
from .terminal import may_be_seen, note, waiting

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


def prices(stored: Path | None) -> tuple[Catalog, str | None]:
    """Stored prices, or those of now where there are none; and what source they are."""
    if stored is not None:
        return _load(stored), "pinned"
    with Pricing(one_answer()) as pricing, waiting("asking for prices"):
        return pricing.catalog(), pricing.stats().source


def _load(path: Path) -> Catalog:
    """Stored prices, gzipped or not: what ``snapshot`` or ``Catalog.dumps()`` wrote, or an answer of ``/models``.

    An answer does not say when it was given: as a catalogue without a date it is of the Unix epoch.
    """
    try:
        data = path.read_bytes()
        if data.startswith(b"\x1f\x8b"):
            data = gzip.decompress(data)
        try:
            return Catalog.loads(data)
        except PayloadError as error:
            return _answered(data, error)
    except OSError as error:
        raise click.ClickException(f"cannot read {path}: {error.strerror or error}") from error
    except (PayloadError, EOFError, zlib.error) as error:
        raise click.ClickException(f"cannot read {path}: {error}") from error


def _answered(data: bytes, error: PayloadError) -> Catalog:
    """The catalogue of an answer of ``/models``; what it is not is told as of a stored one."""
    try:
        catalog, problems = read_catalog(Fetched(200, body=data), _EPOCH)
    except PayloadError:
        raise error from None
    if problems:
        note(f"rows that cannot be read were left out: {catalog.skipped} ({problems[0]})")
    return catalog


def find_logs(context: click.Context, parameter: click.Parameter, names: Sequence[str]) -> list[Path]:
    """The files that were asked for."""
    if not names and not context.resilient_parsing:
        raise click.MissingParameter(ctx=context, param_hint="'FILE'", param_type="argument")
    try:
        return find(names)
    except FileNotFoundError as error:
        name = error.args[0]
        what = f"Folder {name!r} holds no file." if Path(name).is_dir() else f"File {name!r} does not exist."
        raise click.BadParameter(what, context, param_hint="'FILE'") from error


def read_log(add: Callable[[int, bytes | None], None], path: Path, doing: str) -> None:
    """Give every line of a file, or of the standard input for ``-``, to ``add``.

    Args:
        add: takes a line's number, from 1, and its bytes; None if it was too long.
        path: the file.
        doing: what the bar says.
    """
    with reading([path], doing) as show, opened(path, show) as file:
        for block in entries(file):
            for number, text in enumerate(block.lines, block.number):
                add(number, text)


@contextmanager
def reading(paths: Sequence[Path], doing: str) -> Iterator[Callable[[int], None]]:
    """A bar on stderr, if a person sees it; its length is known for files. What cannot be read ends the command.

    Args:
        paths: the files.
        doing: what it says.

    Yields:
        what is to be told how many more bytes were read.
    """
    if sys.stdin is None and Path("-") in paths:
        raise click.ClickException("there is no standard input to read")
    try:
        if not may_be_seen(sys.stderr):
            yield lambda count: None
            return
        from rich.console import Console
        from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

        console = Console(stderr=True)
        size = None if Path("-") in paths else sum(path.stat().st_size for path in paths)
        columns = (TextColumn(doing), BarColumn(), DownloadColumn(), TimeRemainingColumn())
        with Progress(*columns, console=console, transient=True, disable=not console.is_interactive) as progress:
            task = progress.add_task(doing, total=size or None)
            yield lambda count: progress.advance(task, count)
    except FileError as error:
        raise click.ClickException(str(error)) from error
