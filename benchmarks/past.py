"""Benchmarks of costs of the past: by the history that the package carries."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path

from inside import Bench

from openrouter_pricing import Catalog, Pricing
from openrouter_pricing._history.bundled import BundledHistory

_NOW = datetime(2026, 11, 25, tzinfo=timezone.utc)
_THEN = datetime(2025, 6, 1, tzinfo=timezone.utc)
_MOST = 0.005  # seconds that a first look may take
_FIRST = """
import sys, time
from datetime import datetime, timezone
from openrouter_pricing import Catalog, Pricing
from openrouter_pricing._history.bundled import BundledHistory
catalog = Catalog.from_models(
    [{"id": "openai/gpt-4o-mini", "pricing": {"prompt": "0.1", "completion": "0.2"}}],
    as_of=datetime(2026, 11, 25, tzinfo=timezone.utc),
)
pricing = Pricing(catalog=catalog, history=BundledHistory())
pricing.cost("openai/gpt-4o-mini", 1000, 500, at=datetime(2026, 11, 25, tzinfo=timezone.utc))
at = datetime(2025, 6, 1, tzinfo=timezone.utc)
began = time.perf_counter()
cost = pricing.cost("openai/gpt-4o-mini", 1000, 500, at=at)
print(time.perf_counter() - began if cost.source == "history" else "not of then")
"""


def past(bench: Bench, rounds: int) -> None:
    """The first look into the past of a fresh interpreter, and later ones at all models of a hundred days."""
    history = BundledHistory()
    then = history.as_of(_THEN).prices
    rows = [{"id": name, "pricing": json.loads(pricing)} for name, pricing in then.items()]
    pricing = Pricing(catalog=Catalog.from_models(rows, as_of=_NOW), history=history)
    names = [row["id"] for row in rows if not row["pricing"]["prompt"].startswith("-")]
    days = [_THEN + timedelta(days=day, hours=7) for day in range(100)]

    def each(times: list[datetime]) -> Callable[[], object]:
        asked = [(name, times[number % len(times)]) for number, name in enumerate(names)]
        calls = itertools.cycle(asked)

        def run() -> object:
            name, at = next(calls)
            return pricing.cost(name, 1000, 500, at=at)

        for _ in asked:
            run()  # a look that is not the first

        return run

    bench.compare("cost() at a time of the past", "cost() at a time of today", 3, each(days), each([_NOW] * 100))
    bench.rounds = rounds
    bench.rounds_of("first cost() of the past", "the 5 ms that it may take", 1, _first, lambda: _MOST)


def _first() -> float:
    command = [sys.executable, "-c", _FIRST]
    run = subprocess.run(command, check=True, capture_output=True, text=True, cwd=Path(__file__).parent)
    return float(run.stdout)
