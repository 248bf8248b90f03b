"""Shapes: the responses that nearly every line of a log is, typed; a line that is anything else is read another way."""

from __future__ import annotations

from typing import Annotated, Any, Literal, NamedTuple

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


_GIVEN, _MADE, _SPLIT = Given(), Made(), Split()


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


class Counts(NamedTuple):
    """What was consumed.

    Args:
        prompt, completion: tokens.
        parts: those of them that are told apart, in the order of :data:`plans.PARTS`.
    """

    prompt: int
    completion: int
    parts: tuple[int, int, int, int, int, int, int, int]


def _counts(
    prompt: int, completion: int, given: Given, made: Made, total: object, ran: _Ran | UnsetType | None, hour: int = 0
) -> Counts | None:
    """The counts, if no parts are more than their whole, and nothing but tokens was consumed."""
    cached, written = given.cached_tokens or 0, given.cache_write_tokens or 0
    heard, seen = given.audio_tokens or 0, given.image_tokens or 0
    reasoning, spoken, drawn = made.reasoning_tokens or 0, made.audio_tokens or 0, made.image_tokens or 0
    if (
        cached + written + heard + seen > prompt
        or reasoning + spoken + drawn > completion
        or not (prompt or completion)
        or (reasoning and total == prompt + completion + reasoning)
        or (ran and any(ran.values()))
    ):
        return None
    return Counts(prompt, completion, (cached, reasoning, written, hour, heard, seen, spoken, drawn))


class ChatUsage(Billed, forbid_unknown_fields=True, gc=False, kw_only=True):
    """The usage of a chat completion."""

    prompt_tokens: _Count
    completion_tokens: _Count
    total_tokens: Any = None
    prompt_tokens_details: Given | None = None
    completion_tokens_details: Made | None = None
    server_tool_use_details: _Ran | None = None

    def counts(self) -> Counts | None:
        """The counts; None where they cannot be taken as they stand."""
        given, made = self.prompt_tokens_details or _GIVEN, self.completion_tokens_details or _MADE
        prompt, completion, ran = self.prompt_tokens, self.completion_tokens, self.server_tool_use_details
        return _counts(prompt, completion, given, made, self.total_tokens, ran)


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

    def counts(self) -> Counts | None:
        """The counts; None where they cannot be taken as they stand."""
        prompt, completion = self.input_tokens, self.output_tokens
        if (
            self.cache_read_input_tokens is self.cache_creation_input_tokens is UNSET
            and self.cache_creation is self.server_tool_use is UNSET
        ):
            given, made = self.input_tokens_details or _GIVEN, self.output_tokens_details or _MADE
            return _counts(prompt, completion, given, made, self.total_tokens, self.server_tool_use_details)
        if not (
            self.total_tokens is self.input_tokens_details is UNSET
            and self.output_tokens_details is self.server_tool_use_details is UNSET
        ):
            return None
        split = self.cache_creation or _SPLIT
        hour = split.ephemeral_1h_input_tokens or 0
        written = max(self.cache_creation_input_tokens or 0, hour + (split.ephemeral_5m_input_tokens or 0))
        read = self.cache_read_input_tokens or 0
        given = Given(read, written)
        prompt += read + written  # messages count beside them what was read or written
        return _counts(prompt, completion, given, _MADE, None, self.server_tool_use, hour)


class Body(Struct, gc=False, kw_only=True):
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


class Chat(Body, gc=False, kw_only=True):
    """A chat completion."""

    usage: ChatUsage


class Input(Body, gc=False, kw_only=True):
    """A response, or messages."""

    usage: InputUsage


_Price = Annotated[float, Meta(gt=1e-40, lt=10)] | Annotated[int, Meta(ge=0, lt=10)]
_None = Literal[0] | None
_Ago = Annotated[int, Meta(gt=0, lt=253_402_300_800)]  # before the year 10000


class PlainGiven(Struct, forbid_unknown_fields=True, gc=False):
    """A prompt of text, some of it read from a cache, or written to it."""

    cached_tokens: _Count | None = None
    cache_write_tokens: _Count | None = None
    audio_tokens: _None = None
    image_tokens: _None = None
    video_tokens: Any = None


class PlainMade(Struct, forbid_unknown_fields=True, gc=False):
    """A completion of text."""

    reasoning_tokens: _Count | None = None
    audio_tokens: _None = None
    image_tokens: _None = None


class PlainDetails(Struct, gc=False):
    """What the provider took, if that is said."""

    upstream_inference_cost: Annotated[float, Meta(gt=1e-40, lt=1e39)] | _None = None
    currency: Literal["USD"] | None = None


class PlainUsage(Struct, forbid_unknown_fields=True, gc=False, kw_only=True):
    """The usage of a chat completion of text: nothing in it takes a second look."""

    prompt_tokens: Annotated[int, Meta(gt=0, le=10**8)]
    completion_tokens: _Count
    cost: _Price
    is_byok: bool | None = None
    total_tokens: Any = None
    prompt_tokens_details: PlainGiven | None = None
    completion_tokens_details: PlainMade | None = None
    cost_details: PlainDetails | None = None
    server_tool_use_details: dict[str, _None] | None = None
    service_tier: None = None


class Plain(Struct, gc=False, kw_only=True):
    """A chat completion of text."""

    usage: PlainUsage
    model: _Name
    created: _Ago | None = None
    created_at: _Ago | None = None
    id: str | None = None
    generation_id: None = None
    provider: _Name | None = None
    provider_name: _Name | None = None
    service_tier: None = None
    object: Literal["chat.completion", "chat.completion.chunk"] | None = None
    is_byok: bool | None = None
    openrouter_metadata: Any = None
    currency: Literal["USD"] | None = None


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
