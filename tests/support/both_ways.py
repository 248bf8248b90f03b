"""Logs that are audited both ways: fast, and line by line as anything else is read."""

from __future__ import annotations

import io
from datetime import datetime, timezone
from typing import Any

from openrouter_pricing import Catalog
from openrouter_pricing.metering.audit import Audit
from openrouter_pricing.metering.lines import blocks
from support.logs import numbered
from support.upstream import row

AS_OF = datetime(2026, 8, 20, tzinfo=timezone.utc)
STEP = {"min_prompt_tokens": 1000, "prompt": "0.000002", "completion": "0.000020"}
NIGHT = {"utc_end": 600, "prompt": "0.000005"}
ROWS = [
    row("a/plain", pricing={"prompt": "0.000001", "completion": "0.000010"}),
    row("a/all", pricing={
        "prompt": "0.00000250", "completion": "0.00001", "input_cache_read": "0.00000025", "audio": "0.00004",
        "input_cache_write": "0.0000003", "internal_reasoning": "0.000012", "request": "0.001", "image_token": "0.1",
        "audio_output": "0.00008", "image_output": "0.00003", "input_cache_write_1h": "0.00000400",
    }),
    row("a/steps", pricing={"prompt": "0.000001", "completion": "0.000010", "overrides": [STEP]}),
    row("a/nightly", pricing={"prompt": "0.000001", "completion": "0.000001", "overrides": [NIGHT]}),
    row("a/router", pricing={"prompt": "-1", "completion": "-1"}),
    row("a/prompt-only", pricing={"prompt": "0.000001"}),
    row("a/plain:batch", pricing={"prompt": "0.0000005", "completion": "0.000005"}),
    row("a/free", pricing={"prompt": "0", "completion": "0"}),
    row("a/video", pricing={"prompt": "0", "completion": "0"}, architecture={"output_modalities": ["video"]}),
    row("openai/gpt-4o-mini", pricing={"prompt": "0.00000015", "completion": "0.0000006"}),
]  # fmt: skip
CATALOG = Catalog.from_models(ROWS, as_of=AS_OF)
CHAT = {
    "id": "gen-1", "provider": "Acme", "model": "a/plain", "object": "chat.completion", "created": 1_787_227_200,
    "choices": [{"message": {"content": "Hi \u00e9"}}],
    "usage": {
        "prompt_tokens": 2315, "completion_tokens": 340, "total_tokens": 2655, "cost": 0.005715, "is_byok": False,
        "prompt_tokens_details": {"cached_tokens": 1024, "audio_tokens": 0, "video_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 120, "image_tokens": 0},
        "cost_details": {"upstream_inference_cost": None, "upstream_inference_prompt_cost": 0.002315,
                         "upstream_inference_completions_cost": 0.0034},
    },
}  # fmt: skip
RESPONSES = {
    "id": "resp_1", "object": "response", "model": "a/all", "created_at": 1_787_227_200, "service_tier": "default",
    "usage": {"input_tokens": 100, "output_tokens": 50, "total_tokens": 150, "cost": 0.00175,
              "input_tokens_details": {"cached_tokens": 10}, "output_tokens_details": {"reasoning_tokens": 5}},
}  # fmt: skip
MESSAGES = {
    "id": "msg_1", "type": "message", "model": "a/all",
    "usage": {"input_tokens": 100, "output_tokens": 50, "cache_read_input_tokens": 10, "cost": 0.00175},
}  # fmt: skip
PLAIN = {
    "id": "gen-1", "provider": "Acme", "model": "a/all", "object": "chat.completion", "created": 1_787_227_200,
    "usage": {
        "prompt_tokens": 2000, "completion_tokens": 100, "total_tokens": 2100, "cost": 0.0059, "is_byok": False,
        "prompt_tokens_details": {"cached_tokens": 400, "cache_write_tokens": 0, "audio_tokens": 0, "video_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 50, "image_tokens": 0, "audio_tokens": None},
        "cost_details": {"upstream_inference_cost": None},
    },
}  # fmt: skip
OWN_KEY = {
    "id": "gen-1", "model": "a/plain", "created": 1_787_227_200,
    "usage": {"prompt_tokens": 1000, "completion_tokens": 100, "cost": 0.0001, "is_byok": True,
              "cost_details": {"upstream_inference_cost": 0.002, "upstream_inference_prompt_cost": 0.001}},
}  # fmt: skip
WRITTEN = {
    "id": "msg_1", "type": "message", "model": "a/all", "created": 1_787_227_200,
    "usage": {"input_tokens": 100, "output_tokens": 50, "cache_read_input_tokens": 10, "cost": 0.0017,
              "cache_creation_input_tokens": 40, "server_tool_use": {"web_search_requests": 0},
              "cache_creation": {"ephemeral_5m_input_tokens": 30, "ephemeral_1h_input_tokens": 10}},
}  # fmt: skip
OLD = {**CHAT, "model": "openai/gpt-4o-mini", "created": 1_750_000_000}
SHAPES = (CHAT, PLAIN, OWN_KEY, OLD, RESPONSES, MESSAGES, WRITTEN)


class Slow(Audit):
    """Reads every line the other way."""

    def add(self, number: int, line: bytes | None) -> None:
        """Count one line."""
        self._add_any(number, line)


class Noting(Audit):
    """Notes how many lines it reads the other way."""

    slowly = 0

    def _add_any(self, number: int, line: bytes | None) -> None:
        self.slowly += 1
        super()._add_any(number, line)


def both(lines: list[bytes], **options: Any) -> tuple[dict[str, Any], dict[str, Any], int]:
    """What both ways report, and how many lines were read fast."""
    slow, quick = Slow(**options), Noting(**options)
    log = b"\n".join(lines)
    for number, line in numbered(log, 4096):
        slow.add(number, line)
    quick.add_all(blocks(io.BufferedReader(io.BytesIO(log), 4096)))  # type: ignore[type-var]
    return slow.report(), quick.report(), len(lines) - quick.slowly
