"""The command compare: what logged usage would have cost at other models."""

from __future__ import annotations

from pathlib import Path

import click

from .._base import money
from ..metering.comparison import Comparison
from .completion import complete_models
from .logs import prices, read_log
from .options import FILE, BareHelp, catalog_option, csv_option, json_option, one_form, origin_words
from .tables import Column, table
from .terminal import cell, line, note, show_csv, show_json, times


@click.command(cls=BareHelp, short_help="What logged usage would have cost elsewhere.")
@click.argument("models", nargs=-1, required=True, metavar="MODEL...", shell_complete=complete_models)
@click.option("--usage", "log", type=FILE, required=True, metavar="FILE", help="The log; - is the standard input.")
@catalog_option
@json_option
@csv_option
def compare(models: tuple[str, ...], log: Path, stored: Path | None, as_json: bool, as_csv: bool) -> None:
    """What the usage of a log would have cost at each MODEL, the cheapest first; before any markup.

    FILE holds one response a line, as JSON, as for `audit`. The exit status is 1 if no line could be priced.
    """
    one_form(as_json, as_csv)
    catalog, source = prices(stored)
    done = Comparison(catalog, models)
    read_log(done.add, log, "comparing")
    origin = origin_words(source, catalog.as_of)
    _tell(done)
    if as_json:
        show_json({"source": source, "as_of": catalog.as_of.isoformat(), **done.report()})
    elif as_csv:
        fields = ("model", "lines", "raw", "compared", "logged", "against_logged", "unpriced", "reason")
        rows = [candidate.to_dict() for candidate in done.cheapest()]
        show_csv(
            ["model", "lines", "raw_usd", "compared_usd", "logged_usd", "against_logged", "unpriced", "reason"],
            [[row[field] for field in fields] for row in rows],
        )
    else:
        _show(done, origin)
    if not any(candidate.lines for candidate in done.candidates):
        raise click.ClickException("not one line could be priced")


def _tell(done: Comparison) -> None:
    """Say on stderr what is not in the sums."""
    for kind, group in done.bad.largest():
        number, reason = group.reasons[0]
        note(f"lines left out: {group.lines}, {kind} (the first is line {number}: {reason})")
    if done.priced < done.lines:
        note(f"lines whose own cost is not known: {done.lines - done.priced}; no ratio counts them")
    for candidate in done.candidates:
        if candidate.unpriced:
            note(f"{candidate.model_id}: lines without a price there: {candidate.unpriced} ({candidate.reason})")


def _show(done: Comparison, origin: str) -> None:
    """What the log did cost first, then what it would have cost."""
    raw = money.plain(done.raw)
    line(cell(f"{done.priced} of {done.lines} lines did cost {raw} USD", "bold green"), cell(origin))
    rows = []
    for candidate in done.cheapest():
        against = candidate.against
        shown = "-" if against is None else f"{times()} {money.round_half_up(against, 2)}"
        rows.append([cell(candidate.model_id), candidate.raw, shown, candidate.lines, candidate.unpriced])
    table(
        [
            Column("model"),
            Column("costs USD", True),
            Column("vs the log", True),
            Column("lines", True, gives=2),
            Column("no price", True, gives=1),
        ],
        rows,
    )
