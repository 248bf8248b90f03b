"""Rates: what one unit of anything costs, and when."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

import attrs

from .._base import money
from .._base.clock import aware
from ..errors import quoted

#: Every price key that is known. Unknown keys are kept in ``Rates.extra`` and never charged.
PRICE_KEYS = (
    "prompt",
    "completion",
    "request",
    "image",
    "image_token",
    "image_output",
    "audio",
    "audio_output",
    "input_audio_cache",
    "input_cache_read",
    "input_cache_write",
    "input_cache_write_1h",
    "internal_reasoning",
    "web_search",
)
_CONDITIONS = ("min_prompt_tokens", "utc_start", "utc_end", "utc_days")
_MOST_KEPT = 100  # of the ways in which conditions hold together
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


@attrs.frozen
class Override:
    """Prices that hold under conditions; all of the conditions of an entry must be met.

    Source: https://openrouter.ai/docs/client-sdks/python/components/pricingoverride

    Args:
        prices: price key to USD per unit, for the keys that the entry changes.
        min_prompt_tokens: holds for *more* prompt tokens than this.
        utc_start: first minute of a daily UTC window, as minutes after midnight.
        utc_end: first minute after that window; a window may wrap midnight.
        utc_days: lower-case English weekdays, judged in UTC at the request's own instant.
        unknown: conditions that this release does not know, as they came; an entry with any never applies.
    """

    prices: Mapping[str, Decimal]
    min_prompt_tokens: Decimal | None = None
    utc_start: int | None = None
    utc_end: int | None = None
    utc_days: frozenset[str] | None = None
    unknown: Mapping[str, Any] = attrs.field(factory=dict)

    @property
    def timed(self) -> bool:
        """Whether it depends on the time of the request."""
        return self.utc_start is not None or self.utc_end is not None or self.utc_days is not None

    def applies(self, prompt_tokens: int, at: datetime | None) -> bool:
        """Whether it holds for that many prompt tokens at that instant (aware; needed only if ``timed``)."""
        if self.unknown:
            return False
        if self.min_prompt_tokens is not None and not prompt_tokens > self.min_prompt_tokens:
            return False
        if not self.timed:
            return True
        if at is None:
            raise ValueError("at must be given: the prices depend on the time of the request")
        instant = aware(at, "at")
        if self.utc_days is not None and _DAYS[instant.weekday()] not in self.utc_days:
            return False
        minute = instant.hour * 60 + instant.minute
        start = 0 if self.utc_start is None else self.utc_start
        end = 24 * 60 if self.utc_end is None else self.utc_end
        return start <= minute < end if start <= end else minute >= start or minute < end

    @classmethod
    def from_dict(cls, entry: Mapping[str, Any], listed: Mapping[str, Any]) -> Override:
        """Read one entry of ``pricing.overrides``; ``listed`` is the ``pricing`` object that it stands in.

        Raises:
            ValueError, TypeError: a known key has a value that cannot be read.
        """
        if not isinstance(entry, Mapping):
            raise TypeError(f"overrides: an entry must be an object, not {type(entry).__name__}")
        days = entry.get("utc_days")
        if days is not None and not (isinstance(days, (list, tuple)) and all(isinstance(day, str) for day in days)):
            raise TypeError("overrides.utc_days must be a list of weekday names")
        tokens = entry.get("min_prompt_tokens")
        return cls(
            prices={
                key: money.read(entry[key], f"overrides.{key}") for key in PRICE_KEYS if entry.get(key) is not None
            },
            min_prompt_tokens=None if tokens is None else money.read(tokens, "overrides.min_prompt_tokens"),
            utc_start=_minutes(entry.get("utc_start"), "overrides.utc_start"),
            utc_end=_minutes(entry.get("utc_end"), "overrides.utc_end"),
            utc_days=None if days is None else frozenset(days),
            # A key that the row itself lists is a price we do not charge yet; any other one is a condition.
            unknown={
                str(key): value
                for key, value in entry.items()
                if key not in _CONDITIONS and key not in PRICE_KEYS and key not in listed
            },
        )

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready, as :meth:`from_dict` reads it."""
        shown: dict[str, Any] = {key: money.text(price) for key, price in self.prices.items()} | dict(self.unknown)
        if self.min_prompt_tokens is not None:
            shown["min_prompt_tokens"] = int(self.min_prompt_tokens)
        for name, minutes in (("utc_start", self.utc_start), ("utc_end", self.utc_end)):
            if minutes is not None:
                shown[name] = minutes // 60 * 100 + minutes % 60
        if self.utc_days is not None:
            shown["utc_days"] = [day for day in _DAYS if day in self.utc_days]
        return shown


def _minutes(clock: object, name: str) -> int | None:
    """Minutes after midnight of an HHMM clock number (1030 is half past ten)."""
    if clock is None:
        return None
    number = money.read(clock, name)
    hours, minutes = divmod(int(number), 100)
    if number != int(number) or number < 0 or minutes > 59 or hours * 60 + minutes > 24 * 60:
        raise ValueError(f"{name} is no HHMM clock number: {money.plain(number)}")
    return hours * 60 + minutes


def _with_reasoning(entry: Mapping[str, Decimal], listed: Mapping[str, Decimal | None]) -> Mapping[str, Decimal]:
    """The prices of an entry, and reasoning at its completion price where both were the same before.

    The schema of an override names no ``internal_reasoning``, and rows with a price step list it equal to
    ``completion``: https://openrouter.ai/docs/client-sdks/python/components/pricingoverride
    """
    completion, reasoning = entry.get("completion"), listed["internal_reasoning"]
    if completion is None or reasoning is None or "internal_reasoning" in entry or reasoning != listed["completion"]:
        return entry
    return {**entry, "internal_reasoning": completion}


def _price(value: Any, _: Any, field: attrs.Attribute[Any]) -> Decimal | None:
    return None if value is None else money.read(value, field.name)


def _usd() -> Any:
    return attrs.field(default=None, converter=attrs.Converter(_price, takes_self=True, takes_field=True))


@attrs.frozen(kw_only=True)
class Rates:
    """What one unit (token, image, request or search) costs in USD, as OpenRouter lists it.

    Every price may be given as Decimal, int, str or float; ``None`` means that it is not listed. The keys and their
    units: https://openrouter.ai/docs/client-sdks/python/components/publicpricing

    Args:
        prompt, completion: per token.
        request: per request.
        image: per image in lists until 2025, per token (equal to ``prompt``) since.
        image_token, image_output, audio, audio_output: per token.
        input_audio_cache, input_cache_read, input_cache_write, input_cache_write_1h: per token.
        internal_reasoning: per token.
        web_search: per search.
        discount: fraction by which the listed prices were already lowered; shown, never applied again.
        overrides: conditional prices, in the order in which they are listed.
        extra: keys that this release does not know, as they came.
        unpriced: why nothing can be priced by them, for people: the row sells something else than text tokens.

    Raises:
        ValueError, TypeError: a price is not a finite decimal number; the message names it.
    """

    prompt: Decimal | None = _usd()
    completion: Decimal | None = _usd()
    request: Decimal | None = _usd()
    image: Decimal | None = _usd()
    image_token: Decimal | None = _usd()
    image_output: Decimal | None = _usd()
    audio: Decimal | None = _usd()
    audio_output: Decimal | None = _usd()
    input_audio_cache: Decimal | None = _usd()
    input_cache_read: Decimal | None = _usd()
    input_cache_write: Decimal | None = _usd()
    input_cache_write_1h: Decimal | None = _usd()
    internal_reasoning: Decimal | None = _usd()
    web_search: Decimal | None = _usd()
    discount: Decimal | None = _usd()
    overrides: tuple[Override, ...] = ()
    extra: Mapping[str, Any] = attrs.field(factory=dict, repr=False)
    unpriced: str | None = attrs.field(default=None, eq=False, repr=False)
    #: Any price is negative: router models list ``-1``, meaning "that of whichever model answers".
    variable: bool = attrs.field(init=False, eq=False, repr=False)
    #: Anything of it costs more than nothing.
    paid: bool = attrs.field(init=False, eq=False, repr=False)
    #: The image price is one per token: so it is wherever it equals the prompt price.
    image_per_token: bool = attrs.field(init=False, eq=False, repr=False)
    #: The prices depend on the time of the request.
    timed: bool = attrs.field(init=False, eq=False, repr=False)
    #: The conditional prices that :meth:`effective` chose to make these rates.
    applied: tuple[Override, ...] = attrs.field(default=(), init=False, eq=False, repr=False)
    #: For whoever bills at these rates: how it tells tokens apart, worked out once.
    memo: object = attrs.field(default=None, init=False, eq=False, repr=False)
    _effective: dict[tuple[bool, ...], Rates] = attrs.field(factory=dict, init=False, repr=False, eq=False)

    @classmethod
    def from_dict(cls, pricing: Mapping[str, Any]) -> Rates:
        """Read a ``pricing`` object of the catalogue; ``null`` counts as not listed.

        Raises:
            ValueError, TypeError: a known key has a value that cannot be read.
        """
        if not isinstance(pricing, Mapping):
            raise TypeError(f"pricing must be an object, not {type(pricing).__name__}")
        entries = pricing.get("overrides")
        if entries is not None and not isinstance(entries, (list, tuple)):
            raise TypeError("overrides must be a list")
        known = {key: pricing[key] for key in (*PRICE_KEYS, "discount") if key in pricing}
        return cls(
            **known,
            overrides=tuple(Override.from_dict(entry, pricing) for entry in entries or ()),
            extra={key: value for key, value in pricing.items() if key not in known and key != "overrides"},
        )

    def __attrs_post_init__(self) -> None:
        prices = [getattr(self, key) for key in PRICE_KEYS]
        prices += [price for entry in self.overrides for price in entry.prices.values()]
        object.__setattr__(self, "variable", any(price is not None and price < 0 for price in prices))
        object.__setattr__(self, "paid", any(price is not None and price > 0 for price in prices))
        object.__setattr__(self, "image_per_token", self.image is not None and self.image == self.prompt)
        object.__setattr__(self, "timed", any(entry.timed for entry in self.overrides))

    def per_million(self, key: str) -> Decimal | None:
        """USD per million units of ``key``, or None where it is not listed.

        Raises:
            ValueError: there is no such price key.
        """
        if key not in PRICE_KEYS:
            raise ValueError(f"key must be one of {', '.join(PRICE_KEYS)}, not {quoted(key)}")
        price: Decimal | None = getattr(self, key)
        return None if price is None else money.multiply(price, money.MILLION)

    def list_price(self, key: str) -> Decimal | None:
        """USD per unit of ``key`` before the ``discount``, to 28 digits, or None where it is not listed.

        The listed prices are net: list = price / (1 - discount). Provider endpoints name a discount:
        https://openrouter.ai/docs/api/api-reference/endpoints/list-endpoints

        Raises:
            ValueError: there is no such price key.
        """
        if key not in PRICE_KEYS:
            raise ValueError(f"key must be one of {', '.join(PRICE_KEYS)}, not {quoted(key)}")
        price: Decimal | None = getattr(self, key)
        if price is None or not self.discount or not 0 < self.discount < 1:
            return price
        return money.quotient(price, money.subtract(money.ONE, self.discount))

    def effective(self, prompt_tokens: int, at: datetime | None = None) -> Rates:
        """The rates of a request with that many prompt tokens, every override that holds for it applied.

        Later entries win per key, and keys that an entry lacks are inherited:
        https://openrouter.ai/docs/client-sdks/python/components/publicpricing

        Args:
            prompt_tokens: all prompt tokens of the request, cached ones included.
            at: the request's instant (aware), needed only where ``timed``.

        Raises:
            ValueError: ``at`` is missing and the prices depend on it.
        """
        if not self.overrides:
            return self
        mask = tuple([entry.applies(prompt_tokens, at) for entry in self.overrides])
        if (rates := self._effective.get(mask)) is None:
            prices = {key: getattr(self, key) for key in PRICE_KEYS}
            for entry, holds in zip(self.overrides, mask, strict=True):
                if holds:
                    prices.update(_with_reasoning(entry.prices, prices))
            rates = Rates(**prices, discount=self.discount, extra=self.extra, unpriced=self.unpriced)
            object.__setattr__(rates, "image_per_token", self.image_per_token)
            held = zip(self.overrides, mask, strict=True)
            object.__setattr__(rates, "applied", tuple(entry for entry, holds in held if holds))
            if len(self._effective) < _MOST_KEPT:
                self._effective[mask] = rates
        return rates

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready, as :meth:`from_dict` reads it: prices as strings, overrides with their conditions."""
        shown: dict[str, Any] = dict(self.extra)
        shown |= {
            key: money.text(getattr(self, key)) for key in (*PRICE_KEYS, "discount") if getattr(self, key) is not None
        }
        if self.overrides:
            shown["overrides"] = [entry.to_dict() for entry in self.overrides]
        return shown


def effective_prices(rates: Rates | None) -> dict[str, Decimal]:
    """What is charged, flat: price key to USD per unit, a conditional price under its key and conditions; no zeros."""
    if rates is None:
        return {}
    prices = {key: price for key in PRICE_KEYS if (price := getattr(rates, key))}
    for number, entry in enumerate(rates.overrides):
        shown = entry.to_dict()
        when = json.dumps({key: value for key, value in shown.items() if key not in PRICE_KEYS}, sort_keys=True)
        prices |= {f"{key} of override {number} {when}": price for key, price in entry.prices.items()}
    return prices
