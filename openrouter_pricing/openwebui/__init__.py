"""The API of a retired Open WebUI module, on top of :class:`Pricing`.

``from openrouter_pricing.openwebui import *`` is all that ``open_webui/utils/openrouter_models.py`` has to hold.
"""

from __future__ import annotations

from .cache import CachedOpenRouterRepository
from .models import Json, ModelCategory, ModelPricing, PricingResponse, own_list
from .repository import _FLIGHTS, _SHARED, ModelPricingRepository, OpenRouterRepository, RepositoryError
from .services import CacheManager, ModelMapperService, PricingCalculatorService
from .tools import CircuitBreaker, MetricsCollector, RetryPolicy, TimedOperation, metrics

__all__ = [
    "CacheManager",
    "CachedOpenRouterRepository",
    "CircuitBreaker",
    "MetricsCollector",
    "ModelCategory",
    "ModelMapperService",
    "ModelPricing",
    "ModelPricingRepository",
    "OpenRouterModelsAPI",
    "OpenRouterRepository",
    "PricingCalculatorService",
    "PricingResponse",
    "RepositoryError",
    "RetryPolicy",
    "TimedOperation",
    "get_dynamic_model_pricing",
    "metrics",
    "openrouter_models_api",
]


class OpenRouterModelsAPI(OpenRouterRepository):
    """OpenRouter's models as dictionaries, and every method of :class:`OpenRouterRepository`."""

    async def fetch_models(self, force_refresh: bool = False) -> Json:
        """Every model's prices; see :func:`get_dynamic_model_pricing`."""
        force = bool(force_refresh)
        with TimedOperation("fetch_models"):
            return await _FLIGHTS.ask(f"models:{force}", lambda: _SHARED.answer(force=force).to_dict(), own_list)

    async def close(self) -> None:
        """Close the ``Pricing`` that all repositories share; the next question makes another."""
        await _FLIGHTS.ask("close", _SHARED.close)


openrouter_models_api: OpenRouterModelsAPI = OpenRouterModelsAPI()


async def get_dynamic_model_pricing(force_refresh: bool = False) -> Json:
    """Every model's prices, in USD per million tokens; never raises for the upstream.

    Args:
        force_refresh: fetch them now, however new those at hand are.

    Returns:
        ``success``, ``models`` (dictionaries sorted by provider and name), ``last_updated`` (ISO 8601), ``source`` and
        ``error``. The source is "openrouter_api"; "cache_fallback" where an API error made older prices answer; or
        "hardcoded_fallback", with ``success`` false and an ``error`` text, where nothing was ever fetched.
    """
    return await openrouter_models_api.fetch_models(force_refresh)
