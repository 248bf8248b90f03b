"""The dashboard as a view, and as a page of the admin."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.core.cache import caches
from django.core.management import call_command
from django.test import AsyncClient, Client, RequestFactory, override_settings
from support.upstream import Upstream, row

from openrouter_pricing._history.bundled import BundledHistory
from openrouter_pricing.dashboard.guard import Guard
from openrouter_pricing.django import DjangoHistory, pricing
from openrouter_pricing.django.models import PriceHead, RecordedPrice
from openrouter_pricing.django.views import dashboard_urls, dashboard_view

HOST = {"HTTP_HOST": "testserver", "HTTP_ORIGIN": "http://testserver"}


def form(page: str) -> dict[str, str]:
    """What the button of a page sends."""
    return {"csrf_token": page.partition('name="csrf_token" value="')[2].partition('"')[0]}


@pytest.fixture
def client(options: dict[str, Any]) -> Client:
    """A browser; the project's own protection of forms is on."""
    return Client(enforce_csrf_checks=True)


@pytest.fixture
def users() -> Iterator[dict[str, User]]:
    """One who may view prices, one of the staff who may not, and one who is none of it."""
    made = {name: User.objects.create_user(name, is_staff=name != "guest") for name in ("viewer", "clerk", "guest")}
    made["viewer"].user_permissions.add(Permission.objects.get(codename="view_pricehead"))
    yield made
    User.objects.all().delete()


def test_a_view_asks_for_a_cost(client: Client) -> None:
    """What the project's prices answer can be sent as JSON."""
    said = client.get("/cost", {"model": "openai/gpt-4o-mini"}).json()
    assert (said["total"], said["source"]) == ("0.000585000", "live")


def test_the_dashboard_as_a_view(client: Client) -> None:
    """It is shown to whoever has the token, below the address at which it is."""
    assert client.get("/prices/").status_code == 401
    welcome = client.get("/prices/?token=token")
    assert (303, "/prices/") == (welcome.status_code, welcome["Location"])
    page = client.get("/prices/")
    assert (200, True) == (page.status_code, '"/prices/models' in page.content.decode())
    assert "default-src 'none'" in page["Content-Security-Policy"]
    assert client.get("/prices/healthz").json()["ok"]
    assert client.get("/prices/models/openai/gpt-4o-mini").status_code == 200
    assert client.get("/prices/models?q=gpt").status_code == 200
    assert client.get("/prices/nowhere").status_code == 404


def test_the_button(client: Client, upstream: Upstream) -> None:
    """It fetches; a form from elsewhere does not, though the project leaves the check to the dashboard."""
    client.get("/prices/?token=token")
    sent = form(client.get("/prices/").content.decode())
    upstream.say(row(), row("acme/new"))
    assert client.post("/prices/refresh", sent).status_code == 403
    done = client.post("/prices/refresh", sent, **HOST)
    assert (303, "/prices/?refresh=done") == (done.status_code, done["Location"])
    assert "acme/new" in pricing.catalog()


def test_cookies_stay_as_they_are(client: Client) -> None:
    """What the dashboard says of its cookies reaches the browser, and they belong to its address alone."""
    welcome = client.get("/prices/?token=token", secure=True)
    page = client.get("/prices/", secure=True)
    made = [cookie for answer in (welcome, page) for cookie in answer.cookies.values()]
    assert len(made) == 2
    for cookie in made:
        assert (True, True, "Strict", "/prices") == (
            cookie["httponly"],
            cookie["secure"],
            cookie["samesite"],
            cookie["path"],
        )


def test_broken_options(caplog: pytest.LogCaptureFixture) -> None:
    """The page says that it failed, the log says why, and the token is held nowhere: trackers send what frames hold."""
    view = dashboard_view(auth="a-token-to-hush")
    request = RequestFactory().get("/", headers={"authorization": "Bearer a-token-to-hush"})
    with override_settings(OPENROUTER_PRICING={"MARKUP_RATE": "much"}):
        answer = view(request)
    assert (500, True) == (answer.status_code, "MARKUP_RATE: cannot read 'much'" in caplog.text)
    held = [cell.cell_contents for cell in view.__closure__ or ()]
    held += [cell.cell_contents for each in held for cell in getattr(each, "__wrapped__", view).__closure__ or ()]
    assert "to-hush" not in repr([held, caplog.text, *(vars(each) for each in held if isinstance(each, Guard))])


@pytest.mark.parametrize("host", ["evil.example", "testserver.evil.example", "testserver@evil.example", ""])
def test_another_name(host: str, client: Client) -> None:
    """A page elsewhere that has its own name point here is refused, as everything of the project is."""
    client.get("/prices/?token=token")
    assert client.get("/prices/", headers={"host": host}).status_code == 400


async def _estimate(client: AsyncClient) -> dict[str, Any]:
    said: dict[str, Any] = json.loads((await client.get("/async-cost", {"model": "openai/gpt-4o-mini"})).content)
    return said


def test_an_async_view(options: dict[str, Any]) -> None:
    """It asks as any other: a cache and a history in the database are asked in a thread of ours."""
    call_command("createcachetable", verbosity=0)
    given = {**options, "BACKEND": "django://database", "HISTORY": "django://"}
    with override_settings(OPENROUTER_PRICING=given):
        DjangoHistory().initialise(BundledHistory().periods("openai/gpt-4o-mini"))
        said = asyncio.run(_estimate(AsyncClient()))
        stats = pricing.stats()
        pricing.close()
    caches["database"].clear()
    RecordedPrice.objects.all().delete()
    PriceHead.objects.all().delete()
    assert (["live", "history"], 0, 0) == (said["sources"], stats.backend_errors, stats.history_errors)


async def _asked(client: AsyncClient) -> tuple[int, int]:
    await client.get("/prices/?token=token")
    return (await client.get("/prices/")).status_code, (await client.get("/prices/models")).status_code


def test_under_asgi(options: dict[str, Any]) -> None:
    """A request that comes without an environ of WSGI is shown the same."""
    assert asyncio.run(_asked(AsyncClient())) == (200, 200)


def test_the_page_in_the_admin(client: Client, users: dict[str, User], upstream: Upstream) -> None:
    """It is behind the admin's login, for those who may view prices; the index leads to it."""
    address = "/admin/openrouter_pricing/pricehead/"
    assert client.get(address)["Location"].startswith("/admin/login/")
    for name, status in (("guest", 302), ("clerk", 403), ("viewer", 200)):
        client.force_login(users[name])
        assert (name, status) == (name, client.get(address).status_code)
    assert address in client.get("/admin/").content.decode()
    page = client.get(address).content.decode()
    assert f'"{address}models' in page
    assert client.get(f"{address}models/openai/gpt-4o-mini").status_code == 200
    done = client.post(f"{address}refresh", form(page), **HOST)
    assert (303, f"{address}?refresh=done") == (done.status_code, done["Location"])


@pytest.mark.parametrize(("auth", "error"), [("", ValueError), (None, TypeError)])
def test_who_may_see_it_is_asked_at_once(auth: Any, error: type[Exception]) -> None:
    """It has no default, and what is none is told when addresses are made."""
    for make in (dashboard_view, dashboard_urls):
        with pytest.raises(error, match="auth"):
            make(auth=auth)
        with pytest.raises(TypeError, match="auth"):
            make()  # type: ignore[call-arg]
