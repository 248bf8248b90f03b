"""The commands that show what is listed: models and model."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import click

from .._base import money
from .._prices.catalog import Catalog
from .._prices.model import Category, Model
from .._prices.rates import PRICE_KEYS
from ..pricing import Pricing
from .completion import complete_models
from .options import COUNT, BareHelp, Count, csv_option, json_option, one_answer, one_form, origin_words, read_per_token
from .tables import Column, table
from .terminal import Cell, cell, console, line, note, show_csv, show_json, waiting
from .views import MEAN, THRESHOLDS, category_cell, override_words, thresholds, unit_price

_CATEGORY = click.Choice([category.value for category in Category], case_sensitive=False)
_ORDERS: dict[str, Callable[[Model], Any]] = {
    "id": lambda model: model.id,
    "name": lambda model: model.name.lower(),
    "price": lambda model: model.mean_price,
    "context": lambda model: model.context_length,
}
_DESCENDING = {"context"}  # what is shown largest first anyway
#: Filters on what not every list says, and what tells whether a row does.
_SAID: dict[str, Callable[[Model], object]] = {
    "min_context": lambda model: model.context_length is not None,
    "modality": lambda model: model.input_modalities or model.output_modalities,
    "supports": lambda model: "supported_parameters" in model.raw,
}


def _price(key: str) -> Callable[[Model], object]:
    return lambda model: unit_price(key, getattr(model.rates, key), model.rates.prompt)[0]


_VALUES: dict[str, tuple[Column, Callable[[Model], object]]] = {
    "id": (Column("id"), lambda model: model.id),
    "category": (Column("category", gives=2), lambda model: category_cell(model.category)),
    "context": (Column("context", True, gives=3), lambda model: model.context_length or "-"),
    "prompt": (Column("prompt", True), _price("prompt")),
    "completion": (Column("completion", True), _price("completion")),
    "name": (Column("name", gives=1), lambda model: model.name),
    "provider": (Column("provider"), lambda model: model.provider),
    "slug": (Column("slug"), lambda model: model.canonical_slug),
    "cache_read": (Column("cache_read", True), _price("input_cache_read")),
    "cache_write": (Column("cache_write", True), _price("input_cache_write")),
    "reasoning": (Column("reasoning", True), _price("internal_reasoning")),
    "request": (Column("request", True), _price("request")),
    "image": (Column("image", True), _price("image")),
    "search": (Column("search", True), _price("web_search")),
    "takes": (Column("takes"), lambda model: "+".join(model.input_modalities) or "-"),
    "gives": (Column("gives"), lambda model: "+".join(model.output_modalities) or "-"),
}
_SHOWN = ("id", "category", "context", "prompt", "completion", "name")


def _read_columns(context: click.Context, parameter: click.Parameter, value: str | None) -> tuple[str, ...] | None:
    """Names of columns with commas between them."""
    if value is None:
        return None
    names = tuple(dict.fromkeys(name.strip().lower() for name in value.split(",")))
    for name in names:
        if name not in _VALUES:
            raise click.BadParameter(f"there is no column {name[:40]!r}; there are {', '.join(_VALUES)}.")
    return names


@click.command(short_help="The models that meet every condition given.")
@click.option("--text", metavar="TEXT", help="Part of the id or the name.")
@click.option("--provider", metavar="NAME", help="Such as openai.")
@click.option("--category", type=_CATEGORY, help=f"How dear it is: {thresholds()}.")
@click.option("--min-context", type=COUNT, metavar="N", help="Least context length, tokens, such as 128k.")
@click.option("--max-prompt-price", callback=read_per_token, metavar="USD", help="At most, USD per million tokens.")
@click.option(
    "--modality", metavar="NAME", help="Something it takes or gives (image), or all of that (text+image->text)."
)
@click.option("--supports", multiple=True, metavar="PARAMETER", help="A request parameter that it takes; repeatable.")
@click.option(
    "--sort", type=click.Choice(list(_ORDERS)), help="Cheapest, or largest context, first; default: as listed."
)
@click.option("--desc", is_flag=True, help="Descending: the dearest, largest or last one first.")
@click.option("--limit", type=Count(1), metavar="N", help="Show the first N alone; default: every one.")
@click.option(
    "--columns", callback=_read_columns, metavar="NAMES", help=f"With commas between them, of: {', '.join(_VALUES)}."
)
@json_option
@csv_option
def models(
    sort: str | None,
    desc: bool,
    limit: int | None,
    columns: tuple[str, ...] | None,
    as_json: bool,
    as_csv: bool,
    **conditions: Any,
) -> None:
    """The models that meet every condition given; prices in USD per million tokens, or per request, image or search.

    An id is never cut: on a narrow terminal name, category and context are left out, in this order, unless --columns
    names them.
    """
    one_form(as_json, as_csv)
    with Pricing(one_answer()) as pricing:
        with waiting("asking for prices"):
            catalog = pricing.catalog()
            found = catalog.find(**conditions)
        source = pricing.stats().source
    origin_words(source, catalog.as_of)
    unknown = _unknown(catalog, conditions) if source == "bundled" else {}
    found = _ordered(found, sort, desc)[:limit]
    if as_json:
        rows = [model.to_dict() for model in found]
        doubt = {"unknown": sorted(unknown)} if unknown else {}
        show_json({"source": source, "as_of": catalog.as_of.isoformat(), **doubt, "models": rows})
    elif as_csv:
        names = columns or _SHOWN
        show_csv(names, ([_plain(name, model) for name in names] for model in found))
    elif found:
        _show_models(found, columns)
    elif not unknown:
        note("no model meets these conditions")
    for condition, lacking in unknown.items():
        option = condition.replace("_", "-")
        of = "" if lacking == len(catalog) else f" for {lacking} of {len(catalog)} models"
        note(f"--{option}: unknown in the snapshot{of}; with a network the answer is whole")


def _unknown(catalog: Catalog, conditions: dict[str, Any]) -> dict[str, int]:
    """The conditions that were given on what a list does not say, and of how many models it does not."""
    given = [name for name in _SAID if conditions[name] not in (None, ())]
    counts = {name: sum(not _SAID[name](model) for model in catalog.find()) for name in given}
    return {name: count for name, count in counts.items() if count}


def _ordered(found: list[Model], sort: str | None, desc: bool) -> list[Model]:
    """The models in order; those that lack what is sorted by come last, whichever way."""
    if sort is None:
        return found[::-1] if desc else found
    value = _ORDERS[sort]
    known = [model for model in found if value(model) is not None]
    known.sort(key=value, reverse=desc or sort in _DESCENDING)
    return known + [model for model in found if value(model) is None]


def _plain(name: str, model: Model) -> object:
    """A value of a CSV file, empty where the list says nothing."""
    value = _VALUES[name][1](model)
    plain = value.plain if isinstance(value, Cell) else value
    return None if plain == "-" else plain


def _show_models(models: Sequence[Model], names: Iterable[str] | None) -> None:
    """A table of models; columns that were asked for by name do not give way."""
    chosen = [_VALUES[name] for name in names or _SHOWN]
    shown = table(
        [column if names is None else column._replace(gives=0) for column, _ in chosen],
        [[value(model) for _, value in chosen] for model in models],
    )
    if "category" in shown and console() is not None:
        line(cell(f"category: {thresholds()}", "dim"))


@click.command(cls=BareHelp, short_help="The whole price list of one model.")
@click.argument("model_id", metavar="ID", shell_complete=complete_models)
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
        _show_model(found, origin)


def _show_model(model: Model, origin: str) -> None:
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
    category = model.category
    said = "" if category is None else f"category: {category.value} ({THRESHOLDS[category]} {MEAN})"
    line(cell(said or "category: -", category_cell(category).style))
    listed = [(key, getattr(rates, key)) for key in PRICE_KEYS if getattr(rates, key) is not None]
    table(
        [Column("item"), Column("USD", True), Column("per")],
        [[key, *unit_price(key, price, rates.prompt)] for key, price in listed],
    )
    for entry in rates.overrides:
        line(cell(override_words(entry, rates.prompt)))
    if rates.discount:
        line(cell(f"discount: {money.plain(rates.discount)}, already taken off these prices"))
    if rates.extra:
        line(cell(f"listed, but not known here and never charged: {', '.join(rates.extra)}"))
