"""The recipe for ASGI on a real server: what asking costs the event loop."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.figures import Figure
from support.servers import free_port
from support.upstream import Upstream
from support.waiting import until

from openrouter_pricing.data import load_bundled

pytest.importorskip("starlette")
pytest.importorskip("uvicorn")
pytestmark = pytest.mark.web

EXAMPLES = Path(__file__).parents[3] / "docs" / "examples"
TRIES = 3

#: The application of the recipe, and what looks at its event loop: how late the loop comes to what waits for a
#: millisecond, and how long each question takes that is asked on it meanwhile, if any are.
PROBE = """
import asyncio, time
from contextlib import asynccontextmanager
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette_app import app, lifespan

async def tick(late):
    while True:
        began = time.perf_counter()
        await asyncio.sleep(0.001)
        late.append(time.perf_counter() - began - 0.001)

@asynccontextmanager
async def watched(app):
    late, began = [], time.perf_counter()
    ticking = asyncio.create_task(tick(late))
    async with lifespan(app):
        app.state.warming = {"took": time.perf_counter() - began, "late": max(late)}
        ticking.cancel()
        yield

app.router.lifespan_context = watched

async def probe(request):
    pricing, late, took = app.state.pricing, [], []
    how = request.query_params["how"]
    if how == "bare":
        await asyncio.to_thread(pricing.stop_warmer)
    else:
        pricing.start_warmer()
    before = pricing.stats().refreshes
    end = time.perf_counter() + 2
    ticking = asyncio.create_task(tick(late))
    while time.perf_counter() < end:
        await asyncio.sleep(0.001)
        for _ in range(20 if how == "asked" else 0):
            began = time.perf_counter()
            pricing.cost("openai/gpt-4o-mini", 1000, 500)
            took.append(time.perf_counter() - began)
    ticking.cancel()
    refreshes = pricing.stats().refreshes - before
    return JSONResponse({
        "late": max(late), "took": sorted(took), "refreshes": refreshes, "warming": app.state.warming,
    })

app.router.routes.append(Route("/probe", probe))
"""


def read(port: int, path: str) -> Any:
    """What the application answers."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=60) as response:
        return json.loads(response.read())


def listed(upstream: Upstream, turn: int) -> None:
    """The whole of a real list, in which one price is another one with each turn."""
    rows = [dict(model.raw) for model in load_bundled().values()]
    rows[0]["pricing"] = {**rows[0]["pricing"], "request": f"0.00{turn}1"}
    upstream.say(*rows)


@pytest.fixture
def port(tmp_path: Path, upstream: Upstream) -> Iterator[int]:
    """A uvicorn with the recipe, whose prices grow old after a second."""
    (tmp_path / "probe.py").write_text(PROBE)
    listed(upstream, 0)
    chosen = free_port()
    environ = {
        **os.environ,
        "PYTHONPATH": f"{EXAMPLES}{os.pathsep}{tmp_path}",
        "OPENROUTER_PRICING_BASE_URL": upstream.url,
        "OPENROUTER_PRICING_BACKEND": f"disk://{tmp_path}/store",
        "OPENROUTER_PRICING_WARM_INTERVAL": "0.5",
        "OPENROUTER_PRICING_L1_TTL": "0.2",
    }
    command = [sys.executable, "-m", "uvicorn", "probe:app", "--port", str(chosen), "--log-level", "warning"]
    with (tmp_path / "log").open("wb") as log:
        server = subprocess.Popen(command, cwd=tmp_path, env=environ, stdout=log, stderr=log)
    try:
        until(lambda: _answers(chosen))
        yield chosen
    finally:
        server.terminate()
        assert server.wait(20) in (0, -15)
    assert (tmp_path / "log").read_text() == ""


def _answers(port: int) -> bool:
    try:
        return bool(read(port, "/estimate?model=openai/gpt-4o-mini&prompt=1"))
    except OSError:
        return False


def test_what_asking_costs_the_event_loop(port: int, upstream: Upstream, figure: Figure) -> None:
    """Twenty questions each millisecond, while lists are fetched and changed behind: the loop is held up by none.

    Guard: a look at the store, a fetch and the decoding of a list run in threads of ours.
    """
    runs: dict[str, list[Any]] = {"bare": [], "warmed": [], "asked": []}
    for turn, how in enumerate([*runs] * TRIES):
        listed(upstream, turn + 1)
        runs[how].append(read(port, f"/probe?how={how}"))
    fetched = [[run["refreshes"] for run in tries] for tries in runs.values()]
    assert (max(fetched[0]), min(map(min, fetched[1:])) > 0) == (0, True)
    took = sorted(each for run in runs["asked"] for each in run["took"])
    # The machine has turns of its own: the best run of three tells.
    bare, warmed, asked = (min(run["late"] for run in tries) for tries in runs.values())
    assert min(run["took"][-1] for run in runs["asked"]) < 0.02
    assert asked < warmed + 0.02
    warming = runs["bare"][0]["warming"]
    figure(
        "ASGI: `cost()` on the event loop",
        f"{len(took):,} questions, {sum(fetched[2])} lists fetched meanwhile: "
        f"median {took[len(took) // 2] * 1e6:.1f} µs, longest {took[-1] * 1e3:.1f} ms",
    )
    figure(
        f"ASGI: how late the event loop comes at worst within 2 s, best of {TRIES} runs",
        f"{bare * 1e3:.1f} ms by itself, {warmed * 1e3:.1f} ms with a warmer that fetches twice a second, "
        f"{asked * 1e3:.1f} ms with 20 questions each millisecond, too",
    )
    figure(
        "ASGI: `warm()` in a thread, when the application starts",
        f"{warming['took'] * 1e3:.0f} ms, in which the event loop comes {warming['late'] * 1e3:.1f} ms late at worst",
    )
