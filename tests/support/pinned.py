"""Lists that never change."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

from openrouter_pricing import Catalog, Pricing, Settings
from support.upstream import row

AS_OF = datetime(2026, 8, 20, tzinfo=timezone.utc)
LATER = datetime(2026, 11, 2, tzinfo=timezone.utc)
NIGHT = {"utc_start": 2200, "utc_end": 600, "prompt": "1"}
ROWS = [
    row(),
    row("a/nightly", pricing={"prompt": "2", "completion": "0", "overrides": [NIGHT]}),
    row("a/router", pricing={"prompt": "-1", "completion": "-1"}),
    row("a/asking", pricing={"prompt": "0", "completion": "0", "request": "0.005"}),
    row("a/prompt-only", pricing={"prompt": "1"}),
]


def pinned(*rows: dict[str, Any], **options: Any) -> Pricing:
    """The facade over a fixed list; no markup unless asked for."""
    return Pricing(Settings(**{"markup_rate": 1, **options}), catalog=Catalog.from_models(rows, as_of=LATER))
