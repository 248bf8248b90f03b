"""Offer: whose prices, of which list, and at which service tier, a call is priced by."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, Protocol

from .._prices.endpoints import Endpoint, Endpoints, tier_of
from .._prices.model import Model
from .._prices.origin import Origin
from .._prices.rates import Rates
from ..errors import PricingError, UnpricedUsageError
from .reading import Reading

#: What a row of batch prices is called beside its model: https://openrouter.ai/docs/batch-quickstart
BATCH = ":batch"
_FAST = "-fast"  # Anthropic's fast mode has rows of its own


class Offer(NamedTuple):
    """What a call is priced by.

    Args:
        rates: the prices.
        origin: which list they stand in.
        model: the row that is priced.
        endpoint: the provider's endpoint; None for the model's own prices.
        flag: what the reader of the cost should know, or None.
    """

    rates: Rates
    origin: Origin
    model: Model
    endpoint: Endpoint | None = None
    flag: str | None = None


class Rows(Protocol):
    """Models by name: a ``Catalog``, or the list of some time before."""

    def __contains__(self, name: object, /) -> bool: ...
    def __getitem__(self, name: str, /) -> Model: ...


class Offers:
    """Everything that is offered at a time.

    Args:
        catalog: the models.
        origin: what costs say of that list.
        endpoints: gives the endpoints of a listed model; it may have to fetch them, and raise.
    """

    def __init__(self, catalog: Rows, origin: Origin, endpoints: Callable[[str], Endpoints]) -> None:
        self._catalog = catalog
        self._origin = origin
        self._endpoints = endpoints

    def listed(self, model: Model) -> Offer:
        """The model's own prices."""
        return Offer(model.rates, self._origin, model)

    def asked(self, model: Model, provider: str | None, service_tier: str | None) -> Offer:
        """The prices of a provider, or of whoever sells the tier.

        Args:
            model: the row.
            provider: tag, slug or name; None for the model's own prices.
            service_tier: None for the standard one.

        Raises:
            UnknownProviderError: no endpoint is that provider's at that tier, or several at different prices are.
            UnpricedUsageError: nobody sells the tier, or several do at different prices.
            PricingError: there is nobody to ask for endpoints.
        """
        if provider is not None:
            return self._provider(model, provider, service_tier)
        tier = tier_of(service_tier)
        if tier is None:
            return self.listed(model)
        row = self.row(model, service_tier)
        return self._tier(model, tier) if row is None else self.listed(row)

    def served(self, model: Model, reading: Reading, provider: str | None) -> Offer:
        """The prices that a response was served at.

        A tier without a price of its own is priced at the standard one, and flagged. Endpoints are asked for only
        where no cost was reported: with one, they would explain it and change nothing.
        https://openrouter.ai/docs/guides/features/service-tiers

        Raises:
            UnknownProviderError, CatalogUnavailableError: as for :meth:`asked`, where a ``provider`` is given.
        """
        if provider is not None:
            return self._provider(model, provider, reading.service_tier)
        tier = tier_of(reading.service_tier)
        if tier is None:
            return self.listed(model)
        row = self.row(model, reading.service_tier)
        if row is not None:
            return self.listed(row)
        if reading.reported is None:
            try:
                if reading.provider is None:
                    return self._tier(model, tier)
                return self._provider(model, reading.provider, tier)
            except PricingError:
                pass
        flag = f"service tier {tier[:100]} is priced at the standard tier: no price of its own is known"
        return self.listed(model)._replace(flag=flag)

    def row(self, model: Model, service_tier: str | None) -> Model | None:
        """The row that sells a model at a tier, where one is listed: ``:batch``, or ``-fast`` for the fast mode."""
        if model.id.endswith(BATCH):
            return model if tier_of(service_tier) == "batch" else None
        suffix = {"batch": BATCH, "fast": _FAST}.get((service_tier or "").lower())
        name = f"{model.id}{suffix}"
        return self._catalog[name] if suffix is not None and name in self._catalog else None

    def _provider(self, model: Model, provider: str, service_tier: str | None) -> Offer:
        endpoints = self._endpoints(model.id)
        endpoint = endpoints.find(provider, service_tier)
        return Offer(endpoint.rates, endpoints.origin, model, endpoint)

    def _tier(self, model: Model, tier: str) -> Offer:
        endpoints = self._endpoints(model.id)
        offers = endpoints.at(tier)
        if not offers:
            raise UnpricedUsageError(model.id, "service_tier", f"no endpoint of it is listed at the tier {tier[:100]}")
        if any(offer.rates != offers[0].rates for offer in offers):
            tags = ", ".join(repr(offer.tag) for offer in offers)
            raise UnpricedUsageError(
                model.id, "service_tier", f"endpoints at the tier {tier[:100]} differ in price; name one of {tags}"
            )
        return Offer(offers[0].rates, endpoints.origin, model, offers[0])
