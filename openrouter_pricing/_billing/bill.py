"""The billing rules: how rates meet a usage."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from operator import attrgetter
from typing import NamedTuple, TypeAlias

from .._prices.rates import Rates
from .usage import Usage


def unpriced(rates: Rates, usage: Usage | tuple[int, int]) -> tuple[str, str] | None:
    """The first dimension of ``usage`` that ``rates`` lists no price for, with the reason; None if all are priced.

    Rows without a completion price are prompt-only (embeddings). A price of 0 on a row that costs something otherwise
    is how lists until 2026 spelt "not offered", so images and searches are not free there. A row that sells no text
    tokens, and says what it sells at no price, prices nothing, not even a bare request.
    """
    if rates.unpriced is not None:
        prompt, completion = usage if isinstance(usage, tuple) else (usage.prompt_tokens, usage.completion_tokens)
        return "prompt_tokens" if prompt else "completion_tokens" if completion else "requests", rates.unpriced
    if isinstance(usage, tuple):
        if rates.prompt is not None and rates.completion is not None:
            return None
        usage = Usage(*usage)
    if rates.prompt is None and _split(usage.prompt_tokens, _tariff(rates).inputs, usage)[0]:
        return "prompt_tokens", "the model lists no prompt price"
    if rates.completion is None and _split(usage.completion_tokens, _tariff(rates).outputs, usage)[0]:
        return "completion_tokens", "the model lists no completion price (embedding models price the prompt alone)"
    if usage.images and not usage.image_tokens:
        if not _offered(rates, rates.image):
            return "images", "the model lists no price per image"
        if rates.paid and rates.image_per_token:
            return "images", "the model lists a price per image token; give image_tokens"
    if usage.web_searches and not _offered(rates, rates.web_search):
        return "web_searches", "the model lists no price per search"
    return None


def _offered(rates: Rates, price: Decimal | None) -> bool:
    return price is not None and (bool(price) or not rates.paid)


#: A price key, how many tokens of a usage it is for, and the price listed for it.
_Part: TypeAlias = tuple[str, Callable[[Usage], int], "Decimal | None"]
#: A line without its amount.
Entry: TypeAlias = tuple[str, int, Decimal]


class _Tariff(NamedTuple):
    """How the tokens of a call are told apart at some rates.

    Args:
        inputs: parts of the prompt, in the order in which they are taken out of it.
        storage: cache writes that are charged on top of the prompt.
        outputs: parts of the completion, in the order in which they are taken out of it.
    """

    inputs: tuple[_Part, ...]
    storage: tuple[_Part, ...]
    outputs: tuple[_Part, ...]


def _tariff(rates: Rates) -> _Tariff:
    tariff = rates.memo
    if not isinstance(tariff, _Tariff):
        writes = _writes(rates)
        tariff = _Tariff(
            _told_apart(_inputs(rates, tuple(write for write in writes if not _is_storage(rates, write)))),
            tuple(write for write in writes if _is_storage(rates, write)),
            _told_apart(_outputs(rates)),
        )
        object.__setattr__(rates, "memo", tariff)
    return tariff


def _told_apart(parts: tuple[_Part, ...]) -> tuple[_Part, ...]:
    """Without the last ones that have no price of their own: they keep that of the whole, and take from nobody."""
    while parts and not parts[-1][2]:
        parts = parts[:-1]
    return parts


def _inputs(rates: Rates, writes: tuple[_Part, ...]) -> tuple[_Part, ...]:
    """Parts of the prompt: reads, writes, audio and image tokens.

    The reported count includes cached reads and cache writes (checked against bills). A write priced at or above the
    prompt replaces the prompt price (Anthropic, OpenAI, Qwen): plain = prompt - reads - writes.
    https://openrouter.ai/docs/guides/best-practices/prompt-caching
    """
    return (
        ("input_cache_read", attrgetter("cached_tokens"), rates.input_cache_read),
        *writes,
        ("audio", attrgetter("audio_tokens"), rates.audio),
        ("image_token", attrgetter("image_tokens"), rates.image_token),
    )


def _outputs(rates: Rates) -> tuple[_Part, ...]:
    """Parts of the completion: reasoning, audio and image tokens.

    Reasoning is inside the completion count; a listed ``internal_reasoning`` above zero replaces the completion price
    for those tokens and never adds to it (checked against bills).
    https://openrouter.ai/docs/guides/best-practices/reasoning-tokens
    """
    return (
        ("internal_reasoning", attrgetter("reasoning_tokens"), rates.internal_reasoning),
        ("audio_output", attrgetter("audio_output_tokens"), rates.audio_output),
        ("image_output", attrgetter("image_output_tokens"), rates.image_output),
    )


def _writes(rates: Rates) -> tuple[_Part, ...]:
    """Cache writes by lifetime; those kept for an hour have a price of their own or that of the others."""
    return (
        ("input_cache_write", _short_writes, rates.input_cache_write),
        ("input_cache_write_1h", _hour_writes, rates.input_cache_write_1h or rates.input_cache_write),
    )


def _hour_writes(usage: Usage) -> int:
    return min(usage.cache_write_1h_tokens, usage.prompt_tokens)


def _short_writes(usage: Usage) -> int:
    return max(min(usage.cache_write_tokens, usage.prompt_tokens) - _hour_writes(usage), 0)


def _is_storage(rates: Rates, write: _Part) -> bool:
    """Whether a write is priced below the prompt: storage, charged on top (Gemini).

    A bill of 2168 prompt, 2161 read and 2161 written tokens was 7 plain + 2161 reads + 2161 writes.
    """
    price = write[2]
    return bool(price and rates.prompt is not None and price < rates.prompt)


def bill(rates: Rates, usage: Usage | tuple[int, int]) -> list[Entry]:
    """What is charged for; entries may amount to nothing."""
    if isinstance(usage, tuple):
        if rates.prompt is not None and rates.completion is not None and not rates.request:
            return [("prompt", usage[0], rates.prompt), ("completion", usage[1], rates.completion)]
        usage = Usage(*usage)
    inputs, storage, outputs = _tariff(rates)
    entries: list[Entry] = []
    prompt, completion = usage.prompt_tokens, usage.completion_tokens
    if inputs:
        prompt, entries = _split(prompt, inputs, usage)
    if storage:
        entries += [(item, tokens, price) for item, count, price in storage if price and (tokens := count(usage))]
    if rates.prompt is not None:
        entries.insert(0, ("prompt", prompt, rates.prompt))
    parts: list[Entry] = []
    if outputs:
        completion, parts = _split(completion, outputs, usage)
    if rates.completion is not None:
        entries.append(("completion", completion, rates.completion))
    entries += parts
    if rates.request:
        entries.append(("request", usage.requests, rates.request))
    if usage.images and not usage.image_tokens and rates.image and not rates.image_per_token:
        entries.append(("image", usage.images, rates.image))
    if usage.web_searches and rates.web_search:
        entries.append(("web_search", usage.web_searches, rates.web_search))
    return entries


def _split(tokens: int, parts: tuple[_Part, ...], usage: Usage) -> tuple[int, list[Entry]]:
    """Take ``parts`` out of ``tokens``: how many keep the price of the whole, and those with a price of their own.

    A part without a price of its own keeps that of the whole. So does one of price 0: the lists of March 2025 give 0
    for every row, and nobody is billed below cost. Each part is clamped to what those before it leave: counts come
    dirty (reasoning 11 of completion 10).
    """
    plain = left = tokens
    own: list[Entry] = []
    for item, count, price in parts:
        taken = count(usage)
        if taken:
            taken = min(taken, left)
            left -= taken
            if price and taken:
                plain -= taken
                own.append((item, taken, price))
    return plain, own
