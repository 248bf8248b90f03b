"""SharedPricing: the one ``Pricing`` behind the legacy Open WebUI API, and its prices as that API gives them."""

from __future__ import annotations

import atexit
import os
from collections.abc import Iterable
from copy import deepcopy
from datetime import datetime, timezone
from typing import NamedTuple

from .._base.log import logger
from .._base.masking import mask
from .._freshness.cache import CatalogCache
from .._prices.catalog import Catalog
from ..errors import PricingError
from ..pricing import Pricing
from ..settings import Settings
from .models import ModelPricing, PricingResponse, fallback_models

_WHILE = "OPENROUTER_PRICING_STALE_WHILE_REVALIDATE"


class Answer(NamedTuple):
    """What is held, and how it came about.

    Args:
        models: sorted by provider and name; shared, so copy what is given away.
        as_of: when the prices were fetched (aware UTC).
        stale: whether an API error made older prices answer.
    """

    models: list[ModelPricing]
    as_of: datetime
    stale: bool

    def own(self) -> Answer:
        """The same with models that are nobody else's. Takes milliseconds."""
        return self._replace(models=deepcopy(self.models))

    def answer(self) -> PricingResponse:
        """As the pricing calls answer it."""
        source = "cache_fallback" if self.stale else "openrouter_api"
        return PricingResponse(True, in_order(self.models), self.as_of.isoformat(), source)


class SharedPricing:
    """Makes one ``Pricing`` of the environment's settings when it is first asked; another one after ``close()``.

    The bundled snapshot is switched off: the last resort of this API are its twelve rows. Nothing is stale while it is
    revalidated, unless the environment says so: prices after their time are given only where there are no others, and
    a refresh after 55 minutes keeps callers from waiting. Every method blocks.
    """

    def __init__(self) -> None:
        self._made: dict[str, Pricing] = {}
        self._models: tuple[str, list[ModelPricing]] = ("", [])

    def pricing(self) -> Pricing:
        """The one ``Pricing``.

        Raises:
            SettingsError: the environment cannot be read.
        """
        made = self._made.get("pricing")
        if made is None:
            # Atomic, so that two threads agree; one that is made in vain has started nothing.
            settings = Settings.from_env({**os.environ, _WHILE: os.environ.get(_WHILE) or "0"}, fallback=False)
            made = self._made.setdefault("pricing", Pricing(settings))
            atexit.unregister(self.close)
            atexit.register(self.close)
        return made

    def close(self) -> None:
        """Let go of it."""
        made = self._made.pop("pricing", None)
        if made is not None:
            made.close()

    def refresh(self) -> Answer:
        """What is listed, fetched now.

        Raises:
            PricingError: there is nothing new to be had.
        """
        catalog = self.pricing().refresh()
        return Answer(self._decoded(catalog), catalog.as_of, stale=False)

    def held(self, *, force: bool) -> Answer:
        """What is held, fetched if need be.

        Args:
            force: fetch it now, however new it is.

        Raises:
            PricingError: nothing is held, and nothing can be fetched.
        """
        pricing = self.pricing()
        failed = False
        if force:
            try:
                pricing.refresh()
            except PricingError as error:
                failed = True
                logger(__name__).warning("fetching prices failed: %s", mask(str(error)))
        held, cache = pricing._held(), pricing._cache
        assert isinstance(cache, CatalogCache)
        stale = failed or (held.origin.source == "stale" and cache.failing)
        if cache.age() >= pricing._settings.warm_interval:
            cache.renew(wait=False)
        return Answer(self._decoded(held.catalog), held.catalog.as_of, stale)

    def answer(self, *, force: bool) -> PricingResponse:
        """What is held, as the pricing calls answer it; the twelve rows where nothing is. Never raises.

        The models are shared: ``to_dict()`` makes them the caller's own.
        """
        try:
            return self.held(force=force).answer()
        except PricingError as error:
            return unavailable(error)

    def _decoded(self, catalog: Catalog) -> list[ModelPricing]:
        """The models of a catalogue; those of the last one are kept."""
        digest, models = self._models
        if digest != catalog.digest:
            models = in_order(ModelPricing.of(model.raw) for model in catalog.find())
            self._models = (catalog.digest, models)
        return models


def in_order(models: Iterable[ModelPricing]) -> list[ModelPricing]:
    """Sorted by provider and name."""
    return sorted(models, key=lambda model: (model.provider, model.name))


def unavailable(error: Exception) -> PricingResponse:
    """The twelve rows, and why it is them that answer."""
    reason = mask(str(error) or repr(error))
    logger(__name__).warning("no prices are at hand, so that the fallback rows answer: %s", reason)
    now = datetime.now(timezone.utc).isoformat()
    return PricingResponse(False, fallback_models(), now, "hardcoded_fallback", reason)
