"""Markup: what is charged for a call that costs so much, and how that is rounded."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

import attrs

from .._base import money
from .._base.money import read_rate
from .._prices.model import Category, Model
from ..errors import quoted
from .usage import Usage

_MOST_PLACES = 60


def read_places(value: int | None) -> int | None:
    """Decimal places to round to, 0 to 60, or None.

    Raises:
        ValueError, TypeError: it is no such number.
    """
    if value is not None and money.count(value, "places") > _MOST_PLACES:
        raise ValueError(f"places must be from 0 to {_MOST_PLACES}: {value}")
    return value


def marked_up(raw: Decimal, rate: Decimal, places: int | None) -> Decimal:
    """USD to charge: ``raw`` times ``rate``, exactly, or rounded half up to ``places``."""
    total = money.multiply(raw, rate)
    return total if places is None else money.round_half_up(total, places)


def _rate(value: object, _: Any, field: attrs.Attribute[Any]) -> Decimal | None:
    return None if value is None else read_rate(value, field.name)


def _table(value: object, _: Any, field: attrs.Attribute[Any]) -> dict[str, Decimal]:
    if not isinstance(value, Mapping):
        raise TypeError(f"{field.name} must be a mapping of names to rates, not {type(value).__name__}")
    table = {}
    for key, rate in value.items():
        if not isinstance(key, str):
            raise TypeError(f"{field.name} must have strings for names, not {type(key).__name__}")
        name = key.value if isinstance(key, Category) else key
        table[name.lower()] = read_rate(rate, f"{field.name}[{quoted(name)}]")
    return table


def _categories(value: object, holder: Any, field: attrs.Attribute[Any]) -> dict[str, Decimal]:
    table = _table(value, holder, field)
    known = [category.value for category in Category]
    for name in table:
        if name not in map(str.lower, known):
            raise ValueError(f"categories must name one of {', '.join(known)}, not {quoted(name)}")
    return table


def _rule(value: object, _: Any, field: attrs.Attribute[Any]) -> Any:
    if value is not None and not callable(value):
        raise TypeError(f"rule must be callable with a model and its usage, not {type(value).__name__}")
    return value


def _option(default: Any, read: Callable[..., Any], **kwargs: Any) -> Any:
    return attrs.field(default=default, converter=attrs.Converter(read, takes_self=True, takes_field=True), **kwargs)


@attrs.frozen(kw_only=True)
class Markup:
    """A markup policy: what a call's raw cost is multiplied by, and how the result is rounded.

    The first that says something decides: ``rule``, ``models``, ``providers``, ``categories``, ``rate``, the settings'
    ``markup_rate``. A rate given with a question goes before all of them. Every rate may be given as Decimal, int, str
    or float.

    Args:
        rate: for everything else.
        models: model id to rate.
        providers: provider (the part of the id before the slash) to rate, in any case.
        categories: :class:`Category` or its name, in any case, to rate.
        rule: called with the :class:`Model` and the :class:`Usage` of a call; gives its rate, or None to leave it to
            the others. A model that is not listed, whose response reported its cost, is left to the others too.
        places: decimal places of USD that the total is rounded to, half up; ``raw`` is never rounded.

    Raises:
        ValueError, TypeError: something cannot be read; the message names it.
    """

    rate: Decimal | None = _option(None, _rate)
    models: Mapping[str, Decimal] = _option({}, _table)
    providers: Mapping[str, Decimal] = _option({}, _table)
    categories: Mapping[str, Decimal] = _option({}, _categories)
    rule: Callable[[Model, Usage], money.Number | None] | None = _option(None, _rule)
    places: int | None = attrs.field(default=None, converter=read_places)

    def choose(self, model_id: str, model: Model | None, usage: Usage) -> tuple[Decimal, str] | None:
        """The rate of a call and the rule that gave it; None to leave it to the settings.

        Args:
            model_id: the id that is priced.
            model: its row; None where it is not listed.
            usage: what was consumed.

        Raises:
            ValueError, TypeError: ``rule`` gave something that is no rate.
        """
        if self.rule is not None and model is not None:
            chosen = self.rule(model, usage)
            if chosen is not None:
                return read_rate(chosen, "the markup rule's rate"), "rule"
        provider = model_id.lstrip("~").partition("/")[0]
        category = None if model is None or model.category is None else model.category.value
        for kind, table, name in (
            ("model", self.models, model_id),
            ("provider", self.providers, provider),
            ("category", self.categories, category),
        ):
            if name is not None and (rate := table.get(name.lower())) is not None:
                return rate, f"{kind} {name}"
        return None if self.rate is None else (self.rate, "rate")
