"""Filters of Django's templates."""

from __future__ import annotations

import pytest
from django.template import Context, Template

from openrouter_pricing import Pricing


def test_filters(pinned: Pricing) -> None:
    """Amounts and prices are shown plainly."""
    context = {"cost": pinned.cost("openai/gpt-4o-mini", 1000, 500), "model": pinned.model("openai/gpt-4o-mini")}
    source = "{% load openrouter_pricing %}{{ cost|usd }}, {{ model.rates.prompt|per_million }}, {{ none|usd }}"
    assert Template(source).render(Context({**context, "none": None})) == "0.000585 USD, 0.15, -"


@pytest.mark.parametrize("value", ["dear", [], {}])
def test_what_is_no_number(value: object) -> None:
    """It is an empty text, as Django wants it, and so is what is not there."""
    source = "{% load openrouter_pricing %}({{ value|usd }})({{ value|per_million }})({{ missing|usd }})"
    assert Template(source).render(Context({"value": value})) == "()()()"
