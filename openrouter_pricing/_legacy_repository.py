"""The legacy Open WebUI API's repositories: where models come from."""

from __future__ import annotations

from abc import ABC, abstractmethod
from copy import deepcopy

from ._legacy_flights import Flights
from ._legacy_models import ModelPricing, fallback_models
from ._legacy_pricing import Found, SharedPricing
from .errors import PricingError
from .settings import mask


class RepositoryError(Exception):
    """A repository could not be asked."""


class ModelPricingRepository(ABC):
    """Where models come from."""

    @abstractmethod
    async def fetch_all_models(self) -> list[ModelPricing]:
        """Every model.

        Raises:
            RepositoryError: they cannot be had.
        """

    @abstractmethod
    async def fetch_model_by_id(self, model_id: str) -> ModelPricing | None:
        """One model, or None if there is none of that id."""

    @abstractmethod
    async def health_check(self) -> bool:
        """Whether it can be asked."""


_SHARED = SharedPricing()  # the one global that this API promises
_FLIGHTS = Flights()


async def give(found: Found) -> list[ModelPricing]:
    """The models found, in a list of the caller's own; only callers that ask at the same time share what is in it."""
    return await _FLIGHTS.ask(f"models of {id(found.models)}", lambda: found.own().models, list)


class OpenRouterRepository(ModelPricingRepository):
    """OpenRouter itself. All of them share one ``Pricing``, made of the environment's settings when first asked."""

    async def fetch_all_models(self) -> list[ModelPricing]:
        """Every model, asked for now and sorted by provider and name; concurrent callers share one request.

        Raises:
            RepositoryError: OpenRouter gave no usable answer; its cause says why.
        """
        return await give(await self.look())

    async def look(self, *, force: bool = True) -> Found:
        """Every model as it is kept, asked for now in any case.

        Raises:
            RepositoryError: OpenRouter gave no usable answer; its cause says why.
        """
        try:
            return await _FLIGHTS.ask("refresh", _SHARED.refresh)
        except PricingError as error:
            raise RepositoryError(f"API fetch failed: {mask(str(error))}") from error

    async def fetch_model_by_id(self, model_id: str) -> ModelPricing | None:
        """One model, or None; from older prices, then from the fallback rows, where OpenRouter gives no answer."""
        try:
            found = await _FLIGHTS.ask("look", lambda: _SHARED.look(force=True))
        except PricingError:
            models = fallback_models()
        else:
            models = [*found.models, *(fallback_models() if found.stale else ())]
        return deepcopy(next((model for model in models if model.id == model_id), None))

    async def health_check(self) -> bool:
        """Whether OpenRouter gives its model list. Never raises."""
        try:
            await self.look()
        except Exception:  # noqa: BLE001  # whatever is wrong, it is not healthy
            return False
        return True

    async def close(self) -> None:
        """Let go of this repository; the ``Pricing`` that all of them share stays."""
