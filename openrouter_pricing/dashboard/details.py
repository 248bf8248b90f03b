"""Details: one model, what it costs and did cost, and what whoever serves it asks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from .._base.masking import mask
from .._history.periods import PricePeriod, price_periods
from .._prices.endpoints import Endpoints
from .._prices.model import Model
from .._prices.rates import PRICE_KEYS, Rates
from .._prices.words import THRESHOLDS, override_words
from ..errors import PricingError, shortened
from . import charts, feed
from .figures import exactly, per_million
from .refusals import Refusal
from .state import State

if TYPE_CHECKING:
    from ..pricing import Pricing

_PATIENCE = 3.0  # seconds that a page waits for the providers of a model
_OFFERED = ("prompt", "completion", "input_cache_read", "input_cache_write")
_TOKENS = (*_OFFERED, "internal_reasoning")
_LONGEST = 200  # characters of a name that is shown again


def details(pricing: Pricing, state: State, name: str, *, asks: bool) -> dict[str, Any]:
    """What the page of a model shows; one that is gone is shown by what was recorded of it.

    Args:
        pricing: whose prices are shown.
        state: what is held.
        name: the model's id, or another name of it.
        asks: whether its providers are asked, where that is due.

    Raises:
        Refusal: nothing that was ever listed has that name.
    """
    model = state.catalog.get(name)
    model_id = name if model is None else model.id
    history = pricing._past.history
    periods = () if history is None else price_periods(history.periods(model_id))
    if model is not None:
        rates = model.rates
    elif periods:
        rates = periods[-1].rates
    else:
        said = f"Nothing that is called “{shortened(name)[:_LONGEST]}” is listed."
        raise Refusal(404, "No such model", said, near=tuple(state.catalog.near(name)))
    known = feed.reach(pricing)
    prices = [(key.replace("_", " "), *exactly(key, getattr(rates, key), rates.prompt)) for key in _listed([rates])]
    keys = [key for key in _listed(period.rates for period in periods) if key in _TOKENS]
    return {
        "name": name,
        "model": model,
        "model_id": model_id,
        "rates": rates,
        "prices": prices,
        "overrides": [override_words(entry, rates.prompt) for entry in rates.overrides],
        "threshold": "" if model is None or model.category is None else THRESHOLDS[model.category],
        "periods": [(each, [per_million(getattr(each.rates, key)) for key in keys]) for each in reversed(periods)],
        "keys": [key.replace("_", " ") for key in keys],
        "panels": charts.panels(_up_to_now(periods, model, state, known), pricing._clock.utcnow()),
        "reach": known,
        "asked": asks,
        **_providers(pricing, model, asks=asks),
    }


def _listed(several: Iterable[Rates]) -> list[str]:
    """The keys that any of the rates lists, in their order."""
    found = {key for rates in several for key in PRICE_KEYS if getattr(rates, key) is not None}
    return [key for key in PRICE_KEYS if key in found]


def _up_to_now(
    periods: Sequence[PricePeriod], model: Model | None, state: State, known: feed.Reach | None
) -> list[PricePeriod]:
    """The periods up to where the history ends, and after what nobody recorded the list that is held."""
    shown = [each if each.until or known is None else each._replace(until=known.until) for each in periods]
    if model is not None:
        shown.append(PricePeriod(state.catalog.as_of, None, model.rates))
    return shown


def _providers(pricing: Pricing, model: Model | None, *, asks: bool) -> dict[str, Any]:
    """What is held of the providers' prices; they are asked where the reader wants it."""
    endpoints: Endpoints | None = None
    trouble = ""
    if model is not None:
        try:
            endpoints = pricing._live.endpoints_at_hand(model.id, _PATIENCE if asks else None)
        except PricingError as error:
            trouble = mask(str(error))
    offers = [(each, [per_million(getattr(each.rates, key)) for key in _OFFERED]) for each in endpoints or ()]
    return {"endpoints": endpoints, "offers": offers, "trouble": trouble}
