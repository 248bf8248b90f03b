"""A list that never changes, with one of everything."""

from __future__ import annotations

from datetime import datetime, timezone

from support.upstream import row

AS_OF = datetime(2026, 8, 20, tzinfo=timezone.utc)
NIGHT = {"utc_start": 2200, "utc_end": 600, "prompt": "1"}
ROWS = [
    row(),
    row("a/nightly", pricing={"prompt": "2", "completion": "0", "overrides": [NIGHT]}),
    row("a/router", pricing={"prompt": "-1", "completion": "-1"}),
    row("a/asking", pricing={"prompt": "0", "completion": "0", "request": "0.005"}),
    row("a/prompt-only", pricing={"prompt": "1"}),
]
