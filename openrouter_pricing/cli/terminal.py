"""What the command line shows: escaped text, tables, price lists in words, and that it waits."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from typing import Any

import click
from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from .._base import money
from .._billing.cost import Cost
from .._prices.model import Category, Model
from .._prices.rates import _DAYS, PRICE_KEYS, Override

_COLOURS = {
    Category.BUDGET: "green",
    Category.STANDARD: "cyan",
    Category.FAST: "yellow",
    Category.PREMIUM: "magenta",
    Category.REASONING: "red",
}
_WHOLE = {"request": "request", "web_search": "search"}


def safe(text: object) -> str:
    """``text`` with everything that a terminal would not print as a character (C0, C1, bidi controls) spelt out."""
    return "".join(char if char.isprintable() else _spell(ord(char)) for char in str(text))


def _spell(code: int) -> str:
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def cell(text: object, style: str = "") -> Text:
    """Text from anywhere, escaped; rich reads no markup in it."""
    return Text(safe(text), style)


def category_cell(category: Category | None) -> Text:
    """A category in its colour; a router model has none."""
    return Text("-") if category is None else Text(category.value, _COLOURS[category])


def _console() -> Console:
    return Console(highlight=False, markup=False, emoji=False)


def line(*parts: Text) -> None:
    """One line on stdout, however wide; in colour on a terminal."""
    _console().print(Text("  ").join(parts), soft_wrap=True)


def table(headers: Sequence[str], rows: Sequence[Sequence[Text]]) -> None:
    """A table on stdout: drawn on a terminal, else aligned columns that are never cut. ``>`` aligns to the right."""
    names = [header.lstrip(">") for header in headers]
    right = [header.startswith(">") for header in headers]
    console = _console()
    if console.is_terminal:
        drawn = Table(box=box.SIMPLE_HEAD)
        for name, number in zip(names, right, strict=True):
            drawn.add_column(name, justify="right" if number else "left", no_wrap=number, overflow="fold")
        for row in rows:
            drawn.add_row(*row)
        console.print(drawn)
        return
    texts = [names, *([text.plain for text in row] for row in rows)]
    widths = [max(map(cell_len, column)) for column in zip(*texts, strict=True)]
    for row_texts in texts:
        padded = []
        for text, width, number in zip(row_texts, widths, right, strict=True):
            space = " " * (width - cell_len(text))
            padded.append(space + text if number else text + space)
        line(Text("  ".join(padded).rstrip()))


def show_json(value: object) -> None:
    """JSON on stdout, in printable ASCII."""
    click.echo(json.dumps(value, indent=2).replace("\x7f", "\\u007f"))


def note(text: str) -> None:
    """One line on stderr that is no error."""
    click.echo(safe(f"note: {text}"), err=True)


@contextmanager
def waiting(what: str) -> Iterator[None]:
    """A spinner on stderr while the body runs, if a person sees it."""
    console = Console(stderr=True)
    if not console.is_interactive:
        yield
        return
    with console.status(what):
        yield


def instant(when: datetime) -> str:
    """A UTC instant for people."""
    return f"{when:%Y-%m-%d %H:%M} UTC"


def span(seconds: float) -> str:
    """A length of time for people."""
    for unit, size in (("days", 86400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * size:
            return f"{seconds // size:.0f} {unit}"
    return f"{max(seconds, 0):.0f} seconds"


# -- prices --------------------------------------------------------------------------------------------------------


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


def model_dict(model: Model) -> dict[str, Any]:
    """A model, JSON-ready."""
    return {
        "id": model.id,
        "canonical_slug": model.canonical_slug,
        "name": model.name,
        "provider": model.provider,
        "category": None if model.category is None else model.category.value,
        "context_length": model.context_length,
        "alias_target": model.alias_target,
        "input_modalities": list(model.input_modalities),
        "output_modalities": list(model.output_modalities),
        "supported_parameters": list(model.supported_parameters),
        "pricing": model.rates.to_dict(),
    }


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
