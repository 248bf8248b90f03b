"""Some of the commands, as part of a framework's own command line."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any

import click

from ..errors import PricingError, shortened
from ..settings import Settings
from .main import cli
from .options import HANDED
from .terminal import safe


class HostedCommands(click.Group):
    """A group ``pricing`` with some of the commands, which read the settings of an application.

    Args:
        names: of the commands.
        settings: reads them, when a command is run; it is handed click's context.
    """

    def __init__(self, names: Sequence[str], settings: Callable[[click.Context], Settings]) -> None:
        super().__init__("pricing", help=cli.short_help, context_settings=cli.context_settings, no_args_is_help=True)
        self._names = names
        self._settings = settings

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Those that were chosen."""
        return list(self._names)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The one of that name, imported now."""
        return cli.get_command(ctx, cmd_name) if cmd_name in self._names else None

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; what it cannot answer is one line, as the host prints it."""
        logging.getLogger("stamina").addHandler(logging.NullHandler())  # or its retries reach stderr
        try:
            ctx.meta[HANDED] = self._settings(ctx)
            return super().invoke(ctx)
        except PricingError as error:
            raise click.ClickException(safe(shortened(" ".join(str(error).split())))) from error
