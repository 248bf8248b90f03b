"""Costs, models and price lists in words and tables."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from rich.text import Text

from .._base import money
from .._billing.cost import Cost
from .._prices.model import Category, Model
from .._prices.rates import _DAYS, PRICE_KEYS, Override
from .terminal import cell, line, table

_COLOURS = {
    Category.BUDGET: "green",
    Category.STANDARD: "cyan",
    Category.FAST: "yellow",
    Category.PREMIUM: "magenta",
    Category.REASONING: "red",
}
_WHOLE = {"request": "request", "web_search": "search"}


def category_cell(category: Category | None) -> Text:
    """A category in its colour; a router model has none."""
    return Text("-") if category is None else Text(category.value, _COLOURS[category])


def unit_price(key: str, price: Decimal | None, prompt: Decimal | None) -> tuple[str, str]:
    """USD, and per what. ``prompt`` tells an image price per token (equal to it) from one per image."""
    if price is None:
        return "-", ""
    if price < 0:
        return "variable", ""
    unit = "image" if key == "image" and price != prompt else _WHOLE.get(key)
    if unit is None:
        return money.plain(money.multiply(price, money.MILLION)), "million tokens"
    return money.plain(price), unit


def override_words(entry: Override, prompt: Decimal | None) -> str:
    """A conditional price in words. ``prompt`` is the price of the row that it stands in."""
    conditions: list[str] = []
    if entry.unknown:
        conditions.append(f"never applied, as its conditions are not known here ({', '.join(entry.unknown)})")
    if entry.min_prompt_tokens is not None:
        conditions.append(f"for more than {money.plain(entry.min_prompt_tokens)} prompt tokens")
    if entry.utc_start is not None or entry.utc_end is not None:
        start, end = entry.utc_start or 0, 24 * 60 if entry.utc_end is None else entry.utc_end
        conditions.append(f"from {start // 60:02}:{start % 60:02} to {end // 60:02}:{end % 60:02} UTC")
    if entry.utc_days is not None:
        days = [day.capitalize() for day in _DAYS if day in entry.utc_days]
        conditions.append(f"on {', '.join(days) or 'no day'} (UTC)")
    prices = []
    for key in PRICE_KEYS:
        if key in entry.prices:
            usd, unit = unit_price(key, entry.prices[key], entry.prices.get("prompt", prompt))
            prices.append(f"{key} {usd} USD per {unit}" if unit else f"{key} {usd}")
    return f"{', '.join(conditions) or 'always'}: {', '.join(prices) or 'no other prices'}"


def show_cost(cost: Cost, origin: str) -> None:
    """A cost, the total first, and the bill in lines."""
    total = money.plain(cost.total)
    line(cell(f"{total} USD", "bold green"), cell(cost.model_id, "bold"), cell(origin))
    prompt = None if cost.rates is None else cost.rates.prompt
    rows: list[tuple[object, ...]] = []
    for item in cost.lines:
        price = " per ".join(unit_price(item.item, item.unit_price, prompt))
        rows.append((item.item, item.quantity, price, money.plain(item.amount)))
    rows.append(("raw", "", "", money.plain(cost.raw)))
    rows.append(("markup", "", "", f"x {money.plain(cost.markup_rate)}"))
    rows.append(("total", "", "", total))
    table(["item", ">quantity", ">unit price", ">USD"], [[cell(text) for text in row] for row in rows])


def show_models(models: Sequence[Model]) -> None:
    """A table of models; prices in USD per million tokens."""
    rows = []
    for model in models:
        rates = model.rates
        prices = (unit_price(key, getattr(rates, key), rates.prompt)[0] for key in ("prompt", "completion"))
        context = cell(model.context_length or "-")
        rows.append([cell(model.id), category_cell(model.category), context, *map(cell, prices), cell(model.name)])
    table(["id", "category", ">context", ">prompt", ">completion", "name"], rows)


def show_model(model: Model, origin: str) -> None:
    """A model and its whole price list."""
    rates = model.rates
    line(cell(model.id, "bold"), cell(model.name), cell(origin))
    facts = [
        ("provider", model.provider),
        ("canonical slug", model.canonical_slug),
        ("alias of", model.alias_target),
        ("context", None if model.context_length is None else f"{model.context_length} tokens"),
        ("takes", ", ".join(model.input_modalities)),
        ("gives", ", ".join(model.output_modalities)),
        ("supports", ", ".join(model.supported_parameters)),
    ]
    for name, fact in facts:
        if fact:
            line(cell(f"{name}: {fact}"))
    line(Text.assemble("category: ", category_cell(model.category)))
    listed = [(key, getattr(rates, key)) for key in PRICE_KEYS if getattr(rates, key) is not None]
    table(
        ["item", ">USD", "per"],
        [[cell(key), *map(cell, unit_price(key, price, rates.prompt))] for key, price in listed],
    )
    for entry in rates.overrides:
        line(cell(override_words(entry, rates.prompt)))
    if rates.discount:
        line(cell(f"discount: {money.plain(rates.discount)}, already taken off these prices"))
    if rates.extra:
        line(cell(f"listed, but not known here and never charged: {', '.join(rates.extra)}"))
