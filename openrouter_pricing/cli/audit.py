"""The command audit: what logged responses say they cost, beside what the price list says."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

import click

from .._base import money
from ..metering.audit import Audit
from ..metering.naming import BY, By
from ..metering.ranges import How, audited
from ..metering.report import Places, spent
from .logs import find_logs, prices, reading
from .options import (
    WRITTEN,
    BareHelp,
    Count,
    catalog_option,
    csv_option,
    json_option,
    one_answer,
    one_form,
    origin_words,
    read_number,
)
from .parquet import check_parquet, write_parquet
from .tables import Column, table
from .terminal import cell, line, note, show_csv, show_json

_MOST_WORST = 1_000  # residuals that can be asked for
_MOST_JOBS = 64
_MOST_SUMS = 1_000  # more names are not told apart


@click.command(cls=BareHelp, short_help="What logged responses say, and what the list says.")
@click.argument("logs", nargs=-1, metavar="FILE...", callback=find_logs)
@click.option(
    "--tolerance", callback=read_number, metavar="USD", help="Fail if all residuals, without signs, are more."
)
@click.option(
    "--worst", type=Count(0, _MOST_WORST), default=10, metavar="N", help="Show the N largest residuals; default: 10."
)
@click.option("--by", type=click.Choice(BY), help="Sum what was spent by this, too; days are those of UTC.")
@click.option("--jobs", type=Count(1, _MOST_JOBS), default=1, metavar="N", help="Read with N processes; default: 1.")
@catalog_option
@json_option
@csv_option
@click.option("--parquet", type=WRITTEN, metavar="FILE", help="Write the sums of --by there, too.")
def audit(
    logs: list[Path],
    tolerance: Decimal | None,
    worst: int,
    by: By | None,
    jobs: int,
    stored: Path | None,
    as_json: bool,
    as_csv: bool,
    parquet: Path | None,
) -> None:
    """Compare what logged responses say they cost with what the price list says.

    FILE holds one response a line, as JSON, or is one array of them; - is the standard input. It may be an event
    stream, packed with gzip or zstd, a folder, or a quoted pattern. Each response is priced by the list of its own day,
    as far as the history goes; with --catalog all are priced by that list. One that was counted before, by its id, is
    counted once. --csv prints the sums of --by. The exit status is 1 if nothing could be priced.
    """
    one_form(as_json, as_csv)
    if by is None and (as_csv or parquet is not None):
        raise click.UsageError(
            "--csv and --parquet hold the sums of --by: give that, too.", click.get_current_context()
        )
    if parquet is not None:
        check_parquet()
    catalog, source = prices(stored)
    how = How(catalog.dumps(), worst, by, None if stored is not None else one_answer())
    places = Places()
    with reading(logs, "auditing") as show:
        done = audited(how, logs, jobs, show, places)
    origin = origin_words(source, catalog.as_of)
    if parquet is not None and by is not None:
        write_parquet(parquet, by, _sums(done, by))
    if as_json:
        show_json({"source": source, "as_of": catalog.as_of.isoformat(), **done.report(places)})
    elif as_csv and by is not None:
        show_csv([by, "lines", "usd"], _sums(done, by))
    else:
        _show_audit(done, origin, places)
    if not done.priced and not done.reported.lines:
        raise click.ClickException("not one line could be priced")
    if tolerance is not None and done.off > tolerance:
        off, most = money.plain(done.off), money.plain(tolerance)
        raise click.ClickException(f"the residuals add up to {off} USD, more than the {most} USD that were tolerated")


def _sums(audit: Audit, by: By) -> list[tuple[str, int, Decimal]]:
    """What was spent by each; those that were too many to be named are told."""
    others = audit.counted.spend.others
    if others.lines:
        note(f"{others.lines} lines of {by}s too many to name cost {money.plain(others.usd)} USD")
    return [(name, group.lines, group.usd) for name, group in spent(audit.counted, by)]


def _show_audit(audit: Audit, origin: str, places: Places) -> None:
    """Counts and sums first, then what is unexplained, unknown and bad."""
    total, bad = audit.total, sum(group.lines for group in audit.bad.values())
    line(cell(f"{total.lines} lines, {audit.priced} priced", "bold"), cell(origin))
    exact, residual, unreported, unknown = audit.exact, audit.residual, audit.unreported, audit.unknown
    stated = audit.reported
    table(
        [Column("result"), *_numbers("lines", "reported USD", "computed USD", "residual USD")],
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
    again = audit.duplicates
    if again.lines:
        first = places.show(again.first)
        line(cell(f"duplicates: {again.lines} lines of responses counted before (first: {first})"))
    other = audit.other_day
    if other.lines:
        first = places.show(other.first)
        line(cell(f"another day's prices: {other.lines} lines (first: {first})"))
    if audit.by is not None:
        rows = [(name or "-", group.lines, group.usd) for name, group in spent(audit.counted, audit.by)]
        columns, others = [Column(audit.by), *_numbers("lines", "spent USD")], audit.counted.spend.others.lines
        _section(columns, rows, others, _MOST_SUMS, f"{audit.by}s")
    _section(
        [
            Column("model"),
            Column("kind of residual", gives=1),
            Column("lines", True, gives=2),
            Column("residual USD", True),
        ],
        [(model, kind, group.lines, group.usd) for (model, kind), group in audit.residuals.largest()],
        audit.residuals.others.lines,
    )
    _section(
        [
            Column("line", True, gives=4),
            Column("worst residuals"),
            Column("reported USD", True, gives=2),
            Column("computed USD", True, gives=1),
            Column("residual USD", True),
            Column("kind", gives=3),
        ],
        [(places.show(found.line), *found[1:]) for found in audit.worst()],
        most=_MOST_WORST,
    )
    _section(
        [
            Column("unknown model"),
            Column("lines", True),
            Column("first line", True, gives=1),
            Column("reported USD", True, gives=3),
            Column("why", gives=2),
        ],
        [
            (name or "-", group.lines, places.show(group.first), group.usd, audit.why(name))
            for name, group in audit.names.largest()
        ],
        audit.names.others.lines,
    )
    _section(
        [Column("bad"), *_numbers("lines", "line"), Column("reason", folds=True)],
        [
            (*((kind, group.lines) if number == group.first else ("", "")), places.show(number), reason)
            for kind, group in audit.bad.largest()
            for number, reason in group.reasons
        ],
    )


def _numbers(*names: str) -> list[Column]:
    return [Column(name, right=True) for name in names]


def _section(
    columns: Sequence[Column], rows: Sequence[Sequence[object]], others: int = 0, most: int = 20, of: str = "models"
) -> None:
    """A table after an empty line; nothing where there are no rows.

    Args:
        columns, rows: as for ``table``.
        others: lines of what was too much to be named.
        most: rows that are shown.
        of: what that is.
    """
    if not rows:
        return
    line()
    table(columns, rows[:most])
    if len(rows) > most:
        line(cell(f"and {len(rows) - most} more, which --json names"))
    if others:
        line(cell(f"and {others} lines of {of} too many to name"))
