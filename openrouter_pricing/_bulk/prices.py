"""What a book is made from: a list, what was recorded before it, and the markup."""

from __future__ import annotations

from decimal import Decimal

import attrs

from .. import data
from .._base import money
from .._billing.markup import Markup
from .._billing.usage import Usage
from .._history.periods import LATEST, HistoryStore
from .._history.recalled import Known, PastList
from .._prices.catalog import Catalog
from .._prices.model import Model
from ..pricing import Pricing
from .timeline import guarded


@attrs.frozen
class Prices:
    """What a book is made from.

    Args:
        catalog: the list held.
        dated: rows without a time are priced by it too; not those of a bare history, which knows no now.
        store: what was recorded before; None for nothing.
        rate: what is charged where ``markup`` says nothing.
        forced: ``rate`` goes before ``markup``.
        markup: the policy.
    """

    catalog: Catalog
    dated: bool
    store: HistoryStore | None
    rate: Decimal
    forced: bool
    markup: Markup

    def rate_of(self, model_id: str, model: Model | None) -> Decimal:
        """What a raw cost is multiplied by."""
        if self.forced:
            return self.rate
        chosen = self.markup.choose(model_id, model, Usage())
        return self.rate if chosen is None else chosen[0]


def read_prices(prices: object, markup_rate: money.Number | None, markup: Markup | None) -> Prices:
    """What to make a book from.

    Args:
        prices: a Pricing, a Catalog or a history.
        markup_rate, markup: instead of the Pricing's own.

    Raises:
        TypeError, ValueError: something is nothing of the kind, or cannot be carried to many rows.
    """
    if markup is not None and not isinstance(markup, Markup):
        raise TypeError(f"markup must be a Markup, not {type(markup).__name__}")
    rate, policy, store = money.ONE, Markup(), None
    dated = True
    if isinstance(prices, Pricing):
        catalog = prices.catalog()
        rate, policy = prices._settings.markup_rate, prices._quoter._markup
        history = prices._past.history
        store = None if history is None else history.opened()
    elif isinstance(prices, Catalog):
        catalog = prices
    elif isinstance(prices, HistoryStore):
        catalog, store, dated = _last(prices), prices, False
    else:
        kind = type(prices).__name__
        raise TypeError(f"prices must be a Pricing, a Catalog, a history or a PriceBook, not {kind}")
    if markup is not None:
        policy = markup
    if markup_rate is not None:
        rate = money.read_rate(markup_rate, "markup_rate")
    elif policy.rule is not None:
        raise ValueError("markup.rule looks at each usage and cannot be carried to many rows: give rates instead")
    return Prices(catalog, dated, store, rate, markup_rate is not None, policy)


def _last(store: HistoryStore) -> Catalog:
    """The last list of a history."""
    recorded = store.as_of(LATEST)
    if recorded is None:
        raise ValueError("prices is a history that holds no list")
    return PastList(recorded, Known(data.read_bundled()), guarded(store)).whole()
