"""Flask and Django under real web servers: a price change reaches every worker, and each shows the dashboard."""

from __future__ import annotations

import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest
from support.figures import Figure
from support.servers import free_port
from support.upstream import Upstream, row
from support.webapps import FRAMEWORKS, lay
from support.webservers import INTERVAL, SLACK, ask, gunicorn, seen, serving, uwsgi

pytestmark = pytest.mark.web

WORKERS = 3
_FEW = ["-w", str(WORKERS)]
SERVERS: dict[str, tuple[Callable[..., list[str]], list[str]]] = {
    "gunicorn sync": (gunicorn, [*_FEW, "-k", "sync"]),
    "gunicorn gthread": (gunicorn, [*_FEW, "-k", "gthread", "--threads", "4"]),
    "gunicorn gevent": (gunicorn, [*_FEW, "-k", "gevent"]),
    "uWSGI": (uwsgi, ["--processes", str(WORKERS), "--enable-threads"]),
}


def read(port: int, path: str) -> str:
    """A page."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=30) as response:
        assert response.status == 200
        text: str = response.read().decode()
        return text


@pytest.mark.parametrize("early", [False, True], ids=["asked in workers", "asked before the fork"])
@pytest.mark.parametrize("framework", FRAMEWORKS)
@pytest.mark.parametrize("server", SERVERS)
def test_a_price_change_reaches_every_worker(
    server: str, framework: str, early: bool, tmp_path: Path, upstream: Upstream, figure: Figure
) -> None:
    """Each worker has one warmer, learns of a change in time, shows the dashboard, and ends without a word.

    With gevent that is so too where the ``Pricing`` was made, or asked, before the worker patched itself.
    """
    make, options = SERVERS[server]
    if "gevent" in server:
        pytest.importorskip("gevent")
    if early and make is gunicorn:  # uWSGI loads before it forks as it is
        options = [*options, "--preload"]
    lay(tmp_path, framework)
    port = free_port()
    upstream.say(row(pricing={"prompt": "1", "completion": "0"}))
    environ = {"ASK_EARLY": "1"} if early else {}
    with serving(make(port, *options), port, tmp_path, upstream, **environ):
        first = seen(port, lambda said: bool(said["raw"] == "1"), 30, WORKERS)
        assert {("live", "2")} == {(said["source"], said["markup"]) for said in first.values()}
        upstream.say(row(pricing={"prompt": "2", "completion": "0"}))
        began = time.monotonic()
        second = seen(port, lambda said: bool(said["raw"] == "2"), INTERVAL * 1.1 + SLACK, WORKERS)
        took = time.monotonic() - began
        assert set(first) == set(second)
        assert {(1, 0)} == {(said["warmers"], said["errors"]) for said in second.values()}
        if framework == "Flask":
            assert (ask(port, "/other/") or {})["markup"] == "3"
        pages = [read(port, "/prices/") for _ in range(2 * WORKERS)]
        assert all('"/prices/models' in page for page in pages)
        assert "gpt-4o-mini" in read(port, "/prices/models/openai/gpt-4o-mini")
    asked = "preloaded and asked" if early else "asked in workers"
    figure(f"{framework}: {server}, {asked}", f"a change in {WORKERS} workers after {took:.2f} s, and their dashboard")
