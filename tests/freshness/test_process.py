"""What belongs to one process, and what a forked child makes anew."""

from __future__ import annotations

import os
from pathlib import Path

from support.freshness import MODEL, Make, look, priced, source
from support.upstream import Upstream

from openrouter_pricing import (
    open_backend,
)


def test_a_forked_child_goes_on_by_itself(make_pricing: Make, upstream: Upstream, tmp_path: Path) -> None:
    """A child answers from what its parent held, fetches by itself, and starts a warmer of its own."""
    pricing = make_pricing(backend=open_backend(f"disk://{tmp_path}/store"), l1_ttl=0, warm=True)
    assert source(pricing) == "live"
    upstream.say(priced("2"))
    pid = os.fork()
    if pid == 0:
        good = source(pricing) == "live" and pricing.stats().warmer_alive
        pricing.refresh()
        good = good and pricing.cost(MODEL, 1).raw == 2 and pricing.stats().fetches == 1
        pricing.close()
        os._exit(0 if good else 1)
    assert os.waitpid(pid, 0)[1] == 0
    look(pricing)
    assert pricing.cost(MODEL, 1).raw == 2
    assert pricing.stats().warmer_alive
