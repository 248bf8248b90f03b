"""The legacy Open WebUI API's services: costs, cache management and lists for its pages."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import datetime, timezone
from typing import Any, TypeVar

from .._base import money
from .._base.log import logger
from .cache import CachedOpenRouterRepository
from .models import FALLBACK_IDS, Json, ModelPricing, own_list, read_name
from .repository import _FLIGHTS, ModelPricingRepository, OpenRouterRepository
from .shared import Answer, unavailable
from .tools import TimedOperation, metrics

_T = TypeVar("_T")
_M = TypeVar("_M", bound="ModelPricing | Json")

_OURS = (OpenRouterRepository.fetch_all_models, CachedOpenRouterRepository.fetch_all_models)
_MAI_IDS = frozenset(
    (
        *FALLBACK_IDS,
        "google/gemini-2.5-flash-lite-preview-06-17",
        "openai/gpt-4.1",
        "x-ai/grok-4",
        "openai/o4-mini-high",
        "openai/o3",
        "openai/chatgpt-4o-latest",
    )
)


class PricingCalculatorService:
    """Prices and costs, from any repository.

    Args:
        repository: where models come from.
    """

    def __init__(self, repository: ModelPricingRepository) -> None:
        self.repository = repository

    async def get_model_pricing(self, force_refresh: bool = False) -> Json:
        """Every model's prices; the fallback rows, with ``success`` false, where the repository fails.

        Args:
            force_refresh: ask the repository now, past a cache around it.
        """
        with TimedOperation("get_model_pricing"):
            try:
                return await self._make("answer", lambda found: found.answer().to_dict(), own_list, force=force_refresh)
            except Exception as error:  # noqa: BLE001  # any repository may be wrapped, and fail in any way
                return unavailable(error).to_dict()

    async def get_model_by_id(self, model_id: str) -> Json | None:
        """One model, or None."""
        model = await self.repository.fetch_model_by_id(model_id)
        return None if model is None else model.to_dict()

    async def calculate_cost(
        self, model_id: str, input_tokens: int, output_tokens: int, markup_rate: float = 1.3
    ) -> Json:
        """What a call costs, in floats, by the two prices alone. ``Pricing.cost()`` is exact and knows all of them.

        Args:
            model_id: the exact id.
            input_tokens: prompt tokens.
            output_tokens: completion tokens.
            markup_rate: what the cost is multiplied by.

        Raises:
            ValueError: there is no such model, or a number is negative or absurd.
            TypeError: a number is of the wrong type.
        """
        given, made = money.count(input_tokens, "input_tokens"), money.count(output_tokens, "output_tokens")
        rate = float(money.read_rate(markup_rate, "markup_rate"))
        model = await self.repository.fetch_model_by_id(model_id)
        if model is None:
            raise ValueError(f"Model not found: {model_id}")
        input_cost = given / 1_000_000 * model.price_per_million_input
        output_cost = made / 1_000_000 * model.price_per_million_output
        return {
            "model_id": model_id,
            "input_tokens": given,
            "output_tokens": made,
            "input_cost": input_cost,
            "output_cost": output_cost,
            "raw_cost": input_cost + output_cost,
            "markup_rate": rate,
            "markup_cost": (input_cost + output_cost) * rate,
            "price_per_million_input": model.price_per_million_input,
            "price_per_million_output": model.price_per_million_output,
        }

    async def get_models_by_category(self, category: str) -> list[Json]:
        """The models of a category, its name in any case."""
        name = read_name(category, "category").lower()
        return await self._select(
            f"category {name}", lambda models: (model for model in models if model.category.value.lower() == name)
        )

    async def get_models_by_provider(self, provider: str) -> list[Json]:
        """The models of a provider, its name in any case."""
        name = read_name(provider, "provider").lower()
        return await self._select(
            f"provider {name}", lambda models: (model for model in models if model.provider.lower() == name)
        )

    async def get_cheapest_models(self, limit: int = 10) -> list[Json]:
        """The first ``limit`` models by mean price, cheapest first."""
        count = money.count(limit, "limit")
        return await self._select(f"cheapest {count}", lambda models: _by_mean_price(models)[:count])

    async def _select(self, what: str, choose: Callable[[list[ModelPricing]], Iterable[ModelPricing]]) -> list[Json]:
        return await self._make(what, lambda found: [model.to_dict() for model in choose(found.models)], list)

    async def _make(
        self, what: str, make: Callable[[Answer], _T], own: Callable[[_T], _T], *, force: bool = False
    ) -> _T:
        """What ``make`` makes of every model.

        In a thread, and once for all callers: hundreds of rows for a hundred of them would hold the loop up.
        """
        repository = self.repository
        if (
            isinstance(repository, (OpenRouterRepository, CachedOpenRouterRepository))
            and getattr(repository.fetch_all_models, "__func__", None) in _OURS
        ):
            found = await repository.look(force=bool(force))
            key = f"{what} of {id(found.models)}, {found.as_of}, {found.stale}"
        else:
            forget = getattr(repository, "invalidate_cache", None)
            if force and forget is not None:
                await forget()
            found = Answer(await repository.fetch_all_models(), datetime.now(timezone.utc), stale=False)
            key = f"{what} of {id(found.models)}"
        return await _FLIGHTS.make(key, lambda: make(found), own)


class CacheManager:
    """Fills, refreshes and watches a cached repository.

    Args:
        cached_repository: the repository.
    """

    def __init__(self, cached_repository: CachedOpenRouterRepository) -> None:
        self.cached_repo = cached_repository
        self._periodic: asyncio.Task[None] | None = None
        self._warming = 0

    async def warm_cache(self) -> None:
        """Fill the cache, or wait for those who do. Never raises for the repository."""
        await self._warm(self.cached_repo.look)

    async def force_refresh(self) -> None:
        """Ask the repository now; what is cached stays where it fails."""
        await self._warm(lambda: self.cached_repo.look(force=True))

    async def start_periodic_refresh(self, interval_minutes: float = 55) -> None:
        """Refresh every so many minutes, for as long as this event loop runs; once is enough.

        Raises:
            ValueError: ``interval_minutes`` is not above 0.
        """
        if not interval_minutes > 0:
            raise ValueError(f"interval_minutes must be above 0: {interval_minutes}")
        if not self._active():
            self._periodic = asyncio.get_running_loop().create_task(self._refresh_every(interval_minutes * 60))

    async def stop_periodic_refresh(self) -> None:
        """Stop that, if it runs, in whichever event loop it does."""
        task, self._periodic = self._periodic, None
        if task is None:
            return
        if task.get_loop() is asyncio.get_running_loop():
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        else:
            with suppress(RuntimeError):  # that loop was closed, and the task with it
                task.get_loop().call_soon_threadsafe(task.cancel)

    async def get_cache_stats(self) -> Json:
        """Sizes, hit rate in percent and times of the cache."""
        found = metrics.get_metrics()
        summary, asked = found.pop("_summary"), found.get("fetch_all_models", {})
        tiers = {
            name: {"size": len(tier), "max_size": tier.maxsize, "ttl_seconds": tier.ttl}
            for name, tier in (("l1_cache", self.cached_repo.l1_cache), ("l2_cache", self.cached_repo.l2_cache))
        }
        last = self.cached_repo.last_refresh
        return {
            "l1_cache": {**tiers["l1_cache"], "hit_rate": asked.get("cache_hit_rate", 0.0)},
            "l2_cache": tiers["l2_cache"],
            "performance": {
                "total_requests": summary["total_operations"],
                "avg_response_time_ms": asked.get("avg_time_ms", 0.0),
                "cache_hits": sum(seen["cache_hits"] for seen in found.values()),
                "cache_misses": sum(seen["cache_misses"] for seen in found.values()),
            },
            "last_refresh": None if last is None else last.isoformat(),
            "is_warming": self._warming > 0,
            "periodic_refresh_active": self._active(),
        }

    async def invalidate_cache(self, pattern: str | None = None) -> None:
        """Forget what is cached, or what is kept under keys with ``pattern`` in them."""
        await self.cached_repo.invalidate_cache(pattern)

    def _active(self) -> bool:
        task = self._periodic
        return task is not None and not task.done() and not task.get_loop().is_closed()

    async def _refresh_every(self, seconds: float) -> None:
        while True:
            await asyncio.sleep(seconds)
            await self.force_refresh()

    async def _warm(self, fetch: Callable[[], Any]) -> None:
        self._warming += 1
        try:
            await fetch()
        except Exception as error:  # noqa: BLE001  # any repository may be wrapped, and fail in any way
            logger(__name__).warning("warming the cache failed: %s", error)
        finally:
            self._warming -= 1


class ModelMapperService:
    """Lists of models for pages; each model as an object, or as the dictionary that the pricing calls give."""

    @staticmethod
    def filter_models(models: Iterable[_M], ids: Iterable[str]) -> list[_M]:
        """The models with these ids, in their own order.

        Raises:
            TypeError: ``ids`` is one string.
        """
        if isinstance(ids, str):
            raise TypeError("ids must be several ids, not one string")
        wanted = frozenset(ids)
        return [model for model in models if _of(model, "id") in wanted]

    @staticmethod
    def filter_mai_models(models: Iterable[_M]) -> list[_M]:
        """The models that the fork offers."""
        return ModelMapperService.filter_models(models, _MAI_IDS)

    @staticmethod
    def group_by_provider(models: Iterable[_M]) -> dict[str, list[_M]]:
        """Provider to its models, cheapest first."""
        return _grouped(models, "provider")

    @staticmethod
    def group_by_category(models: Iterable[_M]) -> dict[str, list[_M]]:
        """Category to its models, cheapest first."""
        return _grouped(models, "category")

    @staticmethod
    def create_price_comparison(models: Iterable[ModelPricing | Json]) -> list[Json]:
        """Prices side by side, in USD per million and per thousand tokens; cheapest first."""
        return [
            {
                "id": _of(model, "id"),
                "name": _of(model, "name"),
                "provider": _of(model, "provider"),
                "category": read_name(_of(model, "category"), "category"),
                "input_price": _of(model, "price_per_million_input"),
                "output_price": _of(model, "price_per_million_output"),
                "average_price": _mean_price(model),
                "context_length": _of(model, "context_length"),
                "cost_per_1k_tokens": {
                    "input": _of(model, "price_per_million_input") / 1000,
                    "output": _of(model, "price_per_million_output") / 1000,
                    "average": _mean_price(model) / 1000,
                },
            }
            for model in _by_mean_price(models)
        ]


def _of(model: ModelPricing | Json, name: str) -> Any:
    return model[name] if isinstance(model, dict) else getattr(model, name)


def _mean_price(model: ModelPricing | Json) -> float:
    return float(_of(model, "price_per_million_input") + _of(model, "price_per_million_output")) / 2


def _by_mean_price(models: Iterable[_M]) -> list[_M]:
    return sorted(models, key=_mean_price)


def _grouped(models: Iterable[_M], name: str) -> dict[str, list[_M]]:
    groups: dict[str, list[_M]] = {}
    for model in _by_mean_price(models):
        groups.setdefault(read_name(_of(model, name), name), []).append(model)
    return groups
