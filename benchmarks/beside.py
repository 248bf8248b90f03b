"""How late others are while a refresh brings a changed list: callers of ``cost()``, and an event loop."""

from __future__ import annotations

import asyncio
import http.server
import json
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import data
import pyperf
from inside import FLOOR, Bench
from results import Result

from openrouter_pricing import Pricing, Settings

_PAUSE = 0.001  # seconds between two looks
_AGAIN = 0.1  # seconds between two refreshes


def beside(bench: Bench, seconds: float) -> None:
    """The latest of a thousand looks, beside a refresh after the other, each of which finds every price moved."""
    text = data.body()
    parse = [_timed(lambda: json.loads(text)) for _ in range(31)]
    with _changing_list() as url, tempfile.TemporaryDirectory() as folder:
        settings = Settings(base_url=url, backend=f"disk://{folder}", attempts=1, l1_ttl=_AGAIN / 2)
        with Pricing(settings) as pricing, _refreshing(pricing):
            for name, late in (
                ("p99.9 of cost() beside refreshes", _calls(pricing, seconds)),
                ("p99.9 of an event loop's lateness beside refreshes", asyncio.run(_turns(seconds))),
            ):
                took, floor = _latest(late), statistics.median(parse)
                bench.results.append(Result(name, FLOOR, took / floor, 2, took, floor))


def _timed(work: Any) -> float:
    began = pyperf.perf_counter()
    work()
    return pyperf.perf_counter() - began


def _calls(pricing: Pricing, seconds: float) -> list[float]:
    names = list(pricing.catalog())
    until = pyperf.perf_counter() + seconds
    late = []
    number = 0
    while pyperf.perf_counter() < until:
        number += 1
        name = names[number % len(names)]
        late.append(_timed(lambda name=name: pricing.cost(name, 1000, 500)))  # type: ignore[misc]
        time.sleep(_PAUSE)
    return late


async def _turns(seconds: float) -> list[float]:
    until = pyperf.perf_counter() + seconds
    late = []
    while pyperf.perf_counter() < until:
        began = pyperf.perf_counter()
        await asyncio.sleep(_PAUSE)
        late.append(pyperf.perf_counter() - began - _PAUSE)
    return late


def _latest(late: list[float]) -> float:
    return sorted(late)[int(len(late) * 0.999)]


@contextmanager
def _refreshing(pricing: Pricing) -> Iterator[None]:
    over = threading.Event()

    def run() -> None:
        while not over.wait(_AGAIN):
            pricing.refresh(force=True)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


@contextmanager
def _changing_list() -> Iterator[str]:
    """A server in a process of its own: one in this process would be what the others wait for."""
    with subprocess.Popen([sys.executable, Path(__file__)], stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            yield server.stdout.readline().strip()
        finally:
            server.kill()


def _serve() -> None:
    bodies = [json.dumps({"data": rows}).encode() for rows in (data.rows(), data.rows(seed=2))]

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            body = bodies[0]
            bodies.reverse()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: Any) -> None:
            """Say nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    print(f"http://127.0.0.1:{server.server_address[1]}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    _serve()
