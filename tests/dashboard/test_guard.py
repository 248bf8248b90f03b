"""Who may look, under which name, and where a form comes from."""

from __future__ import annotations

import re
from typing import Any

import pytest
from support.pages import ORIGIN, catalog, reader
from werkzeug.test import Client, EnvironBuilder, run_wsgi_app

from openrouter_pricing import Pricing, Settings
from openrouter_pricing.dashboard import create_app

TOKEN = "t" * 43


@pytest.fixture
def pricing() -> Pricing:
    """A pinned list."""
    return Pricing(Settings(), catalog=catalog())


# -- who may look ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path", ["/", "/models", "/models/openai/gpt-4o-mini", "/changes", "/healthz", "/x", "/refresh"]
)
def test_no_token(pricing: Pricing, path: str) -> None:
    """Without it every page is a 401 that names no price and says what to do; the style sheet is none of them."""
    client = reader(pricing, auth=TOKEN)
    for answer in (client.get(path), client.get(f"{path}?token=wrong"), client.post(path, headers=ORIGIN)):
        assert 401 == answer.status_code
        assert "printed" in answer.text
        assert "0.15" not in answer.text
        assert "Bearer" in answer.headers["WWW-Authenticate"]
    assert 200 == client.get("/static/style.css").status_code


def test_a_token_becomes_a_cookie(pricing: Pricing) -> None:
    """The address loses it, and keeps the rest; the cookie is for nobody else."""
    client = reader(pricing, auth=TOKEN)
    answer = client.get(f"/models?q=a+b&token={TOKEN}&sort=name")
    assert (303, "/models?q=a+b&sort=name") == (answer.status_code, answer.headers["Location"])
    cookie = answer.headers["Set-Cookie"]
    assert all(part in cookie for part in ("HttpOnly", "SameSite=Strict", "Path=/"))
    assert "Secure" not in cookie
    assert 200 == client.get("/models").status_code
    assert "Secure" in reader(pricing, auth=TOKEN).get(f"/?token={TOKEN}", base_url="https://x").headers["Set-Cookie"]


def test_two_dashboards_of_one_host(pricing: Pricing) -> None:
    """Their cookies have names of their own, as cookies know no port."""
    names = {reader(pricing, auth=t).get(f"/?token={t}").headers["Set-Cookie"].partition("=")[0] for t in ("a", "b")}
    assert 2 == len(names)


def test_a_bearer(pricing: Pricing) -> None:
    """A probe sends the token in a header; a wrong one, or one of strange letters, is none."""
    client = reader(pricing, auth=TOKEN)
    assert 200 == client.get("/healthz", headers={"Authorization": f"Bearer {TOKEN}"}).status_code
    assert 401 == client.get("/healthz", headers={"Authorization": "Bearer nope"}).status_code
    assert 401 == client.get("/?token=%ff%00").status_code


@pytest.mark.parametrize("path", ["//evil.example/x", "/%5Cevil.example", "/%0d%0aSet-Cookie:x=1"])
def test_no_address_leads_elsewhere(pricing: Pricing, path: str) -> None:
    """Whatever stands in the path, the reader stays here."""
    app = create_app(pricing, auth=TOKEN)
    where = Client(app).open(path=path, query_string=f"token={TOKEN}").headers["Location"]
    assert re.fullmatch(r"/[^/\\\r\n].*", where)


def test_a_callable_is_asked(pricing: Pricing) -> None:
    """With the request; what it does not let in is a 403."""
    client = reader(pricing, auth=lambda request: request.headers.get("X-User") == "me")
    assert 403 == client.get("/models").status_code
    assert 200 == client.get("/models", headers={"X-User": "me"}).status_code
    assert 500 == reader(pricing, auth=lambda request: request.nothing).get("/").status_code


@pytest.mark.parametrize(
    ("options", "error", "name"),
    [
        ({}, TypeError, "auth"),
        ({"auth": None}, TypeError, "auth"),
        ({"auth": " "}, ValueError, "auth"),
        ({"auth": "host", "hosts": "localhost"}, TypeError, "hosts"),
        ({"auth": "host", "hosts": 1}, TypeError, "hosts"),
        ({"auth": "host", "hosts": [1]}, TypeError, "hosts"),
        ({"auth": "host", "hosts": ["a b"]}, ValueError, "hosts"),
    ],
)
def test_a_bad_argument(pricing: Pricing, options: dict[str, Any], error: type[Exception], name: str) -> None:
    """It is named, when the app is made."""
    with pytest.raises(error, match=name):
        create_app(pricing, **options)


def test_no_pricing() -> None:
    """It must be one."""
    with pytest.raises(TypeError, match="pricing must be a Pricing, not str"):
        create_app("nope", auth="host")  # type: ignore[arg-type]


# -- under which name --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost", 200),
        ("LOCALHOST:8377", 200),
        ("127.0.0.1:1", 200),
        ("[::1]:8377", 200),
        ("named.example:80", 200),
        ("named.example:81", 400),
        ("evil.example", 400),
        ("localhost.evil.example", 400),
        ("localhost@evil.example", 400),
        ("", 400),
        ("localhost:x", 400),
    ],
)
def test_a_host(pricing: Pricing, host: str, status: int) -> None:
    """A name of somebody else that points at this address is refused, whatever the page."""
    app = create_app(pricing, auth="host", hosts=("127.0.0.1", "localhost", "::1", "named.example:80"))
    for path in ("/", "/healthz", "/static/style.css"):
        environ = {**EnvironBuilder(path=path).get_environ(), "HTTP_HOST": host}  # a client would read the name, too
        assert status == int(run_wsgi_app(app, environ)[1][:3])


def test_any_host(pricing: Pricing) -> None:
    """Without ``hosts`` any will do: the host application knows its own."""
    assert 200 == reader(pricing).get("/", environ_overrides={"HTTP_HOST": "anything.example"}).status_code


# -- where a form comes from -------------------------------------------------------------------------------------------


def form_token(client: Client) -> str:
    """What the form on the overview carries."""
    found = re.search(r'name="csrf_token" value="([\w-]{43})"', client.get("/").text)
    assert found is not None
    return found[1]


@pytest.fixture
def live(make_pricing: Any) -> Client:
    """A reader of prices that can be refreshed."""
    pricing = make_pricing()
    pricing.warm()
    return reader(pricing)


def test_a_form_of_ours(live: Client) -> None:
    """It refreshes, and leads to the overview; the token stays the same."""
    token = form_token(live)
    answer = live.post("/refresh", data={"csrf_token": token}, headers=ORIGIN)
    assert (303, "/?refresh=done") == (answer.status_code, answer.headers["Location"])
    assert token == form_token(live)


@pytest.mark.parametrize("origin", [None, "null", "http://evil.example", "https://localhost", "http://localhost:81"])
def test_a_form_from_elsewhere(live: Client, origin: str | None, upstream: Any) -> None:
    """Another origin, also one of another port or scheme, is refused, and nothing is fetched."""
    token = form_token(live)
    before = len(upstream.requests)
    answer = live.post("/refresh", data={"csrf_token": token}, headers={} if origin is None else {"Origin": origin})
    assert 403 == answer.status_code
    assert before == len(upstream.requests)


@pytest.mark.parametrize("data", [{}, {"csrf_token": ""}, {"csrf_token": "x" * 43}, {"csrf_token": "ä"}])
def test_a_form_without_its_token(live: Client, data: dict[str, str]) -> None:
    """The same, and what to do is said."""
    form_token(live)
    answer = live.post("/refresh", data=data, headers=ORIGIN)
    assert (403, True) == (answer.status_code, "reload" in answer.text)


def test_a_refresh_without_a_form(make_pricing: Any) -> None:
    """A program sends the token in a header, and its origin; a cookie alone will not do, nor another's origin."""
    pricing = make_pricing()
    pricing.warm()
    client, bearer = reader(pricing, auth=TOKEN), {"Authorization": f"Bearer {TOKEN}"}
    assert 303 == client.post("/refresh", headers={**bearer, **ORIGIN}).status_code
    assert 403 == client.post("/refresh", headers={**bearer, "Origin": "http://evil.example"}).status_code
    assert 403 == client.post("/refresh", headers=bearer).status_code
    client.get(f"/?token={TOKEN}")
    assert 403 == client.post("/refresh", headers=ORIGIN).status_code


def test_a_form_without_a_cookie(live: Client) -> None:
    """An empty token does not match a cookie that is not there."""
    assert 403 == live.post("/refresh", data={"csrf_token": ""}, headers=ORIGIN).status_code
    live.set_cookie("openrouter-pricing-form", "planted")
    assert "planted" != form_token(live)
