"""The commands that look after prices: refresh, snapshot, settings, doctor."""

from __future__ import annotations

import os
import secrets
from gzip import compress
from pathlib import Path
from typing import Any

import attrs
import click

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
@json_option
def snapshot(output: Path, as_json: bool) -> None:
    """Fetch prices and write them to a file, in the form of the bundled snapshot."""
    with Pricing(one_answer()) as pricing, waiting("fetching prices"):
        catalog = pricing.refresh()
    try:
        replace(output, compress(catalog.dumps(), mtime=0))
    except OSError as error:
        raise click.ClickException(f"cannot write {output}: {error.strerror}") from error
    if as_json:
        show_json({**_about(catalog), "output": str(output)})
    else:
        line(cell(f"wrote the prices of {len(catalog)} models at {instant(catalog.as_of)} to {output}"))


def replace(path: Path, data: bytes) -> None:
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
