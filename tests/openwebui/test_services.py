"""Costs and selections, the manager of the cache, and lists for pages."""

from __future__ import annotations

import asyncio
import threading
from decimal import Decimal
from types import ModuleType
from typing import Any

import pytest
from support.waiting import PATIENCE
from support.webui import MODELS, ROWS, CacheClock, Fixed, run

from openrouter_pricing import VariablePriceError, openwebui
from openrouter_pricing.openwebui import (
    CachedOpenRouterRepository,
    CacheManager,
    ModelCategory,
    ModelMapperService,
    ModelPricing,
    PricingCalculatorService,
)
from openrouter_pricing.openwebui import models as values


def test_what_a_call_costs(fixed: Fixed) -> None:
    """Two float prices per million tokens times the counts, marked up."""
    service = PricingCalculatorService(fixed)
    cost = run(service.calculate_cost("openai/gpt-4o", 1_000_000, 500_000, markup_rate=2))
    assert {
        "model_id": "openai/gpt-4o",
        "input_tokens": 1_000_000,
        "output_tokens": 500_000,
        "input_cost": 2.5,
        "output_cost": 5.0,
        "raw_cost": 7.5,
        "markup_rate": 2.0,
        "markup_cost": 15.0,
        "price_per_million_input": 2.5,
        "price_per_million_output": 10,
    } == cost
    assert pytest.approx(1.3 * 2.5e-6) == run(service.calculate_cost("openai/gpt-4o", 1, 0))["markup_cost"]


@pytest.mark.parametrize(
    ("arguments", "kind", "words"),
    [
        (("no/x", 1, 1), ValueError, "^Model not found: no/x$"),
        (("cheap/x", -1, 1), ValueError, "input_tokens"),
        (("cheap/x", 1, 1.5), TypeError, "output_tokens"),
        (("cheap/x", True, 1), TypeError, "input_tokens"),
        (("cheap/x", 1, 1, -1), ValueError, "markup_rate"),
        (("cheap/x", 1, 1, float("nan")), ValueError, "markup_rate"),
    ],
)
def test_a_call_that_cannot_be_priced(fixed: Fixed, arguments: Any, kind: type[Exception], words: str) -> None:
    """An unknown model and bad numbers are errors that name them."""
    with pytest.raises(kind, match=words):
        run(PricingCalculatorService(fixed).calculate_cost(*arguments))


def test_selections(fixed: Fixed) -> None:
    """Models by category and provider in any case, and the cheapest by mean price."""
    service = PricingCalculatorService(fixed)

    def ids(found: list[dict[str, Any]]) -> list[str]:
        return [one["id"] for one in found]

    assert ["cheap/x", "openai/x"] == ids(run(service.get_models_by_category("bUDGET")))
    assert ["openai/x", "openai/gpt-4o"] == ids(run(service.get_models_by_provider("OPENAI")))
    assert ["cheap/x", "openai/x"] == ids(run(service.get_cheapest_models(limit=2)))
    assert ["cheap/x", "openai/x", "openai/gpt-4o", "dear/x"] == ids(run(service.get_cheapest_models()))
    assert "cheap" == (run(service.get_model_by_id("cheap/x")) or {})["name"]
    assert run(service.get_model_by_id("no/x")) is None


def test_prices_of_any_repository(fixed: Fixed) -> None:
    """A repository that is not cached answers as live, and the twelve rows where it fails."""
    service = PricingCalculatorService(fixed)
    answer = run(service.get_model_pricing(force_refresh=True))
    assert (True, "openrouter_api", None) == (answer["success"], answer["source"], answer["error"])
    ordered = sorted(MODELS, key=lambda one: (one.provider, one.name))
    assert [one.to_dict() for one in ordered] == answer["models"]
    fixed.fails = True
    answer = run(service.get_model_pricing())
    assert (False, "hardcoded_fallback", "down", 12) == (
        answer["success"],
        answer["source"],
        answer["error"],
        len(answer["models"]),
    )


def test_a_cache_of_somebody_elses(fixed: Fixed) -> None:
    """A repository with a cache of its own is told to forget it where prices are wanted now."""
    forgotten: list[str | None] = []

    async def invalidate_cache(partial_key: str | None = None) -> None:
        forgotten.append(partial_key)

    fixed.invalidate_cache = invalidate_cache  # type: ignore[attr-defined]
    service = PricingCalculatorService(fixed)
    for force in (False, True):
        assert len(MODELS) == len(run(service.get_model_pricing(force))["models"])
    assert [None] == forgotten


def test_the_manager(cache_clock: CacheClock, fixed: Fixed) -> None:
    """It warms and refreshes the cache, and says what is in it."""
    manager = CacheManager(CachedOpenRouterRepository(fixed))

    async def ask() -> list[dict[str, Any]]:
        seen = [await manager.get_cache_stats()]
        await manager.warm_cache()
        await manager.warm_cache()
        await manager.force_refresh()
        seen.append(await manager.get_cache_stats())
        await manager.invalidate_cache("models")
        seen.append(await manager.get_cache_stats())
        return seen

    empty, full, dropped = run(ask())
    assert {
        "l1_cache": {"size": 0, "max_size": 100, "ttl_seconds": 60, "hit_rate": 0.0},
        "l2_cache": {"size": 0, "max_size": 1000, "ttl_seconds": 3600},
        "performance": {"total_requests": 0, "avg_response_time_ms": 0.0, "cache_hits": 0, "cache_misses": 0},
        "last_refresh": None,
        "is_warming": False,
        "periodic_refresh_active": False,
    } == empty
    assert (1, 5, 50.0) == (full["l1_cache"]["size"], full["l2_cache"]["size"], full["l1_cache"]["hit_rate"])
    assert (2, 1, 1) == tuple(full["performance"][key] for key in ("total_requests", "cache_hits", "cache_misses"))
    assert full["last_refresh"].endswith("+00:00")
    assert 0 == dropped["l1_cache"]["size"]
    assert ["all", "all"] == fixed.asked


def test_warming_once_at_a_time(cache_clock: CacheClock, fixed: Fixed) -> None:
    """A second warming while one is under way waits for it and asks nothing, and a failing repository is no error."""
    manager = CacheManager(CachedOpenRouterRepository(fixed))

    async def ask() -> list[bool]:
        fixed.gate = asyncio.Event()
        first = asyncio.create_task(manager.warm_cache())
        await asyncio.sleep(0)
        second = asyncio.create_task(manager.force_refresh())
        await asyncio.sleep(0)
        seen = [(await manager.get_cache_stats())["is_warming"]]
        assert not second.done()
        fixed.gate.set()
        await asyncio.gather(first, second)
        return [*seen, (await manager.get_cache_stats())["is_warming"]]

    assert ([True, False], ["all"]) == (run(ask()), fixed.asked)
    fixed.fails, fixed.gate = True, None
    run(manager.force_refresh())
    run(manager.invalidate_cache())
    run(manager.force_refresh())
    assert ["all"] * 3 == fixed.asked


def test_periodic_refreshes(cache_clock: CacheClock, fixed: Fixed) -> None:
    """They go on until they are stopped, in one task however often they are started, and start anew in another loop."""
    manager = CacheManager(CachedOpenRouterRepository(fixed))

    async def ask() -> list[bool]:
        await manager.start_periodic_refresh(interval_minutes=1e-9)
        tasks = len(asyncio.all_tasks())
        await manager.start_periodic_refresh(interval_minutes=1e-9)
        assert tasks == len(asyncio.all_tasks())
        while len(fixed.asked) < 3:
            await asyncio.sleep(0)
        seen = [(await manager.get_cache_stats())["periodic_refresh_active"]]
        await manager.stop_periodic_refresh()
        await manager.stop_periodic_refresh()
        return [*seen, (await manager.get_cache_stats())["periodic_refresh_active"]]

    assert [True, False] == run(ask())

    async def leave() -> None:
        await manager.start_periodic_refresh()

    run(leave())
    run(manager.stop_periodic_refresh())
    assert [True, False] == run(ask())
    with pytest.raises(ValueError, match="interval_minutes"):
        run(manager.start_periodic_refresh(0))


def test_periodic_refreshes_of_another_loop(cache_clock: CacheClock, fixed: Fixed) -> None:
    """They can be stopped from another loop than the one that they run in."""
    manager = CacheManager(CachedOpenRouterRepository(fixed))
    started, ended = threading.Event(), threading.Event()

    async def refresh() -> None:
        await manager.start_periodic_refresh()
        [task] = asyncio.all_tasks() - {asyncio.current_task()}
        started.set()
        await asyncio.wait({task}, timeout=PATIENCE)
        if task.cancelled():
            ended.set()

    thread = threading.Thread(target=lambda: run(refresh()))
    thread.start()
    assert started.wait(PATIENCE)
    run(manager.stop_periodic_refresh())
    thread.join(PATIENCE)
    assert ended.is_set()


def test_lists_for_pages() -> None:
    """Groups and comparisons are sorted by mean price; filters keep the order."""
    mapper = ModelMapperService()
    assert {
        "Cheap": ["cheap/x"],
        "Openai": ["openai/x", "openai/gpt-4o"],
        "Dear": ["dear/x"],
    } == {name: [one.id for one in group] for name, group in mapper.group_by_provider(MODELS).items()}
    assert {"Budget": ["cheap/x", "openai/x"], "Fast": ["openai/gpt-4o"], "Reasoning": ["dear/x"]} == {
        name: [one.id for one in group] for name, group in mapper.group_by_category(MODELS).items()
    }
    comparison = mapper.create_price_comparison(MODELS)
    assert ["cheap/x", "openai/x", "openai/gpt-4o", "dear/x"] == [one["id"] for one in comparison]
    assert {
        "id": "openai/gpt-4o",
        "name": "GPT",
        "provider": "Openai",
        "category": "Fast",
        "input_price": 2.5,
        "output_price": 10,
        "average_price": 6.25,
        "context_length": 128000,
        "cost_per_1k_tokens": {"input": 0.0025, "output": 0.01, "average": 0.00625},
    } == comparison[2]
    assert [MODELS[0], MODELS[2]] == mapper.filter_models(MODELS, ["openai/x", "dear/x"])
    with pytest.raises(TypeError, match="ids"):
        mapper.filter_models(MODELS, "openai/x")
    rows = [one.to_dict() for one in MODELS]
    assert comparison == mapper.create_price_comparison(rows)
    assert [rows[0], rows[2]] == mapper.filter_models(rows, ["openai/x", "dear/x"])
    for group in (mapper.group_by_provider, mapper.group_by_category):
        objects = group(MODELS)
        assert {name: [one.to_dict() for one in found] for name, found in objects.items()} == group(rows)


def test_the_models_that_the_fork_offers() -> None:
    """Eighteen ids: those of the fallback rows and six more."""
    ids = [one.id for one in values.fallback_models()]
    ids += ["google/gemini-2.5-flash-lite-preview-06-17", "openai/gpt-4.1", "x-ai/grok-4"]
    ids += ["openai/o4-mini-high", "openai/o3", "openai/chatgpt-4o-latest"]
    offered = [ModelPricing(name, name, "", 0, 0, 0, ModelCategory.BUDGET) for name in ids]
    assert offered == ModelMapperService.filter_mai_models([*offered, *MODELS[:3]])


def test_a_router_costs_what_it_used_to(legacy: ModuleType) -> None:
    """A router's legacy figures are negative here, and the facade refuses to price it."""
    service = legacy.PricingCalculatorService(legacy.CachedOpenRouterRepository(legacy.OpenRouterRepository()))
    cost = run(service.calculate_cost("openrouter/auto", 1000, 500))
    assert (-1000.0, -500.0, -1500.0, -1950.0) == tuple(
        cost[key] for key in ("input_cost", "output_cost", "raw_cost", "markup_cost")
    )
    with pytest.raises(VariablePriceError):
        openwebui._SHARED.pricing().cost("openrouter/auto", 1000, 500)


def test_costs(legacy: ModuleType) -> None:
    """What each model costs is what exact arithmetic makes of the listed prices, to the last digits of a float."""
    service = legacy.PricingCalculatorService(legacy.CachedOpenRouterRepository(legacy.OpenRouterRepository()))
    for listed in ROWS:
        cost = run(service.calculate_cost(listed["id"], 123_456, 7_890, markup_rate=1.25))
        given, made = (Decimal(listed["pricing"].get(key, "0")) for key in ("prompt", "completion"))
        exact = {
            "input_cost": given * 123_456,
            "output_cost": made * 7_890,
            "raw_cost": given * 123_456 + made * 7_890,
            "markup_cost": (given * 123_456 + made * 7_890) * Decimal("1.25"),
            "price_per_million_input": given * 1_000_000,
            "price_per_million_output": made * 1_000_000,
        }
        names = {"model_id": listed["id"], "input_tokens": 123_456, "output_tokens": 7_890, "markup_rate": 1.25}
        assert names == {name: cost[name] for name in names}
        assert pytest.approx({name: float(value) for name, value in exact.items()}, rel=1e-14) == {
            name: cost[name] for name in exact
        }
        assert names.keys() | exact.keys() == cost.keys()
