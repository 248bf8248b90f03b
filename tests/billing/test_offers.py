"""Service tiers and providers: whose price a call is priced at, and what is said where there is none."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from support.upstream import Answer, Upstream, models, row

from openrouter_pricing import (
    Catalog,
    Cost,
    Endpoint,
    Fetched,
    Pricing,
    PricingError,
    Settings,
    UnknownProviderError,
    UnpricedUsageError,
    Usage,
)

MODEL = "openai/gpt-5-mini"
ROWS = [
    row(MODEL, canonical_slug="openai/gpt-5-mini-2025-08-07", pricing={"prompt": "4", "completion": "4"}),
    row(f"{MODEL}:batch", canonical_slug="openai/gpt-5-mini-2025-08-07", pricing={"prompt": "2", "completion": "2"}),
    row("a/quick", pricing={"prompt": "1", "completion": "1"}),
    row("a/quick-fast", pricing={"prompt": "3", "completion": "3"}),
]


def offer(tag: str, prompt: str, name: str = "OpenAI", **fields: Any) -> dict[str, Any]:
    """One endpoint, as the API documents it: without a tier of its own."""
    return {"provider_name": name, "tag": tag, "pricing": {"prompt": prompt, "completion": prompt}, **fields}


OFFERS = [
    offer("openai/flex", "2"),
    offer("openai", "4"),
    offer("openai/fast", "8"),
    offer("amazon-bedrock/us", "5", "Amazon Bedrock"),
    offer("google-vertex/global/batch", "1", "Google"),
    offer("google-vertex/global", "6", "Google"),
]


class Given:
    """A source of the test's own."""

    def __init__(self, offers: list[dict[str, Any]]) -> None:
        self.offers, self.asked = offers, 0

    def fetch(self, *, etag: str | None, deadline: float) -> Fetched:
        """The model list."""
        return Fetched(200, {}, models(*ROWS))

    def fetch_endpoints(self, model_id: str, *, etag: str | None, deadline: float) -> Fetched:
        """The endpoints."""
        self.asked += 1
        return Fetched(200, {}, json.dumps({"data": {"endpoints": self.offers}}).encode())

    def close(self) -> None:
        """Nothing to do."""


Live = Callable[..., Pricing]


@pytest.fixture
def live(request: pytest.FixtureRequest) -> Live:
    """Makes prices with these endpoints."""

    def make(*offers: dict[str, Any]) -> Pricing:
        source = Given(list(offers or OFFERS))
        pricing = Pricing(Settings(backend="null://", markup_rate=1), client=source)
        request.addfinalizer(pricing.close)
        return pricing

    return make


PINNED = Pricing(Settings(markup_rate=1), catalog=Catalog.from_models(ROWS))


def response(tier: str | None = None, **body: Any) -> dict[str, Any]:
    """Ten tokens in at a tier; 40 USD at the standard one."""
    usage = {"prompt_tokens": 10, "completion_tokens": 0, **body.pop("usage", {})}
    return {"model": MODEL, "service_tier": tier, "usage": usage, **body}


# -- tiers by tag ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tag", "said", "tier"),
    [
        ("openai", None, None),
        ("openai/flex", None, "flex"),
        ("openai/fast", None, "priority"),
        ("OpenAI/Priority", None, "priority"),
        ("openai/batch", None, "batch"),
        ("google-vertex/global/flex", None, "flex"),
        ("deepinfra/fp8", None, None),
        ("flex", None, None),
        ("azure/flexible", None, None),
        ("openai/flex#2", None, "flex"),
        ("openai", "fast", "priority"),
        ("openai", "Flex", "flex"),
        ("openai", "ultrafast", "ultrafast"),
        ("openai/flex", "default", "flex"),
        ("openai/flex", "priority", "priority"),
        ("openai", "", None),
        ("openai", 5, None),
    ],
)
def test_the_tier_of_an_endpoint(tag: str, said: Any, tier: str | None) -> None:
    """A tier is told by its own field, or else by a part of the tag after the provider's slug."""
    (listed,) = Catalog.from_models([{"id": tag, "service_tier": said, "pricing": {"prompt": "1"}}]).values()

    assert tier == Endpoint.of(listed).service_tier


@pytest.mark.parametrize(
    ("provider", "tier", "tag"),
    [
        ("OpenAI", None, "openai"),
        ("openai", "standard", "openai"),
        ("openai", "flex", "openai/flex"),
        ("OpenAI", "priority", "openai/fast"),
        ("openai", "fast", "openai/fast"),
        ("openai/fast", None, "openai/fast"),
        ("amazon-bedrock", None, "amazon-bedrock/us"),
        ("Amazon Bedrock", None, "amazon-bedrock/us"),
        ("google-vertex", None, "google-vertex/global"),
        ("Google", "batch", "google-vertex/global/batch"),
    ],
)
def test_a_provider_by_name_slug_or_tag(live: Live, provider: str, tier: str | None, tag: str) -> None:
    """A provider's name, slug or tag means its standard tier, or the tier that is asked for or was served."""
    pricing = live()
    asked = pricing.cost(MODEL, 10, provider=provider, service_tier=tier)
    served = pricing.cost_of(response(tier), provider=provider)

    assert (tag, tag, tag) == (asked.endpoint, served.endpoint, asked.to_dict()["endpoint"])
    assert 10 * pricing.endpoints(MODEL)[tag].rates.prompt == asked.raw == served.raw
    assert tier == asked.service_tier == served.service_tier


def test_a_provider_whose_slug_is_its_name(live: Live) -> None:
    """A name with spaces is its slug with dashes, also where the tag says something else."""
    assert "x1" == live(offer("x1", "4", "Acme Cloud")).cost(MODEL, 1, provider="acme-cloud").endpoint


# -- service_tier= -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tier", "raw", "tag", "model"),
    [
        (None, 40, None, MODEL),
        ("default", 40, None, MODEL),
        ("standard", 40, None, MODEL),
        ("flex", 20, "openai/flex", MODEL),
        ("FLEX", 20, "openai/flex", MODEL),
        ("priority", 80, "openai/fast", MODEL),
        ("fast", 80, "openai/fast", MODEL),
        ("batch", 20, None, f"{MODEL}:batch"),
    ],
)
def test_a_cost_at_a_tier(live: Live, tier: str | None, raw: int, tag: str | None, model: str) -> None:
    """The tier's own endpoint prices it; a batch is priced by its row, and says so."""
    cost = live().cost(MODEL, 10, service_tier=tier)

    assert (raw, tag, model, tier) == (cost.raw, cost.endpoint, cost.model_id, cost.service_tier)
    assert () == cost.flags


def test_a_tier_that_nobody_sells_or_several_do(live: Live) -> None:
    """A tier that is asked for is never priced as another one."""
    pricing = live(offer("a", "1"), offer("b/flex", "1", "B"), offer("c/flex", "2", "C"))
    with pytest.raises(UnpricedUsageError, match="no endpoint of it is listed at the tier priority"):
        pricing.cost(MODEL, 1, service_tier="priority")
    with pytest.raises(UnpricedUsageError, match="differ in price; name one of 'b/flex', 'c/flex'"):
        pricing.cost(MODEL, 1, service_tier="flex")
    with pytest.raises(UnknownProviderError):
        pricing.cost(MODEL, 1, service_tier="flex", provider="a")
    assert 2 == pricing.cost(MODEL, 1, service_tier="flex", provider="c").raw
    assert 1 == live(offer("b/flex", "1"), offer("c/flex", "1")).cost(MODEL, 1, service_tier="flex").raw


def test_a_tier_of_pinned_prices() -> None:
    """Pinned prices know no endpoints, but rows of batch prices they do."""
    with pytest.raises(PricingError, match="pinned"):
        PINNED.cost(MODEL, 1, service_tier="flex")
    assert (
        2
        == PINNED.cost(MODEL, 1, service_tier="batch").raw
        == PINNED.cost(f"{MODEL}:batch", 1, service_tier="batch").raw
    )
    assert 4 == PINNED.cost(MODEL, 1, service_tier="standard").raw


@pytest.mark.parametrize("tier", [5, b"flex", ["flex"], True])
def test_a_tier_is_a_string(tier: Any) -> None:
    """Anything else is a TypeError that names the argument."""
    with pytest.raises(TypeError, match="service_tier must be a string"):
        PINNED.cost(MODEL, 1, service_tier=tier)


@pytest.mark.parametrize(
    ("model", "tier", "expected"),
    [
        (MODEL, None, [40, 40, 60]),
        (MODEL, "standard", [40, 40, 60]),
        (f"{MODEL}:nitro", None, [40, 40, 60]),
        (MODEL, "flex", [20, 40, 20]),
        (MODEL, "fast", [80, 40, 80]),
        (MODEL, "batch", [10, 20, 10]),
        (f"{MODEL}:batch", None, [10, 20, 10]),
    ],
)
def test_a_range_is_of_one_tier(live: Live, model: str, tier: str | None, expected: list[int]) -> None:
    """The range is of the standard tier, or of the one that is asked for; ``list`` of a batch is its row."""
    offers = OFFERS if model != f"{MODEL}:batch" else [OFFERS[4]]
    found = live(*offers).price_range(model, Usage(10), service_tier=tier)

    assert expected == [cost.raw for cost in found]
    assert [tier] * 3 == [cost.service_tier for cost in found] or tier not in ("batch",)


def test_a_range_of_a_tier_without_endpoints(live: Live) -> None:
    """A batch has its row where no provider lists one; any other tier has nothing."""
    pricing = live(OFFERS[1])
    assert [20, 20, 20] == [cost.raw for cost in pricing.price_range(MODEL, Usage(10), service_tier="batch")]
    with pytest.raises(UnpricedUsageError, match="no provider offers it at the flex tier"):
        pricing.price_range(MODEL, Usage(10), service_tier="flex")


# -- responses ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("tier", ["flex", "priority", "Scale"])
def test_a_served_tier_without_a_price_is_flagged(tier: str) -> None:
    """Without a reported cost and without endpoints at hand it is priced as standard, and says so."""
    cost = PINNED.cost_of(response(tier))

    assert (40, tier) == (cost.raw, cost.service_tier)
    assert (f"service tier {tier.lower()} is priced at the standard tier: no price of its own is known",) == cost.flags


@pytest.mark.parametrize("tier", [None, "default", "auto", "standard", "Default"])
def test_the_standard_tier_is_no_flag(tier: str | None) -> None:
    """What everybody gets is told of by nobody."""
    assert (40, ()) == (PINNED.cost_of(response(tier)).raw, PINNED.cost_of(response(tier)).flags)


@pytest.mark.parametrize(
    ("body", "raw"),
    [
        (response("flex"), 20),
        (response("flex", provider="OpenAI"), 20),
        (response("priority", provider="openai"), 80),
        (response("flex", provider="Amazon Bedrock"), 40),
        (response("scale"), 40),
    ],
)
def test_a_served_tier_that_endpoints_price(live: Live, body: dict[str, Any], raw: int) -> None:
    """Where no cost was reported and an endpoint sells the tier, that prices it; where none does, it is flagged."""
    cost = live().cost_of(body)

    assert raw == cost.raw
    assert bool(cost.flags) == (raw == 40)


def test_a_reported_cost_asks_nobody(live: Live) -> None:
    """With a reported cost the tier is the label of the residual, and no endpoint is asked for."""
    pricing = live()
    cost = pricing.cost_of(response("flex", usage={"cost": 20}))

    assert (20, 40, "service_tier", ()) == (cost.raw, cost.computed, cost.residual_kind, cost.flags)
    source = pricing._client
    assert isinstance(source, Given)
    assert 0 == source.asked


BATCHED = [
    {**response(), "object": "batch"},
    response("batch"),
    {"custom_id": "1", "response": {"status_code": 200, "body": response()}},
    {"custom_id": "1", "result": {"type": "succeeded", "message": response()}},
]


@pytest.mark.parametrize("body", BATCHED, ids=["object", "tier", "item", "message item"])
def test_a_batch(body: dict[str, Any]) -> None:
    """A batch and its items are priced by the row of batch prices, and the cost says so."""
    cost = PINNED.cost_of(body)

    assert (20, f"{MODEL}:batch", "batch", ()) == (cost.raw, cost.model_id, cost.service_tier, cost.flags)


def test_a_batch_that_reports_its_cost() -> None:
    """Its cost is explained by the row of batch prices, and no provider's."""
    body = {**response(usage={"cost": 20}), "object": "batch"}

    assert (20, 20, None) == (
        PINNED.cost_of(body).raw,
        PINNED.cost_of(body).computed,
        PINNED.cost_of(body).residual_kind,
    )


def test_a_batch_of_a_model_without_such_a_row() -> None:
    """Without a row of batch prices it is priced as standard, and flagged."""
    cost = PINNED.cost_of({**response(), "model": "a/quick", "object": "batch"})

    assert (10, "a/quick", 1) == (cost.raw, cost.model_id, len(cost.flags))


def test_a_batch_row_by_its_own_name() -> None:
    """A response priced as a batch row stays there."""
    assert (20, ()) == (PINNED.cost_of({**response(), "object": "batch"}, f"{MODEL}:batch").raw, ())
    flex = PINNED.cost_of(response("flex"), f"{MODEL}:batch")
    assert (20, 1) == (flex.raw, len(flex.flags))


def test_the_fast_mode_of_messages() -> None:
    """``speed: fast`` is priced by the row of that mode where one is listed, and flagged where none is."""
    usage = {"input_tokens": 10, "output_tokens": 0, "speed": "fast", "cache_read_input_tokens": 0}
    fast, flagged, slow = (
        PINNED.cost_of({"usage": {**usage, "speed": speed}}, model)
        for model, speed in (("a/quick", "fast"), (MODEL, "fast"), ("a/quick", "standard"))
    )

    assert (30, "a/quick-fast", ()) == (fast.raw, fast.model_id, fast.flags)
    assert (40, 1) == (flagged.raw, len(flagged.flags))
    assert (10, "a/quick") == (slow.raw, slow.model_id)


def test_endpoints_over_http(upstream: Upstream) -> None:
    """The same over HTTP, where the documented schema of an endpoint names no tier."""
    upstream.pages["/api/v1/models/openai/gpt-4o-mini/endpoints"] = Answer(
        json.dumps({"data": {"endpoints": OFFERS}}).encode()
    )
    with Pricing(Settings(base_url=upstream.url, backend="null://", markup_rate=1)) as pricing:
        found: list[Cost] = list(pricing.price_range("openai/gpt-4o-mini", Usage(1)))
    assert [Decimal(4), Decimal("1.5E-7"), Decimal(6)] == [cost.raw for cost in found]
