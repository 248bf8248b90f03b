"""FOCUS: what was consumed as rows of a bill, in the columns of the FinOps Foundation's specification 1.2.

https://focus.finops.org/focus-specification/v1-2/
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]
from numpy.typing import NDArray

from .._base import money
from ..errors import quoted
from .book import PriceBook
from .columns import decoded
from .costing import Costs, costs
from .kernel import Amounts, told_apart
from .plans import INSIDE, Plan
from .question import Question
from .sums import kinds_of
from .table import DIGITS, REPORTED, places
from .work import Work, batch_of

_DAY = 86_400_000_000  # microseconds
_LEFT_OUT = "RowsLeftOut"
_NOTHING = "left_out"  # the item of what has no row of its own
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_ITEMS = {"prompt_tokens": "prompt", "completion_tokens": "completion"}
_UNITS = {"request": "Requests", "reported": "Requests", "rounding": "Requests", "image": "Images"} | {
    "web_search": "Searches"
}
#: Of a part of a bill: units, raw USD, total USD, USD a unit and the same with the markup (None where they vary).
_Sums: TypeAlias = "tuple[int, Decimal, Decimal, Decimal | None, Decimal | None]"
_Parts: TypeAlias = "dict[tuple[Any, ...], _Sums]"


class Parts(Work):
    """Adds up, by day, model and price key, what rows consumed and what that costs.

    Rows without an amount or a time are left out, and counted in a part of their first day.

    Args:
        book, question: as ever.
        by: more columns of the frame that keep rows apart.
    """

    def __init__(self, book: PriceBook, question: Question, by: tuple[str, ...]) -> None:
        super().__init__(book, question)
        if _LEFT_OUT in by:
            raise ValueError(f"by names {quoted(_LEFT_OUT)}, whose column the bill has already")
        self.by = by

    @property
    def read(self) -> tuple[str, ...]:
        """See :attr:`Work.read`."""
        return tuple(dict.fromkeys((*self.question.read, *self.by)))

    def made(self, schema: pa.Schema) -> pa.Schema:
        """See :meth:`Work.made`."""
        usd = pa.decimal128(DIGITS, self.book.scale)
        own = [(f"x_{name}", kind) for name, kind in kinds_of(self.by, schema)]
        keys = [("day", pa.int32()), ("model", pa.string()), ("item", pa.string()), *own]
        sums = [("quantity", pa.decimal128(DIGITS, 0)), ("raw", usd), ("total", usd), ("price", usd), ("charged", usd)]
        return pa.schema(keys + sums)

    def run(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """See :meth:`Work.run`."""
        parts: _Parts = {}
        for rows, made in costs(self.book, batch, self.question):
            for key, sums in self._parts(rows, made):
                _put(parts, key, sums)
        columns = list(zip(*((*key, *sums) for key, sums in parts.items()), strict=True)) or [()] * (8 + len(self.by))
        schema = self.made(batch.schema)
        arrays = [pa.array(column, field.type) for column, field in zip(columns, schema, strict=True)]
        return batch_of(pa.Table.from_arrays(arrays, schema=schema))

    def _parts(self, batch: pa.RecordBatch, made: Costs) -> Iterator[tuple[tuple[Any, ...], _Sums]]:
        assert made.times is not None  # focus() asks for them
        taken = made.valid if made.undated is None else made.valid & ~made.undated
        days = made.times // _DAY
        if not taken.all():
            dated = days[~taken if made.undated is None else ~taken & ~made.undated]
            key = (int(dated.min()) if len(dated) else None, None, _NOTHING, *(None for _ in self.by))
            yield key, (int((~taken).sum()), money.ZERO, money.ZERO, None, None)
        own = [decoded(batch.column(name)).dictionary_encode(null_encoding="encode") for name in self.by]
        keys = [days, made.codes, made.lines, made.status, *(column.indices.to_numpy() for column in own)]
        groups, numbers = np.unique(np.array([key[taken] for key in keys], np.int64), axis=1, return_inverse=True)
        count, numbers = groups.shape[1], numbers.reshape(-1)
        quantities, _ = told_apart(made.table, made.lines, made.counts)
        used = {name: _summed(quantity[taken], numbers, count) for name, quantity in quantities.items()}
        raws, totals = (_summed_amounts(amounts[taken], numbers, count) for amounts in (made.raw, made.total))
        rows = np.bincount(numbers, minlength=count).tolist()
        for group, (day, code, line, status, *others) in enumerate(groups.T.tolist()):
            entry = made.entries[code]
            mine = [column.dictionary[place].as_py() for column, place in zip(own, others, strict=True)]
            left = _usd(self.book, totals[group])
            if status == REPORTED:
                raw = _usd(self.book, raws[group])
                yield (day, entry.model_id, "reported", *mine), (rows[group], raw, left, None, None)
                continue
            plan = made.table.lines[line].plan
            for item, quantity, price in _bill(plan, {name: sums[group] for name, sums in used.items()}):
                charged = money.multiply(price, entry.rate)
                raw, total = money.multiply(price, quantity), money.multiply(charged, quantity)
                left = money.subtract(left, total)
                fits = self.book.places is None and places(charged) <= self.book.scale
                yield (day, entry.model_id, item, *mine), (quantity, raw, total, price, charged if fits else None)
            if left:
                yield (day, entry.model_id, "rounding", *mine), (rows[group], money.ZERO, left, None, None)


def _bill(plan: Plan, used: dict[str, int]) -> Iterator[tuple[str, int, Decimal]]:
    """Price keys, units and USD a unit."""
    for whole, parts in INSIDE.items():
        whole_price, left = plan.steps.get(whole, money.ZERO), used.pop(whole)
        for name in parts:
            quantity = used.pop(name, 0)
            if quantity and name in plan.items:
                beside = name in plan.beside
                left -= 0 if beside else quantity
                yield (
                    plan.items[name],
                    quantity,
                    plan.steps[name] if beside else money.add(plan.steps[name], whole_price),
                )
        if left:
            yield plan.items.get(whole, _ITEMS[whole]), left, whole_price
    for name, quantity in used.items():
        if quantity and name in plan.items:
            yield plan.items[name], quantity, plan.steps[name]


def _summed(quantity: NDArray[Any], numbers: NDArray[np.int64], count: int) -> list[int]:
    """Sums by group; 32 bits at a time, so that floats hold them exactly."""
    low, high = (np.bincount(numbers, half, count).tolist() for half in (quantity & 0xFFFF_FFFF, quantity >> 32))
    return [int(one) + (int(other) << 32) for one, other in zip(low, high, strict=True)]


def _summed_amounts(amounts: Amounts, numbers: NDArray[np.int64], count: int) -> list[int]:
    low, high = (_summed(np.ascontiguousarray(amounts[:, half]), numbers, count) for half in (0, 1))
    return [one + (other << 64) for one, other in zip(low, high, strict=True)]


def _usd(book: PriceBook, amount: int) -> Decimal:
    return money.multiply(book.unit, amount)


def _put(parts: _Parts, key: tuple[Any, ...], sums: _Sums) -> None:
    known = parts.get(key)
    if known is not None:
        quantity, raw, total, price, charged = sums
        sums = (
            known[0] + quantity,
            money.add(known[1], raw),
            money.add(known[2], total),
            price if price == known[3] else None,
            charged if charged == known[4] else None,
        )
    parts[key] = sums


def bill(tables: Iterable[pa.Table], by: tuple[str, ...], scale: int) -> pa.Table:
    """The rows of a bill, of several tables of parts; the oldest first.

    Raises:
        OverflowError: a sum has more digits than a column of decimals.
    """
    parts: _Parts = {}
    kinds: list[pa.DataType] = []
    for table in tables:
        kinds = [field.type for field in table.schema][3 : 3 + len(by)]
        for row in zip(*(column.to_pylist() for column in table.columns), strict=True):
            _put(parts, row[:-5], row[-5:])
    left_out = sum(sums[0] for (_, _, item, *_), sums in parts.items() if item == _NOTHING)
    rows = [_row(key, sums, by, left_out) for key, sums in parts.items() if key[2] != _NOTHING]
    if left_out and not rows:  # that has to stand somewhere
        days = [key[0] for key in parts if key[0] is not None]
        key = (min(days, default=None), None, _NOTHING, *(None for _ in by))
        rows = [_row(key, (0, money.ZERO, money.ZERO, None, None), by, left_out)]
    rows.sort(key=lambda row: (row["ChargePeriodStart"], row["SkuId"], row["SkuMeter"]))
    own = [(f"x_{name}", kind) for name, kind in zip(by, kinds, strict=True)]
    try:
        return pa.Table.from_pylist(rows, pa.schema([*_columns(scale), *own]))
    except pa.ArrowInvalid as error:
        raise OverflowError(f"a sum has more than {DIGITS} digits") from error


def _columns(scale: int) -> list[tuple[str, pa.DataType]]:
    usd, units, when, text = (
        pa.decimal128(DIGITS, scale),
        pa.decimal128(DIGITS, 0),
        pa.timestamp("us", "UTC"),
        pa.string(),
    )
    return [
        *((name, usd) for name in ("BilledCost", "EffectiveCost", "ContractedCost", "ListCost")),
        *((name, usd) for name in ("ContractedUnitPrice", "ListUnitPrice")),
        *((name, units) for name in ("ConsumedQuantity", "PricingQuantity")),
        *((f"{period}Period{end}", when) for period in ("Billing", "Charge") for end in ("Start", "End")),
        *((name, text) for name in _SAID),
        *((name, text) for name in ("ChargeCategory", "ChargeDescription", "ConsumedUnit", "PricingUnit")),
        *((name, text) for name in ("PublisherName", "SkuId", "SkuMeter", "SkuPriceId")),
        ("x_RowsLeftOut", pa.int64()),
    ]


_SAID = {
    "BillingAccountId": "openrouter",
    "BillingAccountName": "OpenRouter",
    "BillingCurrency": "USD",
    "ChargeClass": None,
    "ChargeFrequency": "Usage-Based",
    "InvoiceIssuerName": "OpenRouter",
    "PricingCategory": "Standard",
    "PricingCurrency": "USD",
    "ProviderName": "OpenRouter",
    "ServiceCategory": "AI and Machine Learning",
    "ServiceName": "OpenRouter",
    "ServiceSubcategory": "Generative AI",
}


def _row(key: tuple[Any, ...], sums: _Sums, by: tuple[str, ...], left_out: int) -> dict[str, Any]:
    day, model, item, *own = key
    quantity, raw, total, price, charged = sums
    start = end = month = month_end = None
    if day is not None:
        start = _EPOCH + timedelta(days=day)
        end, month = start + timedelta(days=1), start.replace(day=1)
        month_end = (month + timedelta(days=31)).replace(day=1)
    unit, adjusted = _UNITS.get(item, "Tokens"), item in ("rounding", _NOTHING)
    return {
        **_SAID,
        "BilledCost": total,
        "EffectiveCost": total,
        "ContractedCost": total,
        "ListCost": raw,
        "ContractedUnitPrice": charged,
        "ListUnitPrice": price,
        "ConsumedQuantity": None if adjusted else quantity,
        "ConsumedUnit": None if adjusted else unit,
        "PricingQuantity": None if adjusted else quantity,
        "PricingUnit": None if adjusted else unit,
        "BillingPeriodStart": month,
        "BillingPeriodEnd": month_end,
        "ChargePeriodStart": start,
        "ChargePeriodEnd": end,
        "ChargeCategory": "Adjustment" if adjusted else "Usage",
        "ChargeDescription": "rows left out" if item == _NOTHING else f"{item} of {model}",
        "PublisherName": (model or "").lstrip("~").partition("/")[0],
        "SkuId": model or "",
        "SkuMeter": item,
        "SkuPriceId": f"{model}/{item}",
        "x_RowsLeftOut": left_out,
        **{f"x_{name}": value for name, value in zip(by, own, strict=True)},
    }
