"""The dashboard within an application."""

from __future__ import annotations

from typing import Any

from werkzeug.test import create_environ
from werkzeug.wrappers import Request, Response

from openrouter_pricing.dashboard.embedding import ask


def test_what_an_app_is_asked() -> None:
    """It finds itself where it is, and the form that somebody else has read."""
    seen: list[Any] = []

    @Request.application
    def app(request: Request) -> Response:
        seen.append((request.root_path, request.path, request.method, list(request.form.items(multi=True))))
        return Response("done", 201, {"X-Kept": "yes"})

    environ = create_environ("/shop/prices/refresh", method="POST", data={"gone": "1"})
    environ["wsgi.input"].read()
    form = [("a", "1"), ("a", "ü&=")]
    answer = ask(app, environ, "/shop/prices/", "/refresh", form)
    assert seen == [("/shop/prices", "/refresh", "POST", form)]
    assert (201, b"done", "yes") == (answer.status_code, answer.get_data(), answer.headers["X-Kept"])
    assert environ["PATH_INFO"] == "/shop/prices/refresh"
