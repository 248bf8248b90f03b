"""What other clients make of a response: their names for counts, read as what they mean."""

from __future__ import annotations

from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.upstream import row

from openrouter_pricing import Catalog, Pricing, ResponseError, Settings, Usage
from openrouter_pricing._billing import responses
from openrouter_pricing._billing.responses import TABLE, read_response

PRICES = {
    "prompt": "0.000003",
    "completion": "0.000015",
    "input_cache_read": "0.0000003",
    "input_cache_write": "0.00000375",
    "input_cache_write_1h": "0.000006",
    "audio": "0.00004",
}
PRICING = Pricing(Settings(markup_rate=1), catalog=Catalog.from_models([row("a/model", pricing=PRICES)]))
CACHED = Usage(10_000, 100, cached_tokens=8_000, cache_write_tokens=1_500)

#: Who says it, how, and what it means.
SAID: list[tuple[str, dict[str, Any], Usage]] = [
    (
        "litellm Usage of an Anthropic model",
        {
            "prompt_tokens": 10_000, "completion_tokens": 100, "total_tokens": 10_100,
            "prompt_tokens_details": {"cached_tokens": 8_000, "text_tokens": None, "cache_creation_tokens": 1_500},
            "cache_creation_input_tokens": 1_500, "cache_read_input_tokens": 8_000,
        },
        CACHED,
    ),
    (
        "litellm, the top alone",
        {
            "prompt_tokens": 10_000, "completion_tokens": 100,
            "cache_creation_input_tokens": 1_500, "cache_read_input_tokens": 8_000,
        },
        CACHED,
    ),
    (
        "litellm, details alone",
        {
            "prompt_tokens": 10_000, "completion_tokens": 100,
            "prompt_tokens_details": {"cached_tokens": 8_000, "cache_creation_tokens": 1_500},
        },
        CACHED,
    ),
    (
        "a gateway with zeros where litellm has none",
        {
            "prompt_tokens": 10_000, "completion_tokens": 100, "cache_creation_tokens": 1_500,
            "prompt_tokens_details": {"cached_tokens": 0}, "cache_read_input_tokens": 8_000,
        },
        CACHED,
    ),
    (
        "LangChain UsageMetadata",
        {
            "input_tokens": 10_000, "output_tokens": 100, "total_tokens": 10_100,
            "input_token_details": {"cache_read": 8_000, "cache_creation": 1_500, "audio": 0},
            "output_token_details": {"reasoning": 40},
        },
        Usage(10_000, 100, cached_tokens=8_000, cache_write_tokens=1_500, reasoning_tokens=40),
    ),
    (
        "LangChain, writes by their lifetime",
        {
            "input_tokens": 10_000, "output_tokens": 100,
            "input_token_details": {
                "cache_read": 0, "cache_creation": 0,
                "ephemeral_5m_input_tokens": 600, "ephemeral_1h_input_tokens": 400,
            },
        },
        Usage(10_000, 100, cache_write_tokens=1_000, cache_write_1h_tokens=400),
    ),
    (
        "LangChain, audio",
        {
            "input_tokens": 50, "output_tokens": 20, "input_token_details": {"audio": 30},
            "output_token_details": {"audio": 10},
        },
        Usage(50, 20, audio_tokens=30, audio_output_tokens=10),
    ),
    (
        "pydantic-ai RequestUsage",
        {
            "input_tokens": 10_000, "cache_read_tokens": 8_000, "cache_write_tokens": 1_500, "output_tokens": 100,
            "input_audio_tokens": 200, "cache_audio_read_tokens": 0, "output_audio_tokens": 7,
            "details": {"reasoning_tokens": 40, "input_tokens": 500, "cache_read_input_tokens": 8_000},
        },
        Usage(10_000, 100, 8_000, 1_500, audio_tokens=200, audio_output_tokens=7, reasoning_tokens=40),
    ),
    (
        "pydantic-ai RunUsage of three requests",
        {"requests": 3, "tool_calls": 1, "input_tokens": 10_000, "output_tokens": 100},
        Usage(10_000, 100, requests=3),
    ),
    (
        "pydantic-ai before 1.0",
        {"requests": 1, "request_tokens": 10_000, "response_tokens": 100, "total_tokens": 10_100, "details": None},
        Usage(10_000, 100),
    ),
    (
        "genai-prices Usage",
        {"input_tokens": 10_000, "cache_read_tokens": 8_000, "cache_write_tokens": 1_500, "output_tokens": 100},
        CACHED,
    ),
    (
        "DeepSeek's own",
        {
            "prompt_tokens": 10_000, "completion_tokens": 100, "total_tokens": 10_100,
            "prompt_cache_hit_tokens": 8_000, "prompt_cache_miss_tokens": 2_000,
        },
        Usage(10_000, 100, cached_tokens=8_000),
    ),
    (
        "TypeScript SDK",
        {
            "promptTokens": 10_000, "completionTokens": 100, "totalTokens": 10_100,
            "promptTokensDetails": {"cachedTokens": 8_000, "cacheWriteTokens": 1_500, "videoTokens": 3},
            "completionTokensDetails": {"reasoningTokens": 40},
        },
        Usage(10_000, 100, cached_tokens=8_000, cache_write_tokens=1_500, reasoning_tokens=40),
    ),
    (
        "AI SDK 5",
        {
            "inputTokens": 10_000, "outputTokens": 100, "totalTokens": 10_100,
            "reasoningTokens": 40, "cachedInputTokens": 8_000,
        },
        Usage(10_000, 100, cached_tokens=8_000, reasoning_tokens=40),
    ),
    (
        "AI SDK 6",
        {
            "inputTokens": 10_000, "outputTokens": 100,
            "inputTokenDetails": {"noCacheTokens": 500, "cacheReadTokens": 8_000, "cacheWriteTokens": 1_500},
            "outputTokenDetails": {"textTokens": 60, "reasoningTokens": 40},
        },
        Usage(10_000, 100, cached_tokens=8_000, cache_write_tokens=1_500, reasoning_tokens=40),
    ),
    (
        "Bedrock Converse, cached tokens on top",
        {"inputTokens": 500, "outputTokens": 100, "cacheReadInputTokens": 8_000, "cacheWriteInputTokens": 1_500},
        CACHED,
    ),
    (
        "litellm, writes by their lifetime",
        {
            "prompt_tokens": 10_000, "completion_tokens": 100, "cache_creation_input_tokens": 1_000,
            "prompt_tokens_details": {"cache_creation_token_details": {
                "ephemeral_5m_input_tokens": 600, "ephemeral_1h_input_tokens": 400,
            }},
        },
        Usage(10_000, 100, cache_write_tokens=1_000, cache_write_1h_tokens=400),
    ),
    (
        "messages in camelCase",
        {
            "inputTokens": 500, "outputTokens": 100, "cacheReadInputTokens": 8_000, "cacheCreationInputTokens": 1_500,
            "cacheCreation": {"ephemeral5mInputTokens": 1_100, "ephemeral1hInputTokens": 400},
        },
        Usage(10_000, 100, cached_tokens=8_000, cache_write_tokens=1_500, cache_write_1h_tokens=400),
    ),
    (
        "chat with Anthropic's split of its writes",
        {
            "prompt_tokens": 10_000, "completion_tokens": 100, "prompt_tokens_details": {"cache_write_tokens": 1_500},
            "cache_creation": {"ephemeral_5m_input_tokens": 1_100, "ephemeral_1h_input_tokens": 400},
        },
        Usage(10_000, 100, cache_write_tokens=1_500, cache_write_1h_tokens=400),
    ),
    (
        "/activity of OpenRouter",
        {
            "prompt_tokens": 50, "completion_tokens": 125, "reasoning_tokens": 25,
            "requests": 5, "usage": 0.015, "model": "a/b",
        },
        Usage(50, 125, reasoning_tokens=25, requests=5),
    ),
]  # fmt: skip


def as_object(value: Any) -> Any:
    """The same with attributes instead of keys."""
    if isinstance(value, dict):
        return SimpleNamespace(**{key: as_object(inner) for key, inner in value.items()})
    return value


class Slotted:
    """A usage of a package that keeps its fields in slots."""

    __slots__ = ("cache_read_tokens", "input_tokens", "output_tokens")

    def __init__(self) -> None:
        self.input_tokens, self.output_tokens = 10_000, 100


@pytest.mark.parametrize(("who", "said", "usage"), SAID, ids=[who for who, _, _ in SAID])
def test_every_client_is_understood(who: str, said: dict[str, Any], usage: Usage) -> None:
    """A usage is the same bare, within a response, as an object, and with whole floats for its counts."""
    floats = {key: float(value) if type(value) is int and key != "requests" else value for key, value in said.items()}
    for response in (said, {"model": "a/model", "usage": said}, as_object(said), {"usage": as_object(said)}, floats):
        reading = read_response(response)
        assert (usage, None, ()) == (reading.usage, reading.more.doubt, reading.flags)


def test_writes_of_bedrock_by_their_lifetime() -> None:
    """Bedrock lists its writes by time to live: those of an hour have their own price."""
    writes = [{"ttl": "5m", "inputTokens": 1_100}, {"ttl": "1h", "inputTokens": 400}]
    usage = {"inputTokens": 500, "outputTokens": 100, "cacheReadInputTokens": 0, "cacheWriteInputTokens": 1_500}

    assert (
        Usage(2_000, 100, cache_write_tokens=1_500, cache_write_1h_tokens=400)
        == read_response({**usage, "cacheDetails": writes}).usage
    )


def test_a_usage_in_slots() -> None:
    """A package may keep its fields in slots, and leave some of them empty."""
    assert Usage(10_000, 100) == read_response(Slotted()).usage


@pytest.mark.parametrize(
    "response",
    [
        {"usage_metadata": {"input_tokens": 7, "output_tokens": 5}, "response_metadata": {"model_name": "a/model"}},
        {"model": "a/model", "providerMetadata": {"openrouter": {"usage": {"promptTokens": 7, "completionTokens": 5}}},
         "usage": {"inputTokens": 70, "outputTokens": 50}},
        {"custom_id": "1", "response": {"status_code": 200, "body": {"model": "a/model",
         "usage": {"prompt_tokens": 7, "completion_tokens": 5}}}},
        {"custom_id": "1", "result": {"type": "succeeded", "message": {"model": "a/model",
         "usage": {"input_tokens": 7, "output_tokens": 5}}}},
    ],
    ids=["LangChain AIMessage", "AI SDK result", "line of a batch", "line of a message batch"],
)  # fmt: skip
def test_where_clients_keep_it(response: dict[str, Any]) -> None:
    """The usage and the model are found where the client put them."""
    for each in (response, as_object(response)):
        reading = read_response(each)
        assert (Usage(7, 5), "a/model") == (reading.usage, reading.model)


def test_a_model_of_the_body_itself_comes_first() -> None:
    """LangChain's name of the model stands in for one that is missing, and for no other."""
    usage = {"input_tokens": 7, "output_tokens": 5}
    named = {"model": "a/model", "usage_metadata": usage, "response_metadata": {"model_name": "an/other"}}
    assert "a/model" == read_response(named).model
    assert None is read_response({"usage_metadata": usage, "response_metadata": {}}).model


NO_PRICE = (
    "total_tokens", "text_tokens", "video_tokens", "file_tokens", "document_tokens", "no_cache_tokens", "text",
    "prompt_cache_miss_tokens", "cache_audio_read_tokens", "citation_tokens", "accepted_prediction_tokens",
    "rejected_prediction_tokens", "input_text_tokens", "output_text_tokens", "tokens_prompt", "tokens_completion",
    "cache_discount", "usage_cache", "cost_cache",
)  # fmt: skip


@pytest.mark.parametrize("name", NO_PRICE)
@pytest.mark.parametrize("place", ["usage", "prompt_tokens_details"])
def test_counts_that_change_no_price(name: str, place: str) -> None:
    """Sums, remainders and parts that are charged as their whole raise no doubt."""
    assert NO_PRICE == responses._NO_PRICE
    usage: dict[str, Any] = {"prompt_tokens": 7, "completion_tokens": 5, "prompt_tokens_details": {}}
    (usage if place == "usage" else usage[place])[name] = 3
    assert (Usage(7, 5), None) == ((reading := read_response({"usage": usage})).usage, reading.more.doubt)


def test_a_usage_in_too_many_wrappers_is_none() -> None:
    """A usage is looked for in as many wrappers as anybody puts around one, and no deeper."""
    body: dict[str, Any] = {"usage": {"prompt_tokens": 7, "completion_tokens": 5}}
    for _ in range(4):
        body = {"data": body}
    assert Usage(7, 5) == read_response(body).usage
    for _ in range(3):
        body = {"data": body}
    with pytest.raises(ResponseError, match="has no usage"):
        read_response(body)


def test_what_the_ai_sdk_keeps_of_the_cost() -> None:
    """What OpenRouter said to the AI SDK stands in the provider's metadata, with the cost."""
    said = {"promptTokens": 7, "completionTokens": 5, "cost": 0.25, "costDetails": {"upstreamInferenceCost": 0.25}}
    reading = read_response({"usage": {"inputTokens": 7}, "providerMetadata": {"openrouter": {"usage": said}}})

    assert (Decimal("0.25"), Decimal("0.25")) == (reading.reported, reading.upstream)


def test_a_total_that_leaves_out_what_was_added() -> None:
    """Where cached tokens had to be added, the total proves nothing of reasoning."""
    counts = {"prompt_tokens": 20, "completion_tokens": 10, "cache_read_input_tokens": 66_000, "reasoning_tokens": 5}
    assert 10 == read_response({**counts, "total_tokens": 66_035}).usage.completion_tokens


def test_cached_tokens_beside_a_prompt_that_cannot_hold_them() -> None:
    """Anthropic's counts beside a smaller prompt count are on top of it, in whichever format, and are flagged."""
    reading = read_response({"prompt_tokens": 20, "completion_tokens": 1, "cache_read_input_tokens": 66_000})

    assert Usage(66_020, 1, cached_tokens=66_000) == reading.usage
    assert ("cached tokens beside 20 prompt tokens: they are more",) == reading.flags


@pytest.mark.parametrize(
    ("usage", "field"),
    [
        ({"prompt_tokens": 9, "completion_tokens": 1, "cache_stored_tokens": 5}, "cache_stored_tokens"),
        ({"promptTokens": 9, "completionTokens": 1, "cacheStoredTokens": 5}, "cacheStoredTokens"),
        ({"prompt_tokens": 9, "completion_tokens": 1, "thinking_tokens": 5.0}, "thinking_tokens"),
        ({"input_tokens": 9, "output_tokens": 1, "cache_creation": 5}, "cache_creation"),
        (
            {"prompt_tokens": 9, "completion_tokens": 1, "prompt_tokens_details": {"cached": 5}},
            "cached",
        ),
        ({"prompt_tokens": 9, "completion_tokens": 1, "prompt_tokens_details": [1]}, "prompt_tokens_details"),
        ({"prompt_tokens": 9, "completion_tokens": 1, "prompt_tokens_details": "{}"}, "prompt_tokens_details"),
        ({"promptTokens": 9, "completionTokens": 1, "completionTokensDetails": 5}, "completion_tokens_details"),
        ({"prompt_tokens": 9, "completion_tokens": 1, "server_tool_use": [2]}, "server_tool_use"),
        ({"prompt_tokens": 9, "completion_tokens": 1, "cost_details": [2]}, "cost_details"),
        ({"prompt_tokens": {"total": 9}, "completion_tokens": 1}, "prompt_tokens"),
        ({"prompt_tokens": [9], "completion_tokens": 1}, "prompt_tokens"),
        ({"prompt_tokens": 9, "completion_tokens": "1"}, "completion_tokens"),
        (
            {"prompt_tokens": 9, "completion_tokens": 1, "prompt_tokens_details": {"cached_tokens": "4"}},
            "cached_tokens",
        ),
        ({"promptTokenCount": 9, "candidatesTokenCount": 1}, "promptTokenCount"),
        ({"input_tokens": 9, "output_tokens": 1, "iterations": [5]}, "iterations"),
        ({"inputTokens": 9, "outputTokens": 1, "cacheDetails": [5]}, "cache_details"),
        ({"inputTokens": 9, "outputTokens": 1, "cacheDetails": {"ttl": "1h"}}, "cache_details"),
    ],
)
def test_what_looks_like_usage_and_cannot_be_read(usage: dict[str, Any], field: str) -> None:
    """A count under a name that nobody knows, or that is no count, is refused by its name: never a smaller bill."""
    for response in ({"model": "a/model", "usage": usage}, as_object({"model": "a/model", "usage": usage})):
        with pytest.raises(ResponseError) as caught:
            PRICING.cost_of(response)
        assert (field, field) == (caught.value.field, str(caught.value).split()[0])


def test_a_reported_cost_settles_a_name_that_nobody_knows() -> None:
    """With a cost beside it, a count under an unknown name is told of and changes nothing."""
    usage = {"prompt_tokens": 9, "completion_tokens": 1, "cache_stored_tokens": 5, "cost": 0.5}
    cost = PRICING.cost_of({"model": "a/model", "usage": usage})

    assert Decimal("0.5") == cost.raw
    assert ("cache_stored_tokens looks like a count of tokens, and what it counts is not known",) == cost.flags


@pytest.mark.parametrize(
    "beside",
    [
        {"max_tokens": 500}, {"tokens_per_second": 80.5}, {"prompt_tokens_cost": 0.1}, {"cache_stored_tokens": 0},
        {"cache_stored_tokens": None}, {"token_type": "bearer"}, {"cached": True}, {"time_to_first_token": 0.4},
        {"accepted_prediction_tokens": 3}, {"details": [1]}, {"details": "x"}, {"iterations": []}, {5: 5},
        {"iterations": 5},
    ],
)  # fmt: skip
def test_what_does_not_look_like_usage(beside: dict[Any, Any]) -> None:
    """Limits, speeds, texts, zeros and parts that change no price stand in nobody's way."""
    usage = {"prompt_tokens": 1000, "completion_tokens": 0, **beside}

    assert Decimal("0.003") == PRICING.cost_of({"model": "a/model", "usage": usage}).raw


#: Every name that is read, once more: place, what it counts, and what it is called.
NAMES: dict[tuple[str, str], str] = {
    ("usage", "prompt"): "prompt_tokens input_tokens request_tokens native_tokens_prompt",
    ("usage", "completion"): "completion_tokens output_tokens response_tokens native_tokens_completion",
    (
        "usage",
        "cached_tokens",
    ): "native_tokens_cached cache_read_tokens cached_tokens cached_input_tokens prompt_cache_hit_tokens",
    ("usage", "reasoning_tokens"): "native_tokens_reasoning reasoning_tokens",
    ("usage", "image_output_tokens"): "native_tokens_completion_images",
    ("usage", "requests"): "requests",
    ("usage", "apart_read"): "cache_read_input_tokens",
    ("usage", "apart_write"): "cache_creation_input_tokens cache_write_input_tokens",
    ("usage", "cache_write_tokens"): "cache_write_tokens cache_creation_tokens",
    ("usage", "audio_tokens"): "input_audio_tokens",
    ("usage", "audio_output_tokens"): "output_audio_tokens",
    ("usage", "web_searches"): "num_search_queries",
    ("input", "cached_tokens"): "cached_tokens cache_read_input_tokens cache_read_tokens cache_read",
    (
        "input",
        "cache_write_tokens",
    ): "cache_write_tokens cache_creation_tokens cache_creation_input_tokens cache_creation",
    ("input", "audio_tokens"): "audio_tokens audio",
    ("input", "image_tokens"): "image_tokens image",
    ("input", "short_inside"): "ephemeral_5m_input_tokens",
    ("input", "hour_inside"): "ephemeral_1h_input_tokens",
    ("input", "web_searches"): "web_search_requests",
    ("output", "reasoning_tokens"): "reasoning_tokens reasoning thinking_tokens",
    ("output", "audio_output_tokens"): "audio_tokens audio",
    ("output", "image_output_tokens"): "image_tokens image",
    ("split", "short_apart"): "ephemeral_5m_input_tokens",
    ("split", "hour_apart"): "ephemeral_1h_input_tokens",
    ("details", "reasoning_tokens"): "reasoning_tokens",
    ("tools", "web_searches"): "web_search_requests",
}


def test_the_names_of_the_table() -> None:
    """No name is lost, and none comes to count something else."""
    table: dict[tuple[str, str], list[str]] = {}
    for place, name, what, source in TABLE:
        table.setdefault((place, what), []).append(name)
        assert source
    assert NAMES == {key: " ".join(names) for key, names in table.items()}


def test_every_name_of_the_table_counts() -> None:
    """Each line of the table, alone beside the two wholes, makes some count of the usage."""
    holders = {"input": "input_token_details", "output": "output_token_details", "split": "cache_creation",
               "details": "details", "tools": "server_tool_use"}  # fmt: skip
    for place, name, what, _ in TABLE:
        whole = {"prompt_tokens": 50, "completion_tokens": 50}
        said = {name: 7} if place == "usage" else {holders[place]: {name: 7}}
        without = Usage() if what in ("prompt", "completion") else read_response(whole).usage
        usage = said if what in ("prompt", "completion") else {**whole, **said}
        assert without != read_response(usage).usage, f"{place}.{name} counts nothing"


@given(
    st.fixed_dictionaries({name: st.integers(0, 10**6) for name in ("plain", "read", "short", "hour", "made")}),
)
def test_the_same_call_costs_the_same_in_every_format(counts: dict[str, int]) -> None:
    """A call with cached tokens costs the same whoever wrote its usage down."""
    plain, read, short, hour, made = counts.values()
    written = short + hour
    whole = plain + read + written
    split = {"ephemeral_5m_input_tokens": short, "ephemeral_1h_input_tokens": hour}
    formats: list[dict[str, Any]] = [
        {"input_tokens": plain, "output_tokens": made, "cache_read_input_tokens": read,
         "cache_creation_input_tokens": written, "cache_creation": split},
        {"prompt_tokens": whole, "completion_tokens": made, "cache_creation": split,
         "prompt_tokens_details": {"cached_tokens": read, "cache_write_tokens": written}},
        {"input_tokens": whole, "output_tokens": made, "input_token_details": {"cache_read": read, **split}},
        {"input_tokens": whole, "output_tokens": made, "cache_read_tokens": read, "cache_write_tokens": written,
         "cache_creation": None, "input_token_details": split},
    ]  # fmt: skip

    assert 1 == len({PRICING.cost_of(usage, "a/model").raw for usage in formats})
