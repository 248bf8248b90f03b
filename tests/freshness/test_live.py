"""What keeps prices current, until it is closed."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest
from support.freshness import Held, Make, live, process, settle, source
from support.hands import Hands
from support.upstream import Upstream
from support.waiting import PATIENCE, until

from openrouter_pricing import (
    PricingError,
    TransportError,
    open_backend,
)


def test_close(make_pricing: Make, upstream: Upstream, hands: Hands) -> None:
    """A closed object still answers from what it holds, asks nobody, and cannot be refreshed."""
    pricing = make_pricing(clock=hands.clock)
    source(pricing)
    pricing.close()
    pricing.close()
    assert source(pricing) == "live"
    hands.turn(3601)
    assert source(pricing) == "stale"
    assert len(upstream.requests) == 1
    with pytest.raises(TransportError, match="closed"):
        pricing.refresh()
    with pytest.raises(PricingError, match="closed"):
        pricing.start_warmer()


def test_close_before_the_first_question(make_pricing: Make, upstream: Upstream) -> None:
    """An object that was closed unused answers from the snapshot."""
    pricing = make_pricing()
    pricing.close()
    assert source(pricing) == "bundled"
    assert upstream.requests == []


# -- the end of a store under way --------------------------------------------------------------------------------------

SCRIPT = """
import sys, threading, time
from openrouter_pricing import Pricing, Settings
from openrouter_pricing.backends.disk import DiskBackend

store = DiskBackend.set
def slowly(backend, *args, **kwargs):
    storing.set()
    threading.Event().wait(0.3)
    store(backend, *args, **kwargs)

storing = threading.Event()
DiskBackend.set = slowly
pricing = Pricing(Settings(base_url=sys.argv[1], backend=sys.argv[2]))
print(pricing.cost("openai/gpt-4o-mini", 1).source)
assert storing.wait(60)
if sys.argv[3] == "close":
    pricing.close()
"""


@pytest.mark.parametrize("how", ["close", "leave"])
def test_a_short_script_leaves_its_list_to_the_next(
    make_pricing: Make, upstream: Upstream, tmp_path: Path, how: str
) -> None:
    """Closing, and the end of the interpreter without it, let a list reach its store, and the lease go back."""
    url = f"disk://{tmp_path}/store"
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, upstream.url, url, how],
        capture_output=True, text=True, timeout=2 * PATIENCE, check=False, cwd=tmp_path,
    )  # fmt: skip
    assert (done.stdout, done.stderr) == ("live\n", "")
    pricing = make_pricing(backend=open_backend(url))
    assert source(pricing) == "live"
    assert len(upstream.requests) == 1
    lease = f"{process(pricing).store._prefix}lease"
    assert open_backend(url).get(lease) is None


def test_closing_lets_a_store_under_way_finish(make_pricing: Make, upstream: Upstream) -> None:
    """What was being stored when it was closed is there afterwards, and the lease is gone."""
    backend = Held()
    backend.hold("set")
    pricing = make_pricing(backend=backend)
    source(pricing)
    until(lambda: backend.held)
    closing = threading.Thread(target=pricing.close)
    closing.start()
    until(lambda: live(pricing).cache.closed)
    backend.release()
    closing.join(PATIENCE)
    settle()
    assert sorted(key.split(":")[2] for key in backend._values) == ["catalog", "head"]


def test_closing_does_not_wait_for_a_store_that_hangs(make_pricing: Make, upstream: Upstream) -> None:
    """It ends while the store still hangs; how soon is a row of the fault suite."""
    backend = Held()
    backend.hold("set")
    pricing = make_pricing(backend=backend)
    source(pricing)
    until(lambda: backend.held)
    closing = threading.Thread(target=pricing.close)
    closing.start()
    closing.join(PATIENCE)
    assert (closing.is_alive(), source(pricing)) == (False, "live")
    assert not [key for key in backend._values if key.endswith("head")]
    backend.release()
    settle()
