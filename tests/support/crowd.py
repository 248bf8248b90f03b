"""A hundred concurrent calls of the Open WebUI module in a process of their own, and the event loop's longest pause.

Run with the name of a call; prints JSON. By itself, as the heap of a test runner takes the garbage collector longer
than everything that is measured here.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Callable, Coroutine
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


async def ask(name: str) -> tuple[list[Any], float]:
    """What a hundred callers get, and how long the loop stood still at most, in seconds."""
    cached = legacy.CachedOpenRouterRepository(legacy.OpenRouterRepository())
    longest = 0.0

    async def tick() -> None:
        nonlocal longest
        last = time.perf_counter()
        while True:
            await asyncio.sleep(0.001)
            longest, last = max(longest, time.perf_counter() - last), time.perf_counter()

    ticker = asyncio.create_task(tick())
    await asyncio.sleep(0)
    answers = await asyncio.gather(*(CALLS[name](cached) for _ in range(100)))
    await asyncio.sleep(0.002)
    ticker.cancel()
    return answers, longest


if __name__ == "__main__":
    found, pause = asyncio.run(ask(sys.argv[1]))
    print(json.dumps({"answers": len(found), "alike": all(one == found[0] for one in found), "pause": pause}))
