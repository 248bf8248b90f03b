"""The list of models: found, put in order, and priced for one's own usage."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import attrs
from markupsafe import Markup

from .._base import money
from .._prices.catalog import Catalog
from .._prices.model import Category, Model
from ..errors import PricingError
from .figures import path_of, per_million
from .queries import OwnUsage, Query

if TYPE_CHECKING:
    from .._freshness.held import Held
    from ..pricing import Pricing

#: What the list may be sorted by; the first click on a heading gives this order, the second one its reverse.
SORTS = ("name", "prompt", "completion", "context", "cost")
CATEGORIES = tuple(category.value for category in Category)
ORDERS = ("asc", "desc")


_HEAD = Markup('<th scope="row"><a href="{}/models/{}"><bdi>{}</bdi></a>{}</th>')
_ID = Markup('<br><span class="id">{}</span>')
_PRICES = Markup('<td class="number">{}</td><td class="number">{}</td>')
_REST = Markup('<td class="number minor">{}</td><td class="number minor">{}</td><td class="minor">{}</td>')
_CATEGORY = Markup('<span class="category {0}">{0}</span>')


@attrs.frozen
class Row:
    """One model as the list shows it; all that takes time is worked out once for each price list.

    Args:
        model: the model.
        category: its name, or nothing.
        head: the cell that names it.
        prompt, completion: USD per million tokens.
        cells: all that stand behind the first one where nobody's usage is priced.
        words: what a search looks in.
    """

    model: Model
    category: str
    head: Markup
    prompt: Markup
    completion: Markup
    cells: Markup
    words: str

    @classmethod
    def of(cls, model: Model, root: str) -> Row:
        """A model, shown under a prefix."""
        rates = model.rates
        category = "" if model.category is None else model.category.value
        prompt, completion = per_million(rates.prompt), per_million(rates.completion)
        context = "\u2013" if model.context_length is None else f"{model.context_length:,}"
        shown = _CATEGORY.format(category) if category else ""
        return cls(
            model,
            category,
            _HEAD.format(root, path_of(model.id), model.name, _ID.format(model.id) if model.name != model.id else ""),
            prompt,
            completion,
            _PRICES.format(prompt, completion) + _REST.format(per_million(rates.input_cache_read), context, shown),
            f"{model.id}\n{model.name}".lower(),
        )


@attrs.frozen
class Priced:
    """A row with what one's own usage costs there.

    Args:
        row: the row.
        call: USD for one call, before the markup.
        month: USD a month, before the markup.
        charge: USD a month, with the markup; all three None where the model has no price for that usage.
        reason: why it has none.
    """

    row: Row
    call: Decimal | None = None
    month: Decimal | None = None
    charge: Decimal | None = None
    reason: str = ""


@attrs.frozen
class Asked:
    """What the list is asked for.

    Args:
        q: words that id or name hold, all of them.
        provider, category: of that one alone.
        sort, order: how it is put in order; as listed where ``sort`` is empty.
        own: one's own usage.
    """

    q: str
    provider: str
    category: str
    sort: str
    order: str
    own: OwnUsage | None

    @classmethod
    def read(cls, query: Query) -> Asked:
        """Read a query string.

        Raises:
            Refusal: something in it cannot be read.
        """
        own = query.own_usage()
        sorts = SORTS if own is not None else SORTS[:-1]
        sort = query.choice("sort", sorts) or ("cost" if own is not None else "")
        order = query.choice("order", ORDERS) or ("desc" if sort == "context" else "asc")
        category = query.choice("category", CATEGORIES)
        return cls(query.text("q"), query.text("provider"), category, sort, order, own)

    @property
    def filtered(self) -> bool:
        """Whether it asks for some models alone."""
        return bool(self.q or self.provider or self.category)


class Listing:
    """The rows of the price list that was shown last, under the prefix that it was shown under."""

    def __init__(self) -> None:
        self._shown: tuple[tuple[str, str], list[Row], list[str]] = (("", ""), [], [])

    def _of(self, catalog: Catalog, root: str) -> tuple[tuple[str, str], list[Row], list[str]]:
        shown, key = self._shown, (catalog.digest, root)
        if shown[0] != key:
            rows = [Row.of(model, root) for model in catalog.find()]
            shown = self._shown = key, rows, sorted({row.model.provider for row in rows})
        return shown

    def providers(self, catalog: Catalog, root: str) -> list[str]:
        """Whose models are listed."""
        return self._of(catalog, root)[2]

    def find(self, pricing: Pricing, held: Held, asked: Asked, root: str) -> list[Priced]:
        """The rows that are asked for, in order; those that lack what it is sorted by come last."""
        words = asked.q.lower().split()
        rows = [
            row
            for row in self._of(held.catalog, root)[1]
            if (not asked.provider or row.model.provider == asked.provider)
            and (not asked.category or row.category == asked.category)
            and all(word in row.words for word in words)
        ]
        own = asked.own
        found = [Priced(row) for row in rows] if own is None else [price(pricing, held, row, own) for row in rows]
        if not asked.sort:
            return found
        value = _VALUES[asked.sort]
        known = [each for each in found if value(each) is not None]
        known.sort(key=value, reverse=asked.order == "desc")
        return known + [each for each in found if value(each) is None]


def price(pricing: Pricing, held: Held, row: Row, own: OwnUsage) -> Priced:
    """What one's own usage costs at a model, by what is held and nothing else."""
    try:
        cost = pricing._quoter.cost(held, row.model.id, 0, 0, own.usage, None, None, None, None)
    except PricingError as error:
        return Priced(row, reason=str(error))
    month, charge = (money.multiply(amount, own.calls) for amount in (cost.raw, cost.total))
    return Priced(row, cost.raw, month, charge)


def _listed(price: Decimal | None) -> Decimal | None:
    return None if price is None or price < 0 else price


_VALUES: dict[str, Callable[[Priced], Any]] = {
    "name": lambda each: each.row.model.name.lower(),
    "prompt": lambda each: _listed(each.row.model.rates.prompt),
    "completion": lambda each: _listed(each.row.model.rates.completion),
    "context": lambda each: each.row.model.context_length,
    "cost": lambda each: each.month,
}


def marked_up(found: Sequence[Priced]) -> bool:
    """Whether what is charged differs from what it costs."""
    return any(each.charge != each.month for each in found)
