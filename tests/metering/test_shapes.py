"""The shapes that are read fast: what they take, and what they leave for another way."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec import ValidationError
from msgspec.json import decode, encode

from openrouter_pricing.metering.shapes import Response

USAGE = {"prompt_tokens": 3, "completion_tokens": 1}


@pytest.mark.parametrize(
    "more",
    [
        {"model": None},
        {"model": "x" * 501},
        {"currency": "EUR"},
        {"created": 1.5},
        {"usage": {**USAGE, "cost": "0.1"}},
        {"usage": {**USAGE, "cache_read_input_tokens": 1}},
        {"usage": {**USAGE, "prompt_tokens": None}},
        {"usage": {**USAGE, "prompt_tokens": -1}},
        {"usage": {**USAGE, "prompt_tokens": 10**8 + 1}},
        {"usage": {**USAGE, "prompt_tokens": True}},
        {"usage": {**USAGE, "prompt_tokens_details": {"unheard_of_tokens": 0}}},
        {"usage": {**USAGE, "completion_tokens_details": []}},
        {"usage": {**USAGE, "cost_details": {"currency": "EUR"}}},
        {"usage": {**USAGE, "server_tool_use_details": {"web_search_requests": "1"}}},
        {"usage": {**USAGE, "is_byok": "true"}},
        {"usage": None},
    ],
)
def test_what_is_left_for_another_way(more: dict[str, Any]) -> None:
    """What could mean something else than a plain number under a known name is no such shape."""
    with pytest.raises(ValidationError):
        decode(encode({"model": "a/plain", "usage": USAGE, **more}), type=Response)


def test_what_is_passed_over() -> None:
    """What has nothing to do with the cost may be anything."""
    said = decode(encode({"model": "a/plain", "usage": USAGE, "choices": [{"text": "x"}], "x": None}), type=Response)

    assert ("a/plain", 3, 1, None) == (said.model, said.usage.prompt_tokens, said.usage.completion_tokens, said.id)
