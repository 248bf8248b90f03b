"""Cost: rates times usage times markup, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal, NamedTuple, TypeAlias

import attrs

from . import _money
from .errors import UnpricedUsageError, VariablePriceError
from .rates import Rates
from .usage import Usage

#: What priced a call.
PriceSource: TypeAlias = Literal["live", "stale", "bundled", "pinned", "reported"]


class CostLine(NamedTuple):
    """One line of a bill.

    Args:
        item: the price key that was applied.
        quantity: units (tokens, images, requests or searches).
        unit_price: USD per unit.
        amount: USD; quantity times unit_price, exactly.
    """

    item: str
    quantity: int
    unit_price: Decimal
    amount: Decimal


@attrs.define
class Cost:
    """What one call costs. Treat it as a value: nothing changes it after it was made.

    Args:
        model_id: the id that was priced, after aliases were resolved.
        computed: USD, what the price list says; None where nothing listed could say it.
        reported: USD, what the response says it cost; None where it says nothing.
        raw: USD, what the call costs you: ``reported`` where there is one, else ``computed``.
        markup_rate: what ``raw`` is multiplied by.
        total: USD, what to charge: ``raw`` times ``markup_rate``.
        source: what priced it: "live", "stale", "bundled", "pinned" or "reported".
        as_of: when those prices were fetched (aware UTC); None where no price list was used.
        rates: the rates that were applied, overrides already chosen.
        usage: what was consumed.
        provider: who served it, where the response says so.
        service_tier: the tier it was served at, where the response says so.
        flags: what was wrong with the response's counts, for people.
    """

    model_id: str
    computed: Decimal | None
    reported: Decimal | None
    raw: Decimal
    markup_rate: Decimal
    total: Decimal
    source: PriceSource
    as_of: datetime | None
    rates: Rates | None = attrs.field(repr=False)
    _usage: Usage | tuple[int, int] = attrs.field(repr=False, eq=False)
    provider: str | None = None
    service_tier: str | None = None
    flags: tuple[str, ...] = ()

    @property
    def usage(self) -> Usage:
        """What was consumed."""
        counts = self._usage
        return Usage(*counts) if isinstance(counts, tuple) else counts

    @property
    def lines(self) -> tuple[CostLine, ...]:
        """The bill in lines, those that amount to nothing left out; they add up to ``computed``."""
        if self.rates is None:
            return ()
        return tuple(line for line in itemise(self.rates, self.usage) if line.amount)

    @property
    def residual(self) -> Decimal | None:
        """USD that the price list does not explain: ``reported`` minus ``computed``; None where one is missing."""
        if self.reported is None or self.computed is None:
            return None
        return _money.subtract(self.reported, self.computed)

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready; money as strings, times in ISO 8601."""
        residual = self.residual
        return {
            "model_id": self.model_id,
            "total": _money.text(self.total),
            "raw": _money.text(self.raw),
            "markup_rate": _money.text(self.markup_rate),
            "computed": None if self.computed is None else _money.text(self.computed),
            "reported": None if self.reported is None else _money.text(self.reported),
            "residual": None if residual is None else _money.text(residual),
            "source": self.source,
            "as_of": None if self.as_of is None else self.as_of.isoformat(),
            "provider": self.provider,
            "service_tier": self.service_tier,
            "flags": list(self.flags),
            "lines": [
                {
                    "item": line.item,
                    "quantity": line.quantity,
                    "unit_price": _money.text(line.unit_price),
                    "amount": _money.text(line.amount),
                }
                for line in self.lines
            ],
        }


def charge(
    rates: Rates,
    usage: Usage,
    markup_rate: Decimal = _money.ONE,
    *,
    model_id: str = "",
    source: PriceSource = "pinned",
    as_of: datetime | None = None,
    at: datetime | None = None,
    reported: Decimal | None = None,
) -> Cost:
    """Price ``usage`` at ``rates``.

    Args:
        rates: the model's whole price list; the overrides that hold for this usage are chosen here.
        usage: what was consumed.
        markup_rate: what the raw cost is multiplied by.
        model_id, source, as_of: put on the result as they are.
        at: the request's instant (aware), needed only where prices depend on it.
        reported: USD, what the response says it cost. It is what the call cost, and dimensions without a price then
            stay out of ``computed``: they show up in ``residual``.

    Raises:
        VariablePriceError: a price is negative.
        UnpricedUsageError: the usage has a dimension that is not priced, and no reported cost settles it.
    """
    if rates.variable:
        raise VariablePriceError(model_id)
    applied = rates.effective(usage.prompt_tokens, at)
    if reported is None and (missing := unpriced(applied, usage)) is not None:
        raise UnpricedUsageError(model_id, *missing)
    computed = _money.total([line.amount for line in itemise(applied, usage)])
    raw = computed if reported is None else reported
    return Cost(
        model_id,
        computed,
        reported,
        raw,
        markup_rate,
        _money.multiply(raw, markup_rate),
        source,
        as_of,
        applied,
        usage,
    )


def unpriced(rates: Rates, usage: Usage) -> tuple[str, str] | None:
    """The first dimension of ``usage`` that ``rates`` lists no price for, with the reason; None if all are priced.

    Rows without a completion price are prompt-only (embeddings). A price of 0 on a row that costs something otherwise
    is how lists until 2026 spelt "not offered", so images and searches are not free there.
    """
    if rates.prompt is None and _plain(_input_parts(rates, usage), usage.prompt_tokens):
        return "prompt_tokens", "the model lists no prompt price"
    if rates.completion is None and _plain(_output_parts(rates, usage), usage.completion_tokens):
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


def itemise(rates: Rates, usage: Usage) -> list[CostLine]:
    """The bill of ``usage`` at ``rates`` (overrides already chosen), line by line; unpriced dimensions are left out."""
    lines = _split("prompt", usage.prompt_tokens, rates.prompt, _input_parts(rates, usage))
    lines += [_line(item, tokens, price) for item, tokens, price in _storage(rates, usage)]
    lines += _split("completion", usage.completion_tokens, rates.completion, _output_parts(rates, usage))
    if rates.request:
        lines.append(_line("request", usage.requests, rates.request))
    if usage.images and not usage.image_tokens and rates.image and not rates.image_per_token:
        lines.append(_line("image", usage.images, rates.image))
    if usage.web_searches and rates.web_search:
        lines.append(_line("web_search", usage.web_searches, rates.web_search))
    return lines


#: A price key, its tokens, and the price listed for it.
_Part: TypeAlias = tuple[str, int, "Decimal | None"]


def _input_parts(rates: Rates, usage: Usage) -> list[_Part]:
    """Parts of the prompt, in the order in which they are taken out of it: reads, writes, audio and image tokens.

    The reported count includes cached reads and cache writes (checked against bills). A write priced at or above the
    prompt replaces the prompt price (Anthropic, OpenAI, Qwen): plain = prompt - reads - writes.
    https://openrouter.ai/docs/guides/best-practices/prompt-caching
    """
    return [
        ("input_cache_read", usage.cached_tokens, rates.input_cache_read),
        *(write for write in _writes(rates, usage) if not _is_storage(rates, write)),
        ("audio", usage.audio_tokens, rates.audio),
        ("image_token", usage.image_tokens, rates.image_token),
    ]


def _output_parts(rates: Rates, usage: Usage) -> list[_Part]:
    """Parts of the completion, in the order in which they are taken out of it: reasoning, audio and image tokens.

    Reasoning is inside the completion count; a listed ``internal_reasoning`` above zero replaces the completion price
    for those tokens and never adds to it (checked against bills).
    https://openrouter.ai/docs/guides/best-practices/reasoning-tokens
    """
    return [
        ("internal_reasoning", usage.reasoning_tokens, rates.internal_reasoning),
        ("audio_output", usage.audio_output_tokens, rates.audio_output),
        ("image_output", usage.image_output_tokens, rates.image_output),
    ]


def _writes(rates: Rates, usage: Usage) -> list[_Part]:
    """Cache writes by lifetime; those kept for an hour have a price of their own or that of the others."""
    hour = min(usage.cache_write_1h_tokens, usage.prompt_tokens)
    rest = max(min(usage.cache_write_tokens, usage.prompt_tokens) - hour, 0)
    return [
        ("input_cache_write", rest, rates.input_cache_write),
        ("input_cache_write_1h", hour, rates.input_cache_write_1h or rates.input_cache_write),
    ]


def _is_storage(rates: Rates, write: _Part) -> bool:
    price = write[2]
    return bool(price and rates.prompt is not None and price < rates.prompt)


def _storage(rates: Rates, usage: Usage) -> list[tuple[str, int, Decimal]]:
    """Writes priced below the prompt: storage, charged on top (Gemini).

    A bill of 2168 prompt, 2161 read and 2161 written tokens was 7 plain + 2161 reads + 2161 writes.
    """
    return [
        (item, tokens, price)
        for item, tokens, price in _writes(rates, usage)
        if tokens and price and _is_storage(rates, (item, tokens, price))
    ]


def _split(whole: str, tokens: int, price: Decimal | None, parts: list[_Part]) -> list[CostLine]:
    """Take ``parts`` out of ``tokens``.

    A part without a price of its own keeps that of the whole. So does one of price 0: the lists of March 2025 give 0
    for every row, and nobody is billed below cost.
    """
    lines = [_line(item, taken, own) for item, taken, own in _clamp(parts, tokens) if own and taken]
    return lines if price is None else [_line(whole, _plain(parts, tokens), price), *lines]


def _plain(parts: list[_Part], tokens: int) -> int:
    """How many of ``tokens`` no part with a price of its own takes."""
    return tokens - sum(taken for _, taken, own in _clamp(parts, tokens) if own)


def _clamp(parts: list[_Part], tokens: int) -> Iterator[_Part]:
    """The parts, each clamped to what those before it leave: counts come dirty (reasoning 11 of completion 10)."""
    for item, wanted, own in parts:
        taken = min(wanted, tokens)
        tokens -= taken
        yield item, taken, own


def _line(item: str, quantity: int, unit_price: Decimal) -> CostLine:
    return CostLine(item, quantity, unit_price, _money.multiply(unit_price, quantity))
