"""The cache around any repository, in two tiers."""

from __future__ import annotations

import asyncio
import gc
import math
from types import ModuleType
from typing import Any

import pytest
from support.upstream import Upstream
from support.webui import MODELS, CacheClock, Fixed, model, run

from openrouter_pricing.openwebui import (
    CachedOpenRouterRepository,
    CacheManager,
    ModelCategory,
    ModelPricing,
    PricingCalculatorService,
    RepositoryError,
)
from openrouter_pricing.openwebui import cache as caches
from openrouter_pricing.openwebui import models as values


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


def test_older_prices_of_one_model(legacy: ModuleType, upstream: Upstream) -> None:
    """Where the shared prices are gone too, a cached repository answers for one model from the last list it saw."""
    cached = legacy.CachedOpenRouterRepository(legacy.OpenRouterRepository(), l1_ttl_minutes=0, l2_ttl_minutes=0)
    run(cached.fetch_all_models())
    run(legacy.openrouter_models_api.close())
    upstream.fail(500)
    found = [run(cached.fetch_model_by_id(name)).name for name in ("a/fast", "openai/gpt-4o-mini", "openai/gpt-4")]
    assert ["Fast", "GPT-4o-mini", "GPT-4"] == found
    with pytest.raises(legacy.RepositoryError, match="500"):
        run(cached.fetch_model_by_id("a/none"))


def test_a_fresh_list_knows_all_models(legacy: ModuleType, upstream: Upstream) -> None:
    """A model that the cached list does not have is not asked for, until the list is too old."""
    cached = legacy.CachedOpenRouterRepository(legacy.OpenRouterRepository())
    run(cached.fetch_all_models())
    for _ in range(3):
        assert run(cached.fetch_model_by_id("a/none")) is None
        with pytest.raises(ValueError, match=r"^Model not found: a/none$"):
            run(legacy.PricingCalculatorService(cached).calculate_cost("a/none", 1, 1))
    assert "Fast" == run(cached.fetch_model_by_id("a/fast")).name
    assert 1 == len(upstream.requests)
    run(cached.invalidate_cache())
    assert run(cached.fetch_model_by_id("a/none")) is None
    assert 2 == len(upstream.requests)
