"""``manage.py pricing``: the commands that answer for a project."""

from __future__ import annotations

import argparse
import sys
from contextlib import redirect_stderr, redirect_stdout
from typing import Any

import click
from django.core.management.base import BaseCommand, CommandError, CommandParser

from ....cli.hosted import HostedCommands
from ... import conf

_COMMANDS = ("cost", "models", "doctor", "refresh", "history", "audit")


class Command(BaseCommand):
    """Runs one of them with the options of the project."""

    help = f"What an OpenRouter call costs: {', '.join(_COMMANDS)}. Each has its own --help."

    def add_arguments(self, parser: CommandParser) -> None:
        """All that follows is click's to read."""
        parser.add_argument(
            "args", nargs=argparse.REMAINDER, metavar="COMMAND ...", help="such as: cost MODEL 1000 500"
        )

    def handle(self, *args: str, **options: Any) -> None:
        """Run it.

        Raises:
            CommandError: it was used wrongly (status 2), or it has no answer (status 1).
        """
        group = HostedCommands(_COMMANDS, lambda context: conf.read())
        streams = (
            redirect_stdout(options.get("stdout") or sys.stdout),
            redirect_stderr(options.get("stderr") or sys.stderr),
        )
        try:
            with streams[0], streams[1]:
                status = group.main(_ours(args) or ["--help"], "manage.py pricing", standalone_mode=False)
        except click.ClickException as error:
            raise CommandError(error.format_message(), returncode=error.exit_code) from error
        except click.Abort as error:
            raise CommandError("interrupted", returncode=130) from error
        if status:
            sys.exit(status)


def _ours(arguments: tuple[str, ...]) -> list[str]:
    """The arguments without those that Django takes after any command, and has read already."""
    django = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    django.add_argument("-v", "--verbosity")
    for name in ("--settings", "--pythonpath"):
        django.add_argument(name)
    for name in ("--traceback", "--no-color", "--force-color", "--skip-checks"):
        django.add_argument(name, action="store_true")
    return django.parse_known_args(arguments)[1]
