"""Quoter: answers the questions that take more than two counts and a plain price."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import TypeAlias

from ._base import money
from ._base.clock import aware
from ._billing.call import PLAIN, CallFacts
from ._billing.cost import Cost, PriceRange, charge, settled
from ._billing.markup import Markup
from ._billing.responses import Reading, read_response
from ._billing.usage import Usage
from ._freshness.held import Held
from ._prices.endpoints import Endpoint, Endpoints
from ._prices.model import Model
from ._prices.origin import Origin
from ._prices.rates import Rates
from .errors import (
    CatalogUnavailableError,
    UnknownModelError,
    UnknownProviderError,
    UnpricedUsageError,
    VariablePriceError,
)

_MOST_NAMES = 10_000  # of models whose plain prices are kept at hand


#: All that a question with two counts needs, for a model without conditional prices: what makes a cost, the rates, the
#: prices of prompt and completion, the model's id, the markup rate, and what else stands on the receipt. A bare tuple,
#: as the interpreter is several times slower in taking a named one apart.
PlainPrice: TypeAlias = "tuple[type[Cost], Rates, Decimal, Decimal, str, Decimal, CallFacts]"


class Quoter:
    """Prices usages, under one markup policy.

    Args:
        markup_rate: where the policy says nothing.
        markup: the policy.
        endpoints: gives the endpoints of a listed model.
        utcnow: the wall clock.

    Attributes:
        endpoints: the same.
    """

    def __init__(
        self,
        markup_rate: Decimal,
        markup: Markup,
        endpoints: Callable[[str], Endpoints],
        utcnow: Callable[[], datetime],
    ) -> None:
        self._settings_rate = (markup_rate, "settings")
        self._bare = markup == Markup(places=markup.places)
        self._markup = markup
        self.endpoints = endpoints
        self._utcnow = utcnow

    def cost(
        self,
        held: Held,
        model: str,
        prompt_tokens: int,
        completion_tokens: int,
        usage: Usage | None,
        markup_rate: money.Number | None,
        at: datetime | None,
        provider: str | None,
    ) -> Cost:
        """See :meth:`Pricing.cost`."""
        counts: Usage | tuple[int, int]
        if usage is None:
            counts = money.count(prompt_tokens, "prompt_tokens"), money.count(completion_tokens, "completion_tokens")
        elif not isinstance(usage, Usage):
            raise TypeError(f"usage must be a Usage, not {type(usage).__name__}")
        elif prompt_tokens or completion_tokens:
            raise TypeError("give either usage or prompt_tokens and completion_tokens, not both")
        else:
            counts = usage
        if at is not None:
            at = aware(at, "at")
        found = held.catalog[model]
        cost = self._charge(held, found, counts, markup_rate, at, provider, None)
        if model not in held.prices:
            self._keep(held, model, found)
        return cost

    def cost_of(
        self,
        hold: Callable[[], Held],
        response: object,
        model: str | None,
        markup_rate: money.Number | None,
        at: datetime | None,
        provider: str | None,
    ) -> Cost:
        """See :meth:`Pricing.cost_of`."""
        if provider is not None and not isinstance(provider, str):
            raise TypeError(f"provider must be a string, not {type(provider).__name__}")
        reading = read_response(response)
        name = reading.model if model is None else model
        if name is None and reading.reported is None:
            raise ValueError("model must be given: the response names none")
        at = reading.created if at is None else aware(at, "at")
        try:
            held = hold()
            return self._charge(held, held.catalog[name or ""], reading.usage, markup_rate, at, provider, reading)
        except (UnknownModelError, UnknownProviderError, VariablePriceError, CatalogUnavailableError):
            if reading.reported is None:
                raise
            rate, rule = self._rate(name or "", None, reading.usage, markup_rate)
            facts = self._facts(rule, at, None, reading)._replace(provider=provider or reading.provider)
            return settled(name or "", reading.reported, reading.usage, rate, facts)

    def price_range(
        self, held: Held, model: str, usage: Usage, markup_rate: money.Number | None, at: datetime | None
    ) -> PriceRange:
        """See :meth:`Pricing.price_range`."""
        listed = self.cost(held, model, 0, 0, usage, markup_rate, at, None)
        found = held.catalog[listed.model_id]
        endpoints = self.endpoints(found.id)
        costs: list[Cost] = []
        unpriced: UnpricedUsageError | VariablePriceError | None = None
        for endpoint in endpoints.standard():
            try:
                costs.append(self._at(endpoint.rates, endpoints.origin, found, usage, markup_rate, listed.at, endpoint))
            except (UnpricedUsageError, VariablePriceError) as error:
                unpriced = error
        if not costs:
            raise unpriced or UnpricedUsageError(found.id, "usage", "no provider offers it at the standard tier")
        return PriceRange(min(costs, key=_raw), listed, max(costs, key=_raw))

    def _charge(
        self,
        held: Held,
        found: Model,
        usage: Usage | tuple[int, int],
        markup_rate: money.Number | None,
        at: datetime | None,
        provider: str | None,
        reading: Reading | None,
    ) -> Cost:
        if provider is None:
            return self._at(found.rates, held.origin, found, usage, markup_rate, at, None, reading)
        endpoints = self.endpoints(found.id)
        endpoint = endpoints.find(provider, None if reading is None else reading.service_tier)
        return self._at(endpoint.rates, endpoints.origin, found, usage, markup_rate, at, endpoint, reading)

    def _at(
        self,
        rates: Rates,
        origin: Origin,
        found: Model,
        usage: Usage | tuple[int, int],
        markup_rate: money.Number | None,
        at: datetime | None,
        endpoint: Endpoint | None,
        reading: Reading | None = None,
    ) -> Cost:
        rate, rule = self._rate(found.id, found, usage, markup_rate)
        if at is None and rates.timed:
            at = self._utcnow()
        facts = self._facts(rule, at, endpoint, reading)
        reported = None if reading is None else reading.reported
        return charge(rates, usage, rate, model_id=found.id, origin=origin, reported=reported, facts=facts)

    def _facts(self, rule: str, at: datetime | None, endpoint: Endpoint | None, reading: Reading | None) -> CallFacts:
        provider, tag = (None, None) if endpoint is None else (endpoint.provider, endpoint.tag)
        if reading is None:
            return CallFacts(rule, self._markup.places, at, tag, provider)
        _, _, _, _, said, tier, byok, flags, upstream, tools = reading
        return CallFacts(rule, self._markup.places, at, tag, provider or said, tier, flags, byok, upstream, tools)

    def _rate(
        self, model_id: str, model: Model | None, usage: Usage | tuple[int, int], markup_rate: money.Number | None
    ) -> tuple[Decimal, str]:
        if markup_rate is not None:
            return money.read_rate(markup_rate, "markup_rate"), "argument"
        if self._bare:
            return self._settings_rate
        consumed = Usage(*usage) if isinstance(usage, tuple) else usage
        return self._markup.choose(model_id, model, consumed) or self._settings_rate

    def _keep(self, held: Held, name: str, found: Model) -> None:
        """Keep at hand what the next question about this model needs, if two prices and a rate are all of it."""
        rates, markup = found.rates, self._markup
        if rates.overrides or rates.request or rates.prompt is None or rates.completion is None:
            return
        if markup.rule is None and markup.places is None and len(held.prices) < _MOST_NAMES:
            rate, rule = self._rate(found.id, found, Usage(), None)
            facts = PLAIN if rule == PLAIN.markup_rule else CallFacts(markup_rule=rule)
            plain: PlainPrice = (Cost, rates, rates.prompt, rates.completion, found.id, rate, facts)
            held.prices[name] = plain


def _raw(cost: Cost) -> Decimal:
    return cost.raw
