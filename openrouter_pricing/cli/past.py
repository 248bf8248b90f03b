"""The commands that look back: history and changes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import click

from .._base import money
from .._history.opening import BUNDLED, NONE, history_of
from .._history.periods import LATEST, PricePeriod, RecordedChange
from .._prices.changes import Move
from .._prices.rates import PRICE_KEYS
from ..errors import SettingsError
from ..pricing import Pricing
from ..settings import variable
from .completion import complete_models
from .options import BareHelp, csv_option, from_env, json_option, one_answer, one_form, read_instant
from .tables import Column, table
from .terminal import cell, instant, line, note, show_csv, show_json, times, waiting
from .views import counted, unit_price

_SPAN = re.compile(r"(\d{1,6})([hdw])", re.ASCII)
_UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}
_SHOWN = timedelta(days=30)


def _read_since(context: click.Context, parameter: click.Parameter, value: str | None) -> datetime | None:
    """A time, or how long ago it is: ``7d``."""
    found = _SPAN.fullmatch(value or "")
    if found is None:
        return read_instant(context, parameter, value)
    try:
        return datetime.now(timezone.utc) - int(found[1]) * _UNITS[found[2]]
    except OverflowError as error:
        raise click.BadParameter(f"{value!r} is longer ago than any calendar goes.") from error


@click.command(cls=BareHelp, short_help="For how long a model had which prices.")
@click.argument("model", metavar="ID", required=False, shell_complete=complete_models)
@click.option("--init", is_flag=True, help="Make the tables of the database that the settings name, or update them.")
@click.option("--bundled", is_flag=True, help="With --init: give a new database the history of the package, too.")
@json_option
@csv_option
def history(model: str | None, init: bool, bundled: bool, as_json: bool, as_csv: bool) -> None:
    """For how long a model had which prices, USD per million tokens, or per request, image or search.

    It comes from the history that the settings name: the one of the package, or a database.
    """
    one_form(as_json, as_csv)
    if init == (model is not None) or (bundled and not init):
        raise click.UsageError("Give either the ID of a model, or --init, with --bundled or without.")
    if model is None:
        _init(bundled)
        return
    with Pricing(one_answer()) as pricing, waiting("looking back"):
        periods = pricing.price_history(model)
        if not periods:
            model = pricing.model(model).id
    if as_json:
        show_json([_period(period) for period in periods])
    elif as_csv or periods:
        _show_periods(model, periods, as_csv)
    else:
        note(f"nothing is recorded of {model}")


def _init(bundled: bool) -> None:
    from .._history.bundled import BundledHistory

    settings = from_env()
    if settings.history in (NONE, BUNDLED):
        accepted = "a database here, such as sqlite:///prices.db"
        raise SettingsError(variable("history"), repr(settings.history), accepted)
    store: Any = history_of(settings)
    with waiting("making tables"):
        store.initialise(BundledHistory().periods() if bundled else ())
    store.close()
    line(cell("the database is ready"))


def _period(period: PricePeriod) -> dict[str, Any]:
    until = None if period.until is None else period.until.isoformat()
    return {"since": period.since.isoformat(), "until": until, "pricing": period.rates.to_dict()}


def _show_periods(model: str, periods: Sequence[PricePeriod], as_csv: bool) -> None:
    keys = [key for key in PRICE_KEYS if any(getattr(period.rates, key) for period in periods)]
    rows = [[unit_price(key, getattr(period.rates, key), period.rates.prompt)[0] for key in keys] for period in periods]
    if as_csv:
        show_csv(
            ["since", "until", *keys],
            (
                [
                    each.since.isoformat(),
                    each.until and each.until.isoformat(),
                    *(None if text == "-" else text for text in row),
                ]
                for each, row in zip(periods, rows, strict=True)
            ),
        )
        return
    line(cell(model, "bold"), cell("USD per million tokens, or per request, image or search"))
    columns = [Column(key, right=True, gives=len(keys) - place) for place, key in enumerate(keys)]
    dates = [[f"{each.since:%Y-%m-%d}", "-" if each.until is None else f"{each.until:%Y-%m-%d}"] for each in periods]
    steps = [counted(len(each.rates.overrides)) if each.rates.overrides else "-" for each in periods]
    table(
        [Column("since"), Column("until"), *columns, Column("conditional", True, gives=len(keys) + 1)],
        [[*when, *row, step] for when, row, step in zip(dates, rows, steps, strict=True)],
    )


@click.command(short_help="Which prices changed, and when.")
@click.option("--since", callback=_read_since, metavar="WHEN", help="Such as 7d, 12h, or a time; default: 30d.")
@click.option("--until", callback=_read_since, metavar="WHEN", help="Up to then; default: now.")
@click.option("--model", metavar="ID", shell_complete=complete_models, help="Of this one alone.")
@json_option
@csv_option
def changes(since: datetime | None, until: datetime | None, model: str | None, as_json: bool, as_csv: bool) -> None:
    """Which prices changed, and which models came and went; the newest first, as the history of the settings saw it."""
    one_form(as_json, as_csv)
    if since is None:
        since = datetime.now(timezone.utc) - _SHOWN
    with Pricing(one_answer()) as pricing, waiting("looking back"):
        found = pricing.changes(since=since, until=until, model=model)[::-1]
        last = None if found or pricing._past.history is None else pricing._past.history.as_of(LATEST)
    if as_json:
        show_json([_change(change) for change in found])
    elif as_csv:
        show_csv(
            ["at", "model_id", "kind", "key", "before", "after", "ratio"],
            (
                [change.at.isoformat(), change.model_id, change.kind, *map(_plain, move)]
                for change in found
                for move in change.moves
            ),
        )
    elif found:
        table(
            [
                Column("when"),
                Column("model"),
                Column("kind", gives=1),
                Column("USD per million, or per unit", folds=True),
            ],
            [[f"{each.at:%Y-%m-%d %H:%M}", each.model_id, each.kind, _words(each)] for each in found],
        )
    else:
        reach = "nothing is recorded" if last is None else f"the last list seen is of {instant(last.until)}"
        note(f"nothing changed since {instant(since)}; {reach}")


def _plain(value: str | Decimal | None) -> str | None:
    return money.text(value) if isinstance(value, Decimal) else value


def _change(change: RecordedChange) -> dict[str, Any]:
    moves = [{name: _plain(value) for name, value in move._asdict().items()} for move in change.moves]
    return {"at": change.at.isoformat(), "model_id": change.model_id, "kind": change.kind, "moves": moves}


def _words(change: RecordedChange) -> str:
    prompts = [None if rates is None else rates.prompt for rates in (change.before, change.after)]
    return ", ".join(_move(move, *prompts) for move in change.moves) or "free"


def _move(move: Move, before: Decimal | None, after: Decimal | None) -> str:
    key = move.key.partition(" of override ")[0]
    step = " (conditional)" if key != move.key else ""
    was, is_ = unit_price(key, move.before, before)[0], unit_price(key, move.after, after)[0]
    factor = "" if move.ratio is None else f" ({times()} {money.plain(money.round_half_up(move.ratio, 3))})"
    if move.before is None:
        return f"{key} {is_}{step}"
    return f"{key} {was} to {is_}{step}{factor}"
