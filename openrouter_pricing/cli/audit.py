"""The command audit: how it reads the log and the prices, and what it shows."""

from __future__ import annotations

import gzip
import os
import sys
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import BinaryIO

import click
from rich.console import Console

from .._base import money
from .._prices.catalog import Catalog
from ..errors import PayloadError
from ..metering.audit import Audit, Lines
from ..pricing import Pricing
from .options import FILE, json_option, one_answer, origin_words, read_number
from .terminal import cell, line, show_json, table, waiting

_STEP = 2**20  # bytes between two looks at the progress bar
_MOST_WORST = 1_000  # residuals that can be asked for


@click.command()
@click.argument("log", type=FILE, metavar="FILE")
@click.option(
    "--tolerance", callback=read_number, metavar="USD", help="Fail if all residuals, without signs, are more."
)
@click.option(
    "--worst", type=click.IntRange(0, _MOST_WORST), default=10, metavar="N", help="Show the N largest residuals."
)
@click.option("--catalog", "stored", type=FILE, metavar="FILE", help="Stored prices, such as `snapshot` writes.")
@json_option
def audit(log: Path, tolerance: Decimal | None, worst: int, stored: Path | None, as_json: bool) -> None:
    """Compare what logged responses say they cost with what the price list says.

    FILE holds one response a line, as JSON; - is the standard input. The exit status is 1 if nothing could be priced.
    """
    source: str | None = "pinned"
    if stored is not None:
        catalog = _load_prices(stored)
    else:
        with Pricing(one_answer()) as pricing, waiting("asking for prices"):
            catalog, source = pricing.catalog(), pricing.stats().source
    done = Audit(catalog, worst)
    _read_log(done, log)
    origin = origin_words(source, catalog.as_of)
    if as_json:
        show_json({"source": source, "as_of": catalog.as_of.isoformat(), **done.report()})
    else:
        _show_audit(done, origin)
    if not done.priced and not done.reported.lines:
        raise click.ClickException("not one line could be priced")
    if tolerance is not None and done.off > tolerance:
        off, most = money.plain(done.off), money.plain(tolerance)
        raise click.ClickException(f"the residuals add up to {off} USD, more than the {most} USD that were tolerated")


def _load_prices(path: Path) -> Catalog:
    """A stored catalogue, as ``snapshot`` or ``Catalog.dumps()`` wrote it; gzipped or not."""
    try:
        data = path.read_bytes()
        return Catalog.loads(gzip.decompress(data) if data.startswith(b"\x1f\x8b") else data)
    except OSError as error:
        raise click.ClickException(f"cannot read {path}: {error.strerror or error}") from error
    except (PayloadError, EOFError, zlib.error) as error:
        raise click.ClickException(f"cannot read {path}: {error}") from error


def _read_log(audit: Audit, path: Path) -> None:
    """Give every line of a file, or of the standard input for ``-``, to ``audit``."""
    try:
        if str(path) == "-":
            _read(audit, _standard_input())
        else:
            with path.open("rb") as file:
                _read(audit, file)
    except OSError as error:
        raise click.ClickException(f"cannot read {path}: {error.strerror}") from error


def _standard_input() -> BinaryIO:
    if sys.stdin is None:
        raise click.ClickException("there is no standard input to read")
    return sys.stdin.buffer


def _read(audit: Audit, file: BinaryIO) -> None:
    lines = Lines(file)
    with _progress(file) as show:
        shown = 0
        for number, text in enumerate(lines, 1):
            audit.add(number, text)
            if lines.read - shown >= _STEP:
                shown = lines.read
                show(shown)


@contextmanager
def _progress(file: BinaryIO) -> Iterator[Callable[[int], None]]:
    """A bar on stderr, if a person sees it; its length is known for a file."""
    console = Console(stderr=True)
    if not console.is_interactive:
        yield lambda read: None
        return
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    size = os.fstat(file.fileno()).st_size
    columns = (TextColumn("auditing"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("auditing", total=size or None)
        yield lambda read: progress.update(task, completed=read)


def _show_audit(audit: Audit, origin: str) -> None:
    """Counts and sums first, then what is unexplained, unknown and bad."""
    total, bad = audit.total, sum(group.lines for group in audit.bad.values())
    line(cell(f"{total.lines} lines, {audit.priced} priced", "bold"), cell(origin))
    exact, residual, unreported, unknown = audit.exact, audit.residual, audit.unreported, audit.unknown
    stated = audit.reported
    _table(
        ["result", ">lines", ">reported USD", ">computed USD", ">residual USD"],
        [
            ("exact", exact.lines, exact.reported, exact.computed, exact.residual),
            ("residual", residual.lines, residual.reported, residual.computed, residual.residual),
            ("unreported", unreported.lines, "-", unreported.computed, "-"),
            *([("reported", stated.lines, stated.reported, "-", "-")] if stated.lines else []),
            ("unknown", unknown.lines, unknown.reported, "-", "-"),
            ("bad", bad, "-", "-", "-"),
            ("total", total.lines, total.reported, total.computed, audit.difference),
        ],
    )
    _section(
        ["model", "kind of residual", ">lines", ">residual USD"],
        [(model, kind, group.lines, group.usd) for (model, kind), group in audit.residuals.largest()],
        audit.residuals.others.lines,
    )
    _section(
        [">line", "worst residuals", ">reported USD", ">computed USD", ">residual USD", "kind"],
        audit.worst(),
        most=_MOST_WORST,
    )
    _section(
        ["unknown model", ">lines", ">first line", ">reported USD", "why"],
        [(name or "-", group.lines, group.first, group.usd, audit.why(name)) for name, group in audit.names.largest()],
        audit.names.others.lines,
    )
    _section(
        ["bad", ">lines", ">line", "reason"],
        [
            (kind, group.lines, number, reason) if number == group.first else ("", "", number, reason)
            for kind, group in audit.bad.largest()
            for number, reason in group.reasons
        ],
    )


def _section(headers: Sequence[str], rows: Sequence[Sequence[object]], others: int = 0, most: int = 20) -> None:
    """A table after an empty line; nothing where there are no rows.

    Args:
        headers, rows: as for ``table``.
        others: lines of models that were too many to be named.
        most: rows that are shown.
    """
    if not rows:
        return
    line()
    _table(headers, rows[:most])
    if len(rows) > most:
        line(cell(f"and {len(rows) - most} more, which --json names"))
    if others:
        line(cell(f"and {others} lines of models too many to name"))


def _table(headers: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    table(
        headers, [[cell(money.plain(value) if isinstance(value, Decimal) else value) for value in row] for row in rows]
    )
