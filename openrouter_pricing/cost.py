"""Cost: rates times usage times markup, and nothing else."""

from __future__ import annotations

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
    if usage.prompt_tokens and rates.prompt is None:
        return "prompt_tokens", "the model lists no prompt price"
    if usage.completion_tokens and rates.completion is None:
        return "completion_tokens", "the model lists no completion price (embedding models price the prompt alone)"
    if usage.images and not usage.image_tokens:
        if not _offered(rates, rates.image):
            return "images", "the model lists no price per image"
        if rates.paid and rates.image == rates.prompt:
            return "images", "the model lists a price per image token; give image_tokens"
    if usage.web_searches and not _offered(rates, rates.web_search):
        return "web_searches", "the model lists no price per search"
    return None


def _offered(rates: Rates, price: Decimal | None) -> bool:
    return price is not None and (bool(price) or not rates.paid)


def itemise(rates: Rates, usage: Usage) -> list[CostLine]:
    """The bill of ``usage`` at ``rates`` (overrides already chosen), line by line; unpriced dimensions are left out."""
    lines: list[CostLine] = []
    if rates.prompt is not None:
        lines += _input_lines(rates, rates.prompt, usage)
    if rates.completion is not None:
        lines += _output_lines(rates, rates.completion, usage)
    if rates.request:
        lines.append(_line("request", usage.requests, rates.request))
    if usage.images and not usage.image_tokens and rates.image and rates.image != rates.prompt:
        lines.append(_line("image", usage.images, rates.image))
    if usage.web_searches and rates.web_search:
        lines.append(_line("web_search", usage.web_searches, rates.web_search))
    return lines


def _input_lines(rates: Rates, prompt: Decimal, usage: Usage) -> list[CostLine]:
    """Prompt tokens: reads, writes, audio and image tokens are taken out in this order, each clamped to what is left.

    The reported count includes cached reads and cache writes (checked against bills). A cache price of 0 counts as not
    listed, as the lists of March 2025 give 0 for every row and nobody is billed below cost. A write priced at or above
    the prompt replaces the prompt price (Anthropic, OpenAI, Qwen); one priced below it is storage, charged on top
    (Gemini: a bill of 2168 prompt, 2161 read and 2161 written tokens was 7 plain + 2161 reads + 2161 writes). One-hour
    writes have a price of their own or that of the other writes.
    https://openrouter.ai/docs/guides/best-practices/prompt-caching
    """
    hour = min(usage.cache_write_1h_tokens, usage.prompt_tokens)
    base = min(usage.cache_write_tokens, usage.prompt_tokens) - hour
    writes = [
        ("input_cache_write", max(base, 0), rates.input_cache_write),
        ("input_cache_write_1h", hour, rates.input_cache_write_1h or rates.input_cache_write),
    ]
    stored = [write for write in writes if write[2] and write[2] < prompt]
    return _split(
        ("prompt", usage.prompt_tokens, prompt),
        [
            ("input_cache_read", usage.cached_tokens, rates.input_cache_read),
            *(write for write in writes if write not in stored),
            ("audio", usage.audio_tokens, rates.audio),
            ("image_token", usage.image_tokens, rates.image_token),
        ],
    ) + [_line(item, tokens, price) for item, tokens, price in stored if tokens and price]


def _output_lines(rates: Rates, completion: Decimal, usage: Usage) -> list[CostLine]:
    """Completion tokens: reasoning, audio and image tokens are taken out in this order, each clamped to what is left.

    Reasoning is inside the completion count; a listed ``internal_reasoning`` above zero replaces the completion price
    for those tokens and never adds to it (checked against bills). Counts come dirty (reasoning 11 of completion 10).
    https://openrouter.ai/docs/guides/best-practices/reasoning-tokens
    """
    return _split(
        ("completion", usage.completion_tokens, completion),
        [
            ("internal_reasoning", usage.reasoning_tokens, rates.internal_reasoning),
            ("audio_output", usage.audio_output_tokens, rates.audio_output),
            ("image_output", usage.image_output_tokens, rates.image_output),
        ],
    )


def _split(whole: tuple[str, int, Decimal], parts: list[tuple[str, int, Decimal | None]]) -> list[CostLine]:
    """Take ``parts`` out of ``whole``; a part without a price of its own, or one of 0, keeps the price of the whole."""
    item, tokens, price = whole
    left, plain = tokens, 0
    lines: list[CostLine] = []
    for part, wanted, own in parts:
        taken = min(wanted, left)
        left -= taken
        if not own:
            plain += taken
        elif taken:
            lines.append(_line(part, taken, own))
    return [_line(item, left + plain, price), *lines]


def _line(item: str, quantity: int, unit_price: Decimal) -> CostLine:
    return CostLine(item, quantity, unit_price, _money.multiply(unit_price, quantity))
