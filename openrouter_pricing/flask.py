"""The Flask extension: one ``Pricing`` for each application; the extra ``flask``."""

from __future__ import annotations

import re
import weakref
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, cast

import click
from flask import Flask, current_app, request
from flask.cli import ScriptInfo
from werkzeug.local import LocalProxy

from ._base.filters import per_million, usd
from ._billing.cost import Cost
from ._billing.total import Total
from .pricing import Pricing
from .settings import Settings, over_environment

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

    from .dashboard.guard import Auth, Guard

__all__ = ["FlaskPricing", "current_pricing"]

_NAME = "openrouter_pricing"
_PATH = re.compile(r"(/[A-Za-z0-9._~-]+)+")
_COMMANDS = ("cost", "models", "doctor", "refresh", "changes")


def _current() -> Pricing:
    try:
        return cast(Pricing, current_app.extensions[_NAME])
    except KeyError:
        raise RuntimeError("this application has no prices: FlaskPricing().init_app(app) gives it some") from None


#: The ``Pricing`` of the application that is handling the request, or whose context is entered.
current_pricing: Pricing = cast(Pricing, LocalProxy(_current))


class FlaskPricing:
    """Gives Flask applications their prices.

    Options come from ``app.config["OPENROUTER_PRICING_<OPTION>"]``, and from the environment where that says nothing.
    An application finds its ``Pricing`` in ``app.extensions["openrouter_pricing"]``, and code that runs within its
    context as ``current_pricing``. It is closed when the application is gone, or the process ends.

    Args:
        app: calls :meth:`init_app` at once.
    """

    def __init__(self, app: Flask | None = None) -> None:
        self._apps: weakref.WeakSet[Flask] = weakref.WeakSet()
        self._mounts: list[tuple[str, Guard]] = []
        if app is not None:
            self.init_app(app)

    def init_app(self, app: Flask) -> None:
        """Give an application its prices, the commands ``flask pricing``, and the filters ``usd`` and ``per_million``.

        Raises:
            SettingsError: an option cannot be read, or is misspelt.
            RuntimeError: the application has prices already.
        """
        if _NAME in app.extensions:
            raise RuntimeError("this application has its prices already")
        from .cli.hosted import HostedCommands

        pricing = Pricing(over_environment(app.config))
        app.extensions[_NAME] = pricing
        weakref.finalize(app, pricing.close)
        app.add_template_filter(usd)
        app.add_template_filter(per_million)
        _teach_json(app)
        app.cli.add_command(HostedCommands(_COMMANDS, _settings))
        self._apps.add(app)
        for path, guard in self._mounts:
            _mount(app, path, guard)

    def mount_dashboard(self, path: str = "/prices", *, auth: Auth | str, hosts: Iterable[str] | None = None) -> None:
        """Show the dashboard in every application of this extension, also in those that are still to come.

        It is a part of the application: what runs before each request, such as a login, runs before it too.
        Its form has a token of its own.

        Args:
            path: where it begins.
            auth: who may see it; see :func:`openrouter_pricing.dashboard.create_app`.
            hosts: the names under which it answers; any when left out.

        Raises:
            ValueError, TypeError: one of them is none of that; the message names it.
        """
        if not isinstance(path, str):
            raise TypeError(f"path must be a string, not {type(path).__name__}")
        path = path.rstrip("/")
        if not _PATH.fullmatch(path):
            raise ValueError(f"path must be a slash and plain words behind it, such as /prices, not {path[:100]!r}")
        if path in dict(self._mounts):
            raise ValueError(f"path {path} shows a dashboard already")
        from .dashboard.guard import Guard

        guard = Guard(auth, hosts)  # which keeps no token
        for app in list(self._apps):
            _mount(app, path, guard)
        self._mounts.append((path, guard))


def _settings(context: click.Context) -> Settings:
    return over_environment(context.ensure_object(ScriptInfo).load_app().config)


def _teach_json(app: Flask) -> None:
    """Let the application's JSON provider write costs and totals, if it has a place to say so."""
    provider: Any = app.json
    before: Callable[[Any], Any] | None = getattr(provider, "default", None)
    if before is not None:
        provider.default = lambda value: value.to_dict() if isinstance(value, (Cost, Total)) else before(value)


def _mount(app: Flask, path: str, guard: Guard) -> None:
    from .dashboard.app import Dashboard
    from .dashboard.embedding import ask

    dashboard = Dashboard(app.extensions[_NAME], guard, None)

    def show(page: str = "") -> Response:
        environ = request.environ
        root = environ.get("SCRIPT_NAME", "").rstrip("/") + path
        return ask(dashboard, environ, root, environ["PATH_INFO"][len(path) :], request.form.items(multi=True))

    endpoint = f"{_NAME}:{path}"
    for rule in (f"{path}/", f"{path}/<path:page>"):
        app.add_url_rule(rule, endpoint, show, methods=["GET", "POST"])
