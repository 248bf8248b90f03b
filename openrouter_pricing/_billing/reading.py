"""Reading: what a response says of one call, whichever way it says so."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

import attrs

from .fields import NOTHING, Ask, any_positive, instant, text
from .reported import Reported
from .usage import Usage


class Particulars(NamedTuple):
    """What few responses say.

    Args:
        fee: USD, OpenRouter's fee with one's own key; None without one.
        parts: USD, what the provider took for prompt and completion, where that is not the cost itself; or None.
        cache_discount: USD that caching took off the cost, below 0 where it came on top; or None.
        counted: whether tokens are counted at all.
        doubt: what stands in the way of pricing the counts, unless a reported cost settles it: a field and its problem.
        one_sided: the doubt is that there is no completion count, which some rows have no use for.
        searches: those that OpenRouter ran itself, at prices that no list carries.
        passes: what each pass of the model consumed, where the response tells them apart.
    """

    fee: Decimal | None = None
    parts: Decimal | None = None
    cache_discount: Decimal | None = None
    counted: bool = True
    doubt: tuple[str, str] | None = None
    one_sided: bool = False
    searches: int = 0
    passes: tuple[Usage, ...] = ()


#: What nearly every response says of all this.
NOTHING_MORE = Particulars()


class Reading(NamedTuple):
    """What a response says of one call.

    Args:
        usage: what was consumed.
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
        more: what few responses say.
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
    more: Particulars = NOTHING_MORE


class Counts(NamedTuple):
    """What a response counts.

    Args:
        usage: what was consumed.
        total: all tokens, where the response says so beside counts that include everything.
        flags, counted, doubt, one_sided, passes: as in :class:`Reading` and :class:`Particulars`.
    """

    usage: Usage
    total: object = None
    flags: tuple[str, ...] = ()
    counted: bool = True
    doubt: tuple[str, str] | None = None
    one_sided: bool = False
    passes: tuple[Usage, ...] = ()


_NOTHING_ELSE = Counts(Usage())[2:]

#: What the problem of a doubt begins with where one of the two counts is not there.
HALF = "is missing"

_TOOLS = (
    "tool_calls_executed", "web_search_requests", "web_fetch_requests", "code_execution_requests",
    "num_search_results", "num_fetches",
)  # fmt: skip
_PARTS_OF = {
    "prompt_tokens": ("cached_tokens", "cache_write_tokens", "audio_tokens", "image_tokens"),
    "completion_tokens": ("reasoning_tokens", "audio_output_tokens", "image_output_tokens"),
}


def make_reading(
    body: Ask,
    usage: Ask,
    consumed: Usage,
    total: object,
    said: Reported,
    tools: Ask,
    batch: bool,
    counts: Counts | None = None,
    discount: Decimal | None = None,
) -> Reading:
    """Put together what stands in the counts, in the amounts and beside them.

    Args:
        body, usage, tools: how to ask the body, its usage, and what that says of server-side tools.
        consumed: what was consumed.
        total: all tokens, where the response says so beside counts that include everything.
        said: what it says that this cost.
        batch: whether it came from a batch.
        counts: what else there is to know of what was consumed.
        discount: what caching took off the cost, where it says so.
    """
    flags, counted, doubt, one_sided, passes = _NOTHING_ELSE if counts is None else counts[2:]
    reported, fee, upstream, parts, byok = said
    searches = 0
    ran = False
    if tools is not NOTHING:
        ran = any_positive(tools, _TOOLS)
        searches = _own_searches(consumed, tools) if consumed.web_searches else 0
    if consumed.reasoning_tokens and isinstance(total, (int, float)):
        consumed, outside = _with_reasoning(consumed, total)
        flags += outside
    flags += oddities(consumed)
    if doubt is None and not consumed.prompt_tokens and not consumed.completion_tokens and not consumed.web_searches:
        # A response of the cache has zeroed usage and costs nothing, not even a request:
        # https://openrouter.ai/docs/guides/features/response-caching
        consumed = attrs.evolve(consumed, requests=0)
    more = NOTHING_MORE
    if byok or searches or passes or not counted or doubt or parts is not None or discount is not None:
        more = Particulars(fee, parts, discount, counted, doubt, one_sided, searches, passes)
    model, provider = body("model"), body("provider") or body("provider_name")
    tier = "batch" if batch else usage("service_tier") or body("service_tier")
    return Reading(
        consumed,
        None if model is None else text(model),
        instant(body("created") or body("created_at")),
        reported,
        None if provider is None else text(provider),
        None if tier is None else text(tier),
        byok,
        flags,
        upstream,
        ran,
        more,
    )


def _own_searches(usage: Usage, tools: Ask) -> int:
    """How many of the searches OpenRouter ran itself: those are counted as tool calls too.

    https://openrouter.ai/docs/guides/features/server-tools/web-search
    """
    calls = [value for name in ("tool_calls_requested", "tool_calls_executed") if type(value := tools(name)) is int]
    return max(0, min(usage.web_searches, max(calls, default=0)))


def _with_reasoning(usage: Usage, total: float) -> tuple[Usage, tuple[str, ...]]:
    """Reasoning that stands beside the completion, which the total proves (xAI), belongs into it."""
    prompt, completion, reasoning = usage.prompt_tokens, usage.completion_tokens, usage.reasoning_tokens
    if total != prompt + completion + reasoning:
        return usage, ()
    flag = f"reasoning_tokens {reasoning} beside completion_tokens {completion}: total_tokens says so"
    return attrs.evolve(usage, completion_tokens=completion + reasoning), (flag,)


def oddities(usage: Usage) -> tuple[str, ...]:
    """Parts that are more than their whole, for people: they are charged as the whole at most."""
    given = usage.cached_tokens + usage.cache_write_tokens + usage.audio_tokens + usage.image_tokens
    made = usage.reasoning_tokens + usage.audio_output_tokens + usage.image_output_tokens
    if given <= usage.prompt_tokens and made <= usage.completion_tokens:  # as nearly always
        return ()
    counts = attrs.asdict(usage)
    return tuple(
        f"{part} {counts[part]} of {whole} {counts[whole]}"
        for whole, parts in _PARTS_OF.items()
        for part in parts
        if counts[part] > counts[whole]
    )
