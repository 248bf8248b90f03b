"""The WSGI app: which page a request asks for, and what every answer carries."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from hashlib import sha256
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Request, Response

from .._base.log import logger
from .._base.masking import mask
from ..errors import PricingError
from .guard import Auth, Guard
from .pages import Pages
from .refusals import Refusal
from .state import State

if TYPE_CHECKING:
    from ..history import Notifier
    from ..pricing import Pricing

#: Sent with everything. ``same-origin`` and no less: browsers send a form that has no referrer without its origin, too.
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; "
    "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}
_YEAR = "public, max-age=31536000, immutable"
_LOOKING = ("GET", "HEAD")
_MOST_FORM = 8192  # bytes


class _Request(Request):
    """A request whose form is a small one."""

    max_content_length = _MOST_FORM
    max_form_memory_size = _MOST_FORM


class Dashboard:
    """A WSGI app that shows the prices of one ``Pricing``; made by :func:`create_app`."""

    def __init__(self, pricing: Pricing, guard: Guard, notifier: Notifier | None) -> None:
        self._pricing = pricing
        self._guard = guard
        style = files(__package__).joinpath("static", "style.css").read_bytes()
        self._style, self._version = style, sha256(style).hexdigest()[:12]
        self._pages = Pages(pricing, notifier, self._version)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        request = _Request(environ)
        try:
            response = self._answer(request)
        except Refusal as refusal:
            response = self._refused(request, refusal)
        except HTTPException as error:  # a form that is too large
            response = self._refused(request, Refusal(error.code or 400, "That cannot be read"))
        except Exception as error:  # noqa: BLE001  # a page may fail in any way; the reader is told, and the log
            logger(__name__).error("a page of the dashboard failed: %s: %s", type(error).__name__, mask(str(error)))
            response = self._refused(request, Refusal(500, "That went wrong", "The log of the application says more."))
        for name, value in HEADERS.items():
            if name not in response.headers:
                response.headers[name] = value
        return response(environ, start_response)

    def _answer(self, request: Request) -> Response:
        self._guard.check_host(request)
        path = request.path
        if path == "/static/style.css":
            self._only(request, *_LOOKING)
            return Response(self._style, mimetype="text/css", headers={"Cache-Control": _YEAR})
        if (answered := self._guard.enter(request)) is not None:
            return answered
        if path == "/refresh":
            self._only(request, "POST")
            self._guard.check_form(request)
            return self._refresh(request)
        page = self._page(path)
        self._only(request, *_LOOKING)
        return page(request)

    def _page(self, path: str) -> Callable[[Request], Response]:
        if path == "/":
            return self._overview
        if path == "/models":
            return lambda request: _html(self._pages.models(request))
        if path.startswith("/models/") and path != "/models/":
            return lambda request: _html(self._pages.model(request, path[len("/models/") :]))
        if path == "/changes":
            return lambda request: _html(self._pages.changes(request))
        if path == "/healthz":
            return self._health
        raise Refusal(404, "No such page", "There are an overview, models, changes and /healthz.")

    def _overview(self, request: Request) -> Response:
        token = self._guard.form_token(request)
        response = _html(self._pages.overview(request, token))
        self._guard.form(request, response, token)
        return response

    def _health(self, request: Request) -> Response:
        """Whether questions can be answered: that, and no more, is what a probe should restart anything for."""
        said = State.of(self._pricing).to_dict()
        return Response(json.dumps(said) + "\n", status=200 if said["ok"] else 503, mimetype="application/json")

    def _refresh(self, request: Request) -> Response:
        """Fetch, and show the overview: a form that is reloaded is not sent again."""
        try:
            self._pricing.refresh()
        except PricingError as error:
            if State.of(self._pricing).due_in is None:  # pinned, offline or closed: a button was none there
                raise Refusal(409, "Nothing to refresh", mask(str(error))) from error
            done = "failed"
        else:
            done = "done"
        return Response(status=303, headers={"Location": f"{self._pages.root(request)}/?refresh={done}"})

    def _refused(self, request: Request, refusal: Refusal) -> Response:
        response = _html(self._pages.refusal(request, refusal), refusal.status)
        response.headers.update(refusal.headers)
        return response

    def _only(self, request: Request, *methods: str) -> None:
        if request.method not in methods:
            allowed = ", ".join(methods)
            raise Refusal(405, "Not this way", f"This address takes {allowed} alone.", headers={"Allow": allowed})


def _html(text: str, status: int = 200) -> Response:
    # A name may hold half of a character, which no page can.
    return Response(text.encode("utf-8", "replace"), status=status, mimetype="text/html")


def create_app(
    pricing: Pricing,
    *,
    auth: Auth | str,
    notifier: Notifier | None = None,
    hosts: Iterable[str] | None = None,
) -> Callable[[dict[str, Any], Any], Iterable[bytes]]:
    """A dashboard of prices, models, changes and health, as a WSGI app.

    It can be served by itself or mounted under a prefix: all of its addresses respect ``SCRIPT_NAME``. No page waits
    for the network, but for the one that asks a model's providers, which waits three seconds at most, and for the
    answer to the refresh button.

    Args:
        pricing: whose prices are shown; it stays yours to close.
        auth: who may look. A callable takes the Werkzeug ``Request`` (whose ``environ`` is that of WSGI) and says
            whether it may pass. A token lets in whoever opens the address with ``?token=…`` once, which leaves a
            cookie, or sends it as ``Authorization: Bearer …``. ``"host"`` says that the host application has decided
            already: everybody who gets here may look.
        notifier: a ``Notifier`` whose last deliveries are shown on the overview.
        hosts: the names under which it answers, with a port or without; any when left out.

    Raises:
        TypeError, ValueError: one of the arguments is none of that; the message names it.
    """
    from ..pricing import Pricing

    if not isinstance(pricing, Pricing):
        raise TypeError(f"pricing must be a Pricing, not {type(pricing).__name__}")
    return Dashboard(pricing, Guard(auth, hosts), notifier)
