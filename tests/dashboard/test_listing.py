"""The list of models: found, put in order, and priced for one's own usage."""

from __future__ import annotations

import html
import re
from decimal import Decimal
from typing import Any

import pytest
from support.pages import catalog, reader, shown, text
from support.upstream import row

from openrouter_pricing import Catalog, Pricing, Settings, Usage

ROWS = [
    row("b/dear", name="Zeta", context_length=10, pricing={"prompt": "0.00006", "completion": "0.00007"}),
    row("c/router", name="Eta", context_length=None, pricing={"prompt": "-1", "completion": "-1"}),
    row("a/cheap", name="alpha Sonnet", context_length=30, pricing={"prompt": "0.0000001", "completion": "0"}),
    row("a/free:free", name="Beta", context_length=20, pricing={"prompt": "0", "completion": "0"}),
]


def found(path: str, *rows: dict[str, Any], **options: Any) -> list[str]:
    """The ids on a page, in order."""
    page = shown(*(rows or ROWS), **options).get(path).text
    return [html.unescape(each) for each in re.findall(r'<th scope="row"><a href="/models/([^"]+)"', page)]


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ("", "b/dear c/router a/cheap a/free:free"),
        ("sort=name", "a/cheap a/free:free c/router b/dear"),
        ("sort=name&order=desc", "b/dear c/router a/free:free a/cheap"),
        ("sort=prompt", "a/free:free a/cheap b/dear c/router"),
        ("sort=prompt&order=desc", "b/dear a/cheap a/free:free c/router"),
        ("sort=completion", "a/cheap a/free:free b/dear c/router"),
        ("sort=context", "a/cheap a/free:free b/dear c/router"),
        ("sort=context&order=asc", "b/dear a/free:free a/cheap c/router"),
        ("q=SONNET+alpha", "a/cheap"),
        ("q=nothing", ""),
        ("provider=a", "a/cheap a/free:free"),
        ("category=Budget&provider=a", "a/cheap a/free:free"),
        ("category=Reasoning", "b/dear"),
        ("in=10&out=1", "a/free:free a/cheap b/dear c/router"),
        ("in=10&out=1&sort=cost&order=desc", "b/dear a/cheap a/free:free c/router"),
        ("in=10&sort=name", "a/cheap a/free:free c/router b/dear"),
    ],
)
def test_what_is_found(query: str, ids: str) -> None:
    """Those that meet all that is asked for, in order; what lacks a price comes last, whichever way."""
    assert ids.split() == found(f"/models?{query}")


@pytest.mark.parametrize("query", ["sort=price", "sort=cost", "order=up", "category=Cheap", "in=x", "cached=200&in=1"])
def test_what_cannot_be_read(query: str) -> None:
    """A page that says so."""
    said = text(shown(*ROWS), f"/models?{query}", 400)
    assert "That cannot be read" in said
    assert f"{query.partition('=')[0]} is wrong" in said


def test_a_month_of_my_usage() -> None:
    """Exactly what the calls cost, with the markup beside it; a model without a price says so."""
    client = shown(row(), row("c/router", pricing={"prompt": "-1", "completion": "-1"}), markup_rate="1.5")
    said = text(client, "/models?in=2k&out=500&cached=50&calls=1M")
    prices = Pricing(Settings(markup_rate=Decimal("1.5")), catalog=catalog())
    cost = prices.cost("openai/gpt-4o-mini", usage=Usage(2000, 500, cached_tokens=1000))
    assert "1,000,000 calls a month, 2,000 tokens in (50 % of them cached) and 500 out each" in said
    assert f"{cost.raw * 1_000_000:,.2f} {cost.total * 1_000_000:,.2f} {cost.raw.normalize():f}" in said
    assert "no price" in said
    assert "A month" in said
    assert "To charge" in said


def test_without_a_markup_there_is_one_amount() -> None:
    """What is charged is not repeated; one call is one call."""
    said = text(shown(row(), markup_rate="1"), "/models?in=2k")
    assert "To charge" not in said
    assert "1 call a month, 2,000 tokens in and 0 out each" in said


def test_headings_lead_to_the_other_order() -> None:
    """A second click turns the order round, and what is asked for is kept."""
    page = shown(*ROWS).get("/models?q=e&sort=prompt").text
    assert 'aria-sort="ascending"><a href="/models?q=e&amp;sort=prompt&amp;order=desc"' in page
    assert 'href="/models?q=e&amp;sort=context"' in page
    page = shown(*ROWS).get("/models?sort=prompt&order=desc").text
    assert 'aria-sort="descending"><a href="/models?sort=prompt"' in page
    page = shown(*ROWS).get("/models?sort=context").text
    assert 'aria-sort="descending"><a href="/models?sort=context&amp;order=asc"' in page


def test_nothing_to_show(make_pricing: Any) -> None:
    """An empty list says what to do: another search, or other settings."""
    assert "No model meets this." in text(shown(*ROWS), "/models?q=nothing")
    said = text(reader(make_pricing(offline=True, fallback=False)), "/models")
    assert "OPENROUTER_PRICING_FALLBACK=true" in said
    assert "0 of 0 models" in text(reader(Pricing(catalog=Catalog.from_models([]))), "/models")


def test_counts_that_are_too_large_are_told() -> None:
    """The largest count is a price all the same; one more is a page that says so."""
    client = shown(row())
    assert "charge" in text(client, f"/models?in={10**18}&calls={10**18}")
    assert "above 10**18" in text(client, f"/models?in={10**18 + 1}", 400)
