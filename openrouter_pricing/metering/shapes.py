"""Shapes: the responses that nearly every line of a log is, typed; a line that is anything else is read another way."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

_Name = Annotated[str, Meta(max_length=500)]
_Count = Annotated[int, Meta(ge=0, le=10**8)]


class Given(Struct, forbid_unknown_fields=True, gc=False):
    """What the prompt held."""

    cached_tokens: _Count | None = None
    cache_write_tokens: _Count | None = None
    audio_tokens: _Count | None = None
    image_tokens: _Count | None = None
    video_tokens: Any = None


class Made(Struct, forbid_unknown_fields=True, gc=False):
    """What the completion held."""

    reasoning_tokens: _Count | None = None
    audio_tokens: _Count | None = None
    image_tokens: _Count | None = None


class Parts(Struct, gc=False):
    """What the provider took."""

    upstream_inference_cost: float | int | None = None
    upstream_inference_prompt_cost: Any = None
    upstream_inference_completions_cost: Any = None
    upstream_inference_input_cost: Any = None
    upstream_inference_output_cost: Any = None
    currency: Literal["USD"] | None = None


class Consumed(Struct, forbid_unknown_fields=True, gc=False):
    """The usage of a chat completion or of a response: the names of one of them, and nothing that either lacks."""

    prompt_tokens: _Count | UnsetType = UNSET
    completion_tokens: _Count | UnsetType = UNSET
    prompt_tokens_details: Given | UnsetType | None = UNSET
    completion_tokens_details: Made | UnsetType | None = UNSET
    input_tokens: _Count | UnsetType = UNSET
    output_tokens: _Count | UnsetType = UNSET
    input_tokens_details: Given | UnsetType | None = UNSET
    output_tokens_details: Made | UnsetType | None = UNSET
    total_tokens: Any = None
    cost: float | int | None = None
    cost_details: Parts | None = None
    is_byok: bool | None = None
    server_tool_use_details: dict[str, int | None] | None = None
    service_tier: _Name | None = None


class Response(Struct, gc=False):
    """What is asked of a response; everything else in it is passed over."""

    usage: Consumed
    model: _Name
    id: Any = None
    generation_id: Any = None
    created: int | None = None
    created_at: int | str | None = None
    provider: _Name | None = None
    provider_name: _Name | None = None
    service_tier: _Name | None = None
    object: Any = None
    is_byok: bool | None = None
    openrouter_metadata: Any = None
    currency: Literal["USD"] | None = None
