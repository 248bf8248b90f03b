"""The command dashboard: prices as pages, on this machine and for one person."""

from __future__ import annotations

import secrets
from ipaddress import ip_address

import click

from ..pricing import Pricing
from .options import from_env
from .terminal import note, safe, say, waiting

_OURS = ("127.0.0.1", "localhost", "[::1]")
_BYTES = 32  # of the token
_EXTRA = ("jinja2", "markupsafe", "werkzeug")


@click.command(short_help="Prices, models and changes as pages in a browser.")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen at.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8377, show_default=True, help="The port; 0 takes a free one."
)
def dashboard(host: str, port: int) -> None:
    """Prices, models, changes and health as pages in a browser.

    Prints an address with a token in it, which lets in whoever opens it. It is for one person: 16 connections are
    served at once, and more are refused. Ctrl-C ends it.
    """
    try:
        from ..dashboard.app import create_app
        from ..dashboard.server import OnePerson
    except ImportError as error:
        if (error.name or "").partition(".")[0] not in _EXTRA:
            raise
        raise click.ClickException(
            f"the dashboard needs an extra ({error}); get it with: pip install 'openrouter-pricing[dashboard]'"
        ) from error
    token, host = secrets.token_urlsafe(_BYTES), host.strip("[]")
    shown = _OURS[0] if _is(host, "is_unspecified") else f"[{host}]" if ":" in host else host
    with Pricing(from_env()) as pricing:
        app = create_app(pricing, auth=token, hosts={*_OURS, shown})
        try:
            server = OnePerson(host, port, app, lambda text: click.echo(safe(text), err=True))
        except OSError as error:
            raise click.ClickException(f"cannot listen at {host}, port {port}: {error.strerror or error}") from error
        with server:
            with waiting("asking for prices"):
                pricing.warm()
            pricing.start_warmer()
            say(f"http://{shown}:{server.server_port}/?token={token}\n")
            _tell(host)
            try:
                server.serve_forever()
            except KeyboardInterrupt:
                return


def _tell(host: str) -> None:
    note("it is for one person on this machine; open the address above, and press Ctrl-C to end it")
    if not (host == "localhost" or _is(host, "is_loopback")):
        note(
            f"{host} can be reached from other machines, and nothing is encrypted on the way: others may see the token"
        )


def _is(host: str, what: str) -> bool:
    """Whether an address is of that kind; a name is not."""
    try:
        return bool(getattr(ip_address(host), what))
    except ValueError:
        return False
