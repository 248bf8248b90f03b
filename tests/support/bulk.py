"""Small lists and frames for the tests of bulk costing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from openrouter_pricing import Catalog
from openrouter_pricing._bulk.book import PriceBook
from openrouter_pricing._bulk.costing import added, costs
from openrouter_pricing._bulk.question import ask
from support.calls import FLOATS, Priced
from support.pinned import LATER
from support.upstream import row

PLAIN = {"prompt": "0.000001", "completion": "0.000002"}
NIGHT = {"utc_start": 2200, "utc_end": 600, "prompt": "0.0000001"}
SUNDAY = {"utc_days": ["sunday"], "completion": "0.000001"}
PARTS = {
    "input_cache_read": "0.0000001",
    "input_cache_write": "0.0000005",
    "input_cache_write_1h": "0.000003",
    "audio": "0.00001",
    "image_token": "0.000004",
    "internal_reasoning": "0.000005",
    "audio_output": "0.00002",
    "image_output": "0.00003",
    "request": "0.01",
    "web_search": "0.02",
    "image": "0.03",
}


def listed(name: str, **pricing: Any) -> dict[str, Any]:
    """A row at plain prices, or others."""
    return row(name, pricing={**PLAIN, **pricing})


#: A model of every kind that there is.
ROWS = [
    listed("a/plain"),
    listed("a/parts", **PARTS),
    listed("a/dear-writes", input_cache_read="0.0000001", input_cache_write="0.00000125"),
    listed("a/steps", overrides=[{"min_prompt_tokens": 1000, "prompt": "0.000003"}]),
    listed("a/timed", overrides=[NIGHT, SUNDAY, {"min_prompt_tokens": 1000, "prompt": "0.000009"}]),
    listed("a/router", prompt="-1"),
    row("a/embedding", pricing={"prompt": "0.0000001", "input_cache_read": "0.00000001"}),
    row("a/says", pricing={"completion": "0.0000001", "input_cache_read": "0.00000001", "audio": "0.000001"}),
    row("a/sells-video", pricing={"prompt": "0", "completion": "0"}, architecture={"output_modalities": ["video"]}),
    listed("a/free:free", prompt="0", completion="0"),
    listed("a/per-token-image", image="0.000001"),
    listed("a/fine", input_cache_write="0.00000004166666666666667"),
]


def catalog(*rows: Mapping[str, Any]) -> Catalog:
    """A list of these rows; of a model of every kind where there are none."""
    return Catalog.from_models(rows or ROWS, as_of=LATER)


def table(columns: Mapping[str, Sequence[Any]]) -> pa.Table:
    """Calls as a table of Arrow."""
    kinds = {"model": pa.string(), "at": pa.timestamp("us", "UTC"), "reported": pa.float64()}
    return pa.table(
        {
            name: pa.array(column, kinds.get(name, pa.float64() if name in FLOATS else pa.int64()))
            for name, column in columns.items()
        }
    )


def answers(frame: pa.Table, prefix: str = "cost_") -> list[Priced]:
    """What the rows of a frame say."""
    names = ("raw", "total", "model", "as_of", "status")
    return list(map(Priced, *(frame[prefix + name].to_pylist() for name in names)))


def statuses(book: PriceBook, batch: pa.RecordBatch, **options: Any) -> list[str]:
    """What is said of each row."""
    question = ask(batch.schema.names, None, options.get("at"), options.get("reported"), "cost_")
    return [said for _, made in costs(book, batch, question) for said in added(book, made)[-1].to_pylist()]
