"""The legacy Open WebUI API's repositories: where models come from."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from copy import deepcopy

from .._base.masking import mask
from ..errors import PricingError
from .models import ModelPricing, fallback_model, read_name
from .shared import Answer, SharedPricing
from .threads import Flights


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


async def give(found: Answer) -> list[ModelPricing]:
    """The models found, in a list of the caller's own; only callers that ask at the same time share what is in it."""
    return await _FLIGHTS.make(f"models of {id(found.models)}", lambda: found.own().models, list)


async def _ask(key: str, work: Callable[[], Answer]) -> Answer:
    try:
        return await _FLIGHTS.ask(key, work)
    except PricingError as error:
        raise RepositoryError(f"API fetch failed: {mask(str(error))}") from error


class OpenRouterRepository(ModelPricingRepository):
    """OpenRouter itself. All of them share one ``Pricing``, made of the environment's settings when first asked."""

    async def fetch_all_models(self) -> list[ModelPricing]:
        """Every model, asked for now and sorted by provider and name; concurrent callers share one request.

        Raises:
            RepositoryError: OpenRouter gave no usable answer; its cause says why.
        """
        return await give(await self.look())

    async def look(self, *, force: bool = True) -> Answer:
        """Every model as it is kept, asked for now in any case.

        Raises:
            RepositoryError: OpenRouter gave no usable answer; its cause says why.
        """
        return await _ask("refresh", _SHARED.refresh)

    async def fetch_model_by_id(self, model_id: str) -> ModelPricing | None:
        """One model, or None; from older prices, then from the fallback rows, where OpenRouter gives no answer.

        Raises:
            RepositoryError: there are neither.
        """
        try:
            return await self.find(model_id)
        except RepositoryError:
            model = fallback_model(model_id)
            if model is None:
                raise
            return model

    async def find(self, model_id: str) -> ModelPricing | None:
        """One model, or None; from older prices where OpenRouter gives no answer.

        Raises:
            RepositoryError: there are no older prices.
        """
        name = read_name(model_id, "model_id")
        found = await _ask("look", lambda: _SHARED.held(force=True))
        model = next((model for model in found.models if model.id == name), None)
        return fallback_model(name) if model is None and found.stale else deepcopy(model)

    @property
    def unchanged(self) -> bool:
        """Whether no subclass and no instance says otherwise of the models."""
        mine = (OpenRouterRepository.fetch_all_models, OpenRouterRepository.fetch_model_by_id)
        return mine == tuple(getattr(way, "__func__", None) for way in (self.fetch_all_models, self.fetch_model_by_id))

    async def health_check(self) -> bool:
        """Whether OpenRouter gives its model list. Never raises."""
        try:
            await self.look()
        except Exception:  # noqa: BLE001  # whatever is wrong, it is not healthy
            return False
        return True

    async def close(self) -> None:
        """Let go of this repository; the ``Pricing`` that all of them share stays."""
