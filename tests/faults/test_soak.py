"""Ten minutes of everything at once, with times made short: nothing leaks, nothing tears, nothing hangs."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import pytest
from support.figures import Figure
from support.upstream import Answer, Upstream, models, row

pytestmark = pytest.mark.faults

SECONDS = float(os.environ.get("SOAK_SECONDS", "600"))
MODELS = 60

SOAK = """
    import gc, json, os, resource, sys, threading, time
    from decimal import Decimal
    from openrouter_pricing import Pricing, PricingError, Settings

    url, store, seconds = sys.argv[1], sys.argv[2], float(sys.argv[3])
    options = dict(
        base_url=url, l1_ttl=0.05, l2_ttl=0.3, stale_while_revalidate=0.5, deadline=1, read_timeout=0.5,
        connect_timeout=0.5, attempts=2, breaker_threshold=3, breaker_recovery=0.5, warm_interval=0.5,
    )

    def descriptors():
        return len(os.listdir("/proc/self/fd"))

    def memory():
        with open("/proc/self/statm") as file:
            return int(file.read().split()[1]) * resource.getpagesize() // 1024

    def round_of(pricing):
        catalog = pricing.catalog()
        prices = {catalog[name].rates.prompt for name in catalog if name.startswith("soak/")}
        if len(prices) > 1:
            problems.append(f"torn: {prices}")
        cost = pricing.cost("soak/model-1", 3, 5) if "soak/model-1" in catalog else None
        if cost is not None and cost.lines and cost.raw != sum(line.amount for line in cost.lines):
            problems.append("lines do not add up")

    problems, slow, asked = [], 0.0, 0
    stop = threading.Event()

    def ask(pricing):
        global slow, asked
        while not stop.is_set():
            began = time.monotonic()
            try:
                round_of(pricing)
            except PricingError as error:
                problems.append(repr(error))
            slow = max(slow, time.monotonic() - began)
            asked += 1
            stop.wait(0.002)

    def live(seconds, clients):
        pricing = Pricing(Settings(backend=f"disk://{store}", warm=True, **options))
        stop.clear()
        threads = [threading.Thread(target=ask, args=(pricing,)) for _ in range(16)]
        for thread in threads:
            thread.start()
        until = time.monotonic() + seconds
        made = 0
        while time.monotonic() < until:
            if made < clients:
                with Pricing(Settings(backend="disk://" + store, **options)) as short:
                    short.warm()
                made += 1
            time.sleep(seconds / clients / 2 if clients else 0.1)
        stop.set()
        for thread in threads:
            thread.join(10)
        pricing.close()
        return made

    def settled():
        until = time.monotonic() + 20
        while threading.active_count() > 1 and time.monotonic() < until:
            time.sleep(0.05)
        gc.collect()
        return threading.active_count(), descriptors(), memory()

    live(min(10, seconds / 4), 20)
    before = settled()
    made = live(seconds, 500)
    after = settled()
    print(json.dumps(dict(before=before, after=after, made=made, problems=problems[:5], slow=slow, asked=asked)))
"""


def listing(price: int) -> bytes:
    """A catalogue whose models all cost the same, so that a mixture of two shows."""
    return models(*(row(f"soak/model-{n}", pricing={"prompt": str(price), "completion": "0"}) for n in range(MODELS)))


def misbehave(upstream: Upstream, stop: threading.Event) -> int:
    """Change the upstream's mind many times a second, mostly for the worse."""
    chance, price = random.Random(7), 1
    held: list[threading.Event] = []
    while not stop.wait(0.05):
        price += 1
        for event in held:
            event.set()
        held.clear()
        kind = chance.randrange(9)
        if kind <= 3:
            upstream.answer = Answer(listing(price), etag=f'"{price}"', gzip=kind == 1, chunked=kind == 2)
        elif kind == 4:
            upstream.answer = Answer(b"no", chance.choice([401, 404, 429, 500, 503]), {"Retry-After": "0"})
        elif kind == 5:
            upstream.answer = Answer(chance.choice([b"<html>", b"{}", listing(price)[:-20], b'{"data": []}']))
        elif kind == 6:
            held.append(event := threading.Event())
            upstream.answer = Answer(listing(price), hold=event)
        elif kind == 7:
            upstream.answer = Answer(models(row("soak/model-1", pricing={"prompt": "9", "completion": "0"})))
        else:
            upstream.answer = Answer(listing(price), headers={"Content-Length": str(len(listing(price)) + 50)})
    for event in held:
        event.set()
    return price


def test_soak(tmp_path: Path, upstream: Upstream, figure: Figure) -> None:
    """16 threads, random faults, 500 clients made and closed: descriptors and threads come back, memory stays flat.

    Guards: ``Client.close`` breaks connections off, ``Store.close`` ends its thread, one ``Held`` a question.
    """
    stop = threading.Event()
    noise = threading.Thread(target=misbehave, args=(upstream, stop))
    upstream.answer = Answer(listing(1))
    noise.start()
    command = [sys.executable, "-c", textwrap.dedent(SOAK), upstream.url, str(tmp_path / "store"), str(SECONDS)]
    try:
        done = subprocess.run(
            command, cwd=Path(__file__).parent, capture_output=True, text=True, timeout=SECONDS * 1.5 + 120, check=False
        )
    finally:
        stop.set()
        noise.join(10)
    assert done.returncode == 0, done.stderr[-2000:]
    assert "Traceback" not in done.stderr
    said = json.loads(done.stdout)
    (threads, descriptors, memory), (threads_after, descriptors_after, memory_after) = said["before"], said["after"]
    assert said["problems"] == []
    assert said["made"] == 500
    assert threads_after <= threads
    assert descriptors_after <= descriptors + 1
    assert memory_after - memory < 24 * 1024
    figure(
        f"soak of {SECONDS:g} s, 16 threads, random faults, 500 clients",
        f"{said['asked']} rounds, threads {threads} → {threads_after}, descriptors {descriptors} → "
        f"{descriptors_after}, memory {memory / 1024:.0f} → {memory_after / 1024:.0f} MiB, "
        f"slowest round {said['slow']:.2f} s",
    )
