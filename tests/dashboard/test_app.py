"""Which page a request asks for, and what every answer carries."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest
from support.freshness import MODEL, Make, settle
from support.pages import ORIGIN, Recorded, reader, shown, text
from support.upstream import Upstream, row
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.test import Client

from openrouter_pricing import Pricing
from openrouter_pricing.dashboard import create_app

POLICY = "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; frame-ancestors 'none'"


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/", 200),
        ("/models", 200),
        (f"/models/{MODEL}", 200),
        ("/models/nope", 404),
        ("/models/", 404),
        ("/changes", 200),
        ("/healthz", 200),
        ("/static/style.css", 200),
        ("/static/../app.py", 404),
        ("/favicon.ico", 404),
        ("/models?sort=x", 400),
        ("/?refresh=x", 400),
        ("/refresh", 405),
    ],
)
def test_what_every_answer_carries(path: str, status: int) -> None:
    """The policy and its companions, errors included; only the style sheet may be kept."""
    answer = shown().get(path)
    assert (status, POLICY) == (answer.status_code, answer.headers["Content-Security-Policy"])
    assert ("nosniff", "same-origin") == (answer.headers["X-Content-Type-Options"], answer.headers["Referrer-Policy"])
    assert path.startswith("/static/style") == (answer.headers["Cache-Control"] != "no-store")
    assert "<script" not in answer.text
    assert " style=" not in answer.text


def test_methods() -> None:
    """What may be asked may be asked for its head alone, and nothing else."""
    client = shown()
    assert (200, b"") == (client.head("/models").status_code, client.head("/models").data)
    for path in ("/", "/models", f"/models/{MODEL}", "/changes", "/healthz", "/static/style.css"):
        answer = client.post(path, headers=ORIGIN)
        assert (405, "GET, HEAD") == (answer.status_code, answer.headers["Allow"])
    assert (405, "POST") == (client.get("/refresh").status_code, client.get("/refresh").headers["Allow"])


def test_under_a_prefix(make_pricing: Make) -> None:
    """Every address on every page stands under it, and so do redirects and cookies."""
    pricing = make_pricing()
    pricing.warm()
    app = create_app(pricing, auth="t0ken")
    client = Client(DispatcherMiddleware(app, {"/a b/prices": app}))
    answer = client.get("/a b/prices/?token=t0ken")
    assert "/a%20b/prices/" == answer.headers["Location"]
    assert "Path=/a%20b/prices" in answer.headers["Set-Cookie"]
    client = Client(
        DispatcherMiddleware(create_app(pricing, auth="host"), {"/prices": create_app(pricing, auth="host")})
    )
    for path in ("/", "/models?in=1", f"/models/{MODEL}", "/changes", "/nope"):
        page = client.get(f"/prices{path}").text
        links = [part.partition('"')[0] for part in page.replace('action="', 'href="').split('href="')[1:]]
        assert all(link.startswith(("/prices/", "#", "?", "data:")) for link in links), links
    token = client.get("/prices/").text.partition('csrf_token" value="')[2].partition('"')[0]
    answer = client.post("/prices/refresh", data={"csrf_token": token}, headers=ORIGIN)
    assert "/prices/?refresh=done" == answer.headers["Location"]


def test_a_refresh_that_fails(make_pricing: Make, upstream: Upstream) -> None:
    """The overview says why, and what is held is shown all the same."""
    pricing = make_pricing()
    pricing.warm()
    settle()
    upstream.fail(500)
    client = reader(pricing)
    token = client.get("/").text.partition('csrf_token" value="')[2].partition('"')[0]
    answer = client.post("/refresh", data={"csrf_token": token}, headers=ORIGIN)
    assert "/?refresh=failed" == answer.headers["Location"]
    said = text(client, "/?refresh=failed")
    assert "That did not work: " in said
    assert "500" in said
    assert "Failing 1 models" in said
    assert "Fetched: 1 models" in text(client, "/?refresh=done")


def test_nothing_to_refresh() -> None:
    """A pinned list has no button, and says so to whoever asks all the same."""
    client = shown()
    assert "csrf_token" not in client.get("/").text
    client.set_cookie("openrouter-pricing-form", "x" * 43)
    answer = client.post("/refresh", data={"csrf_token": "x" * 43}, headers=ORIGIN)
    assert (409, True) == (answer.status_code, "pinned" in answer.text)


def test_a_form_that_is_too_large() -> None:
    """It is refused before it is read."""
    client = shown()
    client.set_cookie("openrouter-pricing-form", "x" * 43)
    answer = client.post("/refresh", data={"csrf_token": "x" * 10_000}, headers=ORIGIN)
    assert (413, POLICY) == (answer.status_code, answer.headers["Content-Security-Policy"])


def test_health(make_pricing: Make) -> None:
    """JSON: 200 while questions can be answered, 503 where none can."""
    answer = shown().get("/healthz")
    assert (200, "application/json") == (answer.status_code, answer.mimetype)
    assert (True, "pinned", 1) == tuple(json.loads(answer.data)[name] for name in ("ok", "state", "models"))
    answer = reader(make_pricing(offline=True, fallback=False)).get("/healthz")
    assert (503, False) == (answer.status_code, json.loads(answer.data)["ok"])


def test_a_page_that_fails(caplog: pytest.LogCaptureFixture) -> None:
    """The reader is told nothing of it, and the log one line, without what may be secret."""

    class Broken(Recorded):
        def as_of(self, when: Any) -> Any:
            raise RuntimeError

    client = shown(history=Broken())
    assert 200 == client.get("/changes").status_code  # a history that fails costs nobody a page
    broken = reader(Pricing(catalog=client.application._pricing.catalog()), auth=lambda request: 1 / 0)
    with caplog.at_level(logging.ERROR):
        answer = broken.get("/?token=s3cret")
    assert 500 == answer.status_code
    assert "division" not in answer.text
    assert "a page of the dashboard failed: ZeroDivisionError: division by zero" in caplog.text
    assert "s3cret" not in caplog.text


@pytest.mark.parametrize(
    "name",
    [
        "<script>alert(1)</script>",
        '"><img src=x onerror=alert(1)>',
        "{{ 7*7 }}{% raw %}",
        "שלום <b>עולם</b>",
        "模型 مرحبا नमस्ते",
        "half \ud800 a character",
        "\u202egnp.exe",
        "\x00\x07",
    ],
)
def test_a_hostile_name(name: str) -> None:
    """It stays text, on every page that shows it."""
    client = shown(row("a/b", name=name))
    for path in ("/models", "/models?in=1", "/models/a/b", "/models/a/nope", "/models?q=%3Cscript%3E"):
        answer = client.get(path)
        assert answer.status_code in (200, 404)
        page = answer.data.decode()
        assert "<script" not in page
        assert "<img" not in page
        assert "<b>עולם" not in page
        assert "onerror=alert(1)>" not in page.replace("&gt;", "")


@pytest.mark.parametrize(
    "path",
    [
        "/models/../healthz",
        "/models//",
        "/models/%2e%2e/x",
        "/models/%00",
        "/models/%ff",
        "/models/" + "a" * 5000,
        "/..%2f",
    ],
)
def test_path_tricks(path: str) -> None:
    """Each of them is a page that is not there."""
    answer = shown().get(path)
    assert (404, POLICY) == (answer.status_code, answer.headers["Content-Security-Policy"])
