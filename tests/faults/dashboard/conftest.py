"""A real browser, and a dashboard of real prices on loopback."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from support.endpoints import MODEL, endpoint, offers, path
from support.pages import HOSTILE
from support.upstream import Answer, Upstream
from support.waiting import PATIENCE

from openrouter_pricing import Pricing, Settings
from openrouter_pricing.dashboard.server import OnePerson
from openrouter_pricing.data import load_bundled

#: Serves an application until the test is over, and says where.
Serve = Callable[[Any], str]


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Chromium, without a window."""
    playwright = pytest.importorskip("playwright.sync_api")
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        pytest.skip("chromium is not installed")
    with playwright.sync_playwright() as started:
        opened = started.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture(scope="session")
def openrouter() -> Iterator[Upstream]:
    """A server in OpenRouter's place with some real models of the snapshot, and some with hostile names."""
    server, snapshot = Upstream(), load_bundled()
    some = dict.fromkeys([*list(snapshot)[:: len(snapshot) // 40], MODEL, "z-ai/glm-5.2"])
    server.say(*(snapshot.row(name).raw for name in some), *HOSTILE)
    two = offers(endpoint("Alpha <b>", "alpha", "0.0000001", "0.0000002"), endpoint("Beta", "beta/flex", "0", "-1"))
    server.pages[path()] = Answer(two)
    yield server
    server.close()


@pytest.fixture
def prices(openrouter: Upstream) -> Iterator[Pricing]:
    """Prices that were fetched from there."""
    with Pricing(Settings(backend="null://", base_url=openrouter.url)) as pricing:
        pricing.warm()
        yield pricing


@contextmanager
def served(app: Any) -> Iterator[str]:
    """An application on loopback; where it is."""
    server = OnePerson("127.0.0.1", 0, app, lambda line: None)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join(PATIENCE)
    server.server_close()


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Serves applications."""
    opened = []

    def start(app: Any) -> str:
        opened.append(served(app))
        return opened[-1].__enter__()

    yield start
    for each in opened:
        each.__exit__(None, None, None)
