"""OpenRouter's own chat completions and responses, as dictionaries: what nearly every response is, read fast."""

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
    if put not in {put for put, _ in _WHOLES + _GIVEN + _MADE + _SEARCHES}
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
    ask = usage.get
    given, made, tools = ask(form.given), ask(form.made), ask("server_tool_use_details")
    if (
        not form.names.issuperset(usage)
        or ask(form.prompt) is None
        or ask(form.completion) is None
        or not (given is None or (type(given) is dict and _GIVEN_NAMES.issuperset(given)))
        or not (made is None or (type(made) is dict and _MADE_NAMES.issuperset(made)))
        or not (tools is None or type(tools) is dict)
    ):
        return None
    ran = NOTHING if tools is None else tools.get
    consumed = object.__new__(Usage)
    for put, default in _DEFAULTS:
        put(consumed, default)
    for source, slots in ((ask, form.wholes), (asking(given), _GIVEN), (asking(made), _MADE), (ran, _SEARCHES)):
        for put, name in slots:
            value = source(name)
            if value is None:
                value = 0
            elif type(value) is not int or not 0 <= value <= MAX_COUNT:
                value = clean(value, name)
            put(consumed, value)
    details = ask("cost_details")
    costs = asking(details) if details is None or type(details) is dict else None
    if costs is None:
        return None
    said = read_reported(body, ask, costs, ask("cost"), costs("upstream_inference_cost"))
    return make_reading(body, ask, Counts(consumed, ask("total_tokens")), said, ran, body("object") == "batch")
