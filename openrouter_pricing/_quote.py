"""Quoter: answers the questions that take more than two counts and a plain price."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Protocol, TypeAlias

from attrs import evolve

from ._base import money
from ._base.clock import aware
from ._billing.call import PLAIN, CallFacts
from ._billing.cost import Cost, PriceRange, charge, settled
from ._billing.markup import Markup
from ._billing.offers import BATCH, Offers, Rows
from ._billing.reading import Reading, oddities
from ._billing.responses import read_response
from ._billing.usage import Usage
from ._freshness.held import Held
from ._prices.endpoints import Endpoint, Endpoints, tier_of
from ._prices.model import Model
from ._prices.origin import Origin
from ._prices.rates import Rates
from .errors import (
    CatalogUnavailableError,
    ResponseError,
    UnknownModelError,
    UnknownProviderError,
    UnpricedUsageError,
    VariablePriceError,
)

_MOST_NAMES = 10_000  # of models whose plain prices are kept at hand
_MOST_LETTERS = 500  # of a flag


#: All that a question with two counts needs, for a model without conditional prices: what makes a cost, the rates, the
#: prices of prompt and completion, the model's id, the markup rate, and what else stands on the receipt. A bare tuple,
#: as the interpreter is several times slower in taking a named one apart.
PlainPrice: TypeAlias = "tuple[type[Cost], Rates, Decimal, Decimal, str, Decimal, CallFacts]"


class Then(Protocol):
    """The list of some time before the one that is held."""

    @property
    def catalog(self) -> Rows: ...
    @property
    def origin(self) -> Origin: ...
    def get(self, name: object, /) -> Model | None: ...


class Quoter:
    """Prices usages, under one markup policy.

    Args:
        markup_rate: where the policy says nothing.
        markup: the policy.
        endpoints: gives the endpoints of a listed model.
        utcnow: the wall clock.
        past: gives the list of some time before the one held; None where that one is as good as any.

    Attributes:
        endpoints: the same.
    """

    def __init__(
        self,
        markup_rate: Decimal,
        markup: Markup,
        endpoints: Callable[[str], Endpoints],
        utcnow: Callable[[], datetime],
        past: Callable[[Held, datetime], Then | None],
    ) -> None:
        self._past = past
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
        service_tier: str | None = None,
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
        if service_tier is not None and not isinstance(service_tier, str):
            raise TypeError(f"service_tier must be a string, not {type(service_tier).__name__}")
        found, listed = self._listed(held, model, at)
        if service_tier is not None or provider is not None:
            rates, origin, row, endpoint, _ = self._offers(listed).asked(found, provider, service_tier)
            return self._at(rates, origin, row, counts, markup_rate, at, endpoint, tier=service_tier)
        cost = self._at(found.rates, listed.origin, found, counts, markup_rate, at)
        if listed is held and model not in held.prices:
            self._keep(held, model, found)
        return cost

    def _listed(self, held: Held, name: str, at: datetime | None) -> tuple[Model, Held | Then]:
        """The row of a name, and the list that it stands in: the one of then, if the model was listed then."""
        if at is not None and (past := self._past(held, at)) is not None and (found := past.get(name)) is not None:
            return found, past
        return held.catalog[name], held

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
        return self.cost_of_reading(hold, read_response(response), model, markup_rate, at, provider)

    def cost_of_reading(
        self,
        hold: Callable[[], Held],
        reading: Reading,
        model: str | None,
        markup_rate: money.Number | None,
        at: datetime | None,
        provider: str | None,
    ) -> Cost:
        """The same, of what a response was found to say."""
        if provider is not None and not isinstance(provider, str):
            raise TypeError(f"provider must be a string, not {type(provider).__name__}")
        name = reading.model if model is None else model
        reported, more = reading.reported, reading.more
        if name is None and reported is None:
            raise ResponseError("model", "must be given: the response names none")
        at = reading.created if at is None else aware(at, "at")
        found: Model | None = None
        try:
            found, listed = self._listed(hold(), name or "", at)
            if reported is None:
                return self._reckon(listed, found, reading, markup_rate, at, provider)
            if more.counted and found.rates.unpriced is None:
                if more.searches:
                    native = reading.usage.web_searches - more.searches
                    reading = reading._replace(usage=evolve(reading.usage, web_searches=native))
                if provider is None and reading.service_tier is None:  # as nearly always
                    return self._at(found.rates, listed.origin, found, reading.usage, markup_rate, at, None, reading)
                return self._served(listed, found, reading, markup_rate, at, provider)
        except (UnknownModelError, UnknownProviderError, VariablePriceError, CatalogUnavailableError):
            if reported is None:
                raise
        model_id = (name or "") if found is None else found.id
        rate, rule = self._rate(model_id, found, reading.usage, markup_rate)
        facts = self._facts(rule, reading.usage, at, None, reading)._replace(provider=provider or reading.provider)
        return settled(model_id, reported, reading.usage, rate, facts)

    def _reckon(
        self,
        listed: Held | Then,
        found: Model,
        reading: Reading,
        markup_rate: money.Number | None,
        at: datetime | None,
        provider: str | None,
    ) -> Cost:
        """The cost of a call whose response does not report it: by its counts, if they are all there."""
        more = reading.more
        no_need = found.rates.variable or (more.one_sided and found.rates.completion is None)
        if more.doubt is not None and not no_need:
            raise ResponseError(*more.doubt)
        if more.searches:
            raise UnpricedUsageError(found.id, "web_searches", "OpenRouter ran them itself, at a price of its own")
        if reading.tools and not reading.usage.web_searches:
            reading = _flagged(reading, "server-side tools ran: what they cost is in no price list")
        return self._served(listed, found, reading, markup_rate, at, provider)

    def _served(
        self,
        listed: Held | Then,
        found: Model,
        reading: Reading,
        markup_rate: money.Number | None,
        at: datetime | None,
        provider: str | None,
    ) -> Cost:
        """At the prices of whom and of the tier that it was served at."""
        rates, origin, row, endpoint, flag = self._offers(listed).served(found, reading, provider)
        if flag is not None and reading.reported is None:
            reading = _flagged(reading, flag)
        return self._at(rates, origin, row, reading.usage, markup_rate, at, endpoint, reading)

    def price_range(
        self,
        held: Held,
        model: str,
        usage: Usage,
        markup_rate: money.Number | None,
        at: datetime | None,
        service_tier: str | None = None,
    ) -> PriceRange:
        """See :meth:`Pricing.price_range`."""
        listed = self.cost(held, model, 0, 0, usage, markup_rate, at, None)
        found, list_of_then = self._listed(held, listed.model_id, listed.at)
        tier = tier_of(service_tier)
        row = self._offers(list_of_then).row(found, service_tier)
        if row is not None:
            listed = self._at(row.rates, list_of_then.origin, row, usage, markup_rate, at, tier=service_tier)
        endpoints = self.endpoints(found.id)
        offers = endpoints.at(tier)
        if not offers and tier is None and found.id.endswith(BATCH):
            offers = endpoints.at("batch")  # a row of batch prices has no others
        costs: list[Cost] = []
        unpriced: UnpricedUsageError | VariablePriceError | None = None
        for endpoint in offers:
            rates, origin = endpoint.rates, endpoints.origin
            try:
                costs.append(self._at(rates, origin, found, usage, markup_rate, listed.at, endpoint, tier=service_tier))
            except (UnpricedUsageError, VariablePriceError) as error:
                unpriced = error
        if not costs and row is not None:
            costs = [listed]
        if not costs:
            tier_name = "standard" if tier is None else tier
            reason = f"no provider offers it at the {tier_name[:100]} tier"
            raise unpriced or UnpricedUsageError(found.id, "usage", reason)
        return PriceRange(min(costs, key=_raw), listed, max(costs, key=_raw))

    def _offers(self, listed: Held | Then) -> Offers:
        return Offers(listed.catalog, listed.origin, self.endpoints)

    def _at(
        self,
        rates: Rates,
        origin: Origin,
        found: Model,
        usage: Usage | tuple[int, int],
        markup_rate: money.Number | None,
        at: datetime | None,
        endpoint: Endpoint | None = None,
        reading: Reading | None = None,
        tier: str | None = None,
    ) -> Cost:
        rate, rule = self._rate(found.id, found, usage, markup_rate)
        if at is None and rates.timed:
            at = self._utcnow()
        facts = self._facts(rule, usage, at, endpoint, reading, tier)
        reported = None if reading is None else reading.reported
        return charge(rates, usage, rate, model_id=found.id, origin=origin, reported=reported, facts=facts)

    def _facts(
        self,
        rule: str,
        usage: Usage | tuple[int, int],
        at: datetime | None,
        endpoint: Endpoint | None,
        reading: Reading | None,
        tier: str | None = None,
    ) -> CallFacts:
        provider, tag = (None, None) if endpoint is None else (endpoint.provider, endpoint.tag)
        if reading is None:
            flags = () if isinstance(usage, tuple) else oddities(usage)
            return CallFacts(rule, self._markup.places, at, tag, provider, tier, flags)
        _, _, _, reported, said, tier, byok, flags, upstream, tools, more = reading
        if more.doubt is not None and reported is not None:
            flags = (*flags, " ".join(more.doubt)[:_MOST_LETTERS])
        return CallFacts(rule, self._markup.places, at, tag, provider or said, tier, flags, byok, upstream, tools, more)

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


def _flagged(reading: Reading, flag: str) -> Reading:
    return reading._replace(flags=(*reading.flags, flag))


def _raw(cost: Cost) -> Decimal:
    return cost.raw
