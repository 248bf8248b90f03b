"""Benchmarks of whole processes: imports, first costs, memory, forks."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

import data
import pyperf
from inside import Bench, listing
from results import Result
from timing import Round

from openrouter_pricing import Pricing, Settings

_IMPORT = "import time; began = time.perf_counter(); {}; print(time.perf_counter() - began)"
_OURS = "from openrouter_pricing import Pricing"
_MEMORY = """
import json, sys, tracemalloc
from openrouter_pricing import Catalog
stored = open(sys.argv[1], "rb").read()
tracemalloc.start()
catalog = Catalog.loads(stored)
loaded = tracemalloc.get_traced_memory()[0]
models = [catalog[name] for name in catalog]
print(json.dumps([loaded, tracemalloc.get_traced_memory()[0]]))
"""
_FORK = """
import json, os, sys
from openrouter_pricing import Catalog, Pricing
pricing = Pricing(catalog=Catalog.loads(open(sys.argv[1], "rb").read()))
names = list(pricing.catalog())
for name in names: pricing.cost(name, 1, 1)
def memory(key):
    return next(int(line.split()[1]) for line in open("/proc/self/smaps_rollup") if line.startswith(key)) * 1024
parent, (read, write) = memory("Rss"), os.pipe()
if os.fork() == 0:
    before = memory("Private_Dirty")
    for number in range(1000): pricing.cost(names[number % len(names)], number, number)
    os.write(write, json.dumps([memory("Private_Dirty") - before, parent]).encode())
    os._exit(0)
os.wait()
print(os.read(read, 1000).decode())
"""


def _python(*arguments: str, **environment: str) -> str:
    command = [sys.executable, "-c", *arguments]
    env, here = (
        os.environ | environment,
        Path(__file__).parent,
    )  # not in the checkout: the installed package is measured
    return subprocess.run(command, check=True, capture_output=True, text=True, env=env, cwd=here).stdout


def imports(bench: Bench, rounds: int) -> None:
    """What importing costs in a fresh interpreter, beside attrs and the peers."""

    def round_of(statement: str) -> Round:
        code = _IMPORT.format(statement)
        return lambda: float(_python(code, LITELLM_LOCAL_MODEL_COST_MAP="True").split()[-1])

    bench.rounds = rounds
    bench.rounds_of("import of Pricing", "import attrs", 1.5, round_of(_OURS), round_of("import attrs"))
    bench.rounds = 3
    for peer, module in (
        ("genai-prices", "genai_prices"),
        ("tokencost", "tokencost"),
        ("litellm", "litellm"),
        ("openrouter", "openrouter"),
    ):
        if find_spec(module) is not None:
            bench.rounds_of("import of Pricing", peer, None, round_of(_OURS), round_of(f"import {module}"))


def first_cost(bench: Bench, rounds: int) -> None:
    """A fresh interpreter to its first cost, with prices on disk."""
    with listing(data.body()) as url, tempfile.TemporaryDirectory() as folder:
        with Pricing(Settings(base_url=url, backend=f"disk://{folder}")) as pricing:
            pricing.refresh()
        options = {"OPENROUTER_PRICING_BASE_URL": url, "OPENROUTER_PRICING_BACKEND": f"disk://{folder}"}

        def process(code: str) -> Round:
            def run() -> float:
                began = pyperf.perf_counter()
                _python(code, **options)
                return pyperf.perf_counter() - began

            return run

        ours = f"{_OURS}; pricing = Pricing(); pricing.cost('lab-1/model-1', 1000, 500); pricing.close()"
        bench.rounds = rounds
        name = "fresh interpreter to first cost, disk warm"
        bench.rounds_of(name, "interpreter with import attrs", 2.5, process(ours), process("import attrs"))


def memory(bench: Bench) -> None:
    """What a catalogue takes, and what a forked child does not share."""
    from openrouter_pricing import Catalog

    body = data.body()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "catalog"
        path.write_bytes(Catalog.from_models(data.rows()).dumps())
        loaded, decoded = json.loads(_python(_MEMORY, str(path)))
        size = len(body)
        bench.results += [
            Result("memory of a loaded catalogue", "its decoded body", loaded / size, 2, loaded, size),
            Result("memory of all models decoded", "its decoded body", decoded / size, 4, decoded, size),
        ]
        if Path("/proc/self/smaps_rollup").exists():
            own, parent = json.loads(_python(_FORK, str(path)))
            name = "memory that 1,000 costs make a forked child's own"
            bench.results.append(Result(name, "memory of the parent", own / parent, None, own, parent))
