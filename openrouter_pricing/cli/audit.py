"""The command audit: what logged responses say they cost, beside what the price list says."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

import click

from .._base import money
from .._history.opening import history_of
from ..metering.audit import Audit
from .logs import prices, read_log
from .options import FILE, BareHelp, Count, catalog_option, json_option, one_answer, origin_words, read_number
from .tables import Column, table
from .terminal import cell, line, show_json

_MOST_WORST = 1_000  # residuals that can be asked for


@click.command(cls=BareHelp, short_help="What logged responses say, and what the list says.")
@click.argument("log", type=FILE, metavar="FILE")
@click.option(
    "--tolerance", callback=read_number, metavar="USD", help="Fail if all residuals, without signs, are more."
)
@click.option(
    "--worst", type=Count(0, _MOST_WORST), default=10, metavar="N", help="Show the N largest residuals; default: 10."
)
@catalog_option
@json_option
def audit(log: Path, tolerance: Decimal | None, worst: int, stored: Path | None, as_json: bool) -> None:
    """Compare what logged responses say they cost with what the price list says.

    FILE holds one response a line, as JSON; - is the standard input. Each is priced by the list of its own day, as far
    as the history goes; with --catalog all are priced by that list. The exit status is 1 if nothing could be priced.
    """
    catalog, source = prices(stored)
    done = Audit(catalog, worst, None if stored is not None else history_of(one_answer()))
    read_log(done.add, log, "auditing")
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


def _show_audit(audit: Audit, origin: str) -> None:
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
        audit.worst(),
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
        [(name or "-", group.lines, group.first, group.usd, audit.why(name)) for name, group in audit.names.largest()],
        audit.names.others.lines,
    )
    _section(
        [Column("bad"), *_numbers("lines", "line"), Column("reason", folds=True)],
        [
            (kind, group.lines, number, reason) if number == group.first else ("", "", number, reason)
            for kind, group in audit.bad.largest()
            for number, reason in group.reasons
        ],
    )


def _numbers(*names: str) -> list[Column]:
    return [Column(name, right=True) for name in names]


def _section(columns: Sequence[Column], rows: Sequence[Sequence[object]], others: int = 0, most: int = 20) -> None:
    """A table after an empty line; nothing where there are no rows.

    Args:
        columns, rows: as for ``table``.
        others: lines of models that were too many to be named.
        most: rows that are shown.
    """
    if not rows:
        return
    line()
    table(columns, rows[:most])
    if len(rows) > most:
        line(cell(f"and {len(rows) - most} more, which --json names"))
    if others:
        line(cell(f"and {others} lines of models too many to name"))
