"""OpenRouter's own chat completions, responses and messages: what nearly every response is, read fast."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import attrs

from .._base.money import MAX_COUNT
from .fields import NOTHING, Ask, asking, clean
from .reading import Counts, Reading, make_reading
from .reported import read_reported
from .usage import Usage

#: What puts a count into its slot of a usage, and what a response calls that count.
_Slots: TypeAlias = "tuple[tuple[Callable[[Usage, int], None], str], ...]"


def _slots(**names: str) -> _Slots:
    return tuple((getattr(Usage, field).__set__, name) for field, name in names.items())


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
_WHOLES = _slots(prompt_tokens="", completion_tokens="")
_DEFAULTS = tuple(
    (put, field.default)
    for field in attrs.fields(Usage)
    for put in [getattr(Usage, field.name).__set__]
    if put not in {put for put, _ in _WHOLES + _GIVEN + _MADE}
)
_BESIDE = {"total_tokens", "cost", "cost_details", "is_byok", "server_tool_use_details", "service_tier"}
_GIVEN_NAMES = frozenset({"cached_tokens", "cache_write_tokens", "audio_tokens", "image_tokens", "video_tokens"})
_MADE_NAMES = frozenset({"reasoning_tokens", "audio_tokens", "image_tokens"})


class _Format:
    """The names of one format: its counts, their details, and everything that its usage may hold."""

    def __init__(self, prompt: str, completion: str) -> None:
        self.prompt, self.completion = prompt, completion
        self.given, self.made = f"{prompt}_details", f"{completion}_details"
        self.names = frozenset({prompt, completion, self.given, self.made, *_BESIDE})
        self.wholes = tuple((put, name) for (put, _), name in zip(_WHOLES, (prompt, completion), strict=True))


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
    if ask(form.prompt) is None or ask(form.completion) is None:
        return None
    sources: list[tuple[Ask, _Slots]] = [(ask, form.wholes)]
    for part, names, slots in ((ask(form.given), _GIVEN_NAMES, _GIVEN), (ask(form.made), _MADE_NAMES, _MADE)):
        if part is not None:
            if type(part) is not dict or not names.issuperset(part):
                return None
            sources.append((part.get, slots))
        else:
            sources.append((NOTHING, slots))
    details, tools, ran = ask("cost_details"), ask("server_tool_use_details"), NOTHING
    if not (details is None or type(details) is dict):
        return None
    consumed = object.__new__(Usage)
    for put, default in _DEFAULTS:
        put(consumed, default)
    if tools is not None:
        if type(tools) is not dict:
            return None
        ran = tools.get
        sources.append((ran, _SEARCHES))
    for source, slots in sources:
        for put, name in slots:
            value = source(name)
            if value is None:
                value = 0
            elif type(value) is not int or not 0 <= value <= MAX_COUNT:
                value = clean(value, name)
            put(consumed, value)
    costs = NOTHING if details is None else details.get
    said = read_reported(body, ask, costs, ask("cost"), costs("upstream_inference_cost"))
    return make_reading(body, ask, Counts(consumed, ask("total_tokens")), said, ran, body("object") == "batch")


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
    return make_reading(body, ask, Counts(consumed), said, ran, body("object") == "batch")
