"""Responses as objects of the openai, anthropic and openrouter packages are read as the JSON that they came from."""

from __future__ import annotations

import subprocess
import sys
from datetime import datetime, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from anthropic import types as anthropic
from openai.types import CompletionUsage, chat, responses
from openrouter import components as openrouter
from openrouter.types import UNSET
from support.upstream import row

from openrouter_pricing import Catalog, Pricing, Settings, Usage
from openrouter_pricing._billing.reading import Particulars, Reading
from openrouter_pricing._billing.responses import read_response

MODEL = "anthropic/claude-sonnet-4.6"
NOON = datetime(2026, 11, 1, 12, tzinfo=timezone.utc)
PRICES = {
    "prompt": "0.000003",
    "completion": "0.000015",
    "web_search": "0.01",
    "input_cache_read": "0.0000003",
    "input_cache_write": "0.00000375",
    "input_cache_write_1h": "0.000006",
}


@pytest.fixture
def pricing() -> Pricing:
    """Pinned prices without markup."""
    return Pricing(Settings(markup_rate=1), catalog=Catalog.from_models([row(MODEL, pricing=PRICES)]))


CHAT_USAGE: dict[str, Any] = {
    "prompt_tokens": 1000,
    "completion_tokens": 100,
    "total_tokens": 1100,
    "prompt_tokens_details": {"cached_tokens": 400, "cache_write_tokens": 200, "audio_tokens": 3},
    "completion_tokens_details": {"reasoning_tokens": 40, "audio_tokens": None},
    "cost": 0.012345678901234567,
    "cost_details": {"upstream_inference_cost": None, "upstream_inference_prompt_cost": 0.01,
                     "upstream_inference_completions_cost": 0.002},
    "is_byok": False,
    "server_tool_use_details": {"web_search_requests": 2, "tool_calls_executed": 2, "tool_calls_requested": 2},
}  # fmt: skip
CHAT = {
    "id": "gen-1",
    "object": "chat.completion",
    "created": int(NOON.timestamp()),
    "model": MODEL,
    "provider": "Anthropic",
    "service_tier": "priority",
    "system_fingerprint": None,
    "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "Hello"}}],
    "usage": CHAT_USAGE,
}
CHUNK = {**CHAT, "object": "chat.completion.chunk", "choices": []}
BYOK_DETAILS = {**CHAT_USAGE["cost_details"], "upstream_inference_cost": 0.05}
BYOK = {**CHAT, "usage": {**CHAT_USAGE, "cost": 0, "is_byok": True, "cost_details": BYOK_DETAILS}}
PLAIN = {"prompt_tokens": 7, "completion_tokens": 5, "total_tokens": 12}
RESPONSES_USAGE = {
    "input_tokens": 1000,
    "output_tokens": 100,
    "total_tokens": 1100,
    "input_tokens_details": {"cached_tokens": 400, "cache_write_tokens": 200},
    "output_tokens_details": {"reasoning_tokens": 40},
    "cost": 0.25,
    "cost_details": {"upstream_inference_cost": 0.25, "upstream_inference_input_cost": 0.2,
                     "upstream_inference_output_cost": 0.05},
    "is_byok": False,
}  # fmt: skip
RESPONSES: dict[str, Any] = {
    "id": "resp-1",
    "object": "response",
    "created_at": int(NOON.timestamp()),
    "completed_at": int(NOON.timestamp()) + 5,
    "model": MODEL,
    "status": "completed",
    "service_tier": "flex",
    "output": [],
    "tools": [],
    "tool_choice": "auto",
    "parallel_tool_calls": True,
    **dict.fromkeys(
        ["error", "incomplete_details", "instructions", "metadata", "temperature", "top_p", "frequency_penalty",
         "presence_penalty"]
    ),
    "usage": RESPONSES_USAGE,
}  # fmt: skip
COMPLETED = {"type": "response.completed", "sequence_number": 9, "response": RESPONSES}
MESSAGES_USAGE = {
    "input_tokens": 400,
    "output_tokens": 100,
    "cache_read_input_tokens": 400,
    "cache_creation_input_tokens": 200,
    "cache_creation": {"ephemeral_5m_input_tokens": 150, "ephemeral_1h_input_tokens": 50},
    "server_tool_use": {"web_search_requests": 1, "web_fetch_requests": 0},
    "service_tier": "standard",
    "cost": 0.5,
    "cost_details": {"upstream_inference_cost": 0.5},
    "is_byok": False,
}
MESSAGES = {
    "id": "msg-1",
    "type": "message",
    "role": "assistant",
    "model": MODEL,
    "provider": "Amazon Bedrock",
    "content": [{"type": "text", "text": "Hello"}],
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": MESSAGES_USAGE,
}
STARTED = {"type": "message_start", "message": MESSAGES}
DELTA = {
    "type": "message_delta",
    "delta": {"stop_reason": "end_turn", "stop_sequence": None},
    "usage": {"output_tokens": 100, "input_tokens": 400, "cache_read_input_tokens": 400, "cost": 0.5},
}
GENERATION: dict[str, Any] = {
    **dict.fromkeys(openrouter.GenerationResponseData.model_fields),
    "id": "gen-1",
    "model": MODEL,
    "created_at": "2026-11-01T12:00:00.000Z",
    "data_region": "global",
    "origin": "",
    "provider_name": "Anthropic",
    "service_tier": "priority",
    "is_byok": False,
    "native_tokens_prompt": 1000,
    "native_tokens_completion": 100,
    "native_tokens_reasoning": 40,
    "native_tokens_cached": 400,
    "tokens_prompt": 900,
    "tokens_completion": 90,
    "total_cost": 0.0025,
    "usage": 0.0025,
    "upstream_inference_cost": 0.0025,
    "num_search_results": 3,
}

FULL = Usage(1000, 100, 400, 200, reasoning_tokens=40)
CHAT_FULL = Usage(1000, 100, 400, 200, reasoning_tokens=40, audio_tokens=3, web_searches=2)
MESSAGES_FULL = Usage(1000, 100, 400, 200, 50, web_searches=1)
GENERATION_FULL = Usage(1000, 100, 400, reasoning_tokens=40)

#: The class, the body that its objects are made from, and what was consumed.
CASES: list[tuple[Any, dict[str, Any], Usage]] = [
    (chat.ChatCompletion, CHAT, CHAT_FULL),
    (chat.ChatCompletion, BYOK, CHAT_FULL),
    (chat.ChatCompletion, {**CHAT, "usage": PLAIN}, Usage(7, 5)),
    (chat.ChatCompletionChunk, CHUNK, CHAT_FULL),
    (CompletionUsage, CHAT_USAGE, CHAT_FULL),
    (CompletionUsage, PLAIN, Usage(7, 5)),
    (responses.Response, RESPONSES, FULL),
    (responses.ResponseUsage, RESPONSES_USAGE, FULL),
    (responses.ResponseCompletedEvent, COMPLETED, FULL),
    (anthropic.Message, MESSAGES, MESSAGES_FULL),
    (anthropic.Usage, MESSAGES_USAGE, MESSAGES_FULL),
    (anthropic.Usage, {"input_tokens": 7, "output_tokens": 5}, Usage(7, 5)),
    (anthropic.RawMessageStartEvent, STARTED, MESSAGES_FULL),
    (anthropic.RawMessageDeltaEvent, DELTA, Usage(800, 100, 400)),
    (openrouter.ChatResult, {key: value for key, value in CHAT.items() if key != "provider"}, CHAT_FULL),
    (openrouter.ChatResult, {key: value for key, value in BYOK.items() if key != "provider"}, CHAT_FULL),
    (openrouter.ChatStreamChunk, {key: value for key, value in CHUNK.items() if key != "provider"}, CHAT_FULL),
    (openrouter.ChatUsage, CHAT_USAGE, CHAT_FULL),
    (openrouter.ChatUsage, PLAIN, Usage(7, 5)),
    (openrouter.OpenResponsesResult, RESPONSES, FULL),
    (openrouter.GenerationResponse, {"data": GENERATION}, GENERATION_FULL),
    (openrouter.GenerationResponseData, GENERATION, GENERATION_FULL),
]


@pytest.mark.parametrize("make", ["model_validate", "construct"])
@pytest.mark.parametrize(
    ("kind", "body", "usage"), CASES, ids=[f"{kind.__module__}.{kind.__name__}" for kind, _, _ in CASES]
)
def test_objects_are_read_as_the_json_that_they_came_from(
    pricing: Pricing, kind: Any, body: dict[str, Any], usage: Usage, make: str
) -> None:
    """Counts, cost and everything beside them are the same from the object, checked or not, and from its JSON."""
    response = kind.model_validate(body) if make == "model_validate" else _constructed(kind, body)
    model = None if read_response(body).model else MODEL
    cost, expected = pricing.cost_of(response, model), pricing.cost_of(body, model)

    assert type(response) is kind
    assert usage == read_response(response).usage == read_response(body).usage
    assert read_response(body) == read_response(response)
    assert expected.to_dict() == cost.to_dict()
    assert (expected.raw, expected.reported, expected.lines) == (cost.raw, cost.reported, cost.lines)


def _constructed(kind: Any, body: dict[str, Any]) -> Any:
    """An object that nobody checked, as the clients of openai and anthropic make theirs, down to the last part."""
    return (kind.model_construct if kind.__module__.startswith("openrouter.") else kind.construct)(**body)


def test_what_openai_objects_say_beside_the_counts() -> None:
    """Fields of OpenRouter's that the package does not know are kept by its objects, and are read."""
    byok = chat.ChatCompletion.model_validate(BYOK)
    expected = Reading(
        CHAT_FULL, MODEL, NOON, Decimal("0.05"), "Anthropic", "priority", True, (), Decimal("0.05"), True,
        Particulars(fee=Decimal(0), parts=Decimal("0.012"), searches=2),
    )  # fmt: skip

    assert expected == read_response(byok)


def test_what_openrouter_objects_leave_unset() -> None:
    """The package's mark for what a response did not say is no count, no amount, no tier and no usage."""
    silent = openrouter.ChatResult.model_validate({**CHAT, "usage": PLAIN, "service_tier": UNSET})
    empty = openrouter.OpenResponsesResult.model_validate({**RESPONSES, "usage": UNSET})

    assert Reading(Usage(7, 5), MODEL, NOON) == read_response(silent)
    with pytest.raises(ValueError, match=r"^response has no usage"):
        read_response(empty)


def test_the_packages_are_never_imported(tmp_path: Path) -> None:
    """Pricing a response imports none of the packages whose objects it can read."""
    code = f"""
import sys
from openrouter_pricing import Catalog, Pricing, Settings
pricing = Pricing(Settings(), catalog=Catalog.from_models([{row(MODEL, pricing=PRICES)!r}]))
print(pricing.cost_of({CHAT!r}).reported, {{"openai", "anthropic", "openrouter", "pydantic"}} & set(sys.modules))
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, timeout=600, check=True, text=True, cwd=tmp_path
    )

    assert done.stdout.split() == ["0.012345678901234567", "set()"]
