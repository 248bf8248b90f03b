"""The dashboard as a view of a project."""

from __future__ import annotations

import io
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any

from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.views.decorators.csrf import csrf_exempt

from .conf import pricing

if TYPE_CHECKING:
    from ..dashboard.guard import Auth

__all__ = ["dashboard_urls", "dashboard_view"]


def dashboard_view(*, auth: Auth | str) -> Callable[..., HttpResponse]:
    """A view that shows the dashboard of the project's prices; its forms have a token of their own.

    Args:
        auth: who may see it; see :func:`openrouter_pricing.dashboard.create_app`.

    Returns:
        a view that takes the request and ``page``, what comes after the address at which the dashboard begins.

    Raises:
        TypeError, ValueError: ``auth`` is none.
    """
    from ..dashboard import create_app
    from ..dashboard.guard import Guard

    Guard(auth, None)  # says now what is wrong with it; prices are made with the first request
    app = cache(lambda: create_app(pricing, auth=auth))

    @csrf_exempt
    def show(request: HttpRequest, page: str = "") -> HttpResponse:
        return _answer(app(), request, page)

    return show


def dashboard_urls(*, auth: Auth | str) -> list[URLPattern]:
    """Patterns for ``path("prices/", include(dashboard_urls(auth=...)))``.

    Args:
        auth: as for :func:`dashboard_view`.
    """
    show = dashboard_view(auth=auth)
    return [path("", show, name="openrouter-pricing"), path("<path:page>", show)]


def _answer(app: Any, request: HttpRequest, page: str) -> HttpResponse:
    from werkzeug.wrappers import Response

    form = request.POST.urlencode().encode()  # read already, perhaps
    environ = {name: value for name, value in request.META.items() if isinstance(value, str)} | {
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": _wsgi(request.path[: len(request.path) - len(page)].rstrip("/")),
        "PATH_INFO": _wsgi(f"/{page}"),
        "HTTP_HOST": request.get_host(),
        "CONTENT_LENGTH": str(len(form)),
        "CONTENT_TYPE": "application/x-www-form-urlencoded",
        "wsgi.url_scheme": request.scheme,
        "wsgi.input": io.BytesIO(form),
    }
    said = Response.from_app(app, environ, buffered=True)
    answer = HttpResponse(said.get_data(), status=said.status_code)
    for name, value in said.headers.items():
        if name.lower() == "set-cookie":
            answer.cookies.load(value)
        elif name.lower() != "content-length":  # which Django counts itself
            answer[name] = value
    return answer


def _wsgi(text: str) -> str:
    return text.encode("utf-8", "surrogateescape").decode("latin-1")
