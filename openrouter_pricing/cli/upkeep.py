"""The commands that look after prices: refresh, snapshot, settings, doctor."""

from __future__ import annotations

import hashlib
import os
import secrets
from gzip import compress
from pathlib import Path
from typing import Any

import attrs
import click

from .._history.opening import history_of
from .._prices.catalog import Catalog
from ..pricing import Pricing
from ..settings import Settings, came_from, shown
from .options import WRITTEN, BareHelp, from_env, json_option, one_answer
from .tables import Column, table
from .terminal import cell, instant, line, show_json, waiting


@click.command()
@json_option
def refresh(as_json: bool) -> None:
    """Fetch prices now."""
    with Pricing(one_answer()) as pricing, waiting("fetching prices"):
        catalog = pricing.refresh()
    if as_json:
        show_json(_about(catalog))
    else:
        line(cell(f"fetched the prices of {len(catalog)} models at {instant(catalog.as_of)}"))


def _about(catalog: Catalog) -> dict[str, Any]:
    """What was fetched, JSON-ready."""
    return {"models": len(catalog), "as_of": catalog.as_of.isoformat(), "digest": catalog.digest}


@click.command(cls=BareHelp, short_help="Fetch prices and write them to a file.")
@click.option("--output", type=WRITTEN, required=True, metavar="FILE", help="Where to write it.")
@click.option(
    "--history", is_flag=True, help="Write the bundled price history instead, and what the database saw since."
)
@json_option
def snapshot(output: Path, history: bool, as_json: bool) -> None:
    """Fetch prices and write them to a file, in the form of the bundled snapshot.

    With --history nothing is fetched: the history of the package is written, brought up to date by the database that
    the settings name, in the form of the bundled one.
    """
    if history:
        _write_history(output, as_json)
        return
    with Pricing(one_answer()) as pricing, waiting("fetching prices"):
        catalog = pricing.refresh()
    _write(output, compress(catalog.dumps(), mtime=0))
    if as_json:
        show_json({**_about(catalog), "output": str(output)})
    else:
        line(cell(f"wrote the prices of {len(catalog)} models at {instant(catalog.as_of)} to {output}"))


def _write_history(output: Path, as_json: bool) -> None:
    from .._history.bundled import BundledHistory
    from .._history.merging import merged
    from .._history.packing import pack

    bundled = BundledHistory()
    store = history_of(from_env()) or bundled
    with waiting("reading the history"):
        changes = merged(bundled, store)
        store.close()
    packed = pack(changes)
    _write(output, packed)
    about = {
        "since": changes[0][0].isoformat(),
        "until": changes[-1][0].isoformat(),
        "changes": len(changes),
        "models": len({model_id for _, model_id, _ in changes}),
        "digest": hashlib.sha256(packed).hexdigest(),
    }
    if as_json:
        show_json({**about, "output": str(output)})
    else:
        line(cell(f"wrote {len(changes)} changes up to {instant(changes[-1][0])} to {output}"))


def _write(output: Path, data: bytes) -> None:
    try:
        _replace(output, data)
    except OSError as error:
        raise click.ClickException(f"cannot write {output}: {error.strerror}") from error


def _replace(path: Path, data: bytes) -> None:
    """Write a file whole or not at all."""
    temporary = path.parent / f".{secrets.token_hex(8)}.tmp"
    with temporary.open("xb") as file:
        try:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
            os.replace(temporary, path)
        except BaseException:
            temporary.unlink()
            raise


@click.command(short_help="Every option, its value, where it came from.")
@json_option
def settings(as_json: bool) -> None:
    """Every option, its value, and where that came from; secrets are masked."""
    options = from_env()
    found = {
        field.name: {"value": shown(field, getattr(options, field.name)), "source": came_from(field.name)}
        for field in attrs.fields(Settings)
    }
    if as_json:
        show_json(found)
        return
    words = {None: "none", True: "true", False: "false"}
    rows = []
    for name, option in found.items():
        value = option["value"]
        text = words[value] if value is None or isinstance(value, bool) else value
        rows.append([cell(name), cell(f"{text:g}" if isinstance(text, float) else text), cell(option["source"])])
    table([Column("option"), Column("value"), Column("from", gives=1)], rows)


@click.command(short_help="Whether store, network and prices are all right.")
@json_option
def doctor(as_json: bool) -> None:
    """Whether the backend can be written, OpenRouter be reached, and how old the prices are.

    The exit status is 1 if something is wrong.
    """
    with Pricing(one_answer()) as pricing, waiting("checking"):
        health = pricing.health()
    if as_json:
        show_json(health.to_dict())
    else:
        verdicts = {True: cell("ok", "green"), False: cell("wrong", "bold red")}
        table(
            [Column("check"), Column("result"), Column("finding", folds=True)],
            [[check.name, verdicts[check.ok], check.finding] for check in health.checks],
        )
    wrong = [check.name for check in health.checks if not check.ok]
    if wrong:
        raise click.ClickException(f"something is wrong with: {', '.join(wrong)}")
