"""Real web servers that fork: a price change reaches every worker, each has one warmer, and none ever hangs."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from support.figures import Figure
from support.servers import free_port
from support.upstream import Upstream, row
from support.webservers import INTERVAL, SLACK, WORKERS, gunicorn, seen, serving, uwsgi

pytestmark = pytest.mark.faults

ANSWER = """
import json, os, threading, time
from openrouter_pricing import Pricing, Settings

pricing = Pricing(Settings.from_env())
if os.environ.get("ASK_EARLY"):
    pricing.cost("openai/gpt-4o-mini", 1)

def answer():
    time.sleep(0.02)  # so that the next request goes to another worker
    cost = pricing.cost("openai/gpt-4o-mini", 1)
    warmers = [t for t in threading.enumerate() if t.name == "openrouter-pricing-warmer" and t.is_alive()]
    return json.dumps({
        "pid": os.getpid(), "raw": str(cost.raw), "source": cost.source,
        "warmers": len(warmers), "alive": pricing.stats().warmer_alive,
    })
"""
FLASK = """
from flask import Flask
from answer import answer

app = Flask("prices")

@app.get("/")
def prices():
    return answer()
"""
DJANGO = """
import django
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse
from django.urls import path
from answer import answer

settings.configure(ALLOWED_HOSTS=["*"], ROOT_URLCONF="app", SECRET_KEY="test")
django.setup()
urlpatterns = [path("", lambda request: HttpResponse(answer()))]
app = get_wsgi_application()
"""


def is_well(victims: list[int], said: dict[str, Any]) -> bool:
    """Whether an answer comes from a worker with a warmer that was not among the victims."""
    return said["pid"] not in victims and said["warmers"] == 1


SERVERS: dict[str, tuple[Callable[..., list[str]], list[str]]] = {
    "gunicorn --preload": (gunicorn, ["--preload"]),
    "gunicorn": (gunicorn, []),
    "gunicorn --preload -k gevent": (gunicorn, ["--preload", "-k", "gevent"]),
    "uWSGI prefork": (uwsgi, ["--enable-threads"]),
    "uWSGI prefork with fork hooks": (uwsgi, ["--enable-threads", "--py-call-osafterfork"]),
    "uWSGI lazy-apps": (uwsgi, ["--enable-threads", "--lazy-apps"]),
    "uWSGI lazy-apps with fork hooks": (uwsgi, ["--enable-threads", "--lazy-apps", "--py-call-osafterfork"]),
}


@pytest.mark.parametrize("server", SERVERS)
@pytest.mark.parametrize("framework", ["Flask", "Django"])
@pytest.mark.parametrize("early", [False, True], ids=["asked in workers", "asked before the fork"])
def test_a_price_change_reaches_every_worker(
    server: str, framework: str, early: bool, tmp_path: Path, upstream: Upstream, figure: Figure
) -> None:
    """Each worker runs one warmer of its own and learns of a change within an interval, its jitter and two seconds.

    Guard: the comparison of process ids off the hot path (``CatalogCache._process``, ``Warmer.alive``).
    """
    (tmp_path / "answer.py").write_text(ANSWER)
    (tmp_path / "app.py").write_text(FLASK if framework == "Flask" else DJANGO)
    make, options = SERVERS[server]
    port = free_port()
    upstream.say(row(pricing={"prompt": "1", "completion": "0"}))
    environ = {"ASK_EARLY": "1"} if early else {}
    with serving(make(port, *options), port, tmp_path, upstream, **environ):
        first = seen(port, lambda said: bool(said["raw"] == "1"), 30)
        assert {"live"} == {said["source"] for said in first.values()}
        upstream.say(row(pricing={"prompt": "2", "completion": "0"}))
        began = time.monotonic()
        second = seen(port, lambda said: bool(said["raw"] == "2"), INTERVAL * 1.1 + SLACK)
        took = time.monotonic() - began
        assert set(first) == set(second)
        assert {(1, True)} == {(said["warmers"], said["alive"]) for said in second.values()}
    figure(f"{server}, {framework}, {'preloaded' if early else 'fresh'}: a change in all workers", f"{took:.2f} s")


@pytest.mark.parametrize("server", ["gunicorn --preload", "uWSGI prefork"])
def test_no_worker_hangs_in_fifty_respawns(server: str, tmp_path: Path, upstream: Upstream, figure: Figure) -> None:
    """Workers that are killed and forked anew, from a parent that fetches all the time, always answer.

    Guard: locks, threads and connections are made anew in the child (``CatalogCache._process``).
    """
    (tmp_path / "answer.py").write_text(ANSWER)
    (tmp_path / "app.py").write_text(FLASK)
    make, options = SERVERS[server]
    port = free_port()
    respawns, slowest = 0, 0.0
    with serving(make(port, *options), port, tmp_path, upstream, ASK_EARLY="1", OPENROUTER_PRICING_WARM_INTERVAL="0.2"):
        workers = set(seen(port, lambda said: True, 30))
        while respawns < 50:
            victims = list(workers)[:2]
            for victim in victims:
                os.kill(victim, signal.SIGKILL)
            began = time.monotonic()
            workers = set(seen(port, partial(is_well, victims), 20))
            slowest = max(slowest, time.monotonic() - began)
            respawns += len(victims)
    assert respawns >= 50
    figure(f"{server}: hung workers in {respawns} respawns", f"0, slowest return to four workers {slowest:.2f} s")


def test_uwsgi_without_threads_still_answers(tmp_path: Path, upstream: Upstream, figure: Figure) -> None:
    """A uWSGI that runs no Python threads between requests answers with live prices all the same.

    Guard: callers wait on an event, which lets the fetch's thread run.
    """
    (tmp_path / "answer.py").write_text(ANSWER)
    (tmp_path / "app.py").write_text(FLASK)
    port = free_port()
    with serving(uwsgi(port), port, tmp_path, upstream, OPENROUTER_PRICING_WARM="false"):
        found = seen(port, lambda said: bool(said["source"] == "live"), 30)
    assert len(found) == WORKERS
    figure("uWSGI without --enable-threads: workers that answer live", f"{len(found)} of {WORKERS}")
