"""A book as a table, for people and for joins."""

from __future__ import annotations

from decimal import Decimal

import pyarrow as pa  # type: ignore[import-untyped]

from .._base import money
from .book import PriceBook
from .plans import INSIDE, Plan
from .table import DIGITS, STATUSES, places

_WHOLE = {part: whole for whole, parts in INSIDE.items() for part in parts}


def rates_of(book: PriceBook) -> pa.Table:
    """Every price of a book."""
    table = book.table()
    rows = []
    for name, entry in book.listed():
        thresholds, minutes, plans = entry.regimes
        starts = [(above, minute) for above in (None, *thresholds) for minute in minutes]
        for line, (plan, (above, minute)) in enumerate(zip(plans, starts, strict=True), entry.first):
            regime = {"model": name, "above_prompt_tokens": above, "from_minute": minute if len(minutes) > 1 else None}
            status = STATUSES[table.status[line]]
            prices = _prices(plan) or {None: None}
            for key, price in prices.items():
                charged = None if price is None else _fitting(money.multiply(price, entry.rate), book.scale)
                rows.append({**regime, "status": status, "key": key, "raw": price, "total": charged})
    usd = pa.decimal128(DIGITS, book.scale)
    kinds = [("model", pa.string()), ("above_prompt_tokens", pa.int64()), ("from_minute", pa.int32())]
    return pa.Table.from_pylist(
        rows, pa.schema([*kinds, ("status", pa.string()), ("key", pa.string()), ("raw", usd), ("total", usd)])
    )


def _fitting(amount: Decimal, scale: int) -> Decimal | None:
    return amount if places(amount) <= scale else None


def _prices(plan: Plan) -> dict[str | None, Decimal | None]:
    """USD a unit by price key."""
    prices: dict[str | None, Decimal | None] = {}
    for name, key in plan.items.items():
        inside = name in _WHOLE and name not in plan.beside
        whole = plan.steps.get(_WHOLE[name], money.ZERO) if inside else money.ZERO
        prices[key] = money.add(plan.steps[name], whole)
    return prices
