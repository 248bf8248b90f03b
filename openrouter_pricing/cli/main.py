"""The command line: one command, run; its errors are one line."""

from __future__ import annotations

import importlib
import io
import logging
import os
import sys
from collections.abc import Sequence

import click

from ..errors import PricingError, shortened
from .options import PROG
from .terminal import safe

#: The commands in the order in which the help lists them, and the room of each.
_ROOMS = {
    "cost": "cost",
    "range": "offers",
    "endpoints": "offers",
    "models": "models",
    "model": "models",
    "compare": "compare",
    "audit": "audit",
    "history": "past",
    "changes": "past",
    "refresh": "upkeep",
    "snapshot": "upkeep",
    "settings": "upkeep",
    "doctor": "upkeep",
    "dashboard": "dashboard",
}
#: What the names of the functions are where they are not those of the commands, which hide Python's own.
_NAMES = {"range": "range_"}


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
        cli.main(args, PROG, standalone_mode=False)
    except click.Abort:
        return 130
    except click.UsageError as error:
        where = PROG if error.ctx is None else error.ctx.command_path
        return _fail(f"{error.format_message()} (see '{where} --help')", 2)
    except click.ClickException as error:
        return _fail(error.format_message(), 1)
    except PricingError as error:
        return _fail(str(error), 1)
    except SystemExit:  # click's and rich's end where nobody reads any more, and that of a completion
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
    click.echo(safe(f"{PROG}: {shortened(' '.join(message.split()))}"), err=True)
    return status


class _Commands(click.Group):
    """The commands, each imported when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All of them, the ones asked for most first."""
        return list(_ROOMS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The one of that name."""
        room = _ROOMS.get(cmd_name)
        if room is None:
            return None
        found = getattr(importlib.import_module(f"{__package__}.{room}"), _NAMES.get(cmd_name, cmd_name))
        assert isinstance(found, click.Command)
        return found

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """As click does; no arguments at all ask for help."""
        return super().parse_args(ctx, args if args or ctx.resilient_parsing else ["--help"])


@click.group(
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    no_args_is_help=False,
    epilog="""\b
    Exit status:
      0    an answer, also one that nothing meets
      1    an error: no price, no network, a file that cannot be read or written, a check that failed
      2    wrong usage; a FILE that is missing, or is a directory, is that too
      130  interrupted""",
)
@click.version_option(package_name=PROG, prog_name=PROG)
def cli() -> None:
    """What an OpenRouter call costs, what a month costs, and what was spent.

    Reads the same OPENROUTER_PRICING_* variables as the SDK and shares its cache. It waits for the network for 8
    seconds at most; without one it answers from what is stored or from the bundled snapshot, and says so.
    """
