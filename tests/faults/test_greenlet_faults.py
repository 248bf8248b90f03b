"""Greenlets: gevent and eventlet put other locks and threads in place of those that a ``Pricing`` was made with."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from support.figures import Figure
from support.upstream import Upstream

pytestmark = pytest.mark.faults

CODE = """
import json, sys, threading, time
from openrouter_pricing import Pricing, Settings

url, store, library, used = sys.argv[1:]
options = dict(base_url=url, backend=store, l1_ttl=0, warm=True, deadline=5)
pricing = Pricing(Settings(**options))
if used == "used":
    pricing.cost("openai/gpt-4o-mini", 1)
if library == "gevent":
    import gevent.monkey
    gevent.monkey.patch_all()
    def at_once(work, count):
        jobs = [gevent.spawn(work) for _ in range(count)]
        gevent.joinall(jobs, timeout=30, raise_error=True)
        return [job.value for job in jobs]
else:
    import eventlet
    eventlet.monkey_patch()
    def at_once(work, count):
        return [job.wait() for job in [eventlet.spawn(work) for _ in range(count)]]
began = time.monotonic()
sources = at_once(lambda: pricing.cost("openai/gpt-4o-mini", 1).source, 100)
lists = at_once(lambda: len(pricing.refresh()), 20)
requests = pricing.stats().requests
pricing.close()
told = {"sources": sorted(set(sources)), "lists": lists, "requests": requests, "seconds": time.monotonic() - began}
print(json.dumps(told))
"""


@pytest.mark.parametrize("used", ["made", "used"])
@pytest.mark.parametrize("library", ["gevent", "eventlet"])
def test_patched_after_it_was_made(library: str, used: str, tmp_path: Path, upstream: Upstream, figure: Figure) -> None:
    """A ``Pricing`` that was made, or used, before the patch answers a hundred greenlets with one request at a time.

    Guard: ``PerProcess`` makes locks and threads anew where ``threading.Lock`` is another one.
    """
    pytest.importorskip(library)
    command = [sys.executable, "-W", "ignore", "-c", CODE, upstream.url, f"disk://{tmp_path}/store", library, used]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert ["live"] == told["sources"]
    assert [1] * 20 == told["lists"]
    # A cold list and one refresh that twenty share, here or before the patch.
    assert 2 == len(upstream.requests)
    figure(f"{library} patched after it was {used}", f"100 greenlets answered, 20 refreshed in {told['seconds']:.2f} s")
