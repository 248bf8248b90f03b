"""Responses inside others, and those that say more than OpenRouter does: read fast where that means nothing."""

from __future__ import annotations

import copy
import json
import random
from contextlib import suppress
from typing import Any

import pytest
from msgspec import DecodeError
from support.both_ways import CATALOG, CHAT, MESSAGES, OWN_KEY, RESPONSES, SHAPES, WRITTEN, both

from openrouter_pricing._billing import fields, responses
from openrouter_pricing._billing.responses import read_response
from openrouter_pricing.metering.loose import ASKED, decode_loosely
from openrouter_pricing.metering.naming import BY

#: What other programs write around a response, or into it.
NAMES = [
    "ts", "level", "request", "timestamp", "message", "data", "body", "result", "response", "openrouter", "event",
    "Response", "reSult", "custom_id", "customId", "choices", "error", "usage", "Usage", "usage_metadata",
    "usageMetadata", "provider_metadata", "providerMetadata", "response_metadata", "model", "Model", "model_name",
    "id", "ID", "_id", "generation_id", "generationId", "created", "createdAt", "created_at", "provider",
    "providerName", "serviceTier", "service_tier", "object", "Object", "isByok", "is_byok", "openrouterMetadata",
    "currency", "Currency", "native_tokens_prompt", "system_fingerprint", "x" * 5000, "", "_",
]  # fmt: skip
COUNTS = [
    "promptTokens", "prompt_tokens", "completionTokens", "input_tokens", "inputTokens", "outputTokens",
    "totalTokens", "total_tokens", "reasoningTokens", "reasoning_tokens", "cachedTokens", "cached_tokens",
    "cache_read_input_tokens", "cacheReadInputTokens", "cache_write_tokens", "requests", "cost", "Cost", "total_cost",
    "totalCost", "costDetails", "cost_details", "upstream_inference_cost", "byok_usage_inference", "isByok", "speed",
    "iterations", "cache_discount", "num_search_queries", "citation_tokens", "num_search_results", "details",
    "promptTokensDetails", "input_token_details", "cache_details", "server_tool_use", "serverToolUse", "serviceTier",
    "weather", "latency", "text_tokens", "unheard_of_tokens", "cache_hits", "currency", "usage", "model",
]  # fmt: skip
PARTS = [
    "text_tokens", "file_tokens", "video_tokens", "accepted_prediction_tokens", "rejected_prediction_tokens",
    "cachedTokens", "audioTokens", "audio_tokens", "reasoningTokens", "cache_read", "audio", "odd", "odd_tokens",
    "upstreamInferenceCost", "upstreamInferencePromptCost", "upstream_inference_input_cost", "Currency", "currency",
    "cache_creation_token_details", "web_search_requests", "webSearchRequests",
]  # fmt: skip
VALUES: list[Any] = [
    None, None, None, 0, 1, 2, 100, -1, 1.5, "", "a", "fast", "flex", "list", "batch", "EUR", "usd", "a/all", True,
    False, [], {}, {"usage": None}, {"usage": {}}, {"openrouter": {"usage": {"prompt_tokens": 1}}},
    [{"model": "a/all"}],
    {"prompt_tokens": 7}, {"cost": 5, "prompt_tokens": 1, "completion_tokens": 1}, {"cached_tokens": 5},
    {"cachedTokens": 5}, {"model_name": "a/all"}, {"is_byok": True}, 1_787_227_200, "2026-08-20T00:00:00Z",
]  # fmt: skip
SAID_BY_OPENAI = {
    **CHAT, "system_fingerprint": None, "service_tier": None,
    "usage": {**CHAT["usage"],  # type: ignore[dict-item]
              "prompt_tokens_details": {"cached_tokens": 1024, "audio_tokens": None},
              "completion_tokens_details": {"accepted_prediction_tokens": None, "audio_tokens": None,
                                            "reasoning_tokens": 120, "rejected_prediction_tokens": None}},
}  # fmt: skip
UNHEARD_OF = {**CHAT, "usage": {**CHAT["usage"], "weather": {"sunny": True}, "latency": 0.3}}  # type: ignore[dict-item]
AROUND: list[Any] = [
    {"ts": 1.5, "level": "info", "message": "called", "request": {"model": "a/all"}, "response": CHAT},
    {"status": 200, "result": {"at": "now", "body": {"ok": True, "data": RESPONSES}}},
    {"openrouter": OWN_KEY},
    {"user": "u", "data": MESSAGES},
    {"message": WRITTEN},
]


@pytest.mark.parametrize("said", [SAID_BY_OPENAI, UNHEARD_OF, *AROUND])
def test_what_is_read_fast(said: dict[str, Any]) -> None:
    """After its first line, a log of what other programs write is read fast, and to the same figures."""
    lines = [json.dumps(said).replace('"id": "', f'"id": "{number}-').encode() for number in range(10)]
    slow, quick, fast_lines = both(lines, catalog=CATALOG, by="provider")

    assert slow == quick
    assert 9 == fast_lines
    assert 10 == slow["lines"] == slow["exact"] + slow["residual"] + slow["unreported"]


def test_whose_call_it_was() -> None:
    """What stands around a response may say whose call it was: that is asked the other way."""
    lines = [json.dumps({"user": "me", "response": {**CHAT, "id": str(number)}}).encode() for number in range(5)]
    slow, quick, fast_lines = both(lines, catalog=CATALOG, by="key")

    assert slow == quick
    assert [("me", 5)] == [(found["key"], found["lines"]) for found in slow["spend"]]
    assert 0 == fast_lines


@pytest.mark.parametrize(
    "said",
    [
        {"response": None}, {"response": "x"}, {"response": {}}, {}, {"usage": None}, {"usage": []},
        {"response": CHAT, "choices": []}, {"Response": CHAT, "response": MESSAGES}, {"custom_id": "1", "data": CHAT},
        {"body": {"body": {"body": {"body": {"body": CHAT}}}}}, {"usage": None, "response": CHAT},
        {**CHAT, "Model": "a/all"}, {**CHAT, "usageMetadata": None},
        {**CHAT, "usage": {**CHAT["usage"], "promptTokens": 1}},  # type: ignore[dict-item]
        {**CHAT, "usage": {**CHAT["usage"], "unheard_of_tokens": 0}},  # type: ignore[dict-item]
        {**CHAT, "usage": {**CHAT["usage"], "cacheHits": 0}},  # type: ignore[dict-item]
        {**CHAT, "usage": {**CHAT["usage"], "cost_details": {"Currency": None}}},  # type: ignore[dict-item]
        {**CHAT, "usage": {**CHAT["usage"], "prompt_tokens_details": {"audio": 0}}},  # type: ignore[dict-item]
    ],
)  # fmt: skip
def test_what_is_left_for_another_way(said: dict[str, Any]) -> None:
    """What could mean something under a name that is spelt otherwise is no such response."""
    with pytest.raises(DecodeError):
        decode_loosely(json.dumps(said).encode())


def wrapped(said: dict[str, Any], chance: random.Random) -> dict[str, Any]:
    """The same with more in it, and around it."""
    usage = said["usage"]
    for _ in range(chance.choice((0, 1, 1, 2))):
        parts = [part for part in usage.values() if isinstance(part, dict)] or [usage]
        where, names = chance.choice([(said, NAMES), (usage, COUNTS), (chance.choice(parts), PARTS)])
        where[chance.choice(names)] = copy.deepcopy(chance.choice(VALUES))
        if not isinstance(usage := said.get("usage"), dict):
            break
    for _ in range(chance.choice((0, 1, 1, 2, 5))):
        around = {chance.choice(NAMES): copy.deepcopy(chance.choice(VALUES)) for _ in range(chance.randrange(3))}
        around[chance.choice(("response", "data", "body", "message", "Result"))] = said
        said = dict(chance.sample(sorted(around.items(), key=str), len(around)))
    return said


@pytest.mark.parametrize("by", [None, *BY])
@pytest.mark.parametrize("seed", range(2))
def test_anything_around_and_inside(seed: int, by: str | None) -> None:
    """Thousands of lines with anything around and inside: every figure, number and reason is the same."""
    chance = random.Random(f"{seed} {by}")
    lines = []
    for number in range(1200):
        said = copy.deepcopy(chance.choice((*SHAPES, SAID_BY_OPENAI, UNHEARD_OF)))
        said["id"] = f"gen-{number}"
        line = json.dumps(wrapped(said, chance)).encode()  # type: ignore[arg-type]
        lines.append(b"data: " + line if chance.random() < 0.1 else line)
    slow, quick, fast_lines = both(lines, catalog=CATALOG, by=by)

    assert slow == quick
    assert (40 if by == "key" else 150) < fast_lines


def test_every_name_that_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the general way asks a response for is a name that nothing else may be spelt like."""
    asked: set[str] = set()
    plain = fields._asked

    def noted(name: str) -> str:
        """Note the name."""
        asked.add(plain(name))
        return plain(name)

    monkeypatch.setattr(fields, "_asked", noted)
    chance = random.Random(5)
    for said in [wrapped(copy.deepcopy(SAID_BY_OPENAI), chance) for _ in range(3000)]:
        with suppress(TypeError, ValueError):
            read_response(said)

    assert asked
    assert asked <= ASKED
    assert all(name in ASKED or "token" in name or "cache" in name for name in responses._READ["usage"])
