"""The command line. It asks as any other program would, and waits for the network for 8 seconds at most."""

from __future__ import annotations

import io
import logging
import os
import re
import secrets
import sys
from collections.abc import Callable, Sequence
from datetime import datetime, timezone
from decimal import Decimal
from gzip import compress
from pathlib import Path
from typing import Any

import attrs
import click

from .._base import money
from .._billing.usage import Usage
from .._prices.model import Category, Model
from ..errors import PricingError
from ..health import came_from, check_backend, check_held, check_upstream, shown
from ..metering.audit import Audit
from ..pricing import Pricing
from ..settings import Settings
from .audit import MOST_WORST, load_prices, read_log, show_audit
from .terminal import (
    cell,
    instant,
    line,
    model_dict,
    note,
    safe,
    show_cost,
    show_json,
    show_model,
    show_models,
    table,
    waiting,
)

_PROG = "openrouter-pricing"
_DEADLINE = 8.0  # seconds, so that an answer without a network comes within ten
_MILLIONTH = Decimal("0.000001")


def run(args: Sequence[str] | None = None) -> int:
    """Run one command; the exit status. An error is one line on stderr.

    Args:
        args: the arguments; those of the process when left out.
    """
    logging.getLogger("stamina").addHandler(logging.NullHandler())  # or its retries reach stderr
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a terminal that cannot show a letter
    try:
        cli.main(args, _PROG, standalone_mode=False)
    except click.Abort:
        return 130
    except click.UsageError as error:
        where = _PROG if error.ctx is None else error.ctx.command_path
        return _fail(f"{error.format_message()} (see '{where} --help')", 2)
    except click.ClickException as error:
        return _fail(error.format_message(), 1)
    except PricingError as error:
        return _fail(str(error), 1)
    except SystemExit:  # click's and rich's end where nobody reads any more
        _hush()
        raise
    except OSError as error:
        _hush()
        return _fail(str(error), 1)
    return 0


def _hush() -> None:
    """Drop what could not be written: Python would try it again, and complain, at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def _fail(message: str, status: int) -> int:
    click.echo(safe(f"{_PROG}: {' '.join(message.split())}"), err=True)
    return status


def _settings() -> Settings:
    """The settings for a process that answers once: a refresh behind its back would never end."""
    options = Settings.from_env()
    return attrs.evolve(options, deadline=min(options.deadline, _DEADLINE), stale_while_revalidate=0, warm=False)


def _origin(source: str | None, as_of: datetime) -> str:
    """Where prices come from, for people; said on stderr too where they may be out of date."""
    kept = {"stale": "those that were stored", "bundled": "the bundled snapshot"}
    if source in kept:
        note(f"no fresh prices are at hand; these are {kept[source]}, of {instant(as_of)} (see '{_PROG} doctor')")
    return f"({source}, prices of {instant(as_of)})"


# -- options -------------------------------------------------------------------------------------------------------


def _number(
    context: click.Context, parameter: click.Parameter, value: str | None, unit: Decimal = money.ONE
) -> Decimal | None:
    """A decimal number from 0 up, counted in ``unit``."""
    if value is None:
        return None
    try:
        number = money.read(money.multiply(money.read(value, "it"), unit), "it")
    except ValueError as error:
        raise click.BadParameter(f"{value[:40]!r} is not a readable decimal number.") from error
    if number < 0:
        raise click.BadParameter(f"{value!r} is negative.")
    return number


def _per_token(context: click.Context, parameter: click.Parameter, value: str | None) -> Decimal | None:
    """USD per million tokens, as USD per token."""
    return _number(context, parameter, value, _MILLIONTH)


def _instant(context: click.Context, parameter: click.Parameter, value: str | None) -> datetime | None:
    """An instant with a time zone; Python 3.10 reads no ``Z`` itself."""
    if value is None:
        return None
    try:
        when = datetime.fromisoformat(re.sub("[Zz]$", "+00:00", value))
        if when.tzinfo is not None:
            return when.astimezone(timezone.utc)
    except (ValueError, OverflowError) as error:
        raise click.BadParameter(f"{value!r} is no ISO 8601 time, such as 2026-11-22T20:00:00Z.") from error
    raise click.BadParameter(f"{value!r} has no time zone; add Z for UTC, or one such as +01:00.")


class _Cost(click.Command):
    """Says what is wrong with a count below zero, which looks like an option."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            if error.option_name[1:].isdigit():
                raise click.UsageError("PROMPT and COMPLETION must not be negative.", ctx) from error
            raise


_COUNT = click.IntRange(0, money.MAX_COUNT)
_CATEGORY = click.Choice([category.value for category in Category], case_sensitive=False)
_FILE = click.Path(dir_okay=False, path_type=Path)
_json = click.option("--json", "as_json", is_flag=True, help="Print JSON, with money as strings.")


@click.group(context_settings={"help_option_names": ["-h", "--help"]}, no_args_is_help=False)
@click.version_option(package_name=_PROG, prog_name=_PROG)
def cli() -> None:
    """What an OpenRouter call costs.

    Reads the same OPENROUTER_PRICING_* variables as the SDK and shares its cache. It waits for the network for 8
    seconds at most; without one it answers from what is stored or from the bundled snapshot, and says so.
    """


# -- prices --------------------------------------------------------------------------------------------------------


@cli.command(cls=_Cost)
@click.argument("model")
@click.argument("prompt", type=_COUNT)
@click.argument("completion", type=_COUNT)
@click.option("--cached", type=_COUNT, default=0, metavar="N", help="Prompt tokens read from a cache.")
@click.option("--cache-write", type=_COUNT, default=0, metavar="N", help="Prompt tokens written to a cache.")
@click.option("--markup", callback=_number, metavar="R", help="Multiply the raw cost by R, not by the settings' rate.")
@click.option("--at", callback=_instant, metavar="T", help="Time of the call, ISO 8601 with a time zone; default: now.")
@_json
def cost(
    model: str,
    prompt: int,
    completion: int,
    cached: int,
    cache_write: int,
    markup: Decimal | None,
    at: datetime | None,
    as_json: bool,
) -> None:
    """What a call to MODEL with PROMPT and COMPLETION tokens costs.

    PROMPT counts everything that goes in, also what is read from a cache or written to it.
    """
    usage = Usage(prompt, completion, cached_tokens=cached, cache_write_tokens=cache_write)
    with Pricing(_settings()) as pricing:
        with waiting("asking for prices"):
            answer = pricing.cost(model, usage=usage, markup_rate=markup, at=at)
        assert answer.as_of is not None
        origin = _origin(answer.source, answer.as_of)
        if as_json:
            show_json(answer.to_dict())
        else:
            show_cost(answer, origin)


_ORDERS: dict[str, Callable[[Model], Any]] = {
    "id": lambda model: model.id,
    "name": lambda model: model.name.lower(),
    "price": lambda model: (model.mean_price is None, model.mean_price or 0),
    "context": lambda model: -(model.context_length or 0),
}


@cli.command()
@click.option("--text", help="Part of the id or the name.")
@click.option("--provider", help="Such as openai.")
@click.option("--category", type=_CATEGORY, help="How dear it is.")
@click.option("--min-context", type=_COUNT, metavar="N", help="Least context length, tokens.")
@click.option("--max-prompt-price", callback=_per_token, metavar="USD", help="At most, USD per million tokens.")
@click.option("--modality", help="Something it takes or gives (image), or all of that (text+image->text).")
@click.option("--supports", multiple=True, metavar="PARAMETER", help="A request parameter that it takes; repeatable.")
@click.option(
    "--sort", type=click.Choice(list(_ORDERS)), help="Cheapest, or largest context, first; default: as listed."
)
@click.option("--limit", type=click.IntRange(1), metavar="N", help="Show the first N alone.")
@_json
def models(sort: str | None, limit: int | None, as_json: bool, **conditions: Any) -> None:
    """The models that meet every condition given; prices in USD per million tokens."""
    with Pricing(_settings()) as pricing:
        with waiting("asking for prices"):
            catalog = pricing.catalog()
            found = catalog.find(**conditions)
        source = pricing.stats().source
        _origin(source, catalog.as_of)
        if sort is not None:
            found.sort(key=_ORDERS[sort])
        found = found[:limit]
        if as_json:
            rows = [model_dict(model) for model in found]
            show_json({"source": source, "as_of": catalog.as_of.isoformat(), "models": rows})
        elif found:
            show_models(found)
        else:
            note("no model meets these conditions")


@cli.command()
@click.argument("model_id", metavar="ID")
@_json
def model(model_id: str, as_json: bool) -> None:
    """The whole price list of a model, its conditional prices in words."""
    with Pricing(_settings()) as pricing:
        with waiting("asking for prices"):
            catalog = pricing.catalog()
            found = catalog[model_id]
        source = pricing.stats().source
        origin = _origin(source, catalog.as_of)
        if as_json:
            show_json({**model_dict(found), "source": source, "as_of": catalog.as_of.isoformat()})
        else:
            show_model(found, origin)


# -- freshness -----------------------------------------------------------------------------------------------------


@cli.command()
def refresh() -> None:
    """Fetch prices now."""
    with Pricing(_settings()) as pricing:
        with waiting("fetching prices"):
            catalog = pricing.refresh()
        line(cell(f"fetched the prices of {len(catalog)} models at {instant(catalog.as_of)}"))


@cli.command()
@click.option("--output", type=_FILE, required=True, metavar="FILE", help="Where to write it.")
def snapshot(output: Path) -> None:
    """Fetch prices and write them to a file, in the form of the bundled snapshot."""
    with Pricing(_settings()) as pricing:
        with waiting("fetching prices"):
            catalog = pricing.refresh()
        try:
            _replace(output, compress(catalog.dumps(), mtime=0))
        except OSError as error:
            raise click.ClickException(f"cannot write {output}: {error.strerror}") from error
        line(cell(f"wrote the prices of {len(catalog)} models at {instant(catalog.as_of)} to {output}"))


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


# -- what calls did cost -------------------------------------------------------------------------------------------


@cli.command()
@click.argument("log", type=_FILE, metavar="FILE")
@click.option("--tolerance", callback=_number, metavar="USD", help="Fail if all residuals, without signs, are more.")
@click.option(
    "--worst", type=click.IntRange(0, MOST_WORST), default=10, metavar="N", help="Show the N largest residuals."
)
@click.option("--catalog", "stored", type=_FILE, metavar="FILE", help="Stored prices, such as `snapshot` writes.")
@_json
def audit(log: Path, tolerance: Decimal | None, worst: int, stored: Path | None, as_json: bool) -> None:
    """Compare what logged responses say they cost with what the price list says.

    FILE holds one response a line, as JSON; - is the standard input. The exit status is 1 if nothing could be priced.
    """
    source: str | None = "pinned"
    if stored is not None:
        catalog = load_prices(stored)
    else:
        with Pricing(_settings()) as pricing, waiting("asking for prices"):
            catalog, source = pricing.catalog(), pricing.stats().source
    done = Audit(catalog, worst)
    read_log(done, log)
    origin = _origin(source, catalog.as_of)
    if as_json:
        show_json({"source": source, "as_of": catalog.as_of.isoformat(), **done.report()})
    else:
        show_audit(done, origin)
    if not done.priced:
        raise click.ClickException("not one line could be priced")
    if tolerance is not None and done.off > tolerance:
        off, most = money.plain(done.off), money.plain(tolerance)
        raise click.ClickException(f"the residuals add up to {off} USD, more than the {most} USD that were tolerated")


# -- looking at itself ---------------------------------------------------------------------------------------------


@cli.command()
@_json
def settings(as_json: bool) -> None:
    """Every option, its value, and where that came from; secrets are masked."""
    options = Settings.from_env()
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
    table(["option", "value", "from"], rows)


@cli.command()
def doctor() -> None:
    """Whether the backend can be written, OpenRouter be reached, and how old the prices are.

    The exit status is 1 if something is wrong.
    """
    options = _settings()
    with waiting("checking"):
        held = check_held(options)
        backend, upstream = check_backend(options), check_upstream(options)
    checks = {"backend": backend, "upstream": upstream}
    checks["prices"] = (held is not None or upstream[0], held or "none were held before, and the fallback is off")
    verdicts = {True: cell("ok", "green"), False: cell("wrong", "bold red")}
    rows = [[cell(name), verdicts[good], cell(finding)] for name, (good, finding) in checks.items()]
    table(["check", "result", "finding"], rows)
    wrong = [name for name, (good, _) in checks.items() if not good]
    if wrong:
        raise click.ClickException(f"something is wrong with: {', '.join(wrong)}")
