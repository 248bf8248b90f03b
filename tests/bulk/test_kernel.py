"""The kernel: exact at every size."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from support.bulk import answers, catalog, listed, table

from openrouter_pricing import Usage
from openrouter_pricing._billing.cost import charge
from openrouter_pricing._bulk.kernel import _times, told_apart
from openrouter_pricing._bulk.rounding import whole_numbers
from openrouter_pricing.metering.frames import PriceBook, price_frame

MOST = 10**18


def test_products_carry() -> None:
    """Sums of up to 62 bits, times factors of up to 96, are exact in their 128 bits."""
    sums = [0, 1, 2**32 - 1, 2**32, 2**62 - 1, 2**31 + 12345]
    factors = [2**64 - 1, 10**24, 2**65 + 2**33 + 1, 10**18, 1]
    pairs = [(one, other) for one in sums for other in factors if one * other < 2**127]
    limbs = tuple(
        np.array([factor >> shift & (2**32 - 1) for _, factor in pairs], np.uint64) for shift in (0, 32, 64, 96)
    )
    found = _times(np.array([one for one, _ in pairs], np.int64), limbs, np.arange(len(pairs)))
    assert whole_numbers(found) == [one * other for one, other in pairs]
    assert whole_numbers(
        _times(np.array([1], np.int64), tuple(np.ones(1, np.uint64) for _ in range(4)), np.zeros(1, np.int64))
    ) == [1 + 2**32 + 2**64 + 2**96]


@pytest.mark.parametrize("model", ["a/plain", "a/fine", "a/parts"])
def test_counts_of_any_size_are_exact(model: str) -> None:
    """Up to 10**18, where 64 bits are not enough."""
    counts = [1, 2**31, 2**53 + 1, 10**15, MOST]
    columns: dict[str, list[Any]] = {"model": [model] * 5, "prompt_tokens": counts, "completion_tokens": [1] * 5}
    columns["cache_write_tokens"] = [count // 3 for count in counts]
    rates = catalog()[model].rates
    usages = [Usage(count, 1, cache_write_tokens=count // 3) for count in counts]
    for rate in ("1", "1.3"):
        found = answers(price_frame(table(columns), PriceBook(catalog(), markup_rate=rate)))
        assert [one.total for one in found] == [charge(rates, usage, Decimal(rate)).total for usage in usages]


def test_amounts_that_have_no_room_are_refused() -> None:
    """Nothing wraps: an amount of 10**14 USD is none, and a count that makes one is bad."""
    columns = {"model": ["a/parts"] * 2, "prompt_tokens": [1] * 2, "completion_tokens": [1] * 2}
    found = answers(price_frame(table({**columns, "web_searches": [MOST, 10]}), PriceBook(catalog())))
    assert [(one.status, one.raw is None) for one in found] == [("bad_count", True), ("priced", False)]
    narrow = PriceBook(catalog(), scale=36)  # 100 USD
    columns = {"model": ["a/plain"] * 2, "prompt_tokens": [200_000_000, 99_000_000], "completion_tokens": [0] * 2}
    assert [one.status for one in answers(price_frame(table(columns), narrow))] == ["bad_count", "priced"]


def test_a_short_scale_needs_short_factors() -> None:
    """Of 64 bits and less."""
    book = PriceBook(catalog(listed("a/plain")), scale=9)
    columns = {"model": ["a/plain"], "prompt_tokens": [10**12], "completion_tokens": [1]}
    assert answers(price_frame(table(columns), book))[0].raw == Decimal("1000000.000002")


def test_images_cost_where_their_tokens_do_not() -> None:
    """Whether the frame has a column of those or not."""
    columns = {"model": ["a/parts"] * 2, "prompt_tokens": [9, 9], "completion_tokens": [0, 0], "images": [2, 2]}
    (plain, _) = answers(price_frame(table({**columns, "requests": [0, 0]}), PriceBook(catalog())))
    (both, without) = answers(
        price_frame(table({**columns, "requests": [0, 0], "image_tokens": [9, 0]}), PriceBook(catalog()))
    )
    assert (plain.raw, both.raw, without.raw) == (Decimal("0.060009"), Decimal("0.000036"), Decimal("0.060009"))


def test_writes_are_told_apart_with_and_without_lifetimes() -> None:
    """Those of an hour are among all; counts that a frame lacks are none."""
    book = PriceBook(catalog())
    line = np.array([book._entries["a/parts"].first], np.int64)
    counts = {"prompt_tokens": np.array([10]), "completion_tokens": np.array([0])}
    hour, both = {"cache_write_1h_tokens": np.array([99])}, {"cache_write_tokens": np.array([8])}
    quantities, _ = told_apart(book.table(), line, counts | hour)
    assert quantities["cache_write_1h_tokens"].tolist() == [10]
    quantities, _ = told_apart(book.table(), line, counts | hour | both)
    assert quantities["cache_write_tokens"].tolist() == [0]
    quantities, _ = told_apart(book.table(), line, counts | both)
    assert quantities["cache_write_tokens"].tolist() == [8]
