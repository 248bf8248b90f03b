"""Shapes: the responses that nearly every line of a log is, typed; a line that is anything else is read another way."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

_Name = Annotated[str, Meta(max_length=500)]
_Count = Annotated[int, Meta(ge=0, le=10**8)]
_Amount = Annotated[float, Meta(ge=0)] | Annotated[int, Meta(ge=0)]
_Ran = dict[str, int | None]


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


class Split(Struct, forbid_unknown_fields=True, gc=False):
    """Cache writes by how long they are kept."""

    ephemeral_5m_input_tokens: _Count | None = None
    ephemeral_1h_input_tokens: _Count | None = None


_SPLIT = Split()


class Details(Struct, gc=False):
    """What the provider took; for what, only :class:`Parts` says."""

    upstream_inference_cost: _Amount | None = None
    currency: Literal["USD"] | None = None


class Billed(Struct, forbid_unknown_fields=True, gc=False):
    """The amounts of a usage."""

    cost: _Amount | None = None
    cost_details: Details | None = None
    is_byok: bool | None = None
    service_tier: _Name | None = None


class ChatUsage(Billed, forbid_unknown_fields=True, gc=False, kw_only=True):
    """The usage of a chat completion."""

    prompt_tokens: _Count
    completion_tokens: _Count
    total_tokens: Any = None
    prompt_tokens_details: Given | None = None
    completion_tokens_details: Made | None = None
    server_tool_use_details: _Ran | None = None


class InputUsage(Billed, forbid_unknown_fields=True, gc=False, kw_only=True):
    """The usage of a response, or of messages: both call it input and output, and each has names of its own."""

    input_tokens: _Count
    output_tokens: _Count
    total_tokens: Any = UNSET
    input_tokens_details: Given | UnsetType | None = UNSET
    output_tokens_details: Made | UnsetType | None = UNSET
    server_tool_use_details: _Ran | UnsetType | None = UNSET
    cache_read_input_tokens: _Count | UnsetType | None = UNSET
    cache_creation_input_tokens: _Count | UnsetType | None = UNSET
    cache_creation: Split | UnsetType | None = UNSET
    server_tool_use: _Ran | UnsetType | None = UNSET

    @property
    def is_response(self) -> bool:
        """Whether it has none of the names that messages alone have."""
        return (
            self.cache_read_input_tokens is self.cache_creation_input_tokens is UNSET
            and self.cache_creation is self.server_tool_use is UNSET
        )

    @property
    def is_messages(self) -> bool:
        """Whether it has none of the names that responses alone have."""
        return (
            self.total_tokens is self.input_tokens_details is UNSET
            and self.output_tokens_details is self.server_tool_use_details is UNSET
        )

    @property
    def beside(self) -> tuple[int, int, int]:
        """Tokens of messages that were read from a cache, written to it, and those of the written kept for an hour."""
        split = self.cache_creation or _SPLIT
        hour = split.ephemeral_1h_input_tokens or 0
        written = max(self.cache_creation_input_tokens or 0, hour + (split.ephemeral_5m_input_tokens or 0))
        return self.cache_read_input_tokens or 0, written, hour


class _Body(Struct, gc=False, kw_only=True):
    """What is asked of a response beside its usage; everything else in it is passed over."""

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


class Chat(_Body, gc=False, kw_only=True):
    """A chat completion."""

    usage: ChatUsage


class Input(_Body, gc=False, kw_only=True):
    """A response, or messages."""

    usage: InputUsage


class _Taken(Struct, gc=False):
    upstream_inference_prompt_cost: Any = None
    upstream_inference_completions_cost: Any = None
    upstream_inference_input_cost: Any = None
    upstream_inference_output_cost: Any = None


class _Paid(Struct, gc=False):
    cost_details: _Taken | None = None


class Parts(Struct, gc=False):
    """What the provider took, and for what."""

    usage: _Paid
