"""How any response says what was consumed, and what it cost."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple, TypeAlias

import attrs

from .._base import money
from .fields import NOTHING, Ask, amount, any_positive, asking, check_currency, clean, count, instant, is_object
from .usage import Usage


class Reading(NamedTuple):
    """What a response says of one call.

    Args:
        usage: what was consumed; parts larger than their whole are clamped.
        model: the model that answered, or None.
        created: when it answered, or None.
        reported: USD, what the response says it cost, or None. With one's own key it is OpenRouter's fee and what the
            provider took, together.
        provider: who served it, or None.
        service_tier: the tier it was served at, or None.
        byok: whether it ran on one's own provider key.
        flags: what was wrong with the counts, for people.
        upstream: USD, what the response says that the provider took, on whoever's key, or None.
        tools: whether the response says that server-side tools or searches ran.
    """

    usage: Usage
    model: str | None = None
    created: datetime | None = None
    reported: Decimal | None = None
    provider: str | None = None
    service_tier: str | None = None
    byok: bool = False
    flags: tuple[str, ...] = ()
    upstream: Decimal | None = None
    tools: bool = False


#: What puts a count into its slot of a usage, and what a response calls that count.
_Slots: TypeAlias = "tuple[tuple[Callable[[Usage, int], None], str], ...]"


def _slots(**names: str) -> _Slots:
    return tuple((getattr(Usage, field).__set__, name) for field, name in names.items())


_CHAT = _slots(prompt_tokens="prompt_tokens", completion_tokens="completion_tokens")
_RESPONSES = _slots(prompt_tokens="input_tokens", completion_tokens="output_tokens")
_GIVEN = _slots(
    cached_tokens="cached_tokens",
    cache_write_tokens="cache_write_tokens",
    audio_tokens="audio_tokens",
    image_tokens="image_tokens",
)
_MADE = _slots(
    reasoning_tokens="reasoning_tokens",
    audio_output_tokens="audio_tokens",
    image_output_tokens="image_tokens",
)
_SEARCHES = _slots(web_searches="web_search_requests")
_READ = {put for put, _ in _CHAT + _GIVEN + _MADE + _SEARCHES}
_DEFAULTS = tuple(
    (put, field.default)
    for field in attrs.fields(Usage)
    for put in [getattr(Usage, field.name).__set__]
    if put not in _READ
)
_MESSAGES_ONLY = ("cache_read_input_tokens", "cache_creation_input_tokens", "cache_creation")
_TOOLS = ("tool_calls_executed", "web_search_requests", "web_fetch_requests", "code_execution_requests")
_WHOLES = {
    "prompt_tokens": ("cached_tokens", "cache_write_tokens", "audio_tokens", "image_tokens"),
    "completion_tokens": ("reasoning_tokens", "audio_output_tokens", "image_output_tokens"),
}


def read_response(response: object) -> Reading:
    """Read a response body, complete or a stream's last chunk, or the usage object alone.

    Understood are chat completions (https://openrouter.ai/docs/api/api-reference/chat/send-chat-completion-request),
    responses (https://openrouter.ai/docs/api/api-reference/responses/create-responses), messages, whose input count
    excludes cached tokens (https://docs.anthropic.com/en/api/messages), and generations
    (https://openrouter.ai/docs/api/api-reference/generations/get-generation): as dictionaries, or as objects with
    the same attributes, such as those of the openai, anthropic and openrouter packages.

    Raises:
        TypeError: it is not an object at all.
        ValueError: it has no usage, a number in it cannot be what it stands for, or its amounts are not in USD; the
            message names the field.
    """
    if not is_object(response):
        raise TypeError(f"response must be an object, not {type(response).__name__}")
    body = asking(response)
    if body("usage") is None:
        body = _unwrap(body)
    if body("native_tokens_prompt") is not None or body("total_cost") is not None:
        return _read_generation(body)
    inner = body("usage")
    usage = asking(inner) if is_object(inner) else body
    tools = asking(usage("server_tool_use_details") or usage("server_tool_use") or None)
    if usage("prompt_tokens") is not None or usage("completion_tokens") is not None:
        given, made = usage("prompt_tokens_details"), usage("completion_tokens_details")
        consumed = _openai_usage(usage, _CHAT, given, made, tools)
    elif any(usage(name) is not None for name in _MESSAGES_ONLY):
        consumed = _messages_usage(usage, tools)
    elif usage("input_tokens") is not None or usage("output_tokens") is not None:
        given, made = usage("input_tokens_details"), usage("output_tokens_details")
        consumed = _openai_usage(usage, _RESPONSES, given, made, tools)
    else:
        raise ValueError("response has no usage: neither prompt_tokens nor input_tokens nor native_tokens_prompt")
    cost_details = asking(usage("cost_details"))
    check_currency(usage, cost_details, body)
    cost, taken = usage("cost"), cost_details("upstream_inference_cost")
    reported = amount(cost, "cost")
    # Reading a float takes a tenth of all the time here, and mostly it is the same one twice.
    upstream = reported if type(taken) is float and taken == cost else amount(taken, "upstream_inference_cost")
    return _reading(body, usage, consumed, reported, upstream, tools is not NOTHING and any_positive(tools, _TOOLS))


def _unwrap(body: Ask) -> Ask:
    """Stream events wrap the body; a generation stands under data."""
    for wrapper in ("response", "message", "data"):
        inner = body(wrapper)
        if is_object(inner) and body("usage") is None:
            body = asking(inner)
    return body


def _openai_usage(usage: Ask, wholes: _Slots, given: object, made: object, tools: Ask) -> Usage:
    """Chat completions and responses differ in names alone.

    The slots are filled one by one: ``Usage()`` would check each count again, which takes as long as reading them.
    """
    consumed = object.__new__(Usage)
    for put, default in _DEFAULTS:
        put(consumed, default)
    for ask, slots in ((usage, wholes), (asking(given), _GIVEN), (asking(made), _MADE), (tools, _SEARCHES)):
        for put, name in slots:
            value = ask(name)
            if value is None:
                value = 0
            elif type(value) is not int or not 0 <= value <= money.MAX_COUNT:
                value = clean(value, name)
            put(consumed, value)
    return consumed


def _messages_usage(usage: Ask, tools: Ask) -> Usage:
    """Here the input count excludes what was read from or written to a cache."""
    split = asking(usage("cache_creation"))
    hour = count(split, "ephemeral_1h_input_tokens")
    read = count(usage, "cache_read_input_tokens")
    written = max(count(usage, "cache_creation_input_tokens"), hour + count(split, "ephemeral_5m_input_tokens"))
    return Usage(
        prompt_tokens=count(usage, "input_tokens") + read + written,
        completion_tokens=count(usage, "output_tokens"),
        cached_tokens=read,
        cache_write_tokens=written,
        cache_write_1h_tokens=hour,
        web_searches=count(tools, "web_search_requests"),
    )


def _read_generation(body: Ask) -> Reading:
    consumed = Usage(
        prompt_tokens=count(body, "native_tokens_prompt"),
        completion_tokens=count(body, "native_tokens_completion"),
        cached_tokens=count(body, "native_tokens_cached"),
        reasoning_tokens=count(body, "native_tokens_reasoning"),
        image_output_tokens=count(body, "native_tokens_completion_images"),
    )
    check_currency(body)
    cost = amount(body("total_cost"), "total_cost")
    upstream = amount(body("upstream_inference_cost"), "upstream_inference_cost")
    return _reading(body, body, consumed, cost, upstream, any_positive(body, ("num_search_results", "num_fetches")))


def _reading(
    body: Ask, usage: Ask, consumed: Usage, cost: Decimal | None, upstream: Decimal | None, tools: bool
) -> Reading:
    byok = usage("is_byok")
    if byok is True and cost is not None:
        # With one's own key, cost is OpenRouter's fee alone; otherwise the upstream figure only repeats the token cost.
        cost = None if upstream is None else money.add(cost, upstream)
    provider = body("provider") or body("provider_name")
    tier = usage("service_tier") or body("service_tier")
    model = body("model")
    return Reading(
        consumed,
        model if isinstance(model, str) else None,
        instant(body("created") or body("created_at")),
        cost,
        provider if isinstance(provider, str) else None,
        tier if isinstance(tier, str) else None,
        byok is True,
        _flags(consumed),
        upstream,
        tools,
    )


def _flags(usage: Usage) -> tuple[str, ...]:
    given = usage.cached_tokens + usage.cache_write_tokens + usage.audio_tokens + usage.image_tokens
    made = usage.reasoning_tokens + usage.audio_output_tokens + usage.image_output_tokens
    if given <= usage.prompt_tokens and made <= usage.completion_tokens:  # as nearly always
        return ()
    counts = attrs.asdict(usage)
    return tuple(
        f"{part} {counts[part]} of {whole} {counts[whole]}"
        for whole, parts in _WHOLES.items()
        for part in parts
        if counts[part] > counts[whole]
    )
