"""OpenRouter's own responses are read the fast way, and mean the same as the long way round says."""

from __future__ import annotations

from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openrouter_pricing import ResponseError, Usage
from openrouter_pricing._billing.own import read_own
from openrouter_pricing._billing.responses import _read_any, read_response

count = st.none() | st.integers(0, 10**6) | st.integers(0, 10**6).map(float)
given_parts = st.dictionaries(
    st.sampled_from(["cached_tokens", "cache_write_tokens", "audio_tokens", "image_tokens", "video_tokens"]), count
)
made_parts = st.dictionaries(st.sampled_from(["reasoning_tokens", "audio_tokens", "image_tokens"]), count)
tools = st.dictionaries(
    st.sampled_from(["web_search_requests", "tool_calls_requested", "tool_calls_executed"]), st.integers(0, 5)
)
usd = st.none() | st.decimals(0, 9, places=6) | st.floats(0, 9).filter(lambda number: number == 0 or number > 1e-9)
costs = st.dictionaries(
    st.sampled_from(
        ["upstream_inference_cost", "upstream_inference_prompt_cost", "upstream_inference_completions_cost"]
    ),
    usd,
)


def usages(prompt: str, completion: str) -> st.SearchStrategy[dict[str, Any]]:
    """Usages of one of the two formats."""
    return st.fixed_dictionaries(
        {prompt: st.integers(0, 10**6), completion: st.integers(0, 10**6)},
        optional={
            f"{prompt}_details": st.none() | given_parts,
            f"{completion}_details": st.none() | made_parts,
            "server_tool_use_details": st.none() | tools,
            "total_tokens": st.integers(0, 10**6),
            "cost": usd,
            "cost_details": st.none() | costs,
            "is_byok": st.sampled_from([True, False, None]),
            "service_tier": st.sampled_from([None, "flex", "default"]),
        },
    )


messages = st.fixed_dictionaries(
    {"input_tokens": st.integers(0, 10**6), "output_tokens": st.integers(0, 10**6)},
    optional={
        "cache_read_input_tokens": count,
        "cache_creation_input_tokens": count,
        "cache_creation": st.none()
        | st.dictionaries(st.sampled_from(["ephemeral_5m_input_tokens", "ephemeral_1h_input_tokens"]), count),
        "server_tool_use": st.none() | tools,
        "cost": usd,
        "cost_details": st.none() | costs,
        "is_byok": st.sampled_from([True, False, None]),
        "service_tier": st.sampled_from([None, "standard", "batch"]),
    },
)


@given(
    usages("prompt_tokens", "completion_tokens") | usages("input_tokens", "output_tokens") | messages,
    st.fixed_dictionaries(
        {},
        optional={
            "model": st.sampled_from(["a/b", None]), "created": st.integers(0, 2 * 10**9), "provider": st.just("A"),
            "object": st.sampled_from(["batch", "chat.completion"]), "service_tier": st.just("priority"),
            "openrouter_metadata": st.just({"is_byok": True}),
        },
    ),
)  # fmt: skip
def test_both_ways_say_the_same(usage: dict[str, Any], body: dict[str, Any]) -> None:
    """Whatever OpenRouter says, the fast way and the table give one reading."""
    whole = {**body, "usage": usage}
    fast = read_own(whole.get, usage)

    assert fast is not None
    assert fast == read_response(whole) == read_response(SimpleNamespace(**whole)) == _read_any(whole)


@pytest.mark.parametrize(
    "more",
    [
        {"cache_read_input_tokens": 5},
        {"prompt_tokens_details": {"cache_creation_tokens": 5}},
        {"completion_tokens_details": {"thinking": 5}},
        {"prompt_tokens_details": [5]},
        {"completion_tokens_details": 5},
        {"server_tool_use_details": [5]},
        {"cost_details": [5]},
        {"completion_tokens": None},
        {"prompt_tokens": None},
        {"iterations": []},
        {"prompt_tokens": None, "input_tokens": 1, "output_tokens": 1},
    ],
)
def test_whatever_says_more_goes_the_long_way(more: dict[str, Any]) -> None:
    """A name that OpenRouter's own API does not say, or a part that is no object, is nothing for the fast way."""
    usage = {"prompt_tokens": 9, "completion_tokens": 1, **more}

    assert None is read_own({"usage": usage}.get, usage)


@pytest.mark.parametrize(
    "more",
    [
        {"input_tokens": None},
        {"output_tokens": None},
        {"cache_creation": 5},
        {"cache_creation": {"ephemeral_1y_input_tokens": 5}},
        {"server_tool_use": [5]},
        {"cost_details": "x"},
        {"speed": "fast"},
    ],
)
def test_messages_that_say_more_go_the_long_way(more: dict[str, Any]) -> None:
    """The same holds for messages."""
    usage = {"input_tokens": 9, "output_tokens": 1, "cache_read_input_tokens": 5, **more}

    assert None is read_own({"usage": usage}.get, usage)


def test_a_bad_count_is_named_there_too() -> None:
    """A count that cannot be one is refused by the name of its field."""
    usage = {"prompt_tokens": 9, "completion_tokens": 1, "prompt_tokens_details": {"cached_tokens": -1}}
    with pytest.raises(ResponseError, match=r"^cached_tokens must not be negative"):
        read_own({"usage": usage}.get, usage)


def test_what_is_missing_counts_nothing() -> None:
    """Parts that are null or absent are 0, and whole floats are counts."""
    usage = {"input_tokens": 9.0, "output_tokens": Decimal(1), "input_tokens_details": {"cached_tokens": None}}
    reading = read_own({"usage": usage}.get, usage)

    assert reading is not None
    assert Usage(9, 1) == reading.usage


@pytest.mark.parametrize(
    ("holder", "name"),
    [
        ("usage", "input_tokens"),
        ("usage", "output_tokens"),
        ("usage", "cache_read_input_tokens"),
        ("usage", "cache_creation_input_tokens"),
        ("cache_creation", "ephemeral_5m_input_tokens"),
        ("cache_creation", "ephemeral_1h_input_tokens"),
        ("server_tool_use", "web_search_requests"),
    ],
)
def test_a_bad_count_of_messages_is_named(holder: str, name: str) -> None:
    """Each count of the messages format is read, and one that cannot be is an error that names it."""
    usage: dict[str, Any] = {"input_tokens": 5, "output_tokens": 1, "cache_creation": {}, "server_tool_use": {}}
    (usage if holder == "usage" else usage[holder])[name] = -1

    with pytest.raises(ResponseError) as caught:
        read_own({"usage": usage}.get, usage)
    assert name == caught.value.field
