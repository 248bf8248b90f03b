"""Every page and form in a real browser: no error, no report, nothing that keeps anybody out."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from support.endpoints import MODEL as CHAT
from support.figures import Figure
from support.pages import HOSTILE
from support.upstream import Upstream
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from openrouter_pricing import Catalog, Pricing, Settings
from openrouter_pricing.dashboard import create_app

#: Serves an application until the test is over, and says where.
Serve = Callable[[Any], str]

pytestmark = pytest.mark.dashboard

LOOKS = [(1280, "light"), (1280, "dark"), (390, "light"), (390, "dark")]
PAGES = {
    "/": 200,
    "/models": 200,
    "/models?q=hostile": 200,
    "/models?q=nothing-of-that-name": 200,
    "/models?in=2k&out=500&cached=50&calls=100k": 200,
    "/models?sort=nonsense": 400,
    f"/models/{CHAT}": 200,
    f"/models/{CHAT}?providers=ask": 200,
    "/models/z-ai/glm-5.2": 200,
    "/models/nobody/nothing": 404,
    "/changes?model=claude&since=90d": 200,
    "/changes?kind=delisted&model=qwen": 200,
    "/changes?model=nothing-of-that-name": 200,
    "/nowhere": 404,
    **{f"/models/{model['id']}": 200 for model in HOSTILE},
}
REPORTS = "addEventListener('securitypolicyviolation', e => console.error('CSP ' + e.violatedDirective + e.blockedURI))"


class Visit:
    """A reader with one kind of screen, who notes what goes wrong."""

    def __init__(self, browser: Any, width: int = 1280, scheme: str = "light") -> None:
        self.context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
        self.context.add_init_script(REPORTS)
        self.page = self.context.new_page()
        self.width = width
        self.errors: list[str] = []
        self.page.on("console", self._note)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("dialog", lambda dialog: self.errors.append(dialog.message) or dialog.dismiss())

    def _note(self, message: Any) -> None:
        is_own_status = "status of 40" in message.text and message.location.get("url") == self.page.url
        if message.type in ("error", "warning") and not is_own_status:
            self.errors.append(message.text)

    def open(self, url: str) -> int:
        """Go there; the status."""
        return int(self.page.goto(url).status)

    def overflow(self) -> int:
        """Pixels by which the page is wider than the screen."""
        wide: int = self.page.evaluate("document.documentElement.scrollWidth")
        return wide - self.width

    def close(self) -> None:
        """Leave."""
        self.context.close()


def serious(page: Any) -> list[str]:
    """What axe finds that is serious or worse."""
    found: list[str] = page.evaluate(
        "axe.run().then(r => r.violations.filter(v => ['serious', 'critical'].includes(v.impact))"
        ".map(v => v.id + ' ' + v.nodes.map(n => n.html).join(' ').slice(0, 300)))"
    )
    return found


@pytest.fixture(scope="session")
def axe() -> str:
    """The accessibility checker."""
    spec = find_spec("axe_playwright_python")
    if spec is None or not spec.submodule_search_locations:
        pytest.skip("axe is not installed")
    return (Path(spec.submodule_search_locations[0]) / "axe.min.js").read_text(encoding="utf-8")


@pytest.mark.parametrize(("width", "scheme"), LOOKS)
def test_every_page(
    browser: Any, axe: str, prices: Pricing, serve: Serve, figure: Figure, width: int, scheme: str
) -> None:
    """No console error, no CSP report, nothing serious for axe, nothing wider than the screen."""
    url = serve(create_app(prices, auth="host"))
    visit, problems = Visit(browser, width, scheme), []
    for path, status in PAGES.items():
        assert status == visit.open(url + path), path
        assert visit.overflow() <= 0, path
        visit.page.evaluate(axe)
        problems += [f"{path}: {problem}" for problem in serious(visit.page)]
    assert ([], []) == (visit.errors, problems)
    figure(
        f"every page at {width} px, {scheme}",
        f"{len(PAGES)} pages: 0 console errors, 0 CSP reports, 0 serious findings",
    )
    visit.close()


def test_a_narrow_screen(browser: Any, prices: Pricing, serve: Serve) -> None:
    """At 360 pixels no page is wider than the screen."""
    url = serve(create_app(prices, auth="host"))
    visit = Visit(browser, 360)
    assert {} == {path: wide for path in PAGES if visit.open(url + path) and (wide := visit.overflow()) > 0}
    visit.close()


def test_empty_and_failing_pages(browser: Any, axe: str, serve: Serve) -> None:
    """The same of a pinned list, of no prices at all, and of a failing upstream."""
    cases = {
        "pinned": Pricing(catalog=Catalog.from_models(HOSTILE[:1])),
        "no prices": Pricing(Settings(backend="null://", offline=True, fallback=False)),
        "failing": Pricing(Settings(backend="null://", base_url="http://127.0.0.1:9", attempts=1, connect_timeout=0.2)),
    }
    for name, pricing in cases.items():
        with pricing:
            pricing.warm()
            url = serve(create_app(pricing, auth="host"))
            for scheme in ("light", "dark"):
                visit = Visit(browser, 390, scheme)
                for path in ("/", "/models?q=claude+haiku", "/changes?model=claude"):
                    assert 200 == visit.open(url + path)
                    visit.page.evaluate(axe)
                    assert ([], []) == (serious(visit.page), visit.errors), (name, path)
                assert name.split()[0] in visit.page.locator(".chip").inner_text().lower()
                visit.close()


@pytest.mark.parametrize("width", [1280, 390])
def test_every_form(browser: Any, prices: Pricing, openrouter: Upstream, serve: Serve, width: int) -> None:
    """Search, usage, order, filters, providers and the refresh button do what they say, under a prefix, by keyboard."""
    url = serve(
        DispatcherMiddleware(create_app(prices, auth="host"), {"/some/prices": create_app(prices, auth="host")})
    )
    visit = Visit(browser, width)
    page = visit.page
    visit.open(f"{url}/some/prices/")
    page.keyboard.press("Tab")
    assert "Skip to the content" == page.evaluate("document.activeElement.textContent")
    page.keyboard.press("Enter")
    assert "main" == page.evaluate("document.activeElement.id")
    asked = len(openrouter.requests)
    page.get_by_role("button", name="Refresh now").click()
    assert asked + 1 == len(openrouter.requests)
    assert "Fetched: " in page.get_by_role("status").inner_text()
    page.get_by_role("link", name="Models", exact=True).click()
    page.get_by_label("Search").fill("gpt-4o mini")
    page.keyboard.press("Enter")
    page.get_by_text("Compare for my usage").click()
    page.get_by_label("Tokens in").fill("2k")
    page.get_by_label("Tokens out").fill("500")
    page.get_by_label("Calls a month").fill("1M")
    page.get_by_role("button", name="Show").click()
    assert "1,000,000 calls a month" in page.locator("caption").inner_text()
    page.locator("thead").get_by_role("link", name="A month").click()
    assert "descending" == page.locator("th[aria-sort]").get_attribute("aria-sort")
    page.locator(f"a[href='/some/prices/models/{CHAT}']").click()
    assert CHAT in page.locator(".big-id").inner_text()
    page.get_by_role("link", name="Ask the providers").click()
    assert "Alpha <b>" in page.locator("#providers").inner_text()
    page.get_by_text("as a table").click()
    page.get_by_role("link", name="Changes", exact=True).click()
    page.get_by_label("What").select_option("listed")
    page.get_by_role("button", name="Show").click()
    assert "kind=listed" in page.url
    assert "New" == page.locator(".tag").first.inner_text()
    assert [] == visit.errors
    visit.close()


def test_hostile_names_stay_text(browser: Any, prices: Pricing, serve: Serve) -> None:
    """Nothing runs, nothing is marked up, and no name turns the words beside it round."""
    url = serve(create_app(prices, auth="host"))
    visit = Visit(browser)
    visit.open(f"{url}/models/hostile/script")
    assert HOSTILE[0]["name"] == visit.page.locator("h1").inner_text()
    assert "owned" != visit.page.title()
    visit.open(f"{url}/models?q=hostile")
    assert 0 == visit.page.locator("tbody b, tbody img, script").count()
    assert "rtl" == visit.page.evaluate("getComputedStyle(document.querySelector('a[href*=arabic] bdi')).direction")
    assert [] == visit.errors
    visit.close()


def test_a_form_on_another_page(
    browser: Any, prices: Pricing, openrouter: Upstream, serve: Serve, figure: Figure
) -> None:
    """A page elsewhere posts to the dashboard of a reader who is let in: 403, and nothing is fetched."""
    url = serve(create_app(prices, auth="t0ken"))
    visit = Visit(browser)
    assert 200 == visit.open(f"{url}/?token=t0ken")
    assert f"{url}/" == visit.page.url
    form = f"<form method=post action={url}/refresh><input name=csrf_token value=x><button>Win</button></form>"

    def elsewhere(environ: Any, start_response: Any) -> list[bytes]:
        start_response("200 OK", [("Content-Type", "text/html")])
        return [f"<!doctype html><title>x</title>{form}".encode()]

    asked = len(openrouter.requests)
    visit.open(serve(elsewhere))
    with visit.page.expect_navigation() as navigation:
        visit.page.get_by_role("button").click()
    assert 403 == navigation.value.status
    assert asked == len(openrouter.requests)
    figure("another origin's POST, in a browser that is let in", "403, nothing was fetched")
    visit.close()
