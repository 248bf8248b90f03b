"""How any response says what was consumed, and what it cost: OpenRouter's formats, and what clients make of them."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import attrs

from ..errors import ResponseError
from .fields import NOTHING, Ask, asking, clean, fields, is_mark, is_object, loosely, part, signed, squash
from .own import read_own
from .reading import HALF, Counts, Reading, make_reading
from .reported import read_reported
from .usage import Usage

#: Where a count stands, what it is called there, what it counts, and who calls it so. camelCase means the same. The
#: places: the usage itself, what it says of its input and of its output, the split of its cache writes, and its tools.
#: "prompt" and "completion" are the wholes; names under "apart" count what is not in ``input_tokens``.
TABLE: tuple[tuple[str, str, str, str], ...] = (
    ("usage", "prompt_tokens", "prompt", "OpenRouter chat, TypeScript SDK, litellm, AI SDK 4"),
    ("usage", "completion_tokens", "completion", "the same"),
    ("usage", "input_tokens", "prompt", "OpenRouter responses and messages, LangChain, pydantic-ai, Bedrock, AI SDK 5"),
    ("usage", "output_tokens", "completion", "the same"),
    ("usage", "request_tokens", "prompt", "pydantic-ai before 1.0, pydantic_ai.usage.Usage"),
    ("usage", "response_tokens", "completion", "the same"),
    ("usage", "native_tokens_prompt", "prompt", "OpenRouter generations and activity log"),
    ("usage", "native_tokens_completion", "completion", "the same"),
    ("usage", "native_tokens_cached", "cached_tokens", "the same"),
    ("usage", "native_tokens_reasoning", "reasoning_tokens", "the same"),
    ("usage", "native_tokens_completion_images", "image_output_tokens", "the same"),
    ("usage", "reasoning_tokens", "reasoning_tokens", "AI SDK 5, OpenRouter /activity, Perplexity"),
    ("usage", "requests", "requests", "OpenRouter /activity, pydantic-ai, OpenAI Agents SDK"),
    ("usage", "cache_read_input_tokens", "apart_read", "Anthropic messages, Bedrock Converse, litellm, gateways"),
    ("usage", "cache_creation_input_tokens", "apart_write", "Anthropic messages, litellm, gateways"),
    ("usage", "cache_write_input_tokens", "apart_write", "Bedrock Converse, TokenUsage"),
    ("usage", "cache_read_tokens", "cached_tokens", "pydantic-ai RequestUsage, genai-prices Usage"),
    ("usage", "cache_write_tokens", "cache_write_tokens", "the same"),
    ("usage", "cache_creation_tokens", "cache_write_tokens", "gateways, langchain-ai/langchainjs#11194"),
    ("usage", "cached_tokens", "cached_tokens", "gateways"),
    ("usage", "cached_input_tokens", "cached_tokens", "AI SDK 5, LanguageModelUsage"),
    ("usage", "prompt_cache_hit_tokens", "cached_tokens", "DeepSeek, api-docs.deepseek.com/guides/kv_cache"),
    ("usage", "input_audio_tokens", "audio_tokens", "pydantic-ai RequestUsage, genai-prices Usage"),
    ("usage", "output_audio_tokens", "audio_output_tokens", "the same"),
    ("usage", "num_search_queries", "web_searches", "Perplexity, docs.perplexity.ai/getting-started/pricing"),
    ("input", "cached_tokens", "cached_tokens", "OpenRouter chat and responses"),
    ("input", "cache_write_tokens", "cache_write_tokens", "the same; AI SDK 6"),
    ("input", "audio_tokens", "audio_tokens", "OpenRouter chat"),
    ("input", "image_tokens", "image_tokens", "the same"),
    ("input", "cache_creation_tokens", "cache_write_tokens", "litellm PromptTokensDetailsWrapper"),
    ("input", "cache_creation_input_tokens", "cache_write_tokens", "gateways"),
    ("input", "cache_read_input_tokens", "cached_tokens", "gateways"),
    ("input", "cache_read_tokens", "cached_tokens", "AI SDK 6, LanguageModelUsage"),
    ("input", "cache_read", "cached_tokens", "LangChain InputTokenDetails"),
    ("input", "cache_creation", "cache_write_tokens", "the same"),
    ("input", "ephemeral_5m_input_tokens", "short_inside", "LangChain, of langchain-anthropic"),
    ("input", "ephemeral_1h_input_tokens", "hour_inside", "the same"),
    ("input", "audio", "audio_tokens", "LangChain InputTokenDetails"),
    ("input", "image", "image_tokens", "LangChain, of langchain-google-genai"),
    ("input", "web_search_requests", "web_searches", "litellm PromptTokensDetailsWrapper"),
    ("output", "reasoning_tokens", "reasoning_tokens", "OpenRouter chat and responses, AI SDK 6"),
    ("output", "audio_tokens", "audio_output_tokens", "OpenRouter chat"),
    ("output", "image_tokens", "image_output_tokens", "the same"),
    ("output", "reasoning", "reasoning_tokens", "LangChain OutputTokenDetails"),
    ("output", "audio", "audio_output_tokens", "the same"),
    ("output", "image", "image_output_tokens", "LangChain, of langchain-google-genai"),
    ("output", "thinking_tokens", "reasoning_tokens", "Anthropic messages, output_tokens_details"),
    ("split", "ephemeral_5m_input_tokens", "short_apart", "Anthropic messages, cache_creation"),
    ("split", "ephemeral_1h_input_tokens", "hour_apart", "the same"),
    ("details", "reasoning_tokens", "reasoning_tokens", "pydantic-ai RequestUsage.details"),
    ("tools", "web_search_requests", "web_searches", "OpenRouter server_tool_use_details, Anthropic server_tool_use"),
)
#: Fields that hold the parts of each place.
_PLACES = {
    "input": ("prompt_tokens_details", "input_tokens_details", "input_token_details"),
    "output": ("completion_tokens_details", "output_tokens_details", "output_token_details"),
    "split": ("cache_creation",),
    "details": ("details",),
    "tools": ("server_tool_use_details", "server_tool_use"),
}
#: Counts that change no price: sums, remainders, and parts that are charged as the whole that they are in.
_NO_PRICE = (
    "total_tokens", "text_tokens", "video_tokens", "file_tokens", "document_tokens", "no_cache_tokens", "text",
    "prompt_cache_miss_tokens", "cache_audio_read_tokens", "citation_tokens", "accepted_prediction_tokens",
    "rejected_prediction_tokens", "input_text_tokens", "output_text_tokens", "tokens_prompt", "tokens_completion",
    "cache_discount", "usage_cache", "cost_cache",
)  # fmt: skip
_READ: dict[str, dict[str, str]] = {place: {} for place in ("usage", *_PLACES)}
for _place, _name, _counts, _ in TABLE:
    _READ[_place][squash(_name)] = _counts
_SILENT = frozenset(map(squash, _NO_PRICE))
_LOOKS_LIKE = ("token", "cache")
_UNLIKE = ("cost", "price", "time", "persecond", "limit", "max")
_SIDES = (
    ("prompt_tokens", "completion_tokens"),
    ("input_tokens", "output_tokens"),
    ("request_tokens", "response_tokens"),
    ("native_tokens_prompt", "native_tokens_completion"),
)
_OTHER_SIDE = {squash(side): other for pair in _SIDES for side, other in (pair, pair[::-1])}
#: Fields that a response may stand in.
WRAPPERS = ("response", "message", "data", "body", "result", "openrouter")
#: How many objects are looked into for a usage, each within the other.
DEEPEST = 5
_RECORDS = (
    "model",
    "generation_id",
    "provider_name",
    "native_tokens_prompt",
)  # fields of records whose usage is a cost
_NO_USAGE = ("response", "has no usage: neither prompt_tokens nor input_tokens nor native_tokens_prompt")
#: Fields that say nothing of a usage or a cost, unless the usage does; an answer that is an error has no others.
_SAY_NOTHING = frozenset({
    "error", "id", "object", "created", "model", "provider", "choices", "user_id", "type", "usage",
})  # fmt: skip
_OTHER_MODEL = ("iterations", "of the usage name models: their passes cannot be priced as this one's")


def read_response(response: object) -> Reading:
    """Read a response body, complete or a stream's last chunk, or the usage object alone.

    Understood are chat completions (https://openrouter.ai/docs/api/api-reference/chat/send-chat-completion-request),
    responses (https://openrouter.ai/docs/api/api-reference/responses/create-responses), messages, whose input count
    excludes cached tokens (https://docs.anthropic.com/en/api/messages), generations
    (https://openrouter.ai/docs/api/api-reference/generations/get-generation), records of the activity log, and what
    other clients make of them (:data:`TABLE`): as dictionaries, or as objects with the same attributes, such as those
    of the openai, anthropic and openrouter packages.

    Raises:
        TypeError: it is not an object at all.
        ResponseError: it has neither usage nor cost, a number in it cannot be what it stands for, or its amounts are
            not in USD; the message names the field.
    """
    if not is_object(response):
        raise TypeError(f"response must be an object, not {type(response).__name__}")
    body = asking(response)
    usage = body("usage")
    if usage is not None and type(usage) is not dict and is_object(usage):
        usage = _plain(usage)
    if type(usage) is dict and (own := read_own(body, usage)) is not None:
        return own
    if type(response) is dict and _SAY_NOTHING.issuperset(response) and _is_empty(usage):
        raise ResponseError(*_NO_USAGE)
    return _read_any(response)


def _is_empty(usage: object) -> bool:
    return usage is None or (type(usage) is dict and all(value is None for value in usage.values()))


def body_of(response: object) -> Ask:
    """How to ask the body that a usage stands in, whatever is wrapped around it, for its other fields."""
    body = asking(response)
    return body if type(body("usage")) is dict else _unwrap(response)[0]


def _plain(usage: object) -> dict[Any, Any]:
    """An object of a client package as the dictionary that it came from, down to its parts."""
    return {
        name: {key: each for key, each in fields(value).items() if each is not None} if is_object(value) else value
        for name, value in fields(usage).items()
        if value is not None and not is_mark(value)
    }


def _read_any(response: object) -> Reading:
    body, holder, batch = _unwrap(response)
    usage = loosely(holder)
    if usage("speed") == "fast":  # https://docs.anthropic.com/en/docs/build-with-claude/fast-mode
        usage = _with(usage, "service_tier", "fast")
    counts = _passes(holder, usage("iterations"))
    if counts.one_sided and body("object") == "list":  # embeddings make nothing
        counts = counts._replace(doubt=None, one_sided=False)
    details = loosely(part(usage, "cost_details"))
    name = "cost" if usage("cost") is not None else "total_cost"
    if usage(name) is None and any(body(key) is not None for key in _RECORDS):
        name = "usage"
    upstream = details("upstream_inference_cost")
    if upstream is None:
        upstream = usage("upstream_inference_cost")
    if upstream is None and usage("byok_usage_inference"):
        upstream, usage = usage("byok_usage_inference"), _with(usage, "is_byok", True)
    said = read_reported(body, usage, details, usage(name), upstream, name)
    if not counts.counted and said.cost is None:
        raise ResponseError(*(counts.doubt or _NO_USAGE))
    tools = next((loosely(inner) for key in _PLACES["tools"] if (inner := part(usage, key)) is not None), NOTHING)
    if usage("num_search_results") is not None or usage("num_fetches") is not None:
        tools = usage
    discount = signed(usage("cache_discount"))
    return make_reading(body, usage, counts.usage, counts.total, said, tools, batch, counts, discount)


def _with(ask: Ask, field: str, value: object) -> Ask:
    return lambda name: value if name == field else ask(name)


def _unwrap(response: object) -> tuple[Ask, object, bool]:
    """How to ask the body, where its usage is, and whether it is a line of a batch.

    Stream events and batches wrap the body, a generation stands under data, LangChain keeps a usage beside its message,
    and the AI SDK keeps what OpenRouter said under the provider's metadata.
    """
    holder, batch = response, False
    for _ in range(DEEPEST):
        body = loosely(holder)
        said = loosely(loosely(body("provider_metadata"))("openrouter"))("usage")
        for usage in (said, body("usage"), body("usage_metadata")):
            if usage is not None and is_object(usage) and not is_mark(usage):
                metadata = loosely(body("response_metadata"))
                if body("model") is None and metadata("model_name") is not None:
                    body = _with(body, "model", metadata("model_name"))
                return body, usage, batch or body("object") == "batch"
        inner = next((value for key in WRAPPERS if is_object(value := body(key)) and not is_mark(value)), None)
        if inner is None or body("usage") is not None:
            break
        batch = batch or body("custom_id") is not None
        holder = inner
    return body, holder, batch


def _passes(holder: object, iterations: object) -> Counts:
    """What was consumed, pass by pass where the model took several: the counts above them leave some out.

    https://docs.anthropic.com/en/docs/build-with-claude/compaction
    """
    whole = _count(holder)
    if not isinstance(iterations, (list, tuple)) or not iterations:
        return whole
    if not all(map(is_object, iterations)):
        raise ResponseError("iterations", "of the usage holds something that is no object")
    counts = [_count(each) for each in iterations]
    usages = [each.usage for each in counts]
    if any(getattr(whole.usage, side) > sum(getattr(each, side) for each in usages) for side in _SIDES[0]):
        usages.append(whole.usage)  # they leave out what stands above them
    usages[-1] = attrs.evolve(usages[-1], web_searches=whole.usage.web_searches)
    usages[1:] = [attrs.evolve(each, requests=0) for each in usages[1:]]
    names = [field.name for field in attrs.fields(Usage)]
    merged = Usage(**{name: sum(getattr(each, name) for each in usages) for name in names})
    return Counts(
        merged,
        flags=tuple(flag for each in counts for flag in each.flags),
        doubt=next((each.doubt for each in [*counts, whole] if each.doubt is not None), None)
        or (None if all(loosely(each)("model") is None for each in iterations) else _OTHER_MODEL),
        passes=tuple(usages),
    )


def _count(holder: object) -> Counts:
    """Every count of a usage by the table, each under whichever of its names says most."""
    found: dict[str, int] = {}
    named: dict[str, str] = {}
    doubt: tuple[str, str] | None = None
    ask = loosely(holder)
    for place, inner in _holders(holder, ask):
        for name, value in fields(inner).items():
            if value is None or not isinstance(name, str):
                continue
            key = squash(name)
            if (what := _READ[place].get(key)) is None:
                if doubt is None and place != "details" and _looks_like_a_count(key, value):
                    doubt = name, "looks like a count of tokens, and what it counts is not known"
            elif not (is_mark(value) or (what == "requests" and not isinstance(value, int))):
                found[what] = max(found.get(what, 0), clean(value, name))
                named[what] = name
    prompt, on_top, flags = _prompt(found, squash(named.get("prompt", "")))
    reasoning = found.get("reasoning_tokens", 0)
    total = None if on_top else ask("total_tokens")
    if ask("num_search_queries") is not None or ask("citation_tokens") is not None:
        total = (
            prompt + found.get("completion", 0) + reasoning
        )  # Perplexity's own usage has reasoning beside completion
    usage = Usage(
        prompt_tokens=prompt,
        completion_tokens=found.get("completion", 0),
        cached_tokens=max(found.get("cached_tokens", 0), found.get("apart_read", 0)),
        cache_write_tokens=_written(found),
        cache_write_1h_tokens=max(found.get("hour_inside", 0), found.get("hour_apart", 0)),
        reasoning_tokens=reasoning,
        audio_tokens=found.get("audio_tokens", 0),
        audio_output_tokens=found.get("audio_output_tokens", 0),
        image_tokens=found.get("image_tokens", 0),
        image_output_tokens=found.get("image_output_tokens", 0),
        web_searches=found.get("web_searches", 0),
        requests=found.get("requests", 1) or 1,
    )
    one_sided = False
    sides = {"prompt", "completion"} & found.keys()
    if len(sides) == 1:
        (side,) = sides
        one_sided = side == "prompt" and ask("total_tokens") != prompt
        if side == "completion" or one_sided:
            doubt = doubt or (_OTHER_SIDE[squash(named[side])], f"{HALF}: {named[side]} alone is half of a usage")
    return Counts(usage, total, flags, bool(sides), doubt, one_sided)


def _prompt(found: dict[str, int], name: str) -> tuple[int, bool, tuple[str, ...]]:
    """All tokens that went in, whether that took adding some, and what to tell of it.

    The messages format and Bedrock count cached tokens beside ``input_tokens``; everybody else counts them in.
    https://docs.anthropic.com/en/api/messages, https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_TokenUsage.html
    """
    prompt, read = found.get("prompt", 0), found.get("apart_read", 0)
    apart = {"apart_read", "apart_write", "short_apart", "hour_apart"} & found.keys()
    if name == "inputtokens" and apart and not (found.get("cached_tokens") or found.get("cache_write_tokens")):
        return prompt + read + _written(found), True, ()
    if max(read, found.get("apart_write", 0)) > prompt and "prompt" in found:
        return prompt + read + _written(found), True, (f"cached tokens beside {prompt} prompt tokens: they are more",)
    return prompt, False, ()


def _written(found: dict[str, int]) -> int:
    splits = (found.get(f"short_{side}", 0) + found.get(f"hour_{side}", 0) for side in ("inside", "apart"))
    return max(found.get("cache_write_tokens", 0), found.get("apart_write", 0), *splits)


def _holders(usage: object, ask: Ask) -> Iterator[tuple[str, object]]:
    """Every place of a usage that counts may stand in."""
    yield "usage", usage
    for place, names in _PLACES.items():
        for name in names:
            inner = ask(name)
            if inner is not None and (place != "details" or is_object(inner)):
                yield place, part(ask, name)
                if place == "input" and (split := part(loosely(inner), "cache_creation_token_details")) is not None:
                    yield "input", split  # litellm's
    for write in _listed(ask, "cache_details"):  # Bedrock's, by time to live
        hour = loosely(write)("ttl") == "1h"
        yield "split", {f"ephemeral_{'1h' if hour else '5m'}_input_tokens": loosely(write)("input_tokens")}


def _listed(ask: Ask, name: str) -> list[object]:
    """The objects of a list.

    Raises:
        ResponseError: there is something else.
    """
    listed = ask(name)
    if listed is None:
        return []
    if not isinstance(listed, list) or not all(map(is_object, listed)):
        raise ResponseError(name, "is no list of objects: what it counts cannot be read")
    return listed


def _looks_like_a_count(key: str, value: object) -> bool:
    """Whether it may be tokens that nobody here knows the price of: better refused than left out of the bill."""
    if isinstance(value, bool) or not isinstance(value, (int, float, Decimal)) or not value > 0:
        return False
    return key not in _SILENT and any(map(key.__contains__, _LOOKS_LIKE)) and not any(map(key.__contains__, _UNLIKE))
