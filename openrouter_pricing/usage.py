"""Usage: what one call consumed, and how any response says so."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime, timezone
from decimal import Decimal
from typing import Any, NamedTuple

import attrs

from . import _money


def _read_count(value: object, _: Any, field: attrs.Attribute[int]) -> int:
    return _money.count(value, field.name)


def _tokens(default: int = 0) -> Any:
    return attrs.field(default=default, converter=attrs.Converter(_read_count, takes_self=True, takes_field=True))


@attrs.frozen
class Usage:
    """What one call consumed. Every count is a whole number; tokens unless said otherwise.

    The prompt count includes everything that went in (cached reads, cache writes, audio and image tokens), and the
    completion count everything that came out (reasoning, audio and image tokens), as OpenRouter reports them:
    https://openrouter.ai/docs/use-cases/usage-accounting

    Args:
        prompt_tokens: all input tokens.
        completion_tokens: all output tokens.
        cached_tokens: prompt tokens read from a cache.
        cache_write_tokens: prompt tokens written to a cache, whatever their lifetime.
        cache_write_1h_tokens: those of the written tokens that are kept for one hour.
        reasoning_tokens: completion tokens spent on reasoning.
        audio_tokens: prompt tokens that were audio.
        audio_output_tokens: completion tokens that were audio.
        image_tokens: prompt tokens that were images.
        image_output_tokens: completion tokens that were images.
        images: number of images, only for an estimate that has no image tokens.
        web_searches: number of searches that the model's own provider ran.
        requests: number of requests.

    Raises:
        TypeError: a count is not an integer (a bool or a float, say).
        ValueError: a count is negative or above 10**18.
    """

    prompt_tokens: int = _tokens()
    completion_tokens: int = _tokens()
    cached_tokens: int = _tokens()
    cache_write_tokens: int = _tokens()
    cache_write_1h_tokens: int = _tokens()
    reasoning_tokens: int = _tokens()
    audio_tokens: int = _tokens()
    audio_output_tokens: int = _tokens()
    image_tokens: int = _tokens()
    image_output_tokens: int = _tokens()
    images: int = _tokens()
    web_searches: int = _tokens()
    requests: int = _tokens(1)

    @classmethod
    def from_response(cls, response: object) -> Usage:
        """What a response says was consumed; see :func:`read_response` for what is understood.

        Raises:
            TypeError, ValueError: it is no response, has no usage, or a count in it cannot be one.
        """
        return read_response(response).usage


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
    """

    usage: Usage
    model: str | None = None
    created: datetime | None = None
    reported: Decimal | None = None
    provider: str | None = None
    service_tier: str | None = None
    byok: bool = False
    flags: tuple[str, ...] = ()


def read_response(response: object) -> Reading:
    """Read a response body, complete or a stream's last chunk, or the usage object alone.

    Understood are chat completions (https://openrouter.ai/docs/api/api-reference/chat/send-chat-completion-request),
    responses (https://openrouter.ai/docs/api/api-reference/responses/create-responses), messages, whose input count
    excludes cached tokens (https://docs.anthropic.com/en/api/messages), and generations
    (https://openrouter.ai/docs/api/api-reference/generations/get-generation): as dictionaries, or as objects with
    the same attributes, such as those of the openai, anthropic and openrouter packages.

    Raises:
        TypeError: it is not an object at all.
        ValueError: it has no usage, or a number in it cannot be what it stands for; the message names the field.
    """
    if response is None or isinstance(response, (str, bytes, int, float, list, tuple)):
        raise TypeError(f"response must be an object, not {type(response).__name__}")
    body = response
    for wrapper in ("response", "message", "data"):  # stream events wrap the body; a generation stands under data
        inner = _get(body, wrapper)
        if _is_object(inner) and _get(body, "usage") is None:
            body = inner
    if _get(body, "native_tokens_prompt") is not None or _get(body, "total_cost") is not None:
        return _read_generation(body)
    usage = _get(body, "usage")
    if not _is_object(usage):
        usage = body
    if _get(usage, "prompt_tokens") is not None or _get(usage, "completion_tokens") is not None:
        counts = _chat_counts(usage)
    elif any(_get(usage, name) is not None for name in _MESSAGES_ONLY):
        counts = _messages_counts(usage)
    elif _get(usage, "input_tokens") is not None or _get(usage, "output_tokens") is not None:
        counts = _responses_counts(usage)
    else:
        raise ValueError("response has no usage: neither prompt_tokens nor input_tokens nor native_tokens_prompt")
    details = _get(usage, "server_tool_use_details") or _get(usage, "server_tool_use")
    counts["web_searches"] = _count(details, "web_search_requests")
    upstream = _money_of(_get(usage, "cost_details"), "upstream_inference_cost")
    return _reading(
        body, counts, _money_of(usage, "cost"), upstream, _get(usage, "is_byok"), _get(usage, "service_tier")
    )


_MESSAGES_ONLY = ("cache_read_input_tokens", "cache_creation_input_tokens", "cache_creation")


def _chat_counts(usage: object) -> dict[str, int]:
    given, made = _get(usage, "prompt_tokens_details"), _get(usage, "completion_tokens_details")
    return {
        "prompt_tokens": _count(usage, "prompt_tokens"),
        "completion_tokens": _count(usage, "completion_tokens"),
        **_details(given, made),
    }


def _responses_counts(usage: object) -> dict[str, int]:
    given, made = _get(usage, "input_tokens_details"), _get(usage, "output_tokens_details")
    return {
        "prompt_tokens": _count(usage, "input_tokens"),
        "completion_tokens": _count(usage, "output_tokens"),
        **_details(given, made),
    }


def _details(given: object, made: object) -> dict[str, int]:
    return {
        "cached_tokens": _count(given, "cached_tokens"),
        "cache_write_tokens": _count(given, "cache_write_tokens"),
        "audio_tokens": _count(given, "audio_tokens"),
        "image_tokens": _count(given, "image_tokens"),
        "reasoning_tokens": _count(made, "reasoning_tokens"),
        "audio_output_tokens": _count(made, "audio_tokens"),
        "image_output_tokens": _count(made, "image_tokens"),
    }


def _messages_counts(usage: object) -> dict[str, int]:
    """Here the input count excludes what was read from or written to a cache."""
    split = _get(usage, "cache_creation")
    hour = _count(split, "ephemeral_1h_input_tokens")
    read = _count(usage, "cache_read_input_tokens")
    written = max(_count(usage, "cache_creation_input_tokens"), hour + _count(split, "ephemeral_5m_input_tokens"))
    return {
        "prompt_tokens": _count(usage, "input_tokens") + read + written,
        "completion_tokens": _count(usage, "output_tokens"),
        "cached_tokens": read,
        "cache_write_tokens": written,
        "cache_write_1h_tokens": hour,
    }


def _read_generation(body: object) -> Reading:
    counts = {
        "prompt_tokens": _count(body, "native_tokens_prompt"),
        "completion_tokens": _count(body, "native_tokens_completion"),
        "reasoning_tokens": _count(body, "native_tokens_reasoning"),
        "cached_tokens": _count(body, "native_tokens_cached"),
        "image_output_tokens": _count(body, "native_tokens_completion_images"),
    }
    upstream = _money_of(body, "upstream_inference_cost")
    return _reading(body, counts, _money_of(body, "total_cost"), upstream, _get(body, "is_byok"), None)


def _reading(
    body: object, counts: dict[str, int], cost: Decimal | None, upstream: Decimal | None, byok: object, tier: object
) -> Reading:
    if byok is True and cost is not None:
        # With one's own key, cost is OpenRouter's fee alone; otherwise the upstream figure only repeats the token cost.
        cost = None if upstream is None else _money.add(cost, upstream)
    provider = _get(body, "provider") or _get(body, "provider_name")
    tier = tier or _get(body, "service_tier")
    model = _get(body, "model")
    return Reading(
        Usage(**counts),
        model if isinstance(model, str) else None,
        _created(_get(body, "created") or _get(body, "created_at")),
        cost,
        provider if isinstance(provider, str) else None,
        tier if isinstance(tier, str) else None,
        byok is True,
        tuple(_flags(counts)),
    )


_WHOLES = {
    "prompt_tokens": ("cached_tokens", "cache_write_tokens", "audio_tokens", "image_tokens"),
    "completion_tokens": ("reasoning_tokens", "audio_output_tokens", "image_output_tokens"),
}


def _flags(counts: dict[str, int]) -> list[str]:
    return [
        f"{part} {counts[part]} of {whole} {counts[whole]}"
        for whole, parts in _WHOLES.items()
        for part in parts
        if counts.get(part, 0) > counts[whole]
    ]


def _get(holder: object, name: str) -> Any:
    if isinstance(holder, Mapping):
        return holder.get(name)
    return getattr(holder, name, None)


def _is_object(value: object) -> bool:
    return value is not None and not isinstance(value, (str, bytes, int, float, Decimal, list, tuple))


def _count(holder: object, name: str) -> int:
    """A count; missing ones and those that a package marks as not set are 0."""
    value = _get(holder, name)
    if value is None or not isinstance(value, (int, float, Decimal, str)):
        return 0
    if isinstance(value, (float, Decimal)) and math.isfinite(value) and value == int(value):
        value = int(value)
    try:
        return _money.count(value, name)
    except TypeError as error:
        raise ValueError(f"{name} is not a whole number: {str(value)[:40]!r}") from error


def _money_of(holder: object, name: str) -> Decimal | None:
    value = _get(holder, name)
    if value is None or not isinstance(value, (int, float, Decimal, str)):
        return None
    try:
        amount = _money.read(value, name)
    except TypeError as error:
        raise ValueError(f"{name} is not an amount: {value!r}") from error
    if amount < 0:
        raise ValueError(f"{name} must not be negative: {_money.plain(amount)}")
    return amount


def _created(stamp: object) -> datetime | None:
    """Seconds since the epoch, or ISO 8601; None where it is neither."""
    if isinstance(stamp, datetime):
        return stamp if stamp.tzinfo is not None else stamp.replace(tzinfo=timezone.utc)
    try:
        if isinstance(stamp, (int, float, Decimal)) and not isinstance(stamp, bool):
            return datetime.fromtimestamp(float(stamp), timezone.utc)
        if isinstance(stamp, str):
            moment = datetime.fromisoformat(stamp.replace("Z", "+00:00"))
            return moment if moment.tzinfo is not None else moment.replace(tzinfo=timezone.utc)
    except (ValueError, OverflowError, OSError):
        return None
    return None
