"""Many processes over one server: one request for all, and the right price whatever becomes of the server."""

from __future__ import annotations

import threading
import time

import pytest
from support.figures import Figure
from support.processes import CROWD, ask_at_once
from support.programs import Launch, hear, say
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


SHORT = """
import json, sys, threading, time
from openrouter_pricing import Pricing, Settings
url, backend, eager = sys.argv[1:]
pricing = Pricing(Settings(base_url=url, backend=backend, l1_ttl=0, l2_ttl=0.05, stale_while_revalidate=0))
if eager == "True":
    import redis, redis.cluster, redis.sentinel, requests, stamina, urllib3
    from openrouter_pricing import Client
print(json.dumps("ready"), flush=True)
sys.stdin.readline()
def ask():
    began = time.monotonic()
    cost = pricing.cost("openai/gpt-4o-mini", 1)
    assert str(cost.raw) == "1.5E-7" and cost.source in ("live", "stale"), cost  # 50 ms pass before it is answered
    return time.monotonic() - began
first, later = ask(), []
until = time.monotonic() + 5
while time.monotonic() < until:
    later.append(ask())
    threading.Event().wait(0.005)
stats = pricing.stats()
print(json.dumps([first, max(later), len(later), stats.lease_waits, stats.backend_errors]), flush=True)
pricing.close()
"""


def test_prices_that_are_stale_at_once(launch: Launch, upstream: Upstream, valkey: Server, figure: Figure) -> None:
    """With an ``l2_ttl`` of 50 ms and nothing answered stale, questions wait for a fetch, the first for imports too."""
    told = {}
    for eager in (False, True):
        crowd = [launch(SHORT, upstream.url, f"valkey://{at(valkey)}?prefix={eager}:", eager) for _ in range(4)]
        assert [hear(process) for process in crowd] == ["ready"] * 4
        for process in crowd:
            say(process, "go")
        told[eager] = [hear(process) for process in crowd]
    first = {eager: max(seconds for seconds, *_ in each) for eager, each in told.items()}
    each = [*told[False], *told[True]]
    slowest, waits = max(later for _, later, *_ in each), sum(waits for *_, waits, _ in each)
    assert (waits > 0, [errors for *_, errors in each]) == (True, [0] * 8)
    figure(
        "`l2_ttl` 50 ms, nothing answered stale, 4 processes at once",
        f"first question {first[False]:.2f} s at most, {first[True]:.2f} s where redis-py and requests were imported "
        f"before; slowest of {sum(count for _, _, count, *_ in each):,} later ones {slowest:.2f} s, {waits} waits for "
        "another's fetch",
    )
    assert (first[True] < 1, slowest < 1) == (True, True)
