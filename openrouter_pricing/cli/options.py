"""What the commands share: settings for one answer, how their options are read, and where prices come from."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timezone
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import attrs
import click

from .._base import money
from .._base.counts import MOST_DIGITS, read_count
from ..settings import Settings, unknown_variables
from .terminal import instant, note

PROG = "openrouter-pricing"
_DEADLINE = 8.0  # seconds, so that an answer without a network comes within ten
_MILLIONTH = Decimal("0.000001")


class BareHelp(click.Command):
    """A command that shows its help where it is called without any of the arguments that it needs."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """As click does, but for no arguments at all."""
        if not args and not ctx.resilient_parsing:
            click.echo(ctx.get_help())
            ctx.exit()
        return super().parse_args(ctx, args)


if TYPE_CHECKING:
    _ParamType: TypeAlias = click.ParamType[int]
else:
    _ParamType = click.ParamType  # which became generic with click 8.4


class Count(_ParamType):
    """A whole number: ``1000``, ``1,000``, ``1_000``, ``1k`` or ``1.5M``.

    Args:
        least, most: what it may be.
    """

    name = "count"

    def __init__(self, least: int = 0, most: int = money.MAX_COUNT) -> None:
        self.least = least
        self.most = most

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """The number.

        Raises:
            click.BadParameter: it is none, or out of bounds.
        """
        number = value if isinstance(value, int) else read_count(value)
        if isinstance(number, str):
            self.fail(number, param, ctx)
        if number < self.least:
            self.fail(f"{number:,} is below {self.least:,}.", param, ctx)
        if number > self.most:
            most = "10**18" if self.most == money.MAX_COUNT else f"{self.most:,}"
            self.fail(f"{str(value)[:MOST_DIGITS]} is above {most}.", param, ctx)
        return number


def from_env() -> Settings:
    """The settings; variables that have no effect are told."""
    for warning in unknown_variables():
        note(warning)
    return Settings.from_env()


def one_answer() -> Settings:
    """The settings for a process that answers once: a refresh behind its back would never end."""
    options = from_env()
    return attrs.evolve(options, deadline=min(options.deadline, _DEADLINE), stale_while_revalidate=0, warm=False)


def origin_words(source: str | None, as_of: datetime) -> str:
    """Where prices come from, for people; said on stderr too where they may be out of date."""
    kept = {"stale": "those that were stored", "bundled": "the bundled snapshot"}
    if source in kept:
        note(f"no fresh prices are at hand; these are {kept[source]}, of {instant(as_of)} (see '{PROG} doctor')")
    return f"({source}, prices of {instant(as_of)})"


def read_number(
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


def read_per_token(context: click.Context, parameter: click.Parameter, value: str | None) -> Decimal | None:
    """USD per million tokens, as USD per token."""
    return read_number(context, parameter, value, _MILLIONTH)


def read_instant(context: click.Context, parameter: click.Parameter, value: str | None) -> datetime | None:
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


def one_form(as_json: bool, as_csv: bool) -> None:
    """Refuse two forms of one answer."""
    if as_json and as_csv:
        raise click.UsageError("--json and --csv are two forms of one answer: give one of them.", _context())


def _context() -> click.Context | None:
    return click.get_current_context(silent=True)


COUNT = Count()
WRITTEN = click.Path(dir_okay=False, path_type=Path)
FILE = click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path)
STORED = click.Path(exists=True, dir_okay=False, path_type=Path)
json_option: Callable[[Any], Any] = click.option(
    "--json", "as_json", is_flag=True, help="Print JSON, with money as strings."
)
csv_option: Callable[[Any], Any] = click.option(
    "--csv", "as_csv", is_flag=True, help="Print CSV, with a header and plain decimals."
)
catalog_option: Callable[[Any], Any] = click.option(
    "--catalog", "stored", type=STORED, metavar="FILE", help="Stored prices, such as `snapshot` writes."
)
