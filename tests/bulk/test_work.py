"""Work: what is made of a batch, and of what type it is."""

from __future__ import annotations

import pyarrow as pa
from support.bulk import catalog, table

from openrouter_pricing._bulk.book import PriceBook
from openrouter_pricing._bulk.question import ask
from openrouter_pricing._bulk.sums import Sums
from openrouter_pricing._bulk.work import RowCosts, batch_of

CALLS = table({"model": ["a/plain"], "prompt_tokens": [1], "completion_tokens": [1]})


def test_types_are_known_before_there_are_rows() -> None:
    """Empty batches make empty ones of the same types."""
    question = ask(CALLS.column_names, None, None, None, "cost_")
    for work in (
        RowCosts(PriceBook(catalog()), question),
        Sums(PriceBook(catalog()), question, ("model", "cost_status")),
    ):
        batch = CALLS.to_batches()[0]
        assert work.batch(batch).schema == work.schema(batch.schema) == work.batch(batch.slice(0, 0)).schema
        assert work.added(CALLS).schema == work.made(CALLS.schema)
        assert set(work.read) == {"model", "prompt_tokens", "completion_tokens"}


def test_tables_become_batches() -> None:
    """Of none, one or several chunks."""
    chunked = pa.table({"n": pa.chunked_array([[1], [2]], pa.int64())})
    assert batch_of(chunked)["n"].to_pylist() == [1, 2]
    assert batch_of(chunked.schema.empty_table()).num_rows == 0
