"""Costs, models and price lists in words and tables."""

from __future__ import annotations

import json

import pytest
from support.commands import Ask, process
from support.upstream import Upstream, row


def test_cost_shows_the_total_first_and_then_the_bill() -> None:
    """The first line says total, model, source and date; the others add up to it."""
    status, out, err = process("cost", "openai/gpt-4o-mini", "1000", "500", "--cached", "200")
    first, *rest = out.splitlines()

    assert (status, err) == (0, "")
    assert first.startswith("0.0005655 USD  openai/gpt-4o-mini  (live, prices of 20")
    assert first.endswith(" UTC)")
    assert [line.split() for line in rest] == [
        ["item", "quantity", "unit", "price", "USD"],
        ["prompt", "800", "0.15", "per", "million", "tokens", "0.00012"],
        ["input_cache_read", "200", "0.075", "per", "million", "tokens", "0.000015"],
        ["completion", "500", "0.6", "per", "million", "tokens", "0.0003"],
        ["raw", "0.000435"],
        ["markup", "x", "1.3"],
        ["total", "0.0005655"],
    ]


@pytest.mark.usefixtures("several")
def test_models_is_a_table_of_aligned_columns(ask: Ask) -> None:
    """Piped, the table has a header and aligned columns, is never cut, and has neither box nor colour."""
    assert ask("models") == (
        0,
        (
            "id        category   context    prompt  completion  name\n"
            "b/dear    Reasoning       10        60          60  zeta\n"
            "c/router  -                -  variable    variable  eta\n"
            "a/cheap   Budget          30       0.1           0  Alpha\n"
            "d/embed   Standard        20         2           -  beta\n"
        ),
        "",
    )


def test_model_shows_the_whole_price_list_and_overrides_in_words(ask: Ask, upstream: Upstream) -> None:
    """Every listed price has its unit, every condition is in words, and what is never charged is named."""
    upstream.say(
        row(
            context_length=None,
            supported_parameters=[],
            pricing={
                "prompt": "0.000001",
                "completion": "0.000002",
                "request": "0.01",
                "image": "0.003",
                "web_search": "0.02",
                "discount": 0.25,
                "shipping": "1",
                "overrides": [
                    {"prompt": "0.000003", "image": "0.000003", "min_prompt_tokens": 200000},
                    {"completion": "-1", "utc_start": 1630, "utc_days": ["sunday", "monday", "noday"]},
                    {"web_search": "0.05", "utc_end": 30},
                    {"utc_days": []},
                    {"prompt": "0", "moon_phase": "full"},
                    {"prompt": "0.000005"},
                ],
            },
        )
    )
    status, out, err = ask("model", "openai/gpt-4o-mini:nitro")
    lines = out.splitlines()

    assert (status, err) == (0, "")
    assert lines[0].startswith("openai/gpt-4o-mini  OpenAI: GPT-4o-mini  (live, prices of 20")
    assert lines[1:] == [
        "provider: openai",
        "canonical slug: openai/gpt-4o-mini",
        "takes: text, image",
        "gives: text",
        "category: -",
        "item          USD  per",
        "prompt          1  million tokens",
        "completion      2  million tokens",
        "request      0.01  request",
        "image       0.003  image",
        "web_search   0.02  search",
        "for more than 200000 prompt tokens: prompt 3 USD per million tokens, image 3 USD per million tokens",
        "from 16:30 to 24:00 UTC, on Monday, Sunday (UTC): completion variable",
        "from 00:00 to 00:30 UTC: web_search 0.05 USD per search",
        "on no day (UTC): no other prices",
        "never applied, as its conditions are not known here (moon_phase): prompt 0 USD per million tokens",
        "always: prompt 5 USD per million tokens",
        "discount: 0.25, already taken off these prices",
        "listed, but not known here and never charged: shipping",
    ]


def test_a_router_model_has_no_category_and_no_price(ask: Ask, upstream: Upstream) -> None:
    """``-1`` is shown as variable, never as an amount."""
    upstream.say(row(pricing={"prompt": "-1", "completion": "-1"}))
    _, out, _ = ask("model", "openai/gpt-4o-mini")

    assert "category: -\n" in out
    assert out.count("variable") == 2
    assert None is json.loads(ask("model", "openai/gpt-4o-mini", "--json")[1])["category"]
