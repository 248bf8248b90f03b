"""The shapes that are read fast: what they take, and what they leave for another way."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec import ValidationError
from msgspec.json import decode, encode

from openrouter_pricing.metering.shapes import Chat, Input, Plain

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
        decode(encode({"model": "a/plain", "usage": USAGE, **more}), type=Chat)


def test_what_is_passed_over() -> None:
    """What has nothing to do with the cost may be anything."""
    said = decode(encode({"model": "a/plain", "usage": USAGE, "choices": [{"text": "x"}], "x": None}), type=Chat)

    assert ("a/plain", 3, 1, None) == (said.model, said.usage.prompt_tokens, said.usage.completion_tokens, said.id)


PLAIN = {"id": "gen-1", "model": "a/plain", "created": 1, "usage": {**USAGE, "cost": 0.5, "is_byok": False}}


@pytest.mark.parametrize(
    "more",
    [
        {"id": 7},
        {"generation_id": "gen-1"},
        {"created": 0},
        {"created": 253_402_300_800},
        {"service_tier": "flex"},
        {"object": "batch"},
        {"created_at": "2026-08-20T00:00:00Z"},
        {"created_at": 0},
        {"usage": {**USAGE, "cost": 0.0}},
        {"usage": {**USAGE, "cost": 10.0}},
        {"usage": {**USAGE, "cost": 10}},
        {"usage": {**USAGE, "cost": 1e-40}},
        {"usage": {**USAGE, "cost": None}},
        {"usage": {**USAGE, "cost": 1, "prompt_tokens": 0}},
        {"usage": {**USAGE, "cost": 1, "prompt_tokens_details": {"cache_write_tokens": -1}}},
        {"usage": {**USAGE, "cost": 1, "completion_tokens_details": {"audio_tokens": 1}}},
        {"usage": {**USAGE, "cost": 1, "cost_details": {"upstream_inference_cost": 1e-45}}},
        {"usage": {**USAGE, "cost": 1, "server_tool_use_details": {"web_search_requests": 1}}},
    ],
)
def test_what_is_not_plain(more: dict[str, Any]) -> None:
    """A plain completion is one of text, within bounds in which nothing needs a second look."""
    assert 0.5 == decode(encode(PLAIN), type=Plain).usage.cost
    with pytest.raises(ValidationError):
        decode(encode({**PLAIN, **more}), type=Plain)


@pytest.mark.parametrize(
    "more",
    [
        {"created": None},
        {"created": None, "created_at": 1},
        {"usage": {**USAGE, "cost": 0}},
        {"usage": {**USAGE, "cost": 1, "prompt_tokens_details": {"cached_tokens": 1, "cache_write_tokens": 2}}},
        {"usage": {**USAGE, "cost": 1e-39, "server_tool_use_details": {"web_search_requests": 0}}},
    ],
)
def test_what_is_plain(more: dict[str, Any]) -> None:
    """A call that does not say when it was, a free one, and one that writes to the cache, are plain as well."""
    said = decode(encode({**PLAIN, **more}), type=Plain)

    assert (said.id, said.usage.prompt_tokens) == ("gen-1", 3)


TAKEN = {"input_tokens": 10, "output_tokens": 5}


@pytest.mark.parametrize(
    ("more", "counts"),
    [
        ({}, (10, 5, (0,) * 8)),
        ({"input_tokens_details": {"cached_tokens": 4, "audio_tokens": None}}, (10, 5, (4, *(0,) * 7))),
        ({"output_tokens_details": {"reasoning_tokens": 3}, "total_tokens": 15}, (10, 5, (0, 3, *(0,) * 6))),
        ({"output_tokens_details": {"reasoning_tokens": 3}, "total_tokens": 18}, None),
        ({"output_tokens_details": {"reasoning_tokens": 6}}, None),
        ({"input_tokens_details": {"cached_tokens": 11}}, None),
        ({"server_tool_use_details": {"web_search_requests": 1}}, None),
        ({"cache_read_input_tokens": 90}, (100, 5, (90, *(0,) * 7))),
        ({"cache_creation_input_tokens": 90}, (100, 5, (0, 0, 90, *(0,) * 5))),
        ({"cache_read_input_tokens": None, "cache_creation": None, "server_tool_use": None}, (10, 5, (0,) * 8)),
        ({"cache_creation": {"ephemeral_5m_input_tokens": 2, "ephemeral_1h_input_tokens": 3}},
         (15, 5, (0, 0, 5, 3, *(0,) * 4))),
        ({"cache_creation_input_tokens": 9, "cache_creation": {"ephemeral_1h_input_tokens": 3}},
         (19, 5, (0, 0, 9, 3, *(0,) * 4))),
        ({"server_tool_use": {"web_search_requests": 1}}, None),
        ({"server_tool_use": {"web_search_requests": 0}, "total_tokens": 15}, None),
        ({"cache_read_input_tokens": 1, "input_tokens_details": None}, None),
        ({"input_tokens": 0, "output_tokens": 0}, None),
    ],
)  # fmt: skip
def test_counts_of_responses_and_messages(more: dict[str, Any], counts: tuple[Any, ...] | None) -> None:
    """Messages count beside their input what was read from a cache or written to it; a mixture of both is left."""
    said = decode(encode({"model": "a/plain", "usage": {**TAKEN, **more}}), type=Input)

    assert counts == said.usage.counts()
