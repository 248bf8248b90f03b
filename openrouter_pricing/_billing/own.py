"""OpenRouter's own chat completions, responses and messages: what nearly every response is, read fast."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs

from .._base.money import MAX_COUNT
from .fields import NOTHING, Ask, asking, clean
from .reading import Reading, make_reading
from .reported import read_reported
from .usage import Usage

#: The counts of a usage that a response has, in the order in which they are read, and what puts them into their slots.
_COUNTS = (
    "prompt_tokens", "completion_tokens", "cached_tokens", "cache_write_tokens", "audio_tokens", "image_tokens",
    "reasoning_tokens", "audio_output_tokens", "image_output_tokens",
)  # fmt: skip
_PUT: dict[str, Callable[[Usage, int], None]] = {
    field.name: getattr(Usage, field.name).__set__ for field in attrs.fields(Usage)
}
_SLOTS = tuple(_PUT[name] for name in _COUNTS)
_DEFAULTS: tuple[tuple[Callable[[Usage, int], None], int], ...] = tuple(
    (_PUT[field.name], field.default or 0) for field in attrs.fields(Usage) if field.name not in _COUNTS
)
_put_searches = _PUT["web_searches"]
_ONLY_INTEGERS = frozenset({int}).issuperset
_EMPTY: dict[str, Any] = {}
_BESIDE = {"total_tokens", "cost", "cost_details", "is_byok", "server_tool_use_details", "service_tier"}
_GIVEN_NAMES = frozenset({"cached_tokens", "cache_write_tokens", "audio_tokens", "image_tokens", "video_tokens"})
_MADE_NAMES = frozenset({"reasoning_tokens", "audio_tokens", "image_tokens"})


class _Format:
    """The names of one format: its counts, their details, and everything that its usage may hold."""

    def __init__(self, prompt: str, completion: str) -> None:
        self.prompt, self.completion = prompt, completion
        self.given, self.made = f"{prompt}_details", f"{completion}_details"
        self.names = frozenset({prompt, completion, self.given, self.made, *_BESIDE})
        self.counts = (prompt, completion, *(name.replace("_output", "") for name in _COUNTS[2:]))


_CHAT = _Format("prompt_tokens", "completion_tokens")
_RESPONSES = _Format("input_tokens", "output_tokens")


_MESSAGES_ALONE = frozenset(
    {"input_tokens", "output_tokens", "cache_read_input_tokens", "cache_creation_input_tokens", "cache_creation",
     "server_tool_use", "service_tier", "cost", "cost_details", "is_byok"}
)  # fmt: skip
_SPLIT_NAMES = frozenset({"ephemeral_5m_input_tokens", "ephemeral_1h_input_tokens"})


def read_own(body: Ask, usage: dict[str, Any]) -> Reading | None:
    """Read a usage that says nothing but what OpenRouter's own API says; None where it says anything else.

    The slots are filled one by one: ``Usage()`` would check each count again, which takes as long as reading them.

    Args:
        body: how to ask the body that the usage stands in.
        usage: the usage.

    Raises:
        ResponseError: a number in it cannot be what it stands for.
    """
    form = _CHAT if "prompt_tokens" in usage else _RESPONSES
    if not form.names.issuperset(usage):
        return _read_messages(body, usage) if _MESSAGES_ALONE.issuperset(usage) else None
    ask = usage.get
    prompt, completion, given, made = ask(form.prompt), ask(form.completion), ask(form.given), ask(form.made)
    details, tools = ask("cost_details"), ask("server_tool_use_details")
    if prompt is None or completion is None:
        return None
    for part in (given, made, details, tools):
        if part is not None and type(part) is not dict:
            return None
    given, made = given or _EMPTY, made or _EMPTY
    if not (_GIVEN_NAMES.issuperset(given) and _MADE_NAMES.issuperset(made)):
        return None
    counts = [
        prompt,
        completion,
        given.get("cached_tokens", 0),
        given.get("cache_write_tokens", 0),
        given.get("audio_tokens", 0),
        given.get("image_tokens", 0),
        made.get("reasoning_tokens", 0),
        made.get("audio_tokens", 0),
        made.get("image_tokens", 0),
    ]
    if not _ONLY_INTEGERS(map(type, counts)) or min(counts) < 0 or max(counts) > MAX_COUNT:
        counts = list(map(clean, counts, form.counts))
    consumed = object.__new__(Usage)
    for put, default in _DEFAULTS:
        put(consumed, default)
    for put, count in zip(_SLOTS, counts):  # noqa: B905 - as many, and checking takes its time
        put(consumed, count)
    ran = NOTHING
    if tools is not None:
        ran = tools.get
        _put_searches(consumed, clean(ran("web_search_requests"), "web_search_requests"))
    costs = NOTHING if details is None else details.get
    said = read_reported(body, ask, costs, ask("cost"), costs("upstream_inference_cost"))
    return make_reading(body, ask, consumed, ask("total_tokens"), said, ran, body("object") == "batch")


def _read_messages(body: Ask, usage: dict[str, Any]) -> Reading | None:
    """The usage of messages, whose input count excludes what was read from or written to a cache.

    https://docs.anthropic.com/en/api/messages
    """
    ask = usage.get
    details, tools, split = ask("cost_details"), ask("server_tool_use"), ask("cache_creation")
    for part in (details, tools, split):
        if part is not None and type(part) is not dict:
            return None
    if ask("input_tokens") is None or ask("output_tokens") is None or not _SPLIT_NAMES.issuperset(split or ()):
        return None
    parts, ran = asking(split), NOTHING if tools is None else tools.get
    hour = clean(parts("ephemeral_1h_input_tokens"), "ephemeral_1h_input_tokens")
    short = clean(parts("ephemeral_5m_input_tokens"), "ephemeral_5m_input_tokens")
    read = clean(ask("cache_read_input_tokens"), "cache_read_input_tokens")
    written = max(clean(ask("cache_creation_input_tokens"), "cache_creation_input_tokens"), hour + short)
    consumed = Usage(
        prompt_tokens=clean(ask("input_tokens"), "input_tokens") + read + written,
        completion_tokens=clean(ask("output_tokens"), "output_tokens"),
        cached_tokens=read,
        cache_write_tokens=written,
        cache_write_1h_tokens=hour,
        web_searches=clean(ran("web_search_requests"), "web_search_requests"),
    )
    costs = asking(details)
    said = read_reported(body, ask, costs, ask("cost"), costs("upstream_inference_cost"))
    return make_reading(body, ask, consumed, None, said, ran, body("object") == "batch")
