"""The kernel: counts and lines of the table in, exact amounts out, some ten thousand rows at a time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from .plans import INSIDE
from .table import BAD, LARGEST, PRICED, TOO_FINE, UNPRICED, Table

#: Counts of some rows by their name; those that are left out are 0, and requests 1.
Counts: TypeAlias = Mapping[str, NDArray[Any]]
#: Amounts as they lie in a column of Arrow: the lower and the upper half of each.
Amounts: TypeAlias = NDArray[np.uint64]

_HALF = np.uint64(32)
_LOW = np.uint64(2**32 - 1)


class Charged(NamedTuple):
    """What some rows cost.

    Args:
        status: of each; amounts of those that are not priced are 0 and mean nothing.
        raw, total: amounts.
    """

    status: NDArray[np.uint8]
    raw: Amounts
    total: Amounts


def charged(table: Table, rows: NDArray[np.int64], counts: Counts) -> Charged:
    """What each row costs.

    Args:
        table: how things are charged.
        rows: the line of the table for each.
        counts: whole numbers from 0 to 10**18.
    """
    status = table.status[rows]
    quantities, unpriced = told_apart(table, rows, counts)
    if unpriced is not None:
        status[unpriced & (status == PRICED)] = UNPRICED
    sums = np.zeros(len(rows), np.int64)
    for name, quantity in quantities.items():
        sums += table.steps[name][rows] * quantity
    large = None
    if max(count.max(initial=0) for count in counts.values()) > table.limit.min():  # which next to none ever is
        large = np.flatnonzero((np.maximum.reduce([*counts.values()]) > table.limit[rows]) & (status == PRICED))
        sums[large] = 0
    sums[status != PRICED] = 0
    if sums.max(initial=0) > table.ceiling.min():
        too_large = sums > table.ceiling[rows]
        status[too_large] = BAD
        sums[too_large] = 0
    raw = _times(sums, table.raw, rows)
    total = raw if table.same else _times(sums, table.total, rows)
    if large is not None:
        total = total.copy() if total is raw else total
        _charge_large(table, rows, quantities, large, Charged(status, raw, total))
    return Charged(status, raw, total)


def told_apart(
    table: Table, rows: NDArray[np.int64], counts: Counts
) -> tuple[dict[str, NDArray[Any]], NDArray[np.bool_] | None]:
    """What each step of a line is multiplied by, and which rows hold something that has no price (None for none)."""
    quantities: dict[str, NDArray[Any]] = {}
    unpriced: NDArray[np.bool_] | None = None

    def refuse(name: str, found: NDArray[Any]) -> None:
        nonlocal unpriced
        if name in table.unlisted:
            refused = table.unlisted[name][rows] & (found > 0)
            unpriced = refused if unpriced is None else unpriced | refused

    for whole, parts in INSIDE.items():
        left = plain = quantities[whole] = counts[whole]
        watched = whole in table.unlisted
        for name in parts:
            asked = _part(counts, name)
            if asked is None:
                continue
            taken = np.minimum(asked, left)
            if name in table.beside:
                beside = table.beside[name][rows]
                left = np.where(beside, left, left - taken)
                taken = np.where(beside, asked, taken)
            else:
                left = left - taken
            quantities[name] = taken
            if watched:
                plain = plain - np.where(table.own[name][rows], taken, 0)
        refuse(whole, plain)
    if table.steps["requests"].any():
        quantities["requests"] = counts.get("requests", np.ones(len(rows), np.int64))
    if "images" in counts:
        images = counts["images"]
        if "image_tokens" in counts:
            images = np.where(counts["image_tokens"] > 0, 0, images)
        quantities["images"] = images
        refuse("images", images)
    if "web_searches" in counts:
        quantities["web_searches"] = counts["web_searches"]
        refuse("web_searches", counts["web_searches"])
    return quantities, unpriced


def _part(counts: Counts, name: str) -> NDArray[Any] | None:
    """How much of a whole is asked for; of writes those of an hour come last, and are told apart from all."""
    if name not in counts:
        return None
    if name == "cache_write_tokens" and "cache_write_1h_tokens" in counts:
        prompt = counts["prompt_tokens"]
        written, hour = np.minimum(counts[name], prompt), np.minimum(counts["cache_write_1h_tokens"], prompt)
        short: NDArray[Any] = np.maximum(written - hour, 0)
        return short
    if name in ("cache_write_tokens", "cache_write_1h_tokens"):
        return np.minimum(counts[name], counts["prompt_tokens"])
    return counts[name]


def _times(sums: NDArray[np.int64], factors: tuple[NDArray[np.uint64], ...], rows: NDArray[np.int64]) -> Amounts:
    """Products that are known to have no more than 127 bits: 32 bits at a time, with carries."""
    first, second, third, fourth = factors
    whole = sums.view(np.uint64)
    low, high = whole & _LOW, whole >> _HALF
    factor = first[rows]
    lowest, crossed = low * factor, high * factor
    factor = second[rows]
    other, upper = low * factor, high * factor
    middle = (lowest >> _HALF) + (crossed & _LOW) + (other & _LOW)
    amounts = np.empty((len(sums), 2), np.uint64)
    amounts[:, 0] = (middle << _HALF) | (lowest & _LOW)
    upper += (middle >> _HALF) + (crossed >> _HALF) + (other >> _HALF)
    if third.any():
        factor = third[rows]
        upper += low * factor + ((high * factor) << _HALF)
    if fourth.any():
        upper += (low * fourth[rows]) << _HALF
    amounts[:, 1] = upper
    return amounts


def _charge_large(
    table: Table, rows: NDArray[np.int64], quantities: Counts, places: NDArray[np.int64], made: Charged
) -> None:
    """Fill in the rows whose sums could be too large for a column, with Python's own numbers."""
    lines = rows[places]
    sums = np.zeros(len(places), object)
    for name, quantity in quantities.items():
        sums += table.exact(name, lines) * quantity[places].astype(object)
    for place, line, amount in zip(places.tolist(), lines.tolist(), sums.tolist(), strict=True):
        for_raw, for_total, divisor = table.factors[line]
        raw, (total, rest) = amount * for_raw, divmod(amount * for_total, divisor)
        if rest or max(raw, total) > LARGEST:
            made.status[place] = TOO_FINE if rest else BAD
            continue
        made.raw[place] = raw & (2**64 - 1), raw >> 64
        made.total[place] = total & (2**64 - 1), total >> 64
