"""Engines: whatever carries a batch, the same kind comes out."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import narwhals as nw
import pyarrow as pa
import pytest
from support.bulk import answers, catalog, table

from openrouter_pricing._bulk.engines import engine_of
from openrouter_pricing.metering.frames import PriceBook, price_frame, sum_frame

CALLS = table({"model": ["a/plain"] * 3, "prompt_tokens": [1, 2, 3], "completion_tokens": [0] * 3})


def _reader() -> pa.RecordBatchReader:
    return CALLS.to_reader(max_chunksize=2)


def _batch() -> pa.RecordBatch:
    return CALLS.to_batches()[0]


@pytest.mark.parametrize(
    "make",
    [lambda: CALLS, _batch, _reader, lambda: nw.from_native(CALLS)],
    ids=["table", "batch", "reader", "narwhals"],
)
def test_arrow_comes_out_as_it_went_in(make: Any) -> None:
    """A reader reads on; what is wrapped comes out wrapped."""
    book = PriceBook(catalog())
    frame = make()
    kind = type(frame)
    priced, sums = price_frame(frame, book), sum_frame(make(), book)
    assert isinstance(priced, kind)
    assert isinstance(sums, kind)
    whole = priced.read_all() if kind is pa.RecordBatchReader else nw.to_native(priced, pass_through=True)
    assert [one.raw for one in answers(whole)] == [Decimal(count) / 10**6 for count in (1, 2, 3)]
    sums = sums.read_all() if kind is pa.RecordBatchReader else nw.to_native(sums, pass_through=True)
    assert sums["cost_raw"].to_pylist() == [Decimal("0.000006")]


def test_an_empty_batch_has_no_groups() -> None:
    """And comes out as one all the same."""
    made = sum_frame(_batch().slice(0, 0), catalog(), ["model"])
    assert isinstance(made, pa.RecordBatch)
    assert made.num_rows == 0


@pytest.mark.parametrize("frame", [{"model": ["a/plain"]}, [1], None, "frame"])
def test_what_is_no_frame_is_refused(frame: Any) -> None:
    """By what it is."""
    with pytest.raises(TypeError, match=f"frame must be one of polars, .* or Ray, not {type(frame).__name__}"):
        engine_of(frame)


def test_engines_of_other_packages_are_known_by_their_frames() -> None:
    """None of them is imported for that."""
    foreign = type("Dataset", (), {"__module__": "ray.data.dataset"})()
    engine, native = engine_of(foreign)
    assert type(engine).__name__ == "Ray"
    assert native is foreign
