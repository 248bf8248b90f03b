"""How rates meet a usage: what is charged for, and what no price is listed for."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from openrouter_pricing import Rates, Usage
from openrouter_pricing._billing.bill import bill, unpriced

FULL = Rates(prompt="3", completion="5", input_cache_read="1", input_cache_write="4", request="7", web_search="9")


def charged(rates: Rates, usage: Usage | tuple[int, int]) -> dict[str, tuple[int, Decimal]]:
    """What is charged for, by item, without what amounts to nothing."""
    return {item: (quantity, price) for item, quantity, price in bill(rates, usage) if quantity and price}


def test_each_token_is_charged_once() -> None:
    """Reads and writes are taken out of the prompt that holds them."""
    usage = Usage(100, 10, cached_tokens=60, cache_write_tokens=30, web_searches=2)
    assert {
        "prompt": (10, 3),
        "input_cache_read": (60, 1),
        "input_cache_write": (30, 4),
        "completion": (10, 5),
        "request": (1, 7),
        "web_search": (2, 9),
    } == charged(FULL, usage)


def test_a_write_cheaper_than_the_prompt_is_storage() -> None:
    """A bill of 2168 prompt, 2161 read and 2161 written tokens was 7 plain, 2161 reads and 2161 writes."""
    rates = Rates(prompt="3", completion="5", input_cache_read="1", input_cache_write="2")
    usage = Usage(2168, 0, cached_tokens=2161, cache_write_tokens=2161)
    assert {"prompt": (7, 3), "input_cache_read": (2161, 1), "input_cache_write": (2161, 2)} == charged(rates, usage)


def test_parts_that_add_up_to_more_than_the_whole() -> None:
    """Counts come dirty: no part takes more than those before it leave."""
    usage = Usage(100, 0, cached_tokens=80, cache_write_tokens=90)
    assert {"input_cache_read": (80, 1), "input_cache_write": (20, 4), "request": (1, 7)} == charged(FULL, usage)


@pytest.mark.parametrize("rates", [FULL, Rates(prompt="3", completion="5")])
def test_two_counts_are_a_usage(rates: Rates) -> None:
    """The short way of two counts bills what a usage of them is billed."""
    assert charged(rates, Usage(100, 10)) == charged(rates, (100, 10))


@pytest.mark.parametrize(
    ("prices", "counts", "dimension"),
    [
        ({"prompt": "3", "completion": "5"}, {"prompt_tokens": 1, "completion_tokens": 1}, None),
        ({"prompt": "3"}, {"prompt_tokens": 1}, None),
        ({"prompt": "3"}, {"completion_tokens": 1}, "completion_tokens"),
        ({"completion": "5"}, {"prompt_tokens": 1}, "prompt_tokens"),
        ({"prompt": "3", "completion": "5"}, {"web_searches": 1}, "web_searches"),
        ({"prompt": "3", "completion": "5", "web_search": "0"}, {"web_searches": 1}, "web_searches"),
        ({"prompt": "0", "completion": "0", "web_search": "0"}, {"web_searches": 1}, None),
        ({"prompt": "3", "completion": "5"}, {"images": 1}, "images"),
    ],
)
def test_what_no_price_is_listed_for(prices: dict[str, Any], counts: dict[str, int], dimension: str | None) -> None:
    """The first dimension without a price is named; 0 on a list that costs something is none, on a free one it is."""
    found = unpriced(Rates(**prices), Usage(**counts))
    assert dimension == (None if found is None else found[0])
