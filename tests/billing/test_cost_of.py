"""What a call cost, by its response: every shape, real bills, and what is left unexplained."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from support.hands import Hands
from support.upstream import row

from openrouter_pricing import (
    Catalog,
    Pricing,
    Settings,
    UnknownModelError,
    UnpricedUsageError,
    Usage,
    VariablePriceError,
)
from openrouter_pricing._billing.responses import read_response

CLAUDE = {
    "prompt": "0.000003",
    "completion": "0.000015",
    "web_search": "0.01",
    "input_cache_read": "0.0000003",
    "input_cache_write": "0.00000375",
    "input_cache_write_1h": "0.000006",
}
NIGHT = {"utc_start": 0, "utc_end": 600, "prompt": "5"}
ROWS = [
    row("anthropic/claude", canonical_slug="anthropic/claude-20260101", pricing=CLAUDE),
    row("a/plain", pricing={"prompt": "1", "completion": "10"}),
    row("a/nightly", pricing={"prompt": "1", "completion": "1", "overrides": [NIGHT]}),
    row("a/router", pricing={"prompt": "-1", "completion": "-1"}),
]
NOON = int(datetime(2026, 1, 1, 12, tzinfo=timezone.utc).timestamp())


@pytest.fixture
def pricing() -> Pricing:
    """Pinned prices without markup."""
    return Pricing(Settings(markup_rate=1), catalog=Catalog.from_models(ROWS))


CHAT = {
    "prompt_tokens": 1000,
    "completion_tokens": 100,
    "prompt_tokens_details": {"cached_tokens": 400, "cache_write_tokens": 200, "audio_tokens": 5, "image_tokens": 6},
    "completion_tokens_details": {"reasoning_tokens": 40, "audio_tokens": 7, "image_tokens": 8},
    "server_tool_use_details": {"web_search_requests": 2},
}
RESPONSES = {
    "input_tokens": 1000,
    "output_tokens": 100,
    "input_tokens_details": {"cached_tokens": 400, "cache_write_tokens": 200},
    "output_tokens_details": {"reasoning_tokens": 40},
}
MESSAGES = {
    "input_tokens": 400,
    "output_tokens": 100,
    "cache_read_input_tokens": 400,
    "cache_creation_input_tokens": 200,
    "cache_creation": {"ephemeral_5m_input_tokens": 150, "ephemeral_1h_input_tokens": 50},
    "server_tool_use": {"web_search_requests": 1},
}
GENERATION = {
    "id": "gen-1",
    "model": "anthropic/claude-20260101",
    "native_tokens_prompt": 1000,
    "native_tokens_completion": 100,
    "native_tokens_reasoning": 40,
    "native_tokens_cached": 400,
    "total_cost": 0.0025,
    "usage": 0.0025,
    "is_byok": False,
    "upstream_inference_cost": None,
    "provider_name": "Anthropic",
    "service_tier": "priority",
    "created_at": "2026-01-01T12:00:00.123Z",
}
FULL = Usage(1000, 100, cached_tokens=400, cache_write_tokens=200, reasoning_tokens=40)
SHAPES: list[tuple[str, Any, Usage]] = [
    (
        "chat completions",
        {"model": "anthropic/claude", "usage": CHAT, "choices": []},
        Usage(1000, 100, 400, 200, 0, 40, 5, 7, 6, 8, web_searches=2),
    ),
    ("responses", {"object": "response", "usage": RESPONSES}, FULL),
    ("messages", {"type": "message", "usage": MESSAGES}, Usage(1000, 100, 400, 200, 50, web_searches=1)),
    ("generation", {"data": GENERATION}, Usage(1000, 100, 400, reasoning_tokens=40)),
    ("generation without its wrapper", GENERATION, Usage(1000, 100, 400, reasoning_tokens=40)),
    ("bare chat usage", CHAT, Usage(1000, 100, 400, 200, 0, 40, 5, 7, 6, 8, web_searches=2)),
    ("bare responses usage", RESPONSES, FULL),
    ("bare messages usage", MESSAGES, Usage(1000, 100, 400, 200, 50, web_searches=1)),
    ("the last event of a responses stream", {"type": "response.completed", "response": {"usage": RESPONSES}}, FULL),
    ("the first event of a messages stream", {"message": {"usage": {"input_tokens": 5}}}, Usage(5)),
    ("the last event of a messages stream", {"type": "message_delta", "usage": {"output_tokens": 5}}, Usage(0, 5)),
    ("nothing but a completion", {"usage": {"completion_tokens": 5}}, Usage(0, 5)),
    ("null details", {"usage": {"prompt_tokens": 5, "prompt_tokens_details": None}}, Usage(5)),
    ("whole floats", {"usage": {"prompt_tokens": 5.0, "completion_tokens": Decimal("6")}}, Usage(5, 6)),
]


def as_object(value: Any) -> Any:
    """The same, with attributes instead of keys, as client packages give it."""
    if isinstance(value, dict):
        return SimpleNamespace(**{key: as_object(inner) for key, inner in value.items()})
    return value


@pytest.mark.parametrize(("shape", "response", "usage"), SHAPES, ids=[shape for shape, _, _ in SHAPES])
def test_every_shape_is_read(shape: str, response: Any, usage: Usage) -> None:
    """Each format's counts mean what that format says, as a dictionary and as an object."""
    assert usage == read_response(response).usage == read_response(as_object(response)).usage


def test_marks_for_values_that_were_not_set() -> None:
    """Client packages put objects in places that hold nothing; they count as missing."""
    unset = SimpleNamespace()
    response = SimpleNamespace(usage=SimpleNamespace(prompt_tokens=5, completion_tokens=unset, cost=unset))
    reading = read_response(response)
    assert (reading.usage, reading.reported) == (Usage(5), None)


@pytest.mark.parametrize("bad", [None, "text", b"bytes", 5, 1.5, [], ()])
def test_what_is_no_response(pricing: Pricing, bad: Any) -> None:
    """Something that is not an object is a TypeError that says so."""
    with pytest.raises(TypeError, match="response must be an object"):
        pricing.cost_of(bad)


@pytest.mark.parametrize(
    "bad", [{}, {"usage": None}, {"error": {"message": "no"}}, {"usage": {}}, {"usage": 5}, object()]
)
def test_a_response_without_usage(pricing: Pricing, bad: Any) -> None:
    """Without usage there is nothing to price, and never a price of 0."""
    with pytest.raises(ValueError, match="no usage"):
        pricing.cost_of(bad)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("prompt_tokens", -1),
        ("prompt_tokens", 1.5),
        ("prompt_tokens", "many"),
        ("prompt_tokens", True),
        ("prompt_tokens", 10**19),
        ("prompt_tokens", float("nan")),
        ("prompt_tokens", float("inf")),
        ("cost", "dear"),
        ("cost", -0.1),
        ("cost", True),
        ("cost", float("nan")),
    ],
)
def test_numbers_that_cannot_be(pricing: Pricing, name: str, value: Any) -> None:
    """A count or an amount that makes no sense is a ValueError that names its field."""
    with pytest.raises(ValueError, match=name):
        pricing.cost_of({"model": "a/plain", "usage": {"prompt_tokens": 1, "completion_tokens": 1, name: value}})


def test_reported_computed_residual(pricing: Pricing) -> None:
    """What the response says is what it cost; our own figure stands beside it, and the difference is shown."""
    cost = pricing.cost_of({"model": "a/plain", "usage": {"prompt_tokens": 3, "cost": 3.5}}, markup_rate="2")
    assert (cost.reported, cost.computed, cost.residual) == (Decimal("3.5"), 3, Decimal("0.5"))
    assert (cost.raw, cost.total, cost.source) == (Decimal("3.5"), 7, "pinned")


def test_a_float_is_read_as_it_prints(pricing: Pricing) -> None:
    """0.1 + 0.2 is three tenths in JSON, not in binary."""
    assert pricing.cost_of({"model": "a/plain", "usage": {"prompt_tokens": 1, "cost": 0.1}}).raw == Decimal("0.1")


@pytest.mark.parametrize("byok", [True, False, None])
def test_byok(pricing: Pricing, byok: bool | None) -> None:
    """With one's own key, flag or no flag, the fee and the provider's part add up; otherwise upstream only repeats."""
    usage = {"prompt_tokens": 1, "cost": 0.05, "cost_details": {"upstream_inference_cost": 1}, "is_byok": byok}
    cost = pricing.cost_of({"model": "a/plain", "usage": usage})
    assert cost.reported == (Decimal("0.05") if byok is False else Decimal("1.05"))


def test_byok_that_costs_nothing_here(pricing: Pricing) -> None:
    """The BYOK zero: OpenRouter charged nothing, and the provider's part is what the call cost."""
    counts = {"prompt_tokens": 1, "completion_tokens": 0, "is_byok": True}
    usage = {**counts, "cost": 0, "cost_details": {"upstream_inference_cost": 1}}
    assert pricing.cost_of({"model": "a/plain", "usage": usage}).raw == 1
    without = {**usage, "cost_details": None}
    silent = pricing.cost_of({"model": "a/plain", "usage": without})
    assert (silent.reported, silent.raw) == (0, 1), "half of a sum was taken for the whole"
    assert pricing.cost_of({"model": "a/plain", "usage": counts}).reported is None


def test_generation(pricing: Pricing) -> None:
    """A generation names its cost, its provider, its tier and its time."""
    cost = pricing.cost_of({"data": GENERATION})
    assert (cost.model_id, cost.provider, cost.service_tier) == ("anthropic/claude", "Anthropic", "priority")
    assert (cost.reported, cost.computed) == (Decimal("0.0025"), Decimal("0.00342"))
    assert read_response(GENERATION).created == datetime(2026, 1, 1, 12, 0, 0, 123000, tzinfo=timezone.utc)


def test_an_unknown_model_with_a_reported_cost(pricing: Pricing) -> None:
    """A model that is not listed costs what the response says, and nothing is computed."""
    cost = pricing.cost_of({"model": "gone/model", "usage": {"prompt_tokens": 7, "cost": 2}}, markup_rate="1.5")
    assert (cost.source, cost.raw, cost.total, cost.computed, cost.residual) == ("reported", 2, 3, None, None)
    assert (cost.lines, cost.as_of, cost.model_id, cost.usage) == ((), None, "gone/model", Usage(7))
    assert json.dumps(cost.to_dict())
    assert pricing.cost_of({"model": "a/router", "usage": {"prompt_tokens": 7, "cost": 2}}).source == "reported"
    assert pricing.cost_of({"prompt_tokens": 7, "cost": 2}).model_id == ""


def test_an_unknown_model_without_a_reported_cost(pricing: Pricing) -> None:
    """Without a reported cost an unknown model, a router and a missing name are errors."""
    with pytest.raises(UnknownModelError):
        pricing.cost_of({"model": "gone/model", "usage": {"prompt_tokens": 7}})
    with pytest.raises(VariablePriceError):
        pricing.cost_of({"model": "a/router", "usage": {"prompt_tokens": 7}})
    with pytest.raises(ValueError, match="model must be given"):
        pricing.cost_of({"prompt_tokens": 7, "completion_tokens": 0})
    assert pricing.cost_of({"prompt_tokens": 7, "completion_tokens": 0}, "a/plain").raw == 7


def test_reported_cost_without_any_catalogue(upstream: Any) -> None:
    """Even with no prices at all a reported cost is a cost."""
    upstream.fail(500)
    settings = Settings(base_url=upstream.url, backend="null://", fallback=False, attempts=1)
    with Pricing(settings) as pricing:
        assert pricing.cost_of({"model": "a/plain", "usage": {"prompt_tokens": 7, "cost": 2}}).raw == 2


def test_a_dimension_without_a_price(pricing: Pricing) -> None:
    """A search on a model that lists none is residual where the cost is reported, and an error where it is not."""
    usage = {"prompt_tokens": 1, "completion_tokens": 0, "server_tool_use_details": {"web_search_requests": 1}}
    with pytest.raises(UnpricedUsageError):
        pricing.cost_of({"model": "a/plain", "usage": usage})
    cost = pricing.cost_of({"model": "a/plain", "usage": {**usage, "cost": 1.007}})
    assert (cost.computed, cost.residual) == (1, Decimal("0.007"))
    native = {"prompt_tokens": 0, "completion_tokens": 0, "server_tool_use_details": {"web_search_requests": 1}}
    assert pricing.cost_of({"model": "anthropic/claude", "usage": native}).raw == Decimal("0.01")


def test_dirty_counts_are_clamped_and_flagged(pricing: Pricing) -> None:
    """Parts that are larger than their whole are clamped, never negative, and told of."""
    usage = {
        "prompt_tokens": 10,
        "completion_tokens": 10,
        "prompt_tokens_details": {"cached_tokens": 12},
        "completion_tokens_details": {"reasoning_tokens": 11},
    }
    cost = pricing.cost_of({"model": "a/plain", "usage": usage})
    assert cost.raw == 110
    assert cost.flags == ("cached_tokens 12 of prompt_tokens 10", "reasoning_tokens 11 of completion_tokens 10")
    assert pricing.cost_of({"model": "a/plain", "usage": {"prompt_tokens": 1, "completion_tokens": 0}}).flags == ()


@pytest.mark.parametrize(
    ("created", "expected"),
    [
        (NOON, 1),
        (float(NOON), 1),
        (Decimal(NOON), 1),
        (NOON - 9 * 3600, 5),
        ("2026-01-01T03:00:00Z", 5),
        ("2026-01-01T03:00:00", 5),
        (datetime(2026, 1, 1, 3), 5),  # noqa: DTZ001
        (datetime(2026, 1, 1, 12, tzinfo=timezone.utc), 1),
        (None, 5),
        (True, 5),
        ("yesterday", 5),
        (1e30, 5),
        ([], 5),
    ],
)
def test_the_instant_of_the_call(hands: Hands, created: Any, expected: int) -> None:
    """Prices by the time of day take the response's own instant; now where it names none that makes sense."""
    hands.wall = datetime(2026, 11, 1, 3, tzinfo=timezone.utc)
    pricing = Pricing(Settings(markup_rate=1), catalog=Catalog.from_models(ROWS), clock=hands.clock)
    response = {"model": "a/nightly", "usage": {"prompt_tokens": 1, "completion_tokens": 0}, "created": created}
    assert pricing.cost_of(response).raw == expected
    assert pricing.cost_of(response, at=datetime(2026, 1, 1, 12, tzinfo=timezone.utc)).raw == 1


def bills(shared: Path) -> list[dict[str, Any]]:
    """The recorded bills."""
    return [json.loads(line) for line in (shared / "billed.jsonl").read_text().splitlines()]


def test_real_bills(shared: Path) -> None:
    """18 of 20 real bills are reproduced to 1e-12 USD without looking at the answer; the other two show a residual."""
    left: dict[str, Decimal] = {}
    for bill in bills(shared):
        pricing = Pricing(Settings(), catalog=Catalog.from_models([bill["listed_model"]]))
        model, usage = bill["listed_model"]["id"], bill["usage"]
        unseen = {key: value for key, value in usage.items() if key not in ("cost", "cost_details", "is_byok")}
        cost = pricing.cost_of({"model": model, "usage": usage})
        assert cost.residual is not None
        if abs(cost.residual) > Decimal("1e-12"):
            left[model] = cost.residual
        else:
            assert abs(pricing.cost_of(unseen, model).raw - cost.raw) <= Decimal("1e-12")
    assert left == {"z-ai/glm-4.6": Decimal("0.00000364"), "deepseek/deepseek-chat": Decimal("0.007")}
