"""What a residual is likely to be, and what the reader of a cost should know."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from support.upstream import row

from openrouter_pricing import Catalog, Cost, Pricing, Settings
from openrouter_pricing._billing.reading import Reading
from openrouter_pricing._billing.responses import read_response

AS_OF = datetime(2026, 11, 2, tzinfo=timezone.utc)
CATALOG = Catalog.from_models([row("a/model", pricing={"prompt": "0.000001", "completion": "0.00001"})], as_of=AS_OF)
PRICING = Pricing(Settings(markup_rate=1), catalog=CATALOG)
COUNTS = {"prompt_tokens": 100, "completion_tokens": 10}  # 0.0002 USD


def cost_of(body: dict[str, Any] | None = None, **usage: Any) -> Cost:
    """The cost of a response of ours with this usage."""
    return PRICING.cost_of({"model": "a/model", **(body or {}), "usage": {**COUNTS, **usage}})


def parts(prompt: Any, completion: Any, **more: Any) -> dict[str, Any]:
    """Upstream in parts."""
    return {"upstream_inference_prompt_cost": prompt, "upstream_inference_completions_cost": completion, **more}


@pytest.mark.parametrize(
    ("kind", "usage"),
    [
        ("server_tool", {"cost": 0.0022, "cost_details": parts(0.0001, 0.0001, upstream_inference_cost=None)}),
        ("server_tool", {"cost": 0.0022, "cost_details": parts(0.0001, 0.0001)}),
        ("server_tool", {"cost": 0.0022, "cost_details": parts(0.0001, 0.0001, upstream_inference_cost=0.0002)}),
        ("server_tool", {"cost": 0.0022, "cost_details": {"upstream_inference_input_cost": 0.0001,
                                                          "upstream_inference_output_cost": 0.0001}}),
        ("unexplained", {"cost": 0.0022, "cost_details": parts(0.0001, 0.0002)}),
        ("unexplained", {"cost": 0.0022, "cost_details": parts(None, None)}),
        ("unexplained", {"cost": 0.0022, "cost_details": {}}),
        ("byok_fee", {"cost": 0.0001, "is_byok": True, "cost_details": parts(0.0001, 0.0001)}),
        (None, {"cost": 0.0002, "cost_details": parts(0.1, 0.1)}),
    ],
)  # fmt: skip
def test_a_plugins_fee(kind: str | None, usage: dict[str, Any]) -> None:
    """Where the parts of upstream add up to our figure, the tokens are explained, and the rest is a plugin's fee."""
    assert kind == cost_of(**usage).residual_kind


@pytest.mark.parametrize(
    ("discount", "kind"), [(-0.0003, "cache_discount"), ("-0.0003", "cache_discount"), (0.0003, "unexplained"),
                           (0, "unexplained"), (None, "unexplained"), ([1], "unexplained"), (True, "unexplained"),
                           ("much", "unexplained")]
)  # fmt: skip
def test_what_caching_changed(discount: Any, kind: str) -> None:
    """A generation's cache discount explains the residual that it is."""
    generation = {"model": "a/model", "native_tokens_prompt": 100, "native_tokens_completion": 10}
    cost = PRICING.cost_of({"data": {**generation, "total_cost": 0.0005, "cache_discount": discount}})

    assert (Decimal("0.0003"), kind) == (cost.residual, cost.residual_kind)


@pytest.mark.parametrize("provider", [None, "A"])
@pytest.mark.parametrize("hours", [None, 0, 24, 25, -25, 9000])
def test_whose_price_it_is(provider: str | None, hours: int | None) -> None:
    """A line with a provider is that provider's price, dated or not; without one an undated line is nobody's."""
    created = None if hours is None else int((AS_OF + timedelta(hours=hours)).timestamp())
    kind = cost_of({"provider": provider, "created": created}, cost=0.001).residual_kind
    nameless = "unexplained" if hours is None else "provider" if abs(hours) <= 24 else "price_change"

    assert ("provider" if provider else nameless) == kind


@pytest.mark.parametrize("tier", ["standard", "default", "auto", None])
def test_the_standard_tier_explains_nothing(tier: str | None) -> None:
    """What everybody gets is no reason for another price."""
    assert "unexplained" == cost_of({"service_tier": tier}, cost=0.001).residual_kind
    assert "service_tier" == cost_of({"service_tier": "flex"}, cost=0.001).residual_kind


@pytest.mark.parametrize(("hours", "flags"), [(0, 0), (24, 0), (25, 1), (-25, 1)])
def test_another_days_list_is_flagged(hours: int, flags: int) -> None:
    """A cost that rests on prices of another day than the call says so; a reported one rests on none."""
    at = AS_OF + timedelta(hours=hours)
    cost = PRICING.cost("a/model", 100, 10, at=at)

    assert flags == len(cost.flags) == len(cost.to_dict()["flags"])
    told = f"priced by the list of 2026-11-02, not of the call's day ({at:%Y-%m-%d})"
    assert (told,) * flags == cost.flags
    assert () == cost_of({"created": int(at.timestamp())}, cost=0.0002).flags


def test_prices_without_a_day_are_no_flag() -> None:
    """A catalogue that was made without a date is of no other day."""
    undated = Pricing(catalog=Catalog.from_models([row("a/model")]))

    assert () == undated.cost("a/model", 1, at=AS_OF).flags


def test_the_total_cost_of_a_generation() -> None:
    """A generation's cost is its total_cost, and its usage only repeats it."""
    reading: Reading = read_response(
        {"native_tokens_prompt": 1, "native_tokens_completion": 1, "total_cost": 0.5, "usage": 7}
    )

    assert Decimal("0.5") == reading.reported
