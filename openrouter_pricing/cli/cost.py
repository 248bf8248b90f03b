"""The command cost: what calls cost at one model or at several, and what a month of them does."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

import click

from .._base import money
from .._billing.cost import Cost
from ..pricing import Pricing
from .options import Count, csv_option, json_option, one_answer, one_form
from .question import QuestionCommand, asked, told, usage_options, words_argument
from .tables import Column, table
from .terminal import Cell, cell, line, show_csv, show_json, times, waiting
from .views import override_words, ratio, unit_price

_DAYS = 30  # of a month


class Projection(NamedTuple):
    """How many calls are made.

    Args:
        calls: how many.
        per: "day" or "month".
    """

    calls: int
    per: str

    @property
    def periods(self) -> dict[str, int]:
        """Calls in each period that the sums are exact for: a month has 30 days, a day is no part of a month."""
        return {"day": self.calls, "month": _DAYS * self.calls} if self.per == "day" else {"month": self.calls}

    def to_dict(self, cost: Cost) -> dict[str, Any]:
        """JSON-ready; money as strings."""
        sums = {
            f"per_{period}": {
                "calls": calls,
                "raw": money.text(money.multiply(cost.raw, calls)),
                "total": money.text(money.multiply(cost.total, calls)),
            }
            for period, calls in self.periods.items()
        }
        return {"calls": self.calls, "per": self.per, "days_of_a_month": _DAYS, **sums}


@click.command(cls=QuestionCommand, short_help="What a call costs at one model or several, or a month.")
@words_argument("MODEL... PROMPT COMPLETION")
@usage_options
@click.option("--provider", metavar="NAME", help="At this provider's prices: its tag, slug or name.")
@click.option("--calls", type=Count(1), metavar="N", help="Project: what so many calls cost.")
@click.option("--per", type=click.Choice(["day", "month"]), help="What N is per; a month has 30 days. Default: month.")
@json_option
@csv_option
def cost(
    words: tuple[Any, ...],
    markup: Decimal | None,
    at: datetime | None,
    tier: str | None,
    provider: str | None,
    calls: int | None,
    per: str | None,
    as_json: bool,
    as_csv: bool,
    **counts: int,
) -> None:
    """What a call to MODEL with PROMPT and COMPLETION tokens costs, and what to charge for it.

    Several models are shown side by side, the cheapest first. PROMPT counts everything that goes in, also what is read
    from a cache or written to it. A count may be written as 1000, 1,000, 1k or 1.5M.
    """
    one_form(as_json, as_csv)
    if per is not None and calls is None:
        raise click.UsageError("--per needs --calls N: how many they are.", click.get_current_context())
    question = asked(words, counts)
    projection = None if calls is None else Projection(calls, per or "month")
    with Pricing(one_answer()) as pricing, waiting("asking for prices"):
        costs = [
            pricing.cost(model, usage=question.usage, markup_rate=markup, at=at, provider=provider, service_tier=tier)
            for model in question.models
        ]
    costs.sort(key=lambda each: each.raw)
    origin = told(costs)
    if as_json:
        shown = [each.to_dict() | _projected(projection, each) for each in costs]
        show_json(shown[0] if len(shown) == 1 else shown)
    elif as_csv:
        show_csv(*_csv(costs, projection))
    elif len(costs) == 1:
        _show_one(costs[0], origin, projection)
    else:
        _show_several(costs, origin, projection)


def _projected(projection: Projection | None, cost: Cost) -> dict[str, Any]:
    return {} if projection is None else {"projection": projection.to_dict(cost)}


def _amounts(cost: Cost) -> str:
    """What it costs and what to charge."""
    charge = money.plain(cost.total)
    return f"costs {money.plain(cost.raw)} USD; charge {charge} USD ({times()} {money.plain(cost.markup_rate)})"


def _served(cost: Cost) -> str:
    """By whom and how it is served, where that was asked for."""
    parts = {"endpoint": cost.endpoint, "tier": cost.service_tier}
    return ", ".join(f"{name} {value}" for name, value in parts.items() if value)


def _show_one(cost: Cost, origin: str, projection: Projection | None) -> None:
    """What it costs first, then the bill in lines, the conditions that hold, and the projection."""
    served = _served(cost)
    parts = [cell(_amounts(cost), "bold green"), cell(cost.model_id, "bold")]
    line(*parts, *([cell(served)] if served else []), cell(origin))
    prompt = None if cost.rates is None else cost.rates.prompt
    rows: list[tuple[object, ...]] = []
    for item in cost.lines:
        price = " per ".join(unit_price(item.item, item.unit_price, prompt))
        rows.append((item.item, item.quantity, price, item.amount))
    rows.append(("raw", "", "", cost.raw))
    rows.append(("markup", "", "", f"{times()} {money.plain(cost.markup_rate)}"))
    rows.append(("total", "", "", cost.total))
    table([Column("item"), Column("quantity", True), Column("unit price", True), Column("USD", True)], rows)
    _show_conditions(cost, "")
    if projection is not None:
        for period, calls in projection.periods.items():
            raw, total = (money.plain(money.multiply(amount, calls)) for amount in (cost.raw, cost.total))
            name = f"a month ({_DAYS} days)" if period == "month" and projection.per == "day" else f"a {period}"
            line(cell(f"{calls:,} calls {name}: costs {raw} USD; charge {total} USD", "bold"))


def _show_conditions(cost: Cost, whose: str) -> None:
    for entry in cost.overrides:
        line(cell(f"{whose}applies {override_words(entry, None if cost.rates is None else cost.rates.prompt)}"))


def _show_several(costs: Sequence[Cost], origin: str, projection: Projection | None) -> None:
    """A table of models, the cheapest first; on its first line what that one costs."""
    first = costs[0]
    whose = f"{first.model_id}, the cheapest of {len(costs)}"
    line(cell(_amounts(first), "bold green"), cell(whose, "bold"), cell(origin))
    periods = {} if projection is None else projection.periods
    columns = [
        Column("model"),
        Column("costs USD", True, gives=5 if periods else 0),
        Column("charge USD", True, gives=3),
        Column("vs cheapest", True, gives=4),
    ]
    for place, period in enumerate(periods, 1):
        is_last = place == len(periods)
        columns.append(Column(f"costs a {period}", True, gives=0 if is_last else 1))
        columns.append(Column(f"charge a {period}", True, gives=2 if is_last else 1))
    rows = []
    for cost in costs:
        against = ratio(cost.raw, first.raw)
        sums = [money.multiply(amount, calls) for calls in periods.values() for amount in (cost.raw, cost.total)]
        shown = "-" if against is None else f"{times()} {against}"
        style = "green" if cost is first else ""
        rows.append([cell(_name(cost), style), cell(cost.raw), cell(cost.total), cell(shown), *map(cell, sums)])
    table(columns, rows)
    for cost in costs:
        _show_conditions(cost, f"{cost.model_id}: ")
    if projection is not None:
        days = f", a month of {_DAYS} days" if projection.per == "day" else ""
        line(Cell(f"{projection.calls:,} calls a {projection.per}{days}"))


def _name(cost: Cost) -> str:
    served = _served(cost)
    return f"{cost.model_id} ({served})" if served else cost.model_id


def _csv(costs: Sequence[Cost], projection: Projection | None) -> tuple[list[str], list[list[object]]]:
    """A header, and a line of each model."""
    periods = {} if projection is None else projection.periods
    header = [
        "model",
        "raw_usd",
        "total_usd",
        "markup_rate",
        "vs_cheapest",
        "source",
        "as_of",
        "endpoint",
        "tier",
    ]
    for period in periods:
        header += [f"calls_per_{period}", f"raw_usd_per_{period}", f"total_usd_per_{period}"]
    rows = []
    for cost in costs:
        row: list[object] = [cost.model_id, cost.raw, cost.total, cost.markup_rate, ratio(cost.raw, costs[0].raw)]
        row += [cost.source, None if cost.as_of is None else cost.as_of.isoformat(), cost.endpoint, cost.service_tier]
        for calls in periods.values():
            row += [calls, money.multiply(cost.raw, calls), money.multiply(cost.total, calls)]
        rows.append(row)
    return header, rows
