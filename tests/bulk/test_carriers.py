"""Carriers: frames of those engines that are installed; `tox -e frames` has them all."""

from __future__ import annotations

import pytest
from support.bulk import answers, catalog, table
from support.engines import ENGINES

from openrouter_pricing.metering.frames import PriceBook, price_frame, sum_frame

CALLS = table({"model": ["a/plain", "a/router"], "prompt_tokens": [1, 2], "completion_tokens": [0, 0]})


@pytest.mark.parametrize("name", ["polars", "polars, lazy", "pandas"])
def test_the_same_kind_comes_out(name: str) -> None:
    """With the same answers as a table of Arrow."""
    book = PriceBook(catalog())
    with ENGINES[name]() as kind:
        frame = kind.make(CALLS)
        priced, sums = price_frame(frame, book), sum_frame(frame, book, ["model"])
        assert type(priced) is type(sums) is type(frame)
        assert answers(kind.read(priced)) == answers(price_frame(CALLS, book))
        assert kind.read(sums)["cost_total"].to_pylist() == sum_frame(CALLS, book, ["model"])["cost_total"].to_pylist()
