"""Many processes over one server: one request for all, and the right price whatever becomes of the server."""

from __future__ import annotations

import threading
import time

import pytest
from support.figures import Figure
from support.processes import CROWD, ask_at_once
from support.programs import Launch, hear
from support.servers import Server, at
from support.upstream import Answer, Upstream, models
from support.waiting import until

from openrouter_pricing import Pricing, Settings

pytestmark = pytest.mark.fleet

MODEL = "openai/gpt-4o-mini"


def test_a_herd(launch: Launch, upstream: Upstream, valkey: Server, figure: Figure) -> None:
    """8 processes of 8 threads, cold, with one server make one request; ten times over."""
    crowd = [launch(CROWD) for _ in range(8)]
    counts: list[int] = []
    errors: list[str] = []
    for number in range(10):
        errors += ask_at_once(crowd, f"{upstream.url}/{number} valkey://{at(valkey)}?prefix={number}:")
        counts.append(len([r for r in upstream.requests if r.path.startswith(f"/api/v1/{number}/")]))
    assert counts == [1] * 10, errors
    figure("8 processes × 8 threads, cold, one Valkey", f"{max(counts)} request, in each of {len(counts)} runs")


UNDER_WAY = """
import json, sys, threading
from openrouter_pricing import Pricing, Settings
url, backend = sys.argv[1:]
pricing = Pricing(Settings(base_url=url, backend=backend))
told = []
def ask():
    cost = pricing.cost("openai/gpt-4o-mini", 1)
    told.append([cost.source, str(cost.raw)])
threads = [threading.Thread(target=ask) for _ in range(8)]
for thread in threads:
    thread.start()
while not (pricing.stats().requests or pricing.stats().lease_waits):
    threading.Event().wait(0.01)
print(json.dumps(pricing.stats().lease_waits), flush=True)
for thread in threads:
    thread.join()
print(json.dumps([told, pricing.stats().requests]), flush=True)
pricing.close()
"""


def test_killed_in_mid_flight(launch: Launch, upstream: Upstream, valkey: Server, figure: Figure) -> None:
    """When the server is killed while one process fetches and seven wait for it, each makes one request at most."""
    hold = threading.Event()
    upstream.answer = Answer(models(), hold=hold)
    crowd = [launch(UNDER_WAY, upstream.url, f"valkey://{at(valkey)}") for _ in range(8)]
    assert sorted(hear(process) for process in crowd) == [0, 1, 1, 1, 1, 1, 1, 1]
    valkey.kill()
    killed = time.monotonic()
    until(lambda: len(upstream.requests) == 8)
    seconds = time.monotonic() - killed
    hold.set()
    told = [hear(process) for process in crowd]
    assert [answers for answers, _ in told] == [[["live", "1.5E-7"]] * 8] * 8
    most = max(requests for _, requests in told)
    assert (most, len(upstream.requests)) == (1, 8)
    figure(
        "server killed while one process fetches and 7 wait, 8 threads each",
        f"{most} request a process at most, the last after {seconds:.1f} s; 64 of 64 prices right",
    )


def test_an_evicted_body(launch: Launch, upstream: Upstream, valkey: Server, figure: Figure) -> None:
    """When the server drops the body and keeps the head, eight new processes of eight threads make one request."""
    settings = Settings(base_url=upstream.url, backend=f"valkey://{at(valkey)}")
    with Pricing(settings) as pricing:
        pricing.warm()
    crowd = [launch(CROWD) for _ in range(8)]
    counts: list[int] = []
    errors: list[str] = []
    for _ in range(5):
        with valkey.client() as client:
            assert client.delete(*client.keys("*:catalog:*")) == 1
        upstream.requests.clear()
        errors += ask_at_once(crowd, f"{upstream.url} valkey://{at(valkey)}")
        counts.append(len(upstream.requests))
    assert counts == [1] * 5, errors
    figure("body evicted, head kept, 8 processes × 8 threads", f"{max(counts)} request, in each of {len(counts)} runs")
