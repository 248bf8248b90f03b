"""The dashboard as a view of a project."""

from __future__ import annotations

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
    from ..dashboard.app import Dashboard
    from ..dashboard.guard import Guard

    guard = Guard(auth, None)  # which keeps no token; prices are made with the first request
    app = cache(lambda: Dashboard(pricing, guard, None))

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
    from ..dashboard.embedding import ask

    environ = {name: value for name, value in request.META.items() if isinstance(value, str)} | {
        "REQUEST_METHOD": request.method,
        "HTTP_HOST": request.get_host(),
        "wsgi.url_scheme": request.scheme,
    }
    root = request.path[: len(request.path) - len(page)]
    form = ((name, value) for name, values in request.POST.lists() for value in values)
    said = ask(app, environ, _wsgi(root), _wsgi(f"/{page}"), form)
    answer = HttpResponse(said.get_data(), status=said.status_code)
    for name, value in said.headers.items():
        if name.lower() == "set-cookie":
            answer.cookies.load(value)
        elif name.lower() != "content-length":  # which Django counts itself
            answer[name] = value
    return answer


def _wsgi(text: str) -> str:
    return text.encode("utf-8", "surrogateescape").decode("latin-1")
