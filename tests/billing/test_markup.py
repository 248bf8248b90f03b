"""Markup policies: which rate, which rule on the receipt, and rounding of what is charged alone."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Context, Decimal, localcontext
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.upstream import row

from openrouter_pricing import Catalog, Category, Markup, Model, Pricing, Settings, Usage

ROWS = [
    row("openai/small", pricing={"prompt": "0.0000001", "completion": "0.0000001"}),
    row("openai/large", canonical_slug="openai/large-1", pricing={"prompt": "0.00003", "completion": "0.00003"}),
    row("~acme/latest", pricing={"prompt": "0.00003", "completion": "0.00003"}),
    row("acme/tiny", pricing={"prompt": "0.0000001", "completion": "0.0000001"}),
]


def priced(markup: Markup | None = None, **options: Any) -> Pricing:
    """Pinned prices under a policy."""
    return Pricing(Settings(**options), catalog=Catalog.from_models(ROWS), markup=markup)


EVERYTHING = Markup(
    rate="1.1",
    models={"openai/SMALL": 2},
    providers={"OpenAI": "3"},
    categories={"Premium": 4.5, Category.BUDGET: Decimal(5)},
)


@pytest.mark.parametrize(
    ("policy", "model", "rate", "rule"),
    [
        (None, "openai/small", "1.3", "settings"),
        (Markup(), "openai/small", "1.3", "settings"),
        (Markup(rate=1), "openai/small", "1", "rate"),
        (EVERYTHING, "openai/small", "2", "model openai/small"),
        (EVERYTHING, "openai/large", "3", "provider openai"),
        (EVERYTHING, "openai/large-1:nitro", "3", "provider openai"),
        (EVERYTHING, "~acme/latest", "4.5", "category Premium"),
        (EVERYTHING, "acme/tiny", "5", "category Budget"),
        (Markup(rate=2, categories={"fast": 7}), "acme/tiny", "2", "rate"),
        (Markup(providers={"acme": 7}), "~acme/latest", "7", "provider acme"),
        (Markup(models={"openai/small": 0}), "openai/small", "0", "model openai/small"),
    ],
)
def test_which_rate_is_applied(policy: Markup | None, model: str, rate: str, rule: str) -> None:
    """The model's rate goes before the provider's, the category's, the policy's and the settings'."""
    pricing = priced(policy)
    costs = [
        pricing.cost(model, 1000, 500),
        pricing.cost(model, 1000, 500),
        pricing.cost(model, usage=Usage(1000, 500)),
        pricing.cost_of({"model": model, "usage": {"prompt_tokens": 1000, "completion_tokens": 500}}),
    ]

    assert [(Decimal(rate), rule)] * 4 == [(cost.markup_rate, cost.markup_rule) for cost in costs]
    assert [costs[0].raw * Decimal(rate)] * 4 == [cost.total for cost in costs]
    assert rule == costs[1].to_dict()["markup_rule"]


def test_a_rate_given_with_the_question_goes_first() -> None:
    """The argument wins over every policy, and the receipt says so."""
    pricing = priced(EVERYTHING)
    first, second = (pricing.cost("openai/small", 1000, markup_rate="1.5") for _ in range(2))

    assert [(Decimal("1.5"), "argument")] * 2 == [(cost.markup_rate, cost.markup_rule) for cost in (first, second)]


def test_a_rule_of_your_own() -> None:
    """A callable sees the model and the usage; what it leaves open is decided by the rest of the policy."""
    seen: list[tuple[Model, Usage]] = []

    def rule(model: Model, usage: Usage) -> str | None:
        seen.append((model, usage))
        return "1.2" if usage.prompt_tokens >= 1000 else None

    pricing = priced(Markup(rule=rule, rate=3))
    costs = [pricing.cost("openai/small", n, 1) for n in (1000, 999, 1000)]

    assert [Decimal("1.2"), 3, Decimal("1.2")] == [cost.markup_rate for cost in costs]
    assert ["rule", "rate", "rule"] == [cost.markup_rule for cost in costs]
    assert [("openai/small", Usage(n, 1)) for n in (1000, 999, 1000)] == [(model.id, usage) for model, usage in seen]


@pytest.mark.parametrize(("given", "kind"), [("x", ValueError), (-1, ValueError), ([], TypeError), (True, TypeError)])
def test_a_rule_that_gives_no_rate(given: Any, kind: type[Exception]) -> None:
    """What a callable gives is read like any rate, and the error says where it comes from."""
    with pytest.raises(kind, match="the markup rule's rate"):
        priced(Markup(rule=lambda model, usage: given)).cost("openai/small", 1)


def test_a_model_that_is_not_listed() -> None:
    """A reported cost of an unlisted model is marked up by name; the callable, which needs a model, is not asked."""
    policy = Markup(rate=2, providers={"gone": 3}, models={"gone/best": 4}, rule=lambda model, usage: 99)
    pricing = priced(policy)
    response = {"usage": {"prompt_tokens": 1, "cost": 0.5}}
    costs = [pricing.cost_of(response, name) for name in ("gone/best", "gone/other", "other/one")]

    assert [4, 3, 2] == [cost.markup_rate for cost in costs]
    assert [Decimal("2.0"), Decimal("1.5"), Decimal("1.0")] == [cost.total for cost in costs]


def test_rounding_is_half_up_and_never_touches_raw() -> None:
    """The total is rounded to the chosen places, halves up; raw and its lines keep every digit."""
    pricing = priced(Markup(rate=1, places=6))
    costs = [pricing.cost("openai/small", n) for n in (5, 4, 15)]

    assert ["0.000001", "0.000000", "0.000002"] == [f"{cost.total:f}" for cost in costs]
    assert [Decimal("0.0000005"), Decimal("0.0000004"), Decimal("0.0000015")] == [cost.raw for cost in costs]
    assert 6 == costs[0].to_dict()["places"]


@given(tokens=st.integers(0, 10**12), places=st.integers(0, 20), rate=st.decimals(0, 100, places=7))
def test_rounding_is_the_decimal_modules(tokens: int, places: int, rate: Decimal) -> None:
    """Rounding agrees with the decimal module's ROUND_HALF_UP, in whatever context it is asked for."""
    with localcontext(Context(prec=3)):
        cost = priced(Markup(rate=rate, places=places)).cost("openai/small", tokens)
    with localcontext(Context(prec=200)):
        assert (cost.raw * rate).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP) == cost.total


def test_rounding_of_a_reported_cost() -> None:
    """A reported cost is rounded like a computed one, listed or not."""
    pricing = priced(Markup(places=2, rate="1.5"))
    for model in ("openai/small", "gone/model"):
        cost = pricing.cost_of({"model": model, "usage": {"prompt_tokens": 1, "cost": 0.33}})
        assert (Decimal("0.33"), Decimal("0.50")) == (cost.raw, cost.total)


@pytest.mark.parametrize(
    ("options", "kind", "named"),
    [
        ({"rate": "x"}, ValueError, "rate"),
        ({"rate": -1}, ValueError, "rate"),
        ({"rate": True}, TypeError, "rate"),
        ({"models": {"a/b": "x"}}, ValueError, r"models\['a/b'\]"),
        ({"models": {1: 2}}, TypeError, "models"),
        ({"models": [("a/b", 2)]}, TypeError, "models"),
        ({"providers": {"openai": -1}}, ValueError, r"providers\['openai'\]"),
        ({"categories": {"Cheap": 1}}, ValueError, "categories"),
        ({"categories": None}, TypeError, "categories"),
        ({"rule": "1.3"}, TypeError, "rule"),
        ({"places": -1}, ValueError, "places"),
        ({"places": 61}, ValueError, "places"),
        ({"places": "2"}, TypeError, "places"),
        ({"place": 2}, TypeError, "place"),
    ],
)
def test_a_policy_that_cannot_be_read(options: dict[str, Any], kind: type[Exception], named: str) -> None:
    """A bad policy is refused when it is made, by the name of what is wrong in it."""
    with pytest.raises(kind, match=named):
        Markup(**options)


def test_a_policy_of_the_wrong_kind() -> None:
    """What is no policy is refused by name."""
    with pytest.raises(TypeError, match="markup must be a Markup"):
        priced(1.5)  # type: ignore[arg-type]
