"""A hundred concurrent calls of the Open WebUI module in a process of their own, and what the event loop does for them.

Run with the name of a call; prints JSON. ``--time`` measures the loop's longest pause instead of counting what fills
it: counting takes longer than what is counted. By itself, as the heap of a test runner takes the garbage collector
longer than everything that is measured here.
"""

from __future__ import annotations

import asyncio
import json
import sys
import threading
import time
from asyncio.base_events import BaseEventLoop
from collections import Counter
from collections.abc import Callable, Coroutine
from types import FrameType
from typing import Any

from open_webui.utils import openrouter_models as legacy  # type: ignore[import-not-found]

MODEL = "openai/model-7"
CALLS: dict[str, Callable[[Any], Coroutine[Any, Any, Any]]] = {
    "get_dynamic_model_pricing": lambda cached: legacy.get_dynamic_model_pricing(),
    "get_dynamic_model_pricing forced": lambda cached: legacy.get_dynamic_model_pricing(force_refresh=True),
    "fetch_models": lambda cached: legacy.openrouter_models_api.fetch_models(),
    "repository.fetch_all_models": lambda cached: cached.repository.fetch_all_models(),
    "repository.fetch_model_by_id": lambda cached: cached.repository.fetch_model_by_id(MODEL),
    "repository.health_check": lambda cached: cached.repository.health_check(),
    "cached.fetch_all_models": lambda cached: cached.fetch_all_models(),
    "cached.fetch_model_by_id": lambda cached: cached.fetch_model_by_id(MODEL),
    "cached.health_check": lambda cached: cached.health_check(),
    "get_model_pricing": lambda cached: legacy.PricingCalculatorService(cached).get_model_pricing(),
    "get_model_pricing uncached": lambda cached: legacy.PricingCalculatorService(cached.repository).get_model_pricing(),
    "get_model_by_id": lambda cached: legacy.PricingCalculatorService(cached).get_model_by_id(MODEL),
    "calculate_cost": lambda cached: legacy.PricingCalculatorService(cached).calculate_cost(MODEL, 1000, 500),
    "get_models_by_category": lambda cached: legacy.PricingCalculatorService(cached).get_models_by_category("Budget"),
    "get_models_by_provider": lambda cached: legacy.PricingCalculatorService(cached).get_models_by_provider("openai"),
    "get_cheapest_models": lambda cached: legacy.PricingCalculatorService(cached).get_cheapest_models(),
    "warm_cache": lambda cached: legacy.CacheManager(cached).warm_cache(),
    "force_refresh": lambda cached: legacy.CacheManager(cached).force_refresh(),
}


class Ledger:
    """Counts what runs in this thread, which is the loop's, and the threads that are started in the process.

    Attributes:
        most: calls in the turn of the loop that had the most of them.
        stops: lists that were decoded, hosts that were connected to and waits for other threads, in this thread.
        threads: how many were started.
    """

    def __init__(self) -> None:
        self.most = self.threads = self._calls = 0
        self.stops: Counter[str] = Counter()
        self._loop = threading.get_ident()
        self._turn = BaseEventLoop._run_once.__code__  # type: ignore[attr-defined]
        self._waits = (threading.Event.wait.__code__, threading.Thread.join.__code__)
        self._start = threading.Thread.start.__code__

    def see(self, frame: FrameType, event: str, argument: object) -> None:
        """A call, or the end of one; what ``sys.setprofile`` wants."""
        self._calls += event in ("call", "c_call")
        if event != "call":
            return
        code = frame.f_code
        if code is self._turn:
            self.most, self._calls = max(self.most, self._calls), 0
        elif code is json.loads.__code__:
            self.stops["decoded"] += 1
        elif code in self._waits and (frame.f_back is None or frame.f_back.f_code is not self._start):
            self.stops["waited"] += 1

    def hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        """What ``sys.addaudithook`` wants."""
        if event == "socket.connect" and threading.get_ident() == self._loop:
            self.stops["connected"] += 1


async def ask(name: str) -> list[Any]:
    """What a hundred callers get."""
    cached = legacy.CachedOpenRouterRepository(legacy.OpenRouterRepository())
    return await asyncio.gather(*(CALLS[name](cached) for _ in range(100)))


async def ask_on_time(name: str) -> tuple[list[Any], float]:
    """What a hundred callers get, and how long the loop stood still at most, in seconds."""
    longest = 0.0

    async def tick() -> None:
        nonlocal longest
        last = time.perf_counter()
        while True:
            await asyncio.sleep(0.001)
            longest, last = max(longest, time.perf_counter() - last), time.perf_counter()

    ticker = asyncio.create_task(tick())
    await asyncio.sleep(0)
    answers = await ask(name)
    await asyncio.sleep(0.002)
    ticker.cancel()
    return answers, longest


def counted(name: str) -> tuple[list[Any], dict[str, Any]]:
    """What a hundred callers get, and what that took."""
    ledger = Ledger()
    start = threading.Thread.start

    def begin(thread: threading.Thread) -> None:
        ledger.threads += 1
        start(thread)

    async def watched() -> list[Any]:
        sys.addaudithook(ledger.hear)
        threading.Thread.start = begin  # type: ignore[method-assign,assignment]
        sys.setprofile(ledger.see)
        answers = await ask(name)
        await asyncio.sleep(0)  # the last turn counts too
        sys.setprofile(None)
        return answers

    # The development mode would have the loop keep a traceback for each of its callbacks.
    return asyncio.run(watched(), debug=False), {"stops": ledger.stops, "threads": ledger.threads, "most": ledger.most}


def timed(name: str) -> tuple[list[Any], dict[str, Any]]:
    """What a hundred callers get, how long the loop stood still, and how long decoding the list takes; in seconds."""
    answers, pause = asyncio.run(ask_on_time(name))
    text = json.dumps(asyncio.run(legacy.get_dynamic_model_pricing()))
    decoding = []
    for _ in range(5):
        began = time.perf_counter()
        json.loads(text)
        decoding.append(time.perf_counter() - began)
    return answers, {"pause": pause, "decoding": min(decoding)}


if __name__ == "__main__":
    found, told = (timed if "--time" in sys.argv else counted)(sys.argv[1])
    print(json.dumps({"answers": len(found), "alike": all(one == found[0] for one in found), **told}))
