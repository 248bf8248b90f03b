"""What somebody may try with a dashboard in an application that really listens."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

import pytest
from support.figures import Figure
from support.pages import HOSTILE
from support.servers import free_port
from support.upstream import Upstream, row
from support.waiting import until
from support.webapps import FRAMEWORKS, lay
from support.webservers import ask, gunicorn, serving

pytestmark = pytest.mark.web

TOKEN = "a-token-of-ours"
PATHS = [
    "/prices/../",
    "/prices/..%2f..%2fetc/passwd",
    "/prices/%2e%2e/%2e%2e/etc/passwd",
    "/prices/static/../../told.py",
    "/prices/static/%2e%2e%2fapp.py",
    "/prices//evil.example/",
    "/prices/\\evil.example",
    "/prices/%00",
    "/prices/%ff%fe",
    "/prices/models/%00%0d%0aX-Owned:%20yes",
    "/prices/models/" + "x" * 3000,
    "/prices/models/%3Cscript%3Ealert(1)%3C/script%3E",
    "/prices/models?q=%3Cscript%3Ealert(1)%3C/script%3E&sort=%00",
    "/by-token//evil.example/?token=" + TOKEN,
    "/by-token/%0d%0aX-Owned:%20yes?token=" + TOKEN,
]


class Said(NamedTuple):
    """What an application answered."""

    status: int
    headers: list[tuple[str, str]]
    text: str

    def header(self, name: str) -> str:
        """One header, or nothing."""
        return next((value for key, value in self.headers if key.lower() == name), "")


class Site:
    """A listening application, asked as it stands in the request, odd paths too."""

    def __init__(self, port: int, framework: str, log: Path) -> None:
        self.port = port
        self.framework = framework
        self.log = log

    def ask(self, path: str, method: str = "GET", body: str = "", **headers: str) -> Said:
        """One request; underscores of header names stand for hyphens."""
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)) as connection:
            connection.putrequest(method, path, skip_host="Host" in headers)
            sent = {**headers, "Content-Length": str(len(body)), "Content-Type": "application/x-www-form-urlencoded"}
            for name, value in sent.items():
                connection.putheader(name.replace("_", "-"), value)
            connection.endheaders(body.encode())
            answer = connection.getresponse()
            return Said(answer.status, answer.getheaders(), answer.read().decode())

    def form(self) -> tuple[str, str]:
        """The cookie and the form of a browser that was let in."""
        page = self.ask("/prices/")
        token = page.text.partition('name="csrf_token" value="')[2].partition('"')[0]
        return page.header("set-cookie").partition(";")[0], f"csrf_token={quote(token)}"


@pytest.fixture(params=FRAMEWORKS)
def site(request: pytest.FixtureRequest, tmp_path: Path, upstream: Upstream) -> Iterator[Site]:
    """A gunicorn that logs each request."""
    lay(tmp_path, request.param)
    upstream.say(row(), *HOSTILE)
    port = free_port()
    command = gunicorn(port, "-w", "1", "--access-logfile", "-")
    with serving(command, port, tmp_path, upstream, OPENROUTER_PRICING_WARM="false"):
        until(lambda: ask(port))
        yield Site(port, request.param, tmp_path / "log")


def test_a_form_from_elsewhere(site: Site, upstream: Upstream, figure: Figure) -> None:
    """Another origin's POST fetches nothing, whatever it carries; the page's own does."""
    cookie, form = site.form()
    ours = f"http://127.0.0.1:{site.port}"
    before = len(upstream.requests)
    tried = [
        {"Origin": "http://evil.example", "Cookie": cookie},
        {"Origin": "null", "Cookie": cookie},
        {"Cookie": cookie},
        {"Origin": f"{ours}.evil.example", "Cookie": cookie},
        {"Origin": "https://127.0.0.1", "Cookie": cookie},
        {"Origin": ours},
        {"Origin": ours, "Cookie": cookie + "x"},
    ]
    for headers in tried:
        assert site.ask("/prices/refresh", "POST", form, **headers).status == 403
    assert site.ask("/prices/refresh", "POST", "", Origin=ours, Cookie=cookie).status == 403
    assert site.ask("/prices/refresh", Cookie=cookie).status == 405
    assert len(upstream.requests) == before
    done = site.ask("/prices/refresh", "POST", form, Origin=ours, Cookie=cookie)
    assert (303, "/prices/?refresh=done") == (done.status, done.header("location"))
    assert len(upstream.requests) == before + 1
    figure(f"{site.framework}: forms from elsewhere", f"{len(tried) + 2} refused, 0 requests sent")


def test_another_name(site: Site, figure: Figure) -> None:
    """A name that was made to point here is refused: by the project of Django, and by ``hosts`` in Flask."""
    names = ["evil.example", f"evil.example:{site.port}", "127.0.0.1.evil.example", "127.0.0.1@evil.example", "[::1]"]
    for name in names:
        assert site.ask(f"/by-token/?token={TOKEN}", Host=name).status == 400
    assert site.ask(f"/by-token/?token={TOKEN}", Host=f"127.0.0.1:{site.port}").status == 303
    figure(f"{site.framework}: names that were made to point here", f"{len(names)} refused")


def test_odd_addresses(site: Site, figure: Figure) -> None:
    """None of them breaks anything, leads elsewhere, or shows what is none of the dashboard's."""
    for path in PATHS:
        said = site.ask(path, Authorization=f"Bearer {TOKEN}")
        assert said.status < 500, path
        assert not said.header("x-owned"), path
        assert not said.header("location").startswith(("//", "/\\", "http://evil")), path
        assert "<script" not in said.text, path
        assert "root:" not in said.text, path
        assert "TOLD" not in said.text, path
    figure(f"{site.framework}: odd addresses", f"{len(PATHS)} tried, none is a 5xx or leads elsewhere")


def test_hostile_names(site: Site, figure: Figure) -> None:
    """What comes from outside is text, on every page."""
    pages = ["/prices/", "/prices/models", *(f"/prices/models/{quote(str(each['id']))}" for each in HOSTILE)]
    for path in pages:
        said = site.ask(path)
        assert (200, "text/html; charset=utf-8") == (said.status, said.header("content-type")), path
        assert not [word for word in ("<script", "<img src=x", "<b>") if word in said.text], path
        assert said.header("content-security-policy").startswith("default-src 'none'")
    figure(f"{site.framework}: hostile names", f"{len(pages)} pages, no tag of theirs is one")


def test_tokens_and_the_log(site: Site, figure: Figure) -> None:
    """A token that is sent as a header, or as the cookie that it became, stands in no line of the log."""
    assert site.ask("/by-token/").status == 401
    assert site.ask("/by-token/", Authorization="Bearer wrong").status == 401
    assert site.ask("/by-token/models", Authorization=f"Bearer {TOKEN}").status == 200
    before = site.log.read_text()
    assert TOKEN not in before
    welcome = site.ask(f"/by-token/models?token={TOKEN}&q=gpt")
    cookie = welcome.header("set-cookie")
    assert (303, "/by-token/models?q=gpt") == (welcome.status, welcome.header("location"))
    assert [word for word in ("HttpOnly", "SameSite=Strict", "Path=/by-token") if word not in cookie] == []
    assert site.ask("/by-token/models", Cookie=cookie.partition(";")[0]).status == 200
    until(lambda: site.log.read_text().count("/by-token/") >= 5)
    lines = [line for line in site.log.read_text().splitlines() if TOKEN in line]
    assert len(lines) == 1  # the address of the first visit, which the server itself logs
    figure(f"{site.framework}: a token in the server's log", "1 line: the address of the first visit; 0 by a header")
