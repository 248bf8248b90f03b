"""Loose: responses that stand inside something else, or say more than OpenRouter does, where that means nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec import UNSET, DecodeError, Raw, UnsetType
from msgspec.json import Decoder

from .._billing.fields import squash
from .._billing.responses import DEEPEST, WRAPPERS
from .shapes import Body, ChatUsage, Details, Given, InputUsage, Made

#: Every name that something is asked for when a response is read, at whatever place; what is spelt like one of them
#: and is not the one that stands in the shapes here may mean the same.
ASKED = frozenset(map(squash, (
    *WRAPPERS, *Body.__struct_fields__, "usage", "usage_metadata", "provider_metadata", "response_metadata",
    "model_name", "custom_id", "choices", "native_tokens_prompt", "native_tokens_completion", "native_tokens_cached",
    "native_tokens_reasoning", "native_tokens_completion_images", "prompt_tokens", "completion_tokens", "input_tokens",
    "output_tokens", "request_tokens", "response_tokens", "total_tokens", "reasoning_tokens", "cached_tokens",
    "citation_tokens", "requests", "cost", "total_cost", "cost_details", "upstream_inference_cost",
    "upstream_inference_prompt_cost", "upstream_inference_completions_cost", "upstream_inference_input_cost",
    "upstream_inference_output_cost", "byok_usage_inference", "speed", "iterations", "cache_discount",
    "cache_details", "cache_creation", "cache_creation_token_details", "details", "prompt_tokens_details",
    "completion_tokens_details", "input_tokens_details", "output_tokens_details", "input_token_details",
    "output_token_details", "server_tool_use", "server_tool_use_details", "num_search_queries", "num_search_results",
    "num_fetches", "tool_calls_requested", "tool_calls_executed", "web_search_requests", "web_fetch_requests",
    "code_execution_requests", "ttl",
)))  # fmt: skip
_COUNTING = ("token", "cache")  # a name with one of these may be a count that is billed
_BODY = frozenset((*Body.__struct_fields__, *WRAPPERS, "usage", "choices"))
_CHAT, _INPUT = frozenset(ChatUsage.__struct_fields__), frozenset(InputUsage.__struct_fields__)


class LooseGiven(Given, forbid_unknown_fields=True, gc=False):
    """What the prompt held, and what changes no price."""

    text_tokens: Any = None
    file_tokens: Any = None


class LooseMade(Made, forbid_unknown_fields=True, gc=False):
    """What the completion held, and what changes no price."""

    text_tokens: Any = None
    accepted_prediction_tokens: Any = None
    rejected_prediction_tokens: Any = None


class LooseDetails(Details, forbid_unknown_fields=True, gc=False):
    """What the provider took, and for what."""

    upstream_inference_prompt_cost: Any = None
    upstream_inference_completions_cost: Any = None
    upstream_inference_input_cost: Any = None
    upstream_inference_output_cost: Any = None


class LooseChatUsage(ChatUsage, forbid_unknown_fields=False, gc=False, kw_only=True):
    """The usage of a chat completion, among other things."""

    prompt_tokens_details: LooseGiven | None = None
    completion_tokens_details: LooseMade | None = None
    cost_details: LooseDetails | None = None


class LooseInputUsage(InputUsage, forbid_unknown_fields=False, gc=False, kw_only=True):
    """The usage of a response, or of messages, among other things."""

    input_tokens_details: LooseGiven | UnsetType | None = UNSET
    output_tokens_details: LooseMade | UnsetType | None = UNSET
    cost_details: LooseDetails | None = None


class LooseChat(Body, gc=False, kw_only=True):
    """A chat completion."""

    usage: LooseChatUsage


class LooseInput(Body, gc=False, kw_only=True):
    """A response, or messages."""

    usage: LooseInputUsage


_NOTHING = Raw(b"")

_fields = Decoder(dict[str, Raw]).decode
_chat: Callable[[bytes | Raw], LooseChat | LooseInput] = Decoder(LooseChat).decode
_input: Callable[[bytes | Raw], LooseChat | LooseInput] = Decoder(LooseInput).decode


def decode_loosely(text: bytes | Raw) -> LooseChat | LooseInput:
    """Decode the response that stands in others, or by itself.

    Raises:
        DecodeError: something in it may mean more than it does here.
    """
    for _ in range(DEEPEST):
        body = _fields(text)
        _check(ASKED.isdisjoint(map(squash, body.keys() - _BODY)))
        if "usage" in body:
            usage = _fields(body["usage"])
            known, decode = (_CHAT, _chat) if "prompt_tokens" in usage else (_INPUT, _input)
            _check(not any(map(_may_count, usage.keys() - known)))
            return decode(text)
        _check("choices" not in body)  # of a stream, it is a chunk before the last
        text = next((body[name] for name in WRAPPERS if name in body and bytes(body[name]).startswith(b"{")), _NOTHING)
    raise DecodeError


def _may_count(name: str) -> bool:
    key = squash(name)
    return key in ASKED or any(map(key.__contains__, _COUNTING))


def _check(fits: bool) -> None:
    if not fits:
        raise DecodeError
