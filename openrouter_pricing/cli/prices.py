"""The commands that answer with prices: cost, models, model."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any

import click

from .._billing.usage import Usage
from .._prices.model import Model
from ..pricing import Pricing
from .options import CATEGORY, COUNT, json_option, one_answer, origin_words, read_instant, read_number, read_per_token
from .terminal import note, show_json, waiting
from .views import show_cost, show_model, show_models


class _Cost(click.Command):
    """Says what is wrong with a count below zero, which looks like an option."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            if error.option_name[1:].isdigit():
                raise click.UsageError("PROMPT and COMPLETION must not be negative.", ctx) from error
            raise


@click.command(cls=_Cost)
@click.argument("model")
@click.argument("prompt", type=COUNT)
@click.argument("completion", type=COUNT)
@click.option("--cached", type=COUNT, default=0, metavar="N", help="Prompt tokens read from a cache.")
@click.option("--cache-write", type=COUNT, default=0, metavar="N", help="Prompt tokens written to a cache.")
@click.option(
    "--markup", callback=read_number, metavar="R", help="Multiply the raw cost by R, not by the settings' rate."
)
@click.option(
    "--at", callback=read_instant, metavar="T", help="Time of the call, ISO 8601 with a time zone; default: now."
)
@json_option
def cost(
    model: str,
    prompt: int,
    completion: int,
    cached: int,
    cache_write: int,
    markup: Decimal | None,
    at: datetime | None,
    as_json: bool,
) -> None:
    """What a call to MODEL with PROMPT and COMPLETION tokens costs.

    PROMPT counts everything that goes in, also what is read from a cache or written to it.
    """
    usage = Usage(prompt, completion, cached_tokens=cached, cache_write_tokens=cache_write)
    with Pricing(one_answer()) as pricing:
        with waiting("asking for prices"):
            answer = pricing.cost(model, usage=usage, markup_rate=markup, at=at)
        assert answer.as_of is not None
        origin = origin_words(answer.source, answer.as_of)
        if as_json:
            show_json(answer.to_dict())
        else:
            show_cost(answer, origin)


_ORDERS: dict[str, Callable[[Model], Any]] = {
    "id": lambda model: model.id,
    "name": lambda model: model.name.lower(),
    "price": lambda model: (model.mean_price is None, model.mean_price or 0),
    "context": lambda model: -(model.context_length or 0),
}


@click.command()
@click.option("--text", help="Part of the id or the name.")
@click.option("--provider", help="Such as openai.")
@click.option("--category", type=CATEGORY, help="How dear it is.")
@click.option("--min-context", type=COUNT, metavar="N", help="Least context length, tokens.")
@click.option("--max-prompt-price", callback=read_per_token, metavar="USD", help="At most, USD per million tokens.")
@click.option("--modality", help="Something it takes or gives (image), or all of that (text+image->text).")
@click.option("--supports", multiple=True, metavar="PARAMETER", help="A request parameter that it takes; repeatable.")
@click.option(
    "--sort", type=click.Choice(list(_ORDERS)), help="Cheapest, or largest context, first; default: as listed."
)
@click.option("--limit", type=click.IntRange(1), metavar="N", help="Show the first N alone.")
@json_option
def models(sort: str | None, limit: int | None, as_json: bool, **conditions: Any) -> None:
    """The models that meet every condition given; prices in USD per million tokens."""
    with Pricing(one_answer()) as pricing:
        with waiting("asking for prices"):
            catalog = pricing.catalog()
            found = catalog.find(**conditions)
        source = pricing.stats().source
        origin_words(source, catalog.as_of)
        if sort is not None:
            found.sort(key=_ORDERS[sort])
        found = found[:limit]
        if as_json:
            rows = [model.to_dict() for model in found]
            show_json({"source": source, "as_of": catalog.as_of.isoformat(), "models": rows})
        elif found:
            show_models(found)
        else:
            note("no model meets these conditions")


@click.command()
@click.argument("model_id", metavar="ID")
@json_option
def model(model_id: str, as_json: bool) -> None:
    """The whole price list of a model, its conditional prices in words."""
    with Pricing(one_answer()) as pricing:
        with waiting("asking for prices"):
            catalog = pricing.catalog()
            found = catalog[model_id]
        source = pricing.stats().source
        origin = origin_words(source, catalog.as_of)
        if as_json:
            show_json({**found.to_dict(), "source": source, "as_of": catalog.as_of.isoformat()})
        else:
            show_model(found, origin)
