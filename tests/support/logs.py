"""Logged responses, and the prices that they are audited at."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from math import inf
from pathlib import Path
from typing import Any

from openrouter_pricing import Catalog
from openrouter_pricing.metering.audit import Audit
from openrouter_pricing.metering.lines import blocks
from support.upstream import row

ROWS = [
    row("a/plain", pricing={"prompt": "1", "completion": "10"}),
    row("a/nightly", pricing={"prompt": "1", "completion": "1", "overrides": [{"utc_end": 600, "prompt": "5"}]}),
    row("a/router", pricing={"prompt": "-1", "completion": "-1"}),
]
CATALOG = Catalog.from_models(ROWS)
EXACT = {"model": "a/plain", "usage": {"prompt_tokens": 3, "completion_tokens": 1, "cost": 13}}
OFF = {"model": "a/plain", "usage": {"prompt_tokens": 3, "cost": 3.25}}
REFUND = {"model": "a/plain", "usage": {"prompt_tokens": 3, "cost": 2.5}}
SILENT = {"model": "a/plain", "usage": {"prompt_tokens": 7, "completion_tokens": 0}}
GONE = {"model": "gone/model", "usage": {"prompt_tokens": 7, "cost": 0.5}}


def log(*responses: Any) -> str:
    """The name of a file that has these responses, one a line."""
    Path("log.jsonl").write_bytes(encoded(*responses))
    return "log.jsonl"


def encoded(*responses: Any) -> bytes:
    """Responses as a log has them."""
    return b"".join(json.dumps(response).encode() + b"\n" for response in responses)


def audited(data: bytes, worst: int = 10, catalog: Catalog = CATALOG) -> Audit:
    """An audit of a whole log."""
    audit = Audit(catalog, worst)
    for number, line in numbered(data):
        audit.add(number, line)
    return audit


def numbered(data: bytes, buffer: int = 8192, most: float = inf) -> Iterator[tuple[int, bytes | None]]:
    """The lines of a log with their numbers, read through a buffer of that size."""
    for block in blocks(io.BufferedReader(io.BytesIO(data), buffer), most=most):  # type: ignore[type-var]
        yield from enumerate(block.lines, block.number)
