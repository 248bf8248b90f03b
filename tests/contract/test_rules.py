"""The billing rules one by one, as a user meets them: one test for each line of the rules' table, in its order."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from decimal import Decimal
from typing import Any

import pytest
from support.upstream import Answer, Upstream, row

from openrouter_pricing import (
    Catalog,
    Pricing,
    Settings,
    UnknownModelError,
    UnpricedUsageError,
    Usage,
    VariablePriceError,
)

CLAUDE = {
    "prompt": "3",
    "completion": "15",
    "input_cache_read": "0.3",
    "input_cache_write": "3.75",
    "input_cache_write_1h": "6",
    "web_search": "0.01",
}
GEMINI = {
    "prompt": "0.0000003",
    "completion": "0.0000025",
    "image": "0.0000003",
    "audio": "0.000001",
    "internal_reasoning": "0.0000035",
    "input_cache_read": "0.00000003",
    "input_cache_write": "0.00000008333333333333334",
}
GPT = {
    "prompt": "5",
    "completion": "30",
    "overrides": [{"min_prompt_tokens": 272_000, "prompt": "10", "completion": "45"}],
}
ROWS = [
    row("a/claude", canonical_slug="a/claude-20260101", pricing=CLAUDE),
    row("a/claude:batch", canonical_slug="a/claude-20260101", pricing={"prompt": "1", "completion": "1"}),
    row("a/gemini", pricing=GEMINI),
    row("a/gpt", pricing=GPT),
    row("a/plain", pricing={"prompt": "1", "completion": "10", "request": "100", "input_cache_read": "0"}),
    row("a/embed", pricing={"prompt": "1"}),
    row("a/old", pricing={"prompt": "1", "completion": "1", "image": "7"}),
    row("a/free", pricing={"prompt": "0", "completion": "0"}),
    row("a/cheap", pricing={"prompt": "0.5", "completion": "1", "discount": "0.5"}),
    row("a/tiny", pricing={"prompt": "0.0000000416666666666667", "completion": "0"}),
    row("a/router", pricing={"prompt": "-1", "completion": "-1"}),
    row("~a/latest", pricing={"prompt": "9", "completion": "9"}, alias_target={"slug": "a/plain"}),
    row("~a/auto", pricing={"prompt": "-1", "completion": "-1"}, alias_target={"slug": "a/plain"}),
]


@pytest.fixture
def pricing() -> Pricing:
    """The rules' own price list, without markup."""
    return Pricing(Settings(markup_rate=1), catalog=Catalog.from_models(ROWS))


def bill(pricing: Pricing, model: str, **counts: int) -> dict[str, int]:
    """What is charged for how many units."""
    return {line.item: line.quantity for line in pricing.cost(model, usage=Usage(**counts)).lines}


def test_prompt_tokens(pricing: Pricing) -> None:
    """The reported count includes cached reads and cache writes."""
    charged = bill(pricing, "a/claude", prompt_tokens=1000, cached_tokens=600, cache_write_tokens=300)
    assert charged == {"prompt": 100, "input_cache_read": 600, "input_cache_write": 300}


def test_cache_write_priced_above_prompt(pricing: Pricing) -> None:
    """The write price replaces the prompt price."""
    assert pricing.cost("a/claude", usage=Usage(10, cache_write_tokens=10)).raw == Decimal("37.5")


def test_cache_write_priced_below_prompt(pricing: Pricing) -> None:
    """The write is charged on top: 2168 prompt, 2161 read, 2161 written = 7 plain + 2161 reads + 2161 writes."""
    charged = bill(pricing, "a/gemini", prompt_tokens=2168, cached_tokens=2161, cache_write_tokens=2161)
    assert charged == {"prompt": 7, "input_cache_read": 2161, "input_cache_write": 2161}


def test_cache_price_of_0_on_a_paid_model(pricing: Pricing) -> None:
    """It counts as not listed: the prompt price."""
    assert bill(pricing, "a/plain", prompt_tokens=10, cached_tokens=4) == {"prompt": 10, "request": 1}


def test_order_of_subtraction(pricing: Pricing) -> None:
    """Reads, writes, audio and image come out of the prompt in that order, each clamped to what is left."""
    charged = bill(pricing, "a/gemini", prompt_tokens=10, cached_tokens=8, audio_tokens=8, completion_tokens=5)
    assert charged == {"input_cache_read": 8, "audio": 2, "completion": 5}


def test_1_hour_writes(pricing: Pricing) -> None:
    """They have their own price, and the messages format alone reports the split."""
    usage = {"input_tokens": 1, "output_tokens": 0, "cache_creation_input_tokens": 30}
    usage_1h = {**usage, "cache_creation": {"ephemeral_5m_input_tokens": 20, "ephemeral_1h_input_tokens": 10}}
    lines = pricing.cost_of(usage_1h, "a/claude").lines
    assert {line.item: line.quantity for line in lines} == {
        "prompt": 1,
        "input_cache_write": 20,
        "input_cache_write_1h": 10,
    }
    assert bill(pricing, "a/gemini", prompt_tokens=10, cache_write_tokens=10, cache_write_1h_tokens=10) == {
        "prompt": 10,
        "input_cache_write_1h": 10,
    }


def test_reasoning(pricing: Pricing) -> None:
    """A price of its own replaces, never adds; the count is clamped: reasoning 11 of completion 10."""
    assert bill(pricing, "a/gemini", completion_tokens=10, reasoning_tokens=4) == {
        "completion": 6,
        "internal_reasoning": 4,
    }
    assert bill(pricing, "a/gemini", completion_tokens=10, reasoning_tokens=11) == {"internal_reasoning": 10}
    assert bill(pricing, "a/claude", completion_tokens=10, reasoning_tokens=11) == {"completion": 10}


def test_audio_image_and_video_tokens(pricing: Pricing) -> None:
    """They are inside the counts: their own price replaces where listed, else the text price."""
    details = {"audio_tokens": 3, "image_tokens": 2, "video_tokens": 4}
    usage = {"prompt_tokens": 10, "completion_tokens": 0, "prompt_tokens_details": details}
    lines = pricing.cost_of({"usage": usage}, "a/gemini").lines
    assert {line.item: line.quantity for line in lines} == {"prompt": 7, "audio": 3}


def test_image(pricing: Pricing) -> None:
    """Image tokens are never charged twice; images are priced only without token counts, and not per token."""
    assert bill(pricing, "a/old", images=2) == {"image": 2}
    assert bill(pricing, "a/old", prompt_tokens=10, images=2, image_tokens=8) == {"prompt": 10}
    with pytest.raises(UnpricedUsageError, match="per image token"):
        pricing.cost("a/gemini", usage=Usage(images=1))


def test_request(pricing: Pricing) -> None:
    """Once per request."""
    assert bill(pricing, "a/plain", prompt_tokens=1) == {"prompt": 1, "request": 1}
    assert bill(pricing, "a/plain", requests=3) == {"request": 3}


def test_web_search(pricing: Pricing) -> None:
    """Per search that the response reports; what other plugins bill shows up as residual."""
    usage = {"prompt_tokens": 0, "server_tool_use_details": {"web_search_requests": 2}, "cost": 0.027}
    cost = pricing.cost_of({"usage": usage}, "a/claude")
    assert (cost.computed, cost.residual, cost.residual_kind) == (Decimal("0.02"), Decimal("0.007"), "server_tool")


def test_overrides(pricing: Pricing) -> None:
    """The threshold looks at total prompt tokens: 272,000 is below, 272,001 above."""
    below, above = (pricing.cost("a/gpt", usage=Usage(n, 1, cached_tokens=9)).raw for n in (272_000, 272_001))
    assert (below, above) == (5 * 272_000 + 30, 10 * 272_001 + 45)


def test_discount(pricing: Pricing, upstream: Upstream) -> None:
    """Listed prices are net, also those of endpoints: list = price / (1 - discount), and it is never applied twice."""
    assert pricing.cost("a/cheap", 10).raw == 5
    assert pricing.model("a/cheap").rates.list_price("prompt") == 1
    offer = {"provider_name": "P", "tag": "p", "pricing": {"prompt": "0.4", "completion": "1", "discount": 0.2}}
    upstream.pages["/api/v1/models/openai/gpt-4o-mini/endpoints"] = Answer(
        json.dumps({"data": {"endpoints": [offer]}}).encode()
    )
    with Pricing(Settings(base_url=upstream.url, backend="null://", markup_rate=1)) as live:
        assert live.cost("openai/gpt-4o-mini", 10, provider="p").raw == 4
        assert live.endpoints("openai/gpt-4o-mini")[0].rates.list_price("prompt") == Decimal("0.5")


def test_suffixes(pricing: Pricing) -> None:
    """:batch is a row of its own, not listed means unknown; :nitro, :floor, :exacto and :online price the base row."""
    assert pricing.cost("a/claude:batch", 1).model_id == "a/claude:batch"
    with pytest.raises(UnknownModelError):
        pricing.cost("a/gpt:free", 1)
    for suffix in (":nitro", ":floor", ":exacto", ":online"):
        assert pricing.cost(f"a/gpt{suffix}", 1).model_id == "a/gpt"


def test_ids(pricing: Pricing) -> None:
    """Exact id, then canonical slug, then the suffix rule; an alias prices itself unless it is variable."""
    names = ("a/claude", "a/claude-20260101", "a/claude-20260101:nitro", "~a/latest", "~a/auto")
    assert [pricing.cost(name, 1).model_id for name in names] == [*["a/claude"] * 3, "~a/latest", "a/plain"]
    with pytest.raises(UnknownModelError, match="did you mean 'a/claude'"):
        pricing.cost("a/claud", 1)


def test_prompt_only_rows(pricing: Pricing) -> None:
    """Completion tokens on an embedding row raise."""
    assert pricing.cost("a/embed", 5).raw == 5
    with pytest.raises(UnpricedUsageError, match="completion_tokens"):
        pricing.cost("a/embed", 5, 1)


def test_unknown_model_reported_cost(pricing: Pricing) -> None:
    """The reported cost is raw, nothing is computed, and the source says so; without one it is an error."""
    cost = pricing.cost_of({"model": "gone/model", "usage": {"prompt_tokens": 1, "cost": 2}})
    assert (cost.raw, cost.computed, cost.residual, cost.source) == (2, None, None, "reported")
    with pytest.raises(UnknownModelError):
        pricing.cost_of({"model": "gone/model", "usage": {"prompt_tokens": 1}})


def test_byok(pricing: Pricing) -> None:
    """The BYOK zero: usage.cost is the fee alone, and reported is its sum with what the provider took."""
    usage = {"prompt_tokens": 1, "is_byok": True, "cost_details": {"upstream_inference_cost": 101}}
    assert pricing.cost_of({"model": "a/plain", "usage": {**usage, "cost": 0}}).raw == 101
    assert pricing.cost_of({"model": "a/plain", "usage": {**usage, "cost": 5}}).raw == 106


@pytest.mark.parametrize("mark", [{}, {"is_byok": False}, {"is_byok": None}])
def test_not_byok(pricing: Pricing, mark: dict[str, Any]) -> None:
    """The upstream figure only repeats the token cost and is never added; is_byok may be absent."""
    usage = {"prompt_tokens": 1, "cost": 101, "cost_details": {"upstream_inference_cost": 101}, **mark}
    assert pricing.cost_of({"model": "a/plain", "usage": usage}).raw == 101


def test_reported_cost(pricing: Pricing) -> None:
    """What a response says it cost is raw; our figure and the difference stand beside it."""
    cost = pricing.cost_of({"model": "a/plain", "usage": {"prompt_tokens": 1, "cost": 101.1}})
    assert (cost.raw, cost.computed, cost.residual) == (Decimal("101.1"), 101, Decimal("0.1"))


def test_three_states(pricing: Pricing) -> None:
    """Priced, free and unknown are told apart: unknown is an error and never 0."""
    assert pricing.cost("a/embed", 1).raw == 1
    assert pricing.cost("a/free", 10**6, 10**6).raw == 0
    for model, error in (("a/none", UnknownModelError), ("a/router", VariablePriceError)):
        with pytest.raises(error):
            pricing.cost(model, 1)


def test_service_tier_and_per_provider_prices(upstream: Upstream) -> None:
    """provider= prices by a provider's own rates, of the tier that the response was served at."""
    offers = [
        {"provider_name": "P", "tag": "p", "pricing": {"prompt": "2", "completion": "2"}},
        {"provider_name": "P", "tag": "p/flex", "service_tier": "flex", "pricing": {"prompt": "1", "completion": "1"}},
    ]
    upstream.pages["/api/v1/models/openai/gpt-4o-mini/endpoints"] = Answer(
        json.dumps({"data": {"endpoints": offers}}).encode()
    )
    response = {"model": "openai/gpt-4o-mini", "usage": {"prompt_tokens": 3, "completion_tokens": 0}}
    with Pricing(Settings(base_url=upstream.url, backend="null://", markup_rate=1)) as live:
        standard = live.cost_of(response, provider="P")
        flex = live.cost_of({**response, "service_tier": "flex"}, provider="P")
    assert [(standard.raw, standard.service_tier), (flex.raw, flex.service_tier)] == [(6, None), (3, "flex")]


def test_a_24_character_price(pricing: Pricing) -> None:
    """A price of 24 characters is exact to its last digit."""
    price = "0.0000000416666666666667"
    assert len(price) == 24
    assert pricing.cost("a/tiny", 3).raw == Decimal("0.0000001250000000000001")


def test_the_time_of_the_call() -> None:
    """A response's own created time chooses the conditional price."""
    night = {"utc_start": 0, "utc_end": 600, "prompt": "5"}
    rows = [row("a/nightly", pricing={"prompt": "1", "completion": "1", "overrides": [night]})]
    pricing = Pricing(Settings(markup_rate=1), catalog=Catalog.from_models(rows))
    stamps = [int(datetime(2026, 1, 1, hour, tzinfo=timezone.utc).timestamp()) for hour in (5, 6)]
    usage = {"prompt_tokens": 1, "completion_tokens": 0}
    responses = [{"model": "a/nightly", "created": stamp, "usage": usage} for stamp in stamps]
    assert [pricing.cost_of(response).raw for response in responses] == [5, 1]
