"""What is measured on: a catalogue of a seeded generator, with rows like OpenRouter's, and a response like its own."""

from __future__ import annotations

import json
import random
from typing import Any

#: As many models as OpenRouter listed in August 2026.
MODELS = 417
_PARAMETERS = (
    "frequency_penalty include_reasoning logit_bias logprobs max_tokens min_p presence_penalty reasoning "
    "reasoning_effort repetition_penalty response_format seed stop structured_outputs temperature tool_choice tools "
    "top_k top_logprobs top_p"
)
WORDS = "model with a long context for chat code reasoning vision and tools at a low price by its own lab"


def rows(count: int = MODELS, seed: int = 1) -> list[dict[str, Any]]:
    """Rows of about 1.5 kB; every seventh has conditional prices."""
    chance = random.Random(seed)
    return [_row(number, chance) for number in range(count)]


def _row(number: int, chance: random.Random) -> dict[str, Any]:
    prompt = chance.randrange(1, 2000)
    pricing: dict[str, Any] = {
        "prompt": f"0.{prompt:08d}",
        "completion": f"0.{4 * prompt:08d}",
    }
    if number % 3:
        pricing["input_cache_read"] = f"0.{prompt:09d}"
    if number % 4 == 0:
        pricing["input_cache_write"] = f"0.{prompt + prompt // 4:08d}"
        pricing["web_search"] = "0.01"
    if number % 7 == 0:
        pricing["overrides"] = [{"min_prompt_tokens": 200_000, "prompt": f"0.{2 * prompt:08d}"}]
    return {
        "id": f"lab-{number % 50}/model-{number}",
        "canonical_slug": f"lab-{number % 50}/model-{number}-20260101",
        "hugging_face_id": "",
        "name": f"Lab {number % 50}: Model {number}",
        "created": 1_760_000_000 + number,
        "description": " ".join(chance.choices(WORDS.split(), k=40)),
        "context_length": chance.choice([32_768, 131_072, 200_000, 1_048_576]),
        "architecture": {
            "modality": "text+image->text",
            "input_modalities": ["text", "image"],
            "output_modalities": ["text"],
            "tokenizer": "Other",
            "instruct_type": None,
        },
        "pricing": pricing,
        "top_provider": {"context_length": 131_072, "max_completion_tokens": 16_384, "is_moderated": False},
        "per_request_limits": None,
        "supported_parameters": _PARAMETERS.split(),
        "default_parameters": {"temperature": None, "top_p": None, "frequency_penalty": None},
        "knowledge_cutoff": None,
        "expiration_date": None,
        "reasoning": {"mandatory": False, "supported_efforts": ["high", "medium", "low"], "default_effort": "medium"},
        "benchmarks": {
            "design_arena": [
                {
                    "arena": "models",
                    "category": f"c{n}",
                    "elo": 1000 + n,
                    "win_rate": chance.randrange(999) / 10,
                    "rank": n,
                }
                for n in range(chance.randrange(8))
            ]
        },
        "links": {"details": f"/api/v1/models/lab-{number % 50}/model-{number}/endpoints"},
    }


def body(count: int = MODELS) -> bytes:
    """The body of ``GET /models``, as compact as OpenRouter sends it."""
    return json.dumps({"data": rows(count)}, separators=(",", ":")).encode()


def response(*, content: bool) -> str:
    """A chat completion with its bill, as JSON; without ``content`` what is left of one in a usage log."""
    usage = {
        "prompt_tokens": 2315,
        "completion_tokens": 340,
        "total_tokens": 2655,
        "cost": 0.007637029,
        "is_byok": False,
        "prompt_tokens_details": {"audio_tokens": 0, "cache_write_tokens": 0, "cached_tokens": 1024, "video_tokens": 0},
        "cost_details": {"upstream_inference_cost": 0.007637029, "upstream_inference_prompt_cost": 0.000595881},
        "completion_tokens_details": {"audio_tokens": 0, "image_tokens": 0, "reasoning_tokens": 120},
    }
    logged = {
        "id": "gen-1786680756-4mdsoGEMXK2yqcQxYJWs",
        "provider": "Lab 1",
        "model": "lab-1/model-1-20260101",
        "object": "chat.completion",
        "created": 1_786_680_756,
        "usage": usage,
    }
    if content:
        logged |= completion("word " * 250, "thought " * 60)
    return json.dumps(logged)


def completion(content: str, reasoning: str | None = None) -> dict[str, Any]:
    """What a chat completion holds beside its bill."""
    message = {"role": "assistant", "content": content, "refusal": None, "reasoning": reasoning}
    choice = {"logprobs": None, "finish_reason": "stop", "native_finish_reason": "stop", "index": 0}
    said = {"provider": "Lab 1", "object": "chat.completion", "system_fingerprint": None}
    return {**said, "choices": [{**choice, "message": message}]}
