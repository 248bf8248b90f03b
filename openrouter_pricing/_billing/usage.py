"""Usage: what one call consumed."""

from __future__ import annotations

from typing import Any

import attrs

from .._base import money


def _read_count(value: object, field: attrs.Attribute[int]) -> int:
    return money.count(value, field.name)


def _tokens(default: int = 0) -> Any:
    return attrs.field(default=default, converter=attrs.Converter(_read_count, takes_field=True))


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
