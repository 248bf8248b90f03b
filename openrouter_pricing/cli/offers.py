"""The commands that compare providers: range and endpoints."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

import click

from .._base import money
from .._billing.cost import Cost, PriceRange
from .._prices.endpoints import Endpoints
from ..pricing import Pricing
from .completion import complete_models
from .options import BareHelp, csv_option, json_option, one_answer, one_form, origin_words
from .question import QuestionCommand, asked, told, usage_options, words_argument
from .tables import Column, table
from .terminal import cell, line, show_csv, show_json, times, waiting
from .views import override_words, unit_price

_PRICES = ("prompt", "completion", "input_cache_read", "input_cache_write")


@click.command("range", cls=QuestionCommand, short_help="What a call can cost, whoever serves it.")
@words_argument("MODEL PROMPT COMPLETION")
@usage_options
@json_option
@csv_option
def range_(
    words: tuple[Any, ...],
    markup: Decimal | None,
    at: datetime | None,
    tier: str | None,
    as_json: bool,
    as_csv: bool,
    **counts: int,
) -> None:
    """What a call to MODEL can cost, whichever provider serves it.

    The cheapest and the dearest provider's price of this very call, and the model's own. A count may be written as
    1000, 1,000, 1k or 1.5M.
    """
    one_form(as_json, as_csv)
    question = asked(words, counts)
    if len(question.models) > 1:
        raise click.UsageError(
            f"'MODEL' must be one model, not {len(question.models)}: {', '.join(question.models)[:80]}.",
            click.get_current_context(),
        )
    with Pricing(one_answer()) as pricing, waiting("asking for the providers' prices"):
        found = pricing.price_range(question.models[0], question.usage, markup_rate=markup, at=at, service_tier=tier)
    origin = told(found)
    if as_json:
        show_json({name: each.to_dict() for name, each in found._asdict().items()})
    elif as_csv:
        show_csv(
            ["which", "model", "provider", "endpoint", "raw_usd", "total_usd", "markup_rate"],
            [
                [name, each.model_id, each.provider, each.endpoint, each.raw, each.total, each.markup_rate]
                for name, each in found._asdict().items()
            ],
        )
    else:
        _show_range(found, origin)


def _show_range(found: PriceRange, origin: str) -> None:
    """From what to what first, then whose prices these are."""
    low, listed, high = found
    rate = f"({times()} {money.plain(listed.markup_rate)})"
    words = f"costs {_between(low.raw, high.raw)} USD; charge {_between(low.total, high.total)} USD {rate}"
    line(cell(words, "bold green"), cell(listed.model_id, "bold"), cell(origin))
    table(
        [
            Column("price"),
            Column("endpoint"),
            Column("costs USD", True),
            Column("charge USD", True),
            Column("provider", gives=1),
        ],
        [_row("cheapest", low), _row("listed", listed), _row("dearest", high)],
    )
    for name, each in (("cheapest", low), ("listed", listed), ("dearest", high)):
        for entry in each.overrides:
            line(cell(f"{name}: applies {override_words(entry, None if each.rates is None else each.rates.prompt)}"))


def _between(low: Decimal, high: Decimal) -> str:
    return money.plain(low) if low == high else f"{money.plain(low)} to {money.plain(high)}"


def _row(name: str, cost: Cost) -> list[object]:
    own = cost.endpoint is None
    return [name, "-" if own else cost.endpoint, cost.raw, cost.total, "the model's own" if own else cost.provider]


@click.command(cls=BareHelp, short_help="What each provider of a model asks for it.")
@click.argument("model", shell_complete=complete_models)
@json_option
@csv_option
def endpoints(model: str, as_json: bool, as_csv: bool) -> None:
    """What each provider of MODEL asks for it; prices in USD per million tokens."""
    one_form(as_json, as_csv)
    with Pricing(one_answer()) as pricing, waiting("asking for the providers' prices"):
        found = pricing.endpoints(model)
    origin = origin_words(found.source, found.as_of)
    if as_json:
        show_json(_report(found))
    elif as_csv:
        show_csv(
            ["endpoint", "provider", "tier", "quantization", "context", *_PRICES],
            [
                [
                    each.tag,
                    each.provider,
                    each.service_tier,
                    each.quantization,
                    each.context_length,
                    *(_shown(each.rates, key) for key in _PRICES),
                ]
                for each in found
            ],
        )
    else:
        _show_endpoints(found, origin)


def _shown(rates: Any, key: str) -> str | None:
    price = getattr(rates, key)
    return None if price is None else unit_price(key, price, rates.prompt)[0]


def _show_endpoints(found: Endpoints, origin: str) -> None:
    line(cell(found.model_id, "bold"), cell(f"{len(found)} endpoints, USD per million tokens"), cell(origin))
    rows = []
    for each in found:
        context = "-" if each.context_length is None else each.context_length
        prices = [_shown(each.rates, key) or "-" for key in _PRICES]
        tier, quantization = each.service_tier or "standard", each.quantization or "-"
        rows.append([each.tag, tier, *prices, context, quantization, each.provider])
    table(
        [
            Column("endpoint"),
            Column("tier"),
            Column("prompt", True),
            Column("completion", True),
            Column("cache read", True, gives=5),
            Column("cache write", True, gives=4),
            Column("context", True, gives=3),
            Column("quantization", gives=2),
            Column("provider", gives=1),
        ],
        rows,
    )
    for each in found:
        for entry in each.rates.overrides:
            line(cell(f"{each.tag}: {override_words(entry, each.rates.prompt)}"))


def _report(found: Endpoints) -> dict[str, Any]:
    return {
        "model_id": found.model_id,
        "source": found.source,
        "as_of": found.as_of.isoformat(),
        "endpoints": [
            {
                "tag": each.tag,
                "provider": each.provider,
                "service_tier": each.service_tier,
                "quantization": each.quantization,
                "context_length": each.context_length,
                "pricing": each.rates.to_dict(),
            }
            for each in found
        ],
    }
