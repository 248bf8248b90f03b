"""The command line: one command, run; its errors are one line."""

from __future__ import annotations

import io
import logging
import os
import sys
from collections.abc import Sequence

import click

from ..errors import PricingError, shortened
from . import audit, prices, upkeep
from .options import PROG
from .terminal import safe


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
    click.echo(safe(f"{PROG}: {shortened(' '.join(message.split()))}"), err=True)
    return status


@click.group(context_settings={"help_option_names": ["-h", "--help"]}, no_args_is_help=False)
@click.version_option(package_name=PROG, prog_name=PROG)
def cli() -> None:
    """What an OpenRouter call costs.

    Reads the same OPENROUTER_PRICING_* variables as the SDK and shares its cache. It waits for the network for 8
    seconds at most; without one it answers from what is stored or from the bundled snapshot, and says so.
    """


for _command in (
    prices.cost,
    prices.models,
    prices.model,
    upkeep.refresh,
    upkeep.snapshot,
    audit.audit,
    upkeep.settings,
    upkeep.doctor,
):
    cli.add_command(_command)
