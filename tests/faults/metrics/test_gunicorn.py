"""Counters that several workers of a real gunicorn count, and any of them tells."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path

import pytest
from support.figures import Figure
from support.upstream import Upstream

pytestmark = pytest.mark.metrics

WORKERS = 3
COSTS = 150

#: The recipe of docs/how-to/metrics.md, with a cost to ask for. ``BEFORE``: so many costs while it is imported.
APP = """
import os
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest, multiprocess
from openrouter_pricing import Pricing
from openrouter_pricing.metrics import prometheus

pricing = Pricing()
registry = CollectorRegistry()
multiprocess.MultiProcessCollector(registry)
prometheus.instrument(pricing, registry)
for _ in range(int(os.environ["BEFORE"])):
    pricing.cost("openai/gpt-4o-mini", 1)

def app(environ, start_response):
    if environ["PATH_INFO"] == "/metrics":
        body, kind = generate_latest(registry), CONTENT_TYPE_LATEST
    else:
        body, kind = str(pricing.cost("openai/gpt-4o-mini", 1000, 500).raw).encode(), "text/plain"
    start_response("200 OK", [("Content-Type", kind), ("X-Worker", str(os.getpid()))])
    return [body]
"""

#: The client's own recipe: the default registry at first, and a new one for each scrape.
PLAIN = """
import os
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest, multiprocess
from openrouter_pricing import Pricing
from openrouter_pricing.metrics import prometheus

pricing = Pricing()
prometheus.instrument(pricing)

def app(environ, start_response):
    if environ["PATH_INFO"] == "/metrics":
        registry = CollectorRegistry()
        multiprocess.MultiProcessCollector(registry)
        body, kind = generate_latest(registry), CONTENT_TYPE_LATEST
    else:
        body, kind = str(pricing.cost("openai/gpt-4o-mini", 1000, 500).raw).encode(), "text/plain"
    start_response("200 OK", [("Content-Type", kind), ("X-Worker", str(os.getpid()))])
    return [body]
"""


def get(port: int, path: str) -> tuple[str, int]:
    """What a worker says, and which one it is."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=30) as response:
        return response.read().decode(), int(response.headers["X-Worker"])


def total(text: str, name: str) -> float:
    """The value of a counter in an exposition, where it stands once."""
    (value,) = re.findall(rf"^openrouter_pricing_{name}_total (\S+)$", text, re.MULTILINE)
    return float(value)


@contextmanager
def serving(folder: Path, app: str, upstream: Upstream, *options: str, before: int = 0) -> Iterator[int]:
    """A gunicorn of three workers; gives its port. It says nothing of errors, and ends when it is told to."""
    (folder / "app.py").write_text(app)
    (folder / "metrics").mkdir()
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
    environment = {
        **os.environ,
        "BEFORE": str(before),
        "PROMETHEUS_MULTIPROC_DIR": str(folder / "metrics"),
        "OPENROUTER_PRICING_BASE_URL": upstream.url,
        "OPENROUTER_PRICING_BACKEND": f"disk://{folder}/store",
    }
    command = [sys.executable, "-m", "gunicorn", "-w", str(WORKERS), "-b", f"127.0.0.1:{port}", *options, "app:app"]
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log, start_new_session=True)
    try:
        _until(lambda: _is_up(port))
        yield port
    finally:
        server.terminate()
        try:
            server.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(server.pid, signal.SIGKILL)
            raise
    assert "Traceback" not in (folder / "log").read_text()


def _is_up(port: int) -> bool:
    try:
        return bool(get(port, "/metrics")[0])
    except OSError:
        return False


def _until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.05)


def three_workers(port: int) -> dict[int, str]:
    """A scrape of each of three workers, whichever gunicorn gives us."""
    found: dict[int, str] = {}
    end = time.monotonic() + 60
    with ThreadPoolExecutor(2 * WORKERS) as askers:
        while len(found) < WORKERS:
            assert time.monotonic() < end, f"only {len(found)} workers answer"
            found.update({worker: text for text, worker in askers.map(get, [port] * 2 * WORKERS, ["/metrics"] * 6)})
    return found


@pytest.mark.parametrize("app", [APP, PLAIN], ids=["one registry", "a registry for each scrape"])
@pytest.mark.parametrize(
    ("options", "before"),
    [
        ([], 0),
        (["--preload"], 0),
        (["--preload"], 7),
        (["--max-requests", "10"], 0),
        (["--preload", "--max-requests", "10"], 7),
        (["--threads", "4"], 0),
        (["--preload", "-k", "gevent"], 0),
    ],
    ids=["plain", "preload", "preload-asked", "max-requests", "preload-max-requests", "threads", "gevent"],
)
def test_every_worker_tells_the_same_sum(
    options: list[str], before: int, app: str, tmp_path: Path, upstream: Upstream, figure: Figure
) -> None:
    """150 costs of three workers: each worker's scrape says 150, at once; so do those of their successors.

    Guard: a count is written to the file of its process (``Tally``), and a forked child takes another file.
    """
    if "gevent" in options:
        pytest.importorskip("gevent")
    expected = before if app is APP else 0  # costs before the fork are counted once, by the parent
    with serving(tmp_path, app, upstream, *options, before=before) as port:
        with ThreadPoolExecutor(2 * WORKERS) as askers:
            answers = list(askers.map(lambda _: get(port, "/cost"), range(COSTS)))
        scrapes = three_workers(port)
        assert {Decimal("0.00045")} == {Decimal(raw) for raw, _ in answers}
        assert {float(expected + COSTS)} == {total(text, "l1_answers") for text in scrapes.values()}
        assert {float(len(upstream.requests))} == {total(text, "requests") for text in scrapes.values()}
        workers = {worker for _, worker in answers}
        if "--max-requests" in options:
            assert len(workers) > WORKERS
    row = f"gunicorn {' '.join(options)}".strip() + (f", {before} costs before the fork" if expected else "")
    figure(
        f"{row}, {'one registry' if app is APP else 'a registry for each scrape'}",
        f"{COSTS} costs by {len(workers)} workers; {len(scrapes)} scrapes say {expected + COSTS}",
    )
