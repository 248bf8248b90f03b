"""Receipts: what stands on them, pricing them again, and what a residual is likely to be."""

from __future__ import annotations

import json
import pickle
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.upstream import row

from openrouter_pricing import (
    Catalog,
    Cost,
    Pricing,
    Settings,
    UnknownModelError,
    UnpricedUsageError,
    Usage,
    VariablePriceError,
)

AS_OF = datetime(2026, 11, 2, tzinfo=timezone.utc)
NIGHT = {"utc_start": 2200, "utc_end": 600, "prompt": "0.5"}
LONG = {"min_prompt_tokens": 1000, "prompt": "2", "completion": "3"}
ROWS = [
    row("a/plain", pricing={"prompt": "0.000001", "completion": "0.00001"}),
    row("a/tiers", pricing={"prompt": "1", "completion": "1", "overrides": [LONG, NIGHT]}),
    row("a/cached", canonical_slug="a/cached-1", pricing={"prompt": "4", "completion": "1", "input_cache_read": "1"}),
]
CATALOG = Catalog.from_models(ROWS, as_of=AS_OF)


def pinned(**options: Any) -> Pricing:
    """Pinned prices."""
    return Pricing(Settings(**options), catalog=CATALOG)


def response(model: str = "a/plain", *, created: datetime = AS_OF, **usage: Any) -> dict[str, Any]:
    """A chat completion of 100 prompt and 10 completion tokens, which the list prices at 0.0002 USD."""
    counts = {"prompt_tokens": 100, "completion_tokens": 10}
    return {"model": model, "created": int(created.timestamp()), "usage": {**counts, **usage}}


# -- what stands on a receipt ------------------------------------------------------------------------------------------


def test_a_receipt_names_the_price_list() -> None:
    """The digest and the date say which catalogue was applied."""
    receipt = pinned().cost("a/plain", 1000, 500).to_dict()

    assert (CATALOG.digest, AS_OF.isoformat()) == (receipt["catalog_digest"], receipt["as_of"])


def test_a_receipt_shows_the_overrides_that_were_applied() -> None:
    """Of two conditional prices only the ones that held stand on the receipt, with their conditions and prices."""
    pricing = pinned()
    day, night = (AS_OF + timedelta(hours=hour) for hour in (12, 23))

    receipts = [pricing.cost("a/tiers", n, 1, at=at).to_dict() for n, at in ((1000, day), (1001, day), (1001, night))]

    assert [[], [LONG], [LONG, NIGHT]] == [receipt["overrides"] for receipt in receipts]
    assert [None, None] == [receipts[0]["provider"], pinned().cost("a/plain", 1).at]
    assert night.isoformat() == receipts[2]["at"]
    assert {"prompt": "0.5", "completion": "3"} == {line["item"]: line["unit_price"] for line in receipts[2]["lines"]}


def test_a_receipt_holds_the_usage() -> None:
    """Every count that is not 0 stands on the receipt, so that it can be priced again from there."""
    usage = Usage(100, 10, cached_tokens=40)
    receipt = json.loads(json.dumps(pinned().cost("a/cached", usage=usage).to_dict()))

    assert {"prompt_tokens": 100, "completion_tokens": 10, "cached_tokens": 40, "requests": 1} == receipt["usage"]
    assert usage == Usage(**receipt["usage"])


# -- pricing it again --------------------------------------------------------------------------------------------------

COUNT = st.integers(0, 10**9)


@settings(deadline=None, max_examples=100)
@given(
    model=st.sampled_from(list(CATALOG)),
    counts=st.tuples(COUNT, COUNT, COUNT),
    rate=st.decimals(0, 100, places=5),
    hour=st.integers(0, 23),
    reported=st.none() | st.decimals(0, 100, places=9),
)
def test_a_replay_gives_the_same_figures(
    model: str, counts: tuple[int, int, int], rate: Decimal, hour: int, reported: Decimal | None
) -> None:
    """A cost priced again on its stored catalogue is the same cost, digit for digit, reported or not."""
    usage = {"prompt_tokens": counts[0], "completion_tokens": counts[1]}
    usage["prompt_tokens_details"] = {"cached_tokens": counts[2]}  # type: ignore[assignment]
    if reported is not None:
        usage["cost"] = reported  # type: ignore[assignment]
    cost = pinned().cost_of({"usage": usage}, model, AS_OF + timedelta(hours=hour), markup_rate=rate)
    again = cost.replay(Catalog.loads(CATALOG.dumps()))

    assert cost == again
    assert json.dumps(cost.to_dict()) == json.dumps(again.to_dict())
    assert cost == pickle.loads(pickle.dumps(cost)).replay(CATALOG)


def test_a_replay_on_another_list_says_so() -> None:
    """On another price list a replay answers what the call would have cost there, under that list's digest."""
    cost = pinned(markup_rate=2).cost("a/plain", 1000, 500)
    other = Catalog.from_models([row("a/plain", pricing={"prompt": "1", "completion": "0"})], as_of=AS_OF)
    again = cost.replay(other)

    assert (Decimal(1000), Decimal(2000), other.digest) == (again.raw, again.total, again.digest)
    assert ("pinned", AS_OF, Decimal("0.006")) == (again.source, again.as_of, cost.raw)


@pytest.mark.parametrize(
    ("listed", "error"),
    [
        (row("b/other"), UnknownModelError),
        (row("a/plain", pricing={"prompt": "-1", "completion": "-1"}), VariablePriceError),
        (row("a/plain", pricing={"prompt": "1"}), UnpricedUsageError),
        (row("a/plain", pricing={"prompt": "1", "completion": "1", "overrides": [NIGHT]}), ValueError),
    ],
)
def test_a_replay_that_cannot_be(listed: dict[str, Any], error: type[Exception]) -> None:
    """A list without the prices that the call takes is an error and no other price."""
    cost = pinned().cost("a/plain", 1000, 500)
    with pytest.raises(error):
        cost.replay(Catalog.from_models([listed]))


def test_a_reported_cost_of_an_unlisted_model_stays() -> None:
    """Where no price list was used there is nothing to price again."""
    cost = pinned().cost_of(response("gone/model", cost=1))

    assert cost == cost.replay(CATALOG)
    assert (None, None, (), 1) == (cost.digest, cost.as_of, cost.overrides, cost.raw)


@pytest.mark.parametrize("asked", [{}, {"cost": 0.00025}])
def test_repricing(asked: dict[str, Any]) -> None:
    """A reseller reprices a computed cost and a reported one alike; raw and its lines stay."""
    cost = pinned().cost_of(response(**asked))
    again = cost.reprice("1.505", places=6)

    assert (cost.raw, cost.lines, cost.reported) == (again.raw, again.lines, again.reported)
    assert Decimal("0.000376" if asked else "0.000301") == again.total
    assert ("argument", 6) == (again.to_dict()["markup_rule"], again.to_dict()["places"])
    assert cost.raw * Decimal("1.505") == cost.reprice("1.505").total
    assert again.total == again.replay(CATALOG).total


@pytest.mark.parametrize(
    ("rate", "places", "named"),
    [(-1, None, "markup_rate"), ("x", None, "markup_rate"), (1, -1, "places"), (1, 61, "places"), (1, 1.5, "places")],
)
def test_repricing_with_bad_numbers(rate: Any, places: Any, named: str) -> None:
    """A bad number is an error that names the argument."""
    with pytest.raises((ValueError, TypeError), match=f"^{named} "):
        pinned().cost("a/plain", 1).reprice(rate, places=places)


# -- what a residual is likely to be -----------------------------------------------------------------------------------

UPSTREAM = {"upstream_inference_cost": 0.0002}


@pytest.mark.parametrize(
    ("kind", "usage"),
    [
        (None, {}),
        (None, {"cost": 0.0002}),
        (None, {"cost": Decimal("0.000200000000999")}),
        ("provider", {"cost": Decimal("0.000200000001001")}),
        ("provider", {"cost": 0.0001}),
        ("provider", {"cost": 0.0003, "cost_details": {"upstream_inference_cost": 0.0003}}),
        ("unexplained", {"cost": 0.0005, "cost_details": UPSTREAM}),
        ("server_tool", {"cost": 0.0005, "server_tool_use_details": {"tool_calls_executed": 1}}),
        ("server_tool", {"cost": 0.0005, "server_tool_use_details": {"web_search_requests": 1}}),
        (
            "server_tool",
            {"cost": 0.0005, "cost_details": UPSTREAM, "server_tool_use_details": {"web_search_requests": 1}},
        ),
        (
            "provider",
            {
                "cost": 0.0003,
                "cost_details": {"upstream_inference_cost": 0.0003},
                "server_tool_use_details": {"web_search_requests": 1},
            },
        ),
        ("service_tier", {"cost": 0.0001, "service_tier": "flex"}),
        ("provider", {"cost": 0.0001, "service_tier": "default"}),
        ("byok_fee", {"cost": 0.00001, "is_byok": True, "cost_details": UPSTREAM}),
        (None, {"cost": 0, "is_byok": True, "cost_details": UPSTREAM}),
        ("provider", {"cost": 0, "is_byok": True, "cost_details": {"upstream_inference_cost": 0.0003}}),
    ],
)
def test_the_likely_kind_of_a_residual(kind: str | None, usage: dict[str, Any]) -> None:
    """What is left is named by what the response says of it."""
    cost = pinned().cost_of(response(**usage))

    assert kind == cost.residual_kind == cost.to_dict()["residual_kind"]


@pytest.mark.parametrize(("hours", "kind"), [(24, "provider"), (25, "price_change"), (-25, "price_change")])
def test_prices_of_another_day(hours: int, kind: str) -> None:
    """Where the prices are of another day than the call, that they changed is likelier than another provider."""
    cost = pinned().cost_of(response(cost=1, created=AS_OF + timedelta(hours=hours)))

    assert kind == cost.residual_kind


def test_prices_without_a_date() -> None:
    """A catalogue that was made without a date says nothing of a change of prices."""
    pricing = Pricing(catalog=Catalog.from_models(ROWS))

    assert "provider" == pricing.cost_of(response(cost=1)).residual_kind


def test_the_two_bills_that_no_list_price_explains(shared: Path) -> None:
    """Of twenty real bills one is named another provider's price, and one a server-side tool."""
    kinds: dict[str, str | None] = {}
    for line in (shared / "billed.jsonl").read_text().splitlines():
        bill = json.loads(line)
        listed = bill.pop("listed_model")
        stamp = datetime.fromisoformat(bill["created_at"].replace("Z", "+00:00"))
        pricing = Pricing(catalog=Catalog.from_models([listed], as_of=stamp))
        cost: Cost = pricing.cost_of(bill, listed["id"])
        if cost.residual_kind is not None:
            kinds[listed["id"]] = cost.residual_kind

    assert {"z-ai/glm-4.6": "provider", "deepseek/deepseek-chat": "server_tool"} == kinds
