"""The legacy Open WebUI API's services and tools, by themselves."""

from __future__ import annotations

import asyncio
import gc
import logging
import math
import os
import threading
import time
from functools import partial
from typing import Any

import pytest
from support.waiting import PATIENCE
from support.webui import MODELS, CacheClock, Fixed, model, run

from openrouter_pricing import CircuitOpenError
from openrouter_pricing.openwebui import (
    CachedOpenRouterRepository,
    CacheManager,
    CircuitBreaker,
    MetricsCollector,
    ModelCategory,
    ModelMapperService,
    ModelPricing,
    PricingCalculatorService,
    PricingResponse,
    RepositoryError,
    RetryPolicy,
    TimedOperation,
)
from openrouter_pricing.openwebui import cache as caches
from openrouter_pricing.openwebui import models as values
from openrouter_pricing.openwebui import threads as flights

# -- the cache around any repository -----------------------------------------------------------------------------------


def test_two_tiers(cache_clock: CacheClock, fixed: Fixed) -> None:
    """The first tier answers for a minute, the second for an hour; then the repository is asked again."""
    cached = CachedOpenRouterRepository(fixed)

    async def ask() -> list[int]:
        seen = []
        for seconds in (0, 59, 2, 60 * 50, 60 * 10):
            cache_clock.now += seconds
            assert MODELS == await cached.fetch_all_models()
            seen.append(len(fixed.asked))
        return seen

    assert [1, 1, 1, 1, 2] == run(ask())
    assert (1, 1 + len(MODELS)) == (len(cached.l1_cache), len(cached.l2_cache))
    assert (100, 60, 1000, 3600) == (
        cached.l1_cache.maxsize,
        cached.l1_cache.ttl,
        cached.l2_cache.maxsize,
        cached.l2_cache.ttl,
    )


def test_models_are_the_callers_own(cache_clock: CacheClock, fixed: Fixed) -> None:
    """Who changes what was given changes nobody else's, nor what is kept; of one model not even what is nested."""
    cached = CachedOpenRouterRepository(fixed)
    before = [one.to_dict() for one in MODELS]
    given = run(cached.fetch_all_models())
    given[0].price_per_million_input = 99.0
    given.clear()
    one = run(cached.fetch_model_by_id("cheap/x"))
    assert one is not None
    assert one.architecture is not None
    one.architecture["modality"] = one.name = "changed"
    for repository in (cached, fixed):
        row = run(PricingCalculatorService(repository).get_model_pricing())["models"][0]
        row["architecture"]["modality"] = row["name"] = "changed"
        ordered = sorted(before, key=lambda one: (one["provider"], one["name"]))
        assert ordered == run(PricingCalculatorService(repository).get_model_pricing())["models"]
    assert before == [one.to_dict() for one in run(cached.fetch_all_models())]
    assert before[1] == run(PricingCalculatorService(cached).get_model_by_id("cheap/x"))


def test_a_list_answers_for_its_models(cache_clock: CacheClock, fixed: Fixed) -> None:
    """Models of the list are not asked for one by one, and a new list ends what was known of them before."""
    cached = CachedOpenRouterRepository(fixed)
    run(cached.fetch_model_by_id("cheap/x"))
    run(cached.fetch_all_models())
    assert [MODELS[1], MODELS[3]] == [run(cached.fetch_model_by_id(name)) for name in ("cheap/x", "openai/gpt-4o")]
    assert ["cheap/x", "all"] == fixed.asked
    fixed.models = [model("cheap", 0.2, 0.4)]
    run(CacheManager(cached).force_refresh())
    assert fixed.models[0] == run(cached.fetch_model_by_id("cheap/x"))
    assert run(cached.fetch_model_by_id("openai/gpt-4o")) is None
    assert ["cheap/x", "all", "all", "openai/gpt-4o"] == fixed.asked


def test_one_question_for_all_callers(cache_clock: CacheClock, fixed: Fixed) -> None:
    """Concurrent callers share one question, and one that is cancelled leaves it to the others."""
    cached = CachedOpenRouterRepository(fixed)

    async def ask() -> int:
        fixed.gate = asyncio.Event()
        tasks = [asyncio.create_task(cached.fetch_all_models()) for _ in range(100)]
        await asyncio.sleep(0)
        tasks[0].cancel()
        await asyncio.sleep(0)
        fixed.gate.set()
        return sum(isinstance(found, list) for found in await asyncio.gather(*tasks, return_exceptions=True))

    assert (99, ["all"]) == (run(ask()), fixed.asked)


def test_stale_models(cache_clock: CacheClock, fixed: Fixed) -> None:
    """A repository that fails is answered for from expired entries; where there are none its error is raised."""
    cached = CachedOpenRouterRepository(fixed)
    fixed.fails = True
    for ask in (cached.fetch_all_models, lambda: cached.fetch_model_by_id("cheap/x")):
        with pytest.raises(RepositoryError, match="down"):
            run(ask())
    fixed.fails = False
    run(cached.fetch_all_models())
    run(cached.fetch_model_by_id("cheap/x"))
    fixed.fails = True
    cache_clock.now += 100 * 3600
    assert (0, 0) == (len(cached.l1_cache), len(cached.l2_cache))
    assert MODELS == run(cached.fetch_all_models())
    assert MODELS[1] == run(cached.fetch_model_by_id("cheap/x"))
    answer = run(PricingCalculatorService(cached).get_model_pricing())
    assert (True, "cache_fallback", None) == (answer["success"], answer["source"], answer["error"])
    assert cached.last_refresh is not None
    assert cached.last_refresh.isoformat() == answer["last_updated"]
    fixed.fails = False
    assert "openrouter_api" == run(PricingCalculatorService(cached).get_model_pricing(force_refresh=True))["source"]


@pytest.mark.parametrize("error", [RepositoryError("down"), OSError("down"), ValueError("down")])
def test_a_repository_may_fail_in_any_way(cache_clock: CacheClock, fixed: Fixed, error: Exception) -> None:
    """Whatever it raises, older prices answer, and where there are none a RepositoryError or the twelve rows do."""
    cached = CachedOpenRouterRepository(fixed)
    run(cached.fetch_all_models())
    cache_clock.now += 100 * 3600
    fixed.error = error
    fixed.fails = True
    assert MODELS == run(cached.fetch_all_models())
    assert MODELS[1] == run(cached.fetch_model_by_id("cheap/x"))
    assert run(cached.health_check()) is False
    with pytest.raises(RepositoryError, match="down") as caught:
        run(CachedOpenRouterRepository(fixed).fetch_all_models())
    assert error in (caught.value, caught.value.__cause__)
    for repository in (fixed, CachedOpenRouterRepository(fixed)):
        answer = run(PricingCalculatorService(repository).get_model_pricing())
        assert (False, "hardcoded_fallback", 12) == (answer["success"], answer["source"], len(answer["models"]))
        assert "down" in answer["error"]


@pytest.mark.parametrize("bad", [None, 5, b"cheap/x"])
def test_a_name_that_is_none(cache_clock: CacheClock, fixed: Fixed, bad: Any) -> None:
    """What is no string is refused by its name; a category may be the enumeration's."""
    cached = CachedOpenRouterRepository(fixed)
    service = PricingCalculatorService(cached)
    with pytest.raises(TypeError, match="model_id must be a string, not"):
        run(cached.fetch_model_by_id(bad))
    with pytest.raises(TypeError, match="category must be a string, not"):
        run(service.get_models_by_category(bad))
    with pytest.raises(TypeError, match="provider must be a string, not"):
        run(service.get_models_by_provider(bad))
    category: Any = ModelCategory.FAST
    assert ["openai/gpt-4o"] == [one["id"] for one in run(service.get_models_by_category(category))]


def test_a_failed_refresh_is_forgotten(cache_clock: CacheClock, fixed: Fixed) -> None:
    """Only the answer that an error made old says so; what is still fresh answers as such afterwards."""
    service = PricingCalculatorService(CachedOpenRouterRepository(fixed))
    run(service.get_model_pricing())
    fixed.fails = True
    sources = [run(service.get_model_pricing(force))["source"] for force in (True, False)]
    assert ["cache_fallback", "openrouter_api"] == sources


def test_models_by_id(cache_clock: CacheClock, fixed: Fixed) -> None:
    """Each is cached by itself; an unknown one is asked for again, and a fallback row is never kept."""
    cached = CachedOpenRouterRepository(fixed)
    for _ in range(2):
        assert MODELS[1] == run(cached.fetch_model_by_id("cheap/x"))
        assert run(cached.fetch_model_by_id("no/x")) is None
    assert ["cheap/x", "no/x", "no/x"] == fixed.asked

    async def fallback(model_id: str) -> ModelPricing:
        fixed.asked.append("fallback")
        return values.fallback_models()[0]

    fixed.fetch_model_by_id = fallback  # type: ignore[method-assign]
    for _ in range(2):
        assert "Claude Sonnet 4" == getattr(run(cached.fetch_model_by_id("anthropic/claude-sonnet-4")), "name", None)
    assert 2 == fixed.asked.count("fallback")


def test_health(cache_clock: CacheClock, fixed: Fixed) -> None:
    """An answer counts for half a minute."""
    cached = CachedOpenRouterRepository(fixed)
    for seconds in (0, 29, 2):
        cache_clock.now += seconds
        assert run(cached.health_check()) is True
    assert ["health"] * 2 == fixed.asked


def test_invalidation(cache_clock: CacheClock, fixed: Fixed) -> None:
    """All of the cache, or what is kept under matching keys, is forgotten."""
    cached = CachedOpenRouterRepository(fixed)

    async def fill() -> None:
        await cached.fetch_all_models()
        await cached.fetch_model_by_id("cheap/x")

    def sizes() -> tuple[int, int]:
        return len(cached.l1_cache), len(cached.l2_cache)

    run(fill())
    assert (2, 1 + len(MODELS)) == sizes()
    run(cached.invalidate_cache("cheap/x"))
    assert (1, len(MODELS)) == sizes()
    run(fill())
    run(cached.invalidate_cache("models:list"))
    assert (1, len(MODELS)) == sizes()
    run(cached.health_check())
    run(cached.invalidate_cache("openrouter:models"))
    assert (1, 0) == sizes()
    run(cached.invalidate_cache())
    assert (0, 0) == sizes()
    assert ["all", "cheap/x", "health"] == fixed.asked


def test_a_list_is_kept_in_one_go(cache_clock: CacheClock, fixed: Fixed) -> None:
    """However many models a list has, the event loop that keeps them looks at the clock as often as for two."""
    readings = []
    for models in (MODELS[:2], [model(f"many{number}", 1, 1) for number in range(900)]):
        fixed.models, cache_clock.readings = models, 0
        assert models == run(CachedOpenRouterRepository(fixed).fetch_all_models())
        readings.append(cache_clock.readings)
    assert readings[0] == readings[1]


def test_the_cache_is_bounded(cache_clock: CacheClock, fixed: Fixed) -> None:
    """The oldest entries make room."""
    tier: caches.TtlCache[int] = caches.TtlCache(2, 60)
    for number in (1, 2, 3, 3):
        tier.put(str(number), number)
    assert (2, None, 2, 3) == (len(tier), tier.get("1"), tier.get("2"), tier.get("3"))
    assert math.inf == tier.age("1")


def test_a_refresh_behind_an_answer(cache_clock: CacheClock, fixed: Fixed) -> None:
    """After 55 minutes of the hour a question is answered at once and refreshes behind; once, also when it fails."""
    cached = CachedOpenRouterRepository(fixed)

    async def ask(times: int) -> None:
        for _ in range(times):
            assert MODELS == await cached.fetch_all_models()
        for _ in range(9):
            await asyncio.sleep(0)

    run(ask(1))
    cache_clock.now += 55 * 60
    fixed.fails = True
    run(ask(3))
    assert 2 == len(fixed.asked)
    cache_clock.now += 60
    fixed.fails = False
    run(ask(3))
    assert 3 == len(fixed.asked)
    cache_clock.now += 55 * 60
    cached.enable_background_refresh = False
    run(ask(3))
    assert 3 == len(fixed.asked)


def test_a_refresh_dies_with_its_loop(cache_clock: CacheClock, fixed: Fixed, caplog: pytest.LogCaptureFixture) -> None:
    """A loop that ends takes the refresh behind its answer along without a word, and the next one refreshes again."""
    cached = CachedOpenRouterRepository(fixed)
    run(cached.fetch_all_models())
    cache_clock.now += 56 * 60

    async def ask(gate: asyncio.Event | None) -> None:
        fixed.gate = gate
        await cached.fetch_all_models()
        while cached._tasks and gate is None:
            await asyncio.sleep(0)

    run(ask(asyncio.Event()))
    gc.collect()
    assert ([], {}) == (caplog.records, cached._tasks)
    cache_clock.now += 60
    run(ask(None))
    assert (["all"] * 3, 0) == (fixed.asked, cached.l2_cache.age("openrouter:models:list"))


def test_the_end_of_a_cached_repository(cache_clock: CacheClock, fixed: Fixed) -> None:
    """It stops what runs behind, tells those who wait, and closes what it wraps if that can be closed."""
    cached = CachedOpenRouterRepository(fixed)

    async def ask() -> str:
        fixed.gate = asyncio.Event()
        task = asyncio.create_task(cached.fetch_all_models())
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        await cached.close()
        return repr((await asyncio.gather(task, return_exceptions=True))[0])

    assert "RepositoryError('the repository was closed meanwhile')" == run(ask())
    run(CachedOpenRouterRepository(cached).close())


@pytest.mark.parametrize("name", ["l1_ttl_minutes", "l2_ttl_minutes"])
def test_a_time_that_cannot_be(fixed: Fixed, name: str) -> None:
    """A negative time is refused by name."""
    for bad in (-1, float("nan")):
        with pytest.raises(ValueError, match=name):
            CachedOpenRouterRepository(fixed, **{name: bad})  # type: ignore[arg-type]


# -- services ----------------------------------------------------------------------------------------------------------


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


def test_values() -> None:
    """Values compare by their fields, and have the old defaults and forms."""
    one = model("openai", 1, 3)
    assert (2.0, {}, {}, []) == (one.average_price, one.architecture, one.top_provider, one.supported_parameters)
    assert model("openai", 1, 3) == one
    named: Any = "Budget"
    assert one == model("openai", 1, 3, named)
    row = one.to_dict()
    row["architecture"]["modality"] = "changed"
    assert {} == one.architecture
    assert ["Budget", "Standard", "Fast", "Premium", "Reasoning"] == [category.value for category in ModelCategory]
    assert {
        "success": True,
        "models": [one.to_dict()],
        "last_updated": "now",
        "source": "openrouter_api",
        "error": None,
    } == PricingResponse(True, [one], "now", "openrouter_api").to_dict()


# -- tools -------------------------------------------------------------------------------------------------------------


def test_metrics(caplog: pytest.LogCaptureFixture) -> None:
    """Counts, times in milliseconds and rates in percent, by operation and of all."""
    collector = MetricsCollector()
    assert 0 == collector.get_metrics()["_summary"]["total_operations"]
    collector.record_operation("ask", 0.25, cache_hit=True)
    collector.record_operation("ask", 0.75, success=False, cache_hit=False)
    collector.record_operation("other", 1.0)
    found = collector.get_metrics()
    seen = found["ask"]
    assert (2, 500, 250, 750, 1.0) == tuple(
        seen[key] for key in ("count", "avg_time_ms", "min_time_ms", "max_time_ms", "total_time_s")
    )
    assert (1, 50, 50, 1, 1) == tuple(
        seen[key] for key in ("errors", "error_rate", "cache_hit_rate", "cache_hits", "cache_misses")
    )
    assert seen["last_error"].endswith("+00:00")
    assert (0.0, None) == (found["other"]["cache_hit_rate"], found["other"]["last_error"])
    assert (3, 1) == (found["_summary"]["total_operations"], found["_summary"]["total_errors"])
    with caplog.at_level(logging.INFO):
        collector.log_metrics()
    assert ["3 operations, 1 errors", "ask: 2 times", "other: 1 times"] == [
        record.getMessage().split(",")[0] if record.args and len(record.args) == 4 else record.getMessage()
        for record in caplog.records
    ]


def test_timed_operations() -> None:
    """A body is timed, and counted as a failure where it raises."""
    collector = MetricsCollector()
    with TimedOperation("ask", collector) as operation:
        operation.set_cache_hit(True)
    with pytest.raises(KeyError), TimedOperation("ask", collector):
        raise KeyError
    seen = collector.get_metrics()["ask"]
    assert (2, 1, 1) == (seen["count"], seen["errors"], seen["cache_hits"])
    TimedOperation("never entered", collector).__exit__(None, None, None)
    assert 1 == collector.get_metrics()["never entered"]["count"]


def test_retry_delays() -> None:
    """They double up to the most, and jitter adds up to a quarter."""
    exact = RetryPolicy(jitter=False)
    assert [1, 2, 4, 8, 10, 10, 10] == [exact.calculate_delay(n) for n in (0, 1, 2, 3, 4, 5, 10**6)]
    assert (3, 1.0, 10.0, 2.0, True) == tuple(vars(RetryPolicy()).values())
    delays = [RetryPolicy().calculate_delay(1) for _ in range(200)]
    assert 2 <= min(delays) < max(delays) <= 2.5
    with pytest.raises(ValueError, match="attempt"):
        exact.calculate_delay(-1)


def test_the_circuit_breaker(monkeypatch: pytest.MonkeyPatch) -> None:
    """It opens after failures in a row of the kind expected, lets a probe through later, and closes on success."""
    now = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    breaker = CircuitBreaker(failure_threshold=2, recovery_timeout=60, expected_exception=KeyError)

    async def ask(error: type[Exception] | None = None, *, answer: str = "fine") -> str:
        if error is not None:
            raise error
        return answer

    async def seen() -> list[Any]:
        states: list[Any] = []
        for error in (None, KeyError, ValueError, KeyError):
            await asyncio.gather(breaker.call(ask, error), return_exceptions=True)
            states.append(breaker.state)
        with pytest.raises(CircuitOpenError):
            await breaker.call(ask)
        now[0] = 61.0
        states.append(breaker.state)
        states.append(await breaker.call(ask, answer="again"))
        return [*states, breaker.state]

    assert ["closed", "closed", "closed", "open", "half-open", "again", "closed"] == run(seen())
    assert 3 == run(breaker.call(lambda *numbers: sum(numbers), 1, 2))
    assert Exception is CircuitBreaker().expected_exception


def test_a_probe_that_says_nothing() -> None:
    """A probe that is cancelled, or fails in another way, is no failure: the next one is let through at once."""
    breaker = CircuitBreaker(failure_threshold=1, recovery_timeout=0.05, expected_exception=KeyError)

    async def fail(error: BaseException) -> None:
        raise error

    async def ask() -> list[str]:
        await asyncio.gather(breaker.call(fail, KeyError()), return_exceptions=True)
        while breaker.state == "open":
            await asyncio.sleep(0)
        await asyncio.gather(breaker.call(fail, ValueError()), return_exceptions=True)
        probe = asyncio.create_task(breaker.call(asyncio.sleep, 10))
        await asyncio.sleep(0)
        probe.cancel()
        await asyncio.gather(probe, return_exceptions=True)
        return [breaker.state, await breaker.call(lambda: "fine"), breaker.state]

    assert ["half-open", "fine", "closed"] == run(ask())
    assert (1, 0.05) == (breaker.failure_threshold, breaker.recovery_timeout)


# -- threads for coroutines --------------------------------------------------------------------------------------------


def test_flights_of_two_loops(fixed: Fixed) -> None:
    """Loops in several threads, and one after another in one thread, each get their answer."""
    made = flights.Flights()
    found: list[int] = []

    def ask() -> None:
        found.extend(run(made.ask("key", lambda: 5)) for _ in range(20))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert [5] * 80 == found
    assert {} == made._flights


def test_a_flight_that_outlives_its_loop() -> None:
    """Work that ends after its loop, or after whoever asked gave up, troubles nobody; the next loop asks anew."""
    made, gate, ended = flights.Flights(), threading.Event(), threading.Event()

    def work() -> int:
        gate.wait(PATIENCE)
        return 5

    async def give_up() -> None:
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(made.ask("key", work), 0.001)

    for _ in range(3):
        run(give_up())

    async def give_up_and_stay() -> str:
        task = asyncio.create_task(made.ask("key", work))
        other = asyncio.create_task(made.ask("key", work))
        failing = asyncio.create_task(made.ask("failing", lambda: [gate.wait(PATIENCE), {}["x"]]))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        task.cancel()
        failing.cancel()
        gate.set()
        found = await other
        while made._flights:
            await asyncio.sleep(0)
        await asyncio.sleep(0)
        return f"{found} {task.cancelled()}"

    assert "5 True" == run(give_up_and_stay())
    ended.set()


def test_a_flight_that_fails() -> None:
    """The error of the work, or of copying what it gave, is raised where it was asked for, by every caller."""
    made = flights.Flights()

    async def ask(work: Any, copy: Any) -> list[str]:
        answers = await asyncio.gather(*(made.ask("key", work, copy) for _ in range(3)), return_exceptions=True)
        return [type(answer).__name__ for answer in answers]

    assert ["KeyError"] * 3 == run(ask(lambda: {}["x"], list))
    assert ["TypeError"] * 3 == run(ask(lambda: 5, list))


def test_flights_that_never_land() -> None:
    """A loop that is closed before its flight starts is not kept, nor is what a parent process had under way."""
    made = flights.Flights()
    loop = asyncio.new_event_loop()

    async def ask_and_give_up() -> None:
        question = made.ask("key", lambda: 5)
        question.send(None)
        question.close()

    task = loop.create_task(ask_and_give_up())
    loop.call_soon(loop.stop)
    loop.run_forever()
    loop.close()
    assert (True, 1) == (task.done(), len(made._flights))

    async def ask() -> int:
        made._flights[(-1, 0, "key")] = flights._Flight(asyncio.get_running_loop())
        return await made.ask("key", lambda: 5)

    assert 5 == run(ask())
    assert {} == made._flights


def test_a_flight_without_a_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no thread can be started the callers are told."""

    def fail(self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    async def ask() -> int:
        monkeypatch.setattr(threading.Thread, "start", fail)
        return await flights.Flights().ask("key", lambda: 5)

    with pytest.raises(RuntimeError, match="new thread"):
        run(ask())


def test_what_is_computed_takes_turns() -> None:
    """Work that computes runs one after another, however much is asked for at once."""
    made = flights.Flights()
    under_way: list[int] = []
    most: list[int] = []

    def work(number: int) -> int:
        under_way.append(number)
        most.append(len(under_way))
        under_way.remove(number)
        return number

    async def ask() -> list[int]:
        await made.make("first", lambda: 0, int)
        return list(await asyncio.gather(*(made.make(str(n), partial(work, n), int) for n in range(100))))

    assert list(range(100)) == run(ask())
    assert ({1}, {}) == (set(most), made._flights)
    assert not made._turns[os.getpid()].waiting


def test_nothing_is_computed_without_a_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no thread can be started everybody who waits for a turn is told, and the next one is tried anew."""
    made = flights.Flights()

    def fail(self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    async def ask() -> list[Any]:
        monkeypatch.setattr(threading.Thread, "start", fail)
        told = await asyncio.gather(*(made.make(str(n), lambda: 5, int) for n in range(3)), return_exceptions=True)
        monkeypatch.undo()
        return [*map(str, told), await made.make("again", lambda: 5, int)]

    assert [*["can't start new thread"] * 3, 5] == run(ask())


def test_a_flight_that_lands_while_somebody_asks() -> None:
    """Who comes a moment too late takes the next one; the late one does not end that."""
    made = flights.Flights()

    async def ask() -> tuple[Any, ...]:
        loop = asyncio.get_running_loop()
        place = (os.getpid(), id(loop), "key")
        landed = made._flights[place] = flights._Flight(loop)
        landed.land()
        found = await made.ask("key", lambda: 5)
        following = made._flights[place] = flights._Flight(loop)
        assert [] == made._land(place, landed)
        return landed.join(), found, made._flights[place] is following

    assert (None, 5, True) == run(ask())


def test_two_loops_ask_a_cached_repository(cache_clock: CacheClock, fixed: Fixed) -> None:
    """A loop that ends leaves the question of another one alone."""
    cached = CachedOpenRouterRepository(fixed)

    async def ask() -> list[ModelPricing]:
        fixed.gate = asyncio.Event()
        task = asyncio.create_task(cached.fetch_all_models())
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        await asyncio.to_thread(lambda: run(other()))
        fixed.gate.set()
        return await task

    async def other() -> None:
        gate, fixed.gate = fixed.gate, None
        assert MODELS == await cached.fetch_all_models()
        fixed.gate = gate

    assert MODELS == run(ask())
    assert ["all", "all"] == fixed.asked
