"""What a response says it cost: without tokens, on one's own key, and where it is no amount."""

from __future__ import annotations

import json
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.upstream import row

from openrouter_pricing import Catalog, Cost, Pricing, ResponseError, Settings, UnknownModelError, Usage
from openrouter_pricing._billing.responses import read_response
from openrouter_pricing.metering.audit import Audit

ROWS = [
    row("a/model", canonical_slug="a/model-1", pricing={"prompt": "0.000001", "completion": "0.00001"}),
    row("a/video", architecture={"output_modalities": ["video"]}, pricing={"prompt": "0", "completion": "0"}),
    row("a/searching", pricing={"prompt": "0", "completion": "0", "web_search": "0.01", "request": "0.005"}),
]
CATALOG = Catalog.from_models(ROWS)
PRICING = Pricing(Settings(markup_rate=2), catalog=CATALOG)
COUNTS = {"prompt_tokens": 1000, "completion_tokens": 100}  # 0.002 USD
RECORD = {"provider_name": "A", "native_tokens_prompt": 1000, "native_tokens_completion": 100}


def cost_of(model: str | None = "a/model", **usage: Any) -> Cost:
    """The cost of a response with this usage."""
    return PRICING.cost_of({"model": model, "usage": usage})


@pytest.mark.parametrize("flag", [True, "true", "True", 1, "1", False, "false", 0, "no", []])
def test_how_clients_spell_a_flag(flag: object) -> None:
    """One's own key is used where the flag says so, in whichever of its spellings."""
    yes = str(flag).lower() in ("true", "1")
    assert (Decimal("0.001") if yes else None) == cost_of(**COUNTS, cost=0.001, is_byok=flag).byok_fee


# -- without tokens ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "response",
    [
        {"model": "a/model", "usage": {"cost": 0.25}},
        {"model": "a/model", "usage": {"cost": 0.25, "is_byok": False}},
        {"model": "a/model", "usage": {"seconds": 9.2, "cost": 0.25}},
        {"model": "a/model", "usage": {"search_units": 1, "total_tokens": 150, "cost": 0.25}},
        {"model": "a/model", "usage": {"cost": 0.25, "prompt_tokens": None, "completion_tokens": None}},
        {"model": "a/model-1", "usage": {"cost": "0.25"}},
        {"model": "a/video", "usage": {"cost": 0.25, **COUNTS}},
        {"data": {"model": "a/model", "total_cost": 0.25, "native_tokens_prompt": None}},
        {"model": "a/model", "usage": 0.25},
        {"generation_id": "gen-1", "usage": 0.25, "tokens_prompt": 5, "tokens_completion": 6},
        {"totalCost": 0.25},
        {"cost": 0.25},
    ],
)
def test_a_cost_without_tokens(response: dict[str, Any]) -> None:
    """It costs what it reports, and nothing is computed, whatever row would price it and whether one is named."""
    for each in (response, SimpleNamespace(**response)):
        cost = PRICING.cost_of(each)
        assert (Decimal("0.25"), Decimal("0.5"), None, None) == (cost.raw, cost.total, cost.computed, cost.residual)
        assert ("reported", (), None) == (cost.source, cost.lines, cost.residual_kind)
        assert cost.model_id in ("a/model", "a/video", "")
        assert cost == cost.replay(CATALOG)


def test_a_cost_without_tokens_of_the_model_that_was_given() -> None:
    """A model that is given is priced as, and one that is not listed keeps its name."""
    assert "a/model" == PRICING.cost_of({"usage": {"cost": 1}}, "a/model-1").model_id
    assert "gone/model" == PRICING.cost_of({"usage": {"cost": 1}}, "gone/model").model_id


def test_an_audit_counts_it_as_reported() -> None:
    """Lines that report a cost and nothing to price have a tally of their own, and are neither unknown nor bad."""
    lines: list[dict[str, Any]] = [
        {"model": "a/video", "usage": {"cost": 0.5}},
        {"id": "job-1", "usage": {"cost": 0.25, "is_byok": False}},
        {"model": "a/video", "usage": {**COUNTS, "cost": 0.125}},
        {"model": "gone/model", "usage": {**COUNTS, "cost": 1}},
        {"model": "a/model", "usage": {**COUNTS, "cost": 0.01, "is_byok": True}},
    ]
    audit = Audit(CATALOG)
    for number, line in enumerate(lines, 1):
        audit.add(number, json.dumps(line).encode())
    report = audit.report()

    assert (3, 1, 1, 0, 0) == tuple(report[name] for name in ("reported", "unknown", "unreported", "bad", "exact"))
    assert (Decimal("0.875"), 5, "1.875") == (audit.reported.reported, report["lines"], report["usd"]["reported"])


@pytest.mark.parametrize("usage", [{}, {"total_tokens": 9}, {"prompt_tokens": None}, {"seconds": 3}, {"cost": None}])
def test_neither_tokens_nor_a_cost(usage: dict[str, Any]) -> None:
    """A usage that says nothing is no call of 0 USD."""
    with pytest.raises(ResponseError, match=r"^response has no usage"):
        cost_of(**usage)


@pytest.mark.parametrize("model", ["a/model", "a/searching"])
def test_a_response_of_the_cache_costs_nothing(model: str) -> None:
    """A usage of zeros, as OpenRouter's response cache gives it, costs no request either."""
    assert 0 == cost_of(model, prompt_tokens=0, completion_tokens=0, total_tokens=0).raw


def test_one_token_is_a_request() -> None:
    """A call that consumed anything is one request, and so is one that searched."""
    assert Decimal("0.005") == cost_of("a/searching", prompt_tokens=1, completion_tokens=0).raw
    searched = {"prompt_tokens": 0, "completion_tokens": 0, "server_tool_use_details": {"web_search_requests": 1}}
    assert Decimal("0.015") == cost_of("a/searching", **searched).raw


# -- what is no amount -------------------------------------------------------------------------------------------------


BAD = [{"total": 0.5}, {}, [], [0.5], -1, -0.001, "-1", "dear", "", True, float("nan"), "1e99", Decimal("-Infinity")]


@pytest.mark.parametrize("bad", BAD, ids=repr)
@pytest.mark.parametrize(
    ("place", "field"),
    [("cost", "cost"), ("upstream", "upstream_inference_cost"), ("total_cost", "total_cost"), ("usage", "usage")],
)
def test_a_cost_that_is_no_amount(place: str, field: str, bad: Any) -> None:
    """An object, a list, a negative or a word is refused by the name of its field, and never dropped."""
    if place == "usage" and isinstance(bad, dict):
        field = "response"  # as a usage it is an object, and one that says nothing
    responses: dict[str, dict[str, Any]] = {
        "cost": {"model": "a/model", "usage": {**COUNTS, "cost": bad}},
        "upstream": {"model": "a/model", "usage": {**COUNTS, "cost_details": {"upstream_inference_cost": bad}}},
        "total_cost": {"data": {"model": "a/model", **RECORD, "total_cost": bad}},
        "usage": {"model": "a/model", **RECORD, "usage": bad},
    }
    with pytest.raises(ResponseError) as caught:
        PRICING.cost_of(responses[place])

    assert (field, field) == (caught.value.field, str(caught.value).split()[0])


@pytest.mark.parametrize("mark", [object(), SimpleNamespace(), SimpleNamespace(value=None)])
def test_a_mark_for_nothing_is_no_amount_and_no_error(mark: Any) -> None:
    """What client packages put where nothing was said counts as not said."""
    reading = read_response({"usage": {**COUNTS, "cost": mark, "cost_details": mark, "is_byok": mark}})

    assert (Usage(1000, 100), None, False) == (reading.usage, reading.reported, reading.byok)


# -- on one's own key --------------------------------------------------------------------------------------------------


def own(flag: Any = True, cost: Any = 0.0001, upstream: Any = 0.002, **more: Any) -> dict[str, Any]:
    """A usage on one's own key."""
    return {**COUNTS, "cost": cost, "is_byok": flag, "cost_details": {"upstream_inference_cost": upstream, **more}}


@pytest.mark.parametrize("flag", [True, None, "true", 1])
def test_the_fee_is_kept(flag: Any) -> None:
    """Fee and upstream add up, flag or none where upstream is above the cost, and the fee is shown apart."""
    cost = cost_of(**own(flag))

    assert (Decimal("0.0021"), Decimal("0.0021"), Decimal("0.002")) == (cost.raw, cost.reported, cost.computed)
    assert (Decimal("0.0001"), Decimal("0.0001"), "byok_fee") == (cost.byok_fee, cost.residual, cost.residual_kind)
    assert "0.0001" == cost.to_dict()["byok_fee"]
    assert cost == cost.replay(CATALOG)


@pytest.mark.parametrize(
    "usage",
    [
        own(False),
        own(None, cost=0.002),
        own(None, cost=0.0021),
        own(None, cost=0.0020000000000001, upstream=0.0020000000000002),
        own(None, cost=None),
        {**COUNTS, "cost": 0.002},
    ],
)
def test_what_is_no_own_key(usage: dict[str, Any]) -> None:
    """A flag that denies it, or upstream no more than a float's last digit above the cost, is OpenRouter's own bill."""
    cost = cost_of(**usage)

    assert None is cost.byok_fee
    assert "byok_fee" not in cost.to_dict()
    assert usage["cost"] is None or Decimal(str(usage["cost"])) == cost.raw


@pytest.mark.parametrize("place", ["body", "metadata", "camel"])
def test_where_the_flag_may_stand(place: str) -> None:
    """The flag counts on the body and in OpenRouter's metadata too."""
    usage = own(None, upstream=0.00005)
    bodies: dict[str, dict[str, Any]] = {
        "body": {"is_byok": True, "usage": usage},
        "metadata": {"openrouter_metadata": {"is_byok": True}, "usage": usage},
        "camel": {"usage": {"promptTokens": 1000, "completionTokens": 100, "cost": 0.0001, "isByok": True,
                            "costDetails": {"upstreamInferenceCost": 0.00005}}},
    }  # fmt: skip

    assert Decimal("0.00015") == PRICING.cost_of(bodies[place], "a/model").raw


def test_a_fee_without_upstream() -> None:
    """Where the fee is all that was reported, the list says what the provider took, and nothing was compared."""
    cost = cost_of(**own(upstream=None))

    assert (Decimal("0.0001"), Decimal("0.002"), Decimal("0.0021")) == (cost.reported, cost.computed, cost.raw)
    assert (Decimal("0.0042"), None, None) == (cost.total, cost.residual, cost.residual_kind)
    assert (Decimal("0.0001"), "pinned") == (cost.byok_fee, cost.source)
    assert cost == cost.replay(CATALOG)
    assert Decimal("0.0063") == cost.reprice(3).total
    with pytest.raises(UnknownModelError):
        cost_of("gone/model", **own(upstream=None))


@pytest.mark.parametrize(
    ("parts", "raw"),
    [
        ({"upstream_inference_prompt_cost": 0.001, "upstream_inference_completions_cost": 0.0007}, "0.0018"),
        ({"upstream_inference_input_cost": 0.001, "upstream_inference_output_cost": None}, "0.0011"),
    ],
)
def test_upstream_in_parts(parts: dict[str, Any], raw: str) -> None:
    """Where upstream is not said but its parts are, their sum is it, for an unlisted model too."""
    usage = own(upstream=None, **parts)

    assert Decimal(raw) == cost_of(**usage).raw == cost_of("gone/model", **usage).raw


def test_parts_that_cannot_be_read_explain_nothing() -> None:
    """They only explain: a part that is no amount is as if none were given."""
    usage = own(False, cost=0.002, upstream=None, upstream_inference_prompt_cost="dear")

    assert Decimal("0.002") == cost_of(**usage).raw
    assert None is read_response(usage).more.parts


def test_a_record_of_the_activity_of_a_day() -> None:
    """Its usage is what OpenRouter took, and what went through one's own keys comes on top."""
    record = {
        "date": "2026-08-24",
        "model": "a/model",
        **COUNTS,
        "usage": 0.015,
        "byok_usage_inference": 0.012,
        "requests": 5,
    }
    cost = PRICING.cost_of(record)
    plain = PRICING.cost_of({**record, "byok_usage_inference": 0})

    assert (Decimal("0.027"), Decimal("0.015"), 5) == (cost.raw, cost.byok_fee, cost.usage.requests)
    assert (Decimal("0.015"), None) == (plain.raw, plain.byok_fee)


usd = st.decimals(0, 100, places=9, allow_nan=False)


@given(usd, usd, st.sampled_from([True, False, None]))
def test_reported_is_a_sum_or_the_cost(cost: Decimal, upstream: Decimal, flag: bool | None) -> None:
    """Whatever the amounts are, what was reported is the cost, or with one's own key the cost and upstream."""
    found = cost_of(**own(flag, cost, upstream))
    byok = flag or (flag is None and upstream > cost)

    assert (cost + upstream if byok else cost) == found.reported == found.raw
    assert (cost if byok else None) == found.byok_fee


# -- bounded messages --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", ["model", "provider", "service_tier", "currency", "cost", "count", "unknown"])
def test_messages_and_names_are_bounded(place: str) -> None:
    """Of whatever a response says, no name keeps more than 500 characters, and no message of ours shows more."""
    long = "x" * 600_000
    bodies: dict[str, dict[str, Any]] = {
        "model": {"model": long, "usage": {"cost": 1}},
        "provider": {"provider": long, "usage": {**COUNTS, "cost": 1}},
        "service_tier": {"service_tier": long, "usage": {**COUNTS, "cost": 1}},
        "currency": {"usage": {**COUNTS, "currency": long}},
        "cost": {"usage": {**COUNTS, "cost": long}},
        "count": {"usage": {**COUNTS, "completion_tokens": long}},
        "unknown": {"usage": {**COUNTS, f"{long}_tokens": 5}},
    }
    shown: list[object] = []
    try:
        cost = PRICING.cost_of(bodies[place])
        shown += [cost.model_id, cost.provider, cost.service_tier, *cost.flags]
    except ResponseError as error:
        shown.append(error)

    assert 500 >= max(len(str(value)) for value in shown)
