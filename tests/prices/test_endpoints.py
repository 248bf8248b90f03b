"""Providers' prices: who is meant by a name, what a call costs there, and what it can cost at all."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from datetime import datetime, timezone
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import reference
from support.endpoints import MODEL, Fixed, endpoint, offers, path
from support.hands import Hands
from support.upstream import Answer, Upstream, row

from openrouter_pricing import (
    CatalogUnavailableError,
    Endpoint,
    Endpoints,
    Fetched,
    Pricing,
    Rates,
    Settings,
    StatusError,
    UnknownModelError,
    UnknownProviderError,
    UnpricedUsageError,
    Usage,
    VariablePriceError,
)
from openrouter_pricing._prices.wire import read_endpoints

AS_OF = datetime(2026, 11, 1, 12, tzinfo=timezone.utc)
NOON, NIGHT = AS_OF, AS_OF.replace(hour=23)
Make = Callable[..., Pricing]


def listed(*entries: Any) -> Endpoints:
    """Endpoints of these entries."""
    return Endpoints(MODEL, read_endpoints(Fetched(200, {}, offers(*entries)), AS_OF)[0], "live")


OFFERS = [
    endpoint("OpenAI", "openai/flex", "0.5", "1", service_tier="flex"),
    endpoint("OpenAI", "openai", "1", "2", service_tier=None),
    endpoint("OpenAI", "openai/priority", "2", "4", service_tier="priority"),
    endpoint("Azure", "azure", "1.1", "2.2", uptime_last_30m=99.5),
    endpoint("DeepInfra", "deepinfra/fp8", "0.7", "3", quantization="fp8", pricing={"input_cache_read": "0.6"}),
    endpoint("DeepInfra", "deepinfra/bf16", "0.8", "3", quantization="bf16"),
    endpoint("Google", "google-vertex/global", "1.5", "1.5"),
    endpoint("Google", "google-vertex/europe", "1.5", "1.5"),
    endpoint("Google", "google-vertex/global/flex", "0.75", "0.75", service_tier="flex"),
    endpoint("Google AI Studio", "google-ai-studio/flex", "0.75", "0.75", service_tier="flex"),
]


@pytest.fixture
def pricing(make_pricing: Make, upstream: Upstream, hands: Hands) -> Pricing:
    """Prices of a model with many providers."""
    upstream.pages[path()] = Answer(offers(*OFFERS))
    return make_pricing(clock=hands.clock, markup_rate="1.5")


# -- the list ----------------------------------------------------------------------------------------------------------


def test_the_endpoints_of_a_model(pricing: Pricing, upstream: Upstream) -> None:
    """One request, and everything that an entry says of prices is there, with its date."""
    endpoints = pricing.endpoints(MODEL)
    assert path() == upstream.requests[-1].path
    assert (MODEL, AS_OF, "live", 10) == (endpoints.model_id, endpoints.as_of, endpoints.source, len(endpoints))
    fp8 = endpoints[4]
    assert ("DeepInfra", "deepinfra/fp8", 128000, None, "fp8") == (
        fp8.provider, fp8.tag, fp8.context_length, fp8.service_tier, fp8.quantization,
    )  # fmt: skip
    assert Rates(prompt="0.7", completion="3", input_cache_read="0.6") == fp8.rates
    assert OFFERS[4] == fp8.raw
    assert endpoints.digest == pricing.endpoints(MODEL).digest == pricing.cost(MODEL, 1, provider="azure").digest
    assert endpoints.digest != pricing.catalog().digest
    assert "<Endpoints of openai/gpt-4o-mini: azure>" == repr(listed(OFFERS[3]))


def test_raw_is_what_came_without_performance(pricing: Pricing) -> None:
    """The entry is there as it was sent, but for figures that change with every look; nobody can change another's."""
    azure = pricing.endpoints(MODEL)["azure"]
    assert {key: value for key, value in OFFERS[3].items() if key != "uptime_last_30m"} == azure.raw
    azure.raw["pricing"].clear()
    assert OFFERS[3]["pricing"] == azure.raw["pricing"]
    assert {} == Endpoint("Azure", "azure", Rates(prompt=1)).raw


def test_endpoints_are_a_sequence() -> None:
    """Places, slices and membership work as in any sequence, and a tag is a place as well."""
    endpoints = listed(*OFFERS)
    tags = [entry["tag"] for entry in OFFERS]
    assert tags == [endpoint.tag for endpoint in endpoints] == [endpoints[number].tag for number in range(10)]
    assert tags[::-1] == [endpoint.tag for endpoint in reversed(endpoints)]
    assert tags[-1] == endpoints[-1].tag
    assert tags[1:3] == [endpoint.tag for endpoint in endpoints[1:3]]
    assert endpoints[3] in endpoints
    assert 3 == endpoints.index(endpoints["azure"])
    with pytest.raises(IndexError):
        endpoints[10]
    with pytest.raises(UnknownProviderError):
        endpoints["nobody"]


def test_endpoints_pickle() -> None:
    """A list of endpoints survives the way to another process."""
    endpoints = listed(*OFFERS)
    copy = pickle.loads(pickle.dumps(endpoints))
    assert (list(endpoints), endpoints.origin, MODEL) == (list(copy), copy.origin, copy.model_id)
    assert [one.raw for one in endpoints] == [one.raw for one in copy]


def test_fields_of_another_type_are_not_believed() -> None:
    """A provider, tier or quantization that is no text is as if it were missing."""
    one = listed({**endpoint("x", "some-tag"), "provider_name": 5, "service_tier": 7, "quantization": []})[0]
    assert ("some-tag", None, None) == (one.provider, one.service_tier, one.quantization)


@pytest.mark.parametrize("tier", [None, "default", "standard", "auto"])
def test_the_standard_tier_has_many_names(tier: str | None) -> None:
    """An endpoint that calls its tier the default one is a standard endpoint."""
    endpoints = listed(endpoint("OpenAI", "openai", service_tier=tier))
    assert None is endpoints[0].service_tier
    assert list(endpoints) == endpoints.standard()


# -- who is meant ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("provider", "tier", "tag"),
    [
        ("azure", None, "azure"),
        ("Azure", None, "azure"),
        ("AZURE", "default", "azure"),
        ("deepinfra/fp8", None, "deepinfra/fp8"),
        ("DeepInfra/BF16", None, "deepinfra/bf16"),
        ("google", None, "google-vertex/global"),
        ("Google-Vertex", None, "google-vertex/global"),
        ("google-vertex/europe", None, "google-vertex/europe"),
        ("OpenAI", None, "openai"),
        ("openai", "default", "openai"),
        ("openai", "standard", "openai"),
        ("openai", "auto", "openai"),
        ("openai/flex", None, "openai/flex"),
        ("OpenAI", "flex", "openai/flex"),
        ("openai", "priority", "openai/priority"),
        ("google-vertex", "flex", "google-vertex/global/flex"),
        ("Google AI Studio", "flex", "google-ai-studio/flex"),
        ("openai/flex", "default", "openai/flex"),
        ("google-vertex/europe", "flex", "google-vertex/europe"),
    ],
)
def test_who_is_meant(provider: str, tier: str | None, tag: str) -> None:
    """A tag means its endpoint; the first part of tags and a provider's name mean the one at the tier served."""
    assert tag == listed(*OFFERS).find(provider, tier).tag


@pytest.mark.parametrize(
    ("provider", "tier", "tags"),
    [
        ("nobody", None, [entry["tag"] for entry in OFFERS]),
        ("", None, [entry["tag"] for entry in OFFERS]),
        ("google-ai-studio", None, ["google-ai-studio/flex"]),
        ("openai", "ultrafast", ["openai/flex", "openai", "openai/priority"]),
        ("azure", "flex", ["azure"]),
        ("DeepInfra", None, ["deepinfra/fp8", "deepinfra/bf16"]),
    ],
)
def test_who_is_not_to_be_found(provider: str, tier: str | None, tags: list[str]) -> None:
    """A name that means nobody, nobody at that tier, or several at different prices is an error that names the tags."""
    with pytest.raises(UnknownProviderError, match="differ in price" if provider == "DeepInfra" else "no ") as caught:
        listed(*OFFERS).find(provider, tier)
    assert (provider, MODEL, tuple(tags)) == (caught.value.provider, caught.value.model_id, caught.value.tags)


def test_a_tag_that_stands_twice_is_not_chosen_by_chance() -> None:
    """Of two endpoints with one tag and different prices neither is taken for what was meant."""
    twice = [endpoint("Azure", "azure", "1"), endpoint("Azure", "azure", "2")]
    with pytest.raises(UnknownProviderError, match="differ in price") as caught:
        listed(*twice)["azure"]
    assert ("azure#1", "azure#2") == caught.value.tags
    assert Decimal(2) == listed(*twice)["azure#2"].rates.prompt
    assert "azure#1" == listed(twice[0], twice[0])["azure"].tag
    regions = [endpoint("DeepInfra", "deepinfra/fp8", price) for price in ("1", "2")]
    with pytest.raises(UnknownProviderError, match="differ in price"):
        listed(*regions)["deepinfra/fp8"]


@pytest.mark.parametrize("provider", [5, b"azure", ["azure"], True])
def test_a_provider_is_a_string(pricing: Pricing, provider: Any) -> None:
    """Anything else is a TypeError that names the argument."""
    with pytest.raises(TypeError, match="provider must be a string"):
        pricing.cost(MODEL, 1, provider=provider)


# -- what a call costs there -------------------------------------------------------------------------------------------


def test_a_call_at_a_provider(pricing: Pricing, hands: Hands) -> None:
    """The provider's rates price it, and everything of the receipt says whose and of when they are."""
    pricing.warm()
    hands.turn(30)
    cost = pricing.cost(MODEL, 1000, 500, provider="Azure")
    assert (Decimal(2200), Decimal(3300), Decimal("1.5")) == (cost.raw, cost.total, cost.markup_rate)
    assert [("prompt", 1000, Decimal("1.1")), ("completion", 500, Decimal("2.2"))] == [line[:3] for line in cost.lines]
    assert (MODEL, "Azure", "azure", "live") == (cost.model_id, cost.provider, cost.endpoint, cost.source)
    endpoints = pricing.endpoints(MODEL)
    assert (hands.wall, hands.wall, endpoints.digest) == (cost.as_of, endpoints.as_of, cost.digest)
    assert AS_OF == pricing.catalog().as_of
    assert cost == cost.replay(endpoints)
    own = pricing.cost(MODEL, 1000, 500)
    assert (Decimal("0.00045"), None, AS_OF) == (own.raw, own.endpoint, own.as_of)


def test_a_usage_at_a_provider(pricing: Pricing) -> None:
    """Cached tokens, a markup of the call's own and a canonical name work there as anywhere."""
    usage = Usage(10, 1, cached_tokens=9)
    cost = pricing.cost(MODEL + ":nitro", usage=usage, provider="deepinfra/fp8", markup_rate=2)
    assert (Decimal("9.1"), Decimal("18.2"), MODEL) == (cost.raw, cost.total, cost.model_id)


def test_conditional_prices_at_a_provider(make_pricing: Make, upstream: Upstream, hands: Hands) -> None:
    """Overrides of an endpoint hold by the time and the size of the call; now is meant where no time is given."""
    overrides = [{"utc_start": 2200, "utc_end": 600, "prompt": "0.1"}, {"min_prompt_tokens": 100, "prompt": "7"}]
    entry = endpoint("Night", "night", "1", pricing={"overrides": overrides})
    upstream.pages[path()] = Answer(offers(entry))
    pricing = make_pricing(clock=hands.clock)
    raws = {
        "noon": pricing.cost(MODEL, 10, provider="night", at=NOON).raw,
        "night": pricing.cost(MODEL, 10, provider="night", at=NIGHT).raw,
        "now": pricing.cost(MODEL, 10, provider="night").raw,
        "at 100": pricing.cost(MODEL, 100, provider="night", at=NOON).raw,
        "above": pricing.cost(MODEL, 101, provider="night", at=NIGHT).raw,
    }
    assert {"noon": 10, "night": 1, "now": 10, "at 100": 100, "above": 707} == raws
    assert AS_OF == pricing.cost(MODEL, 10, provider="night").at
    hands.turn(10 * 3600)
    assert 1 == pricing.cost(MODEL, 10, provider="night").raw


def test_a_discount_is_shown_and_never_applied_again(make_pricing: Make, upstream: Upstream) -> None:
    """Listed prices are net: they are charged as they stand, and the price before the discount can be shown."""
    entry = endpoint("Sale", "sale", "0.75", "3", pricing={"discount": 0.25, "request": "0"})
    upstream.pages[path()] = Answer(offers(entry))
    pricing = make_pricing()
    assert Decimal("78.00") == pricing.cost(MODEL, 100, 1, provider="sale").raw
    rates = pricing.endpoints(MODEL)["sale"].rates
    assert (Decimal("0.25"), 1, 4, 0) == (rates.discount, *map(rates.list_price, ("prompt", "completion", "request")))
    assert None is rates.list_price("image")
    with pytest.raises(ValueError, match="key must be one of"):
        rates.list_price("discount")


@pytest.mark.parametrize("discount", [None, 0, 1, "1.5", "-0.5"])
def test_what_is_no_discount_leaves_the_price(discount: Any) -> None:
    """Only a fraction between 0 and 1 is a discount."""
    assert Decimal("0.9") == Rates(prompt="0.9", discount=discount).list_price("prompt")


def test_a_list_price_that_does_not_end() -> None:
    """A third more is written to 28 digits."""
    assert Decimal("1.333333333333333333333333333") == Rates(prompt=1, discount="0.25").list_price("prompt")


def test_what_a_provider_does_not_price(make_pricing: Make, upstream: Upstream) -> None:
    """A search that this provider does not sell, or a price that varies, is an error there and not at the others."""
    free = endpoint("Free", "free", "0", "0", pricing={"web_search": "0"})
    variable = endpoint("Router", "router", "-1", "-1")
    upstream.pages[path()] = Answer(offers(free, endpoint("Azure", "azure"), variable))
    pricing = make_pricing()
    search = Usage(1, web_searches=1)
    assert 0 == pricing.cost(MODEL, usage=search, provider="free").raw
    with pytest.raises(UnpricedUsageError, match="web_searches"):
        pricing.cost(MODEL, usage=search, provider="azure")
    with pytest.raises(VariablePriceError):
        pricing.cost(MODEL, 1, provider="router")


# -- responses ---------------------------------------------------------------------------------------------------------


def response(tier: str | None = None, **usage: Any) -> dict[str, Any]:
    """A chat completion of ten tokens in and one out."""
    counts = {"prompt_tokens": 10, "completion_tokens": 1}
    return {"model": MODEL, "provider": "OpenAI", "service_tier": tier, "usage": {**counts, **usage}}


@pytest.mark.parametrize(
    ("tier", "provider", "raw", "tag"),
    [
        (None, "OpenAI", 12, "openai"),
        ("default", "openai", 12, "openai"),
        ("flex", "OpenAI", 6, "openai/flex"),
        ("flex", "openai", 6, "openai/flex"),
        ("priority", "OpenAI", 24, "openai/priority"),
        ("flex", "google-vertex", Decimal("8.25"), "google-vertex/global/flex"),
        ("flex", "deepinfra/fp8", 10, "deepinfra/fp8"),
    ],
)
def test_the_tier_that_was_served_is_priced(
    pricing: Pricing, tier: str | None, provider: str, raw: Any, tag: str
) -> None:
    """Of a provider's endpoints the one at the response's own tier prices it; a whole tag is taken at its word."""
    cost = pricing.cost_of(response(tier), provider=provider)
    assert (raw, tag, tier) == (cost.raw, cost.endpoint, cost.service_tier)


def test_a_tier_that_is_not_listed(pricing: Pricing) -> None:
    """A call at a tier that the provider does not list is not priced at another tier."""
    with pytest.raises(UnknownProviderError):
        pricing.cost_of(response("ultrafast"), provider="openai")


def test_a_reported_cost_at_a_provider(pricing: Pricing) -> None:
    """What the response reports is what it cost; the provider's prices say what it should have cost."""
    cost = pricing.cost_of(response(cost=13.5), provider="Azure")
    assert (Decimal("13.5"), Decimal("13.2"), Decimal("0.3")) == (cost.raw, cost.computed, cost.residual)
    assert ("Azure", "azure", "live") == (cost.provider, cost.endpoint, cost.source)


def test_a_reported_cost_needs_no_provider_prices(make_pricing: Make, upstream: Upstream) -> None:
    """Where the provider's prices are not to be had, a reported cost is a cost; without one there is an error."""
    upstream.pages[path()] = Answer(status=500)
    pricing = make_pricing()
    cost = pricing.cost_of(response(cost=13.5), provider="Azure")
    assert (Decimal("13.5"), "reported", None, None) == (cost.raw, cost.source, cost.computed, cost.endpoint)
    assert "Azure" == cost.provider
    with pytest.raises(CatalogUnavailableError) as caught:
        pricing.cost_of(response(), provider="Azure")
    assert isinstance(caught.value.__cause__, StatusError)


@pytest.mark.parametrize(("tier", "provider"), [(None, "Nobody"), ("ultrafast", "openai")])
def test_a_reported_cost_settles_an_unknown_provider(pricing: Pricing, tier: str | None, provider: str) -> None:
    """A provider that is not listed any more computes nothing, and a reported cost is a cost all the same."""
    cost = pricing.cost_of(response(tier, cost=13.5), provider=provider)
    assert (Decimal("13.5"), None, "reported") == (cost.raw, cost.computed, cost.source)


def test_a_provider_that_is_no_string(pricing: Pricing) -> None:
    """It is refused by name, reported cost or not."""
    for usage in ({}, {"cost": 13.5}):
        with pytest.raises(TypeError, match="provider must be a string"):
            pricing.cost_of(response(**usage), provider=5)  # type: ignore[arg-type]


# -- what it can cost --------------------------------------------------------------------------------------------------


def test_the_range_of_prices(pricing: Pricing) -> None:
    """The cheapest and the dearest standard endpoint for this usage, and the model's own price between them."""
    low, own, high = pricing.price_range(MODEL, Usage(10, 1))
    assert [Decimal(10), Decimal("0.0000021"), Decimal("16.5")] == [low.raw, own.raw, high.raw]
    assert ["deepinfra/fp8", None, "google-vertex/global"] == [low.endpoint, own.endpoint, high.endpoint]
    assert ["DeepInfra", None, "Google"] == [low.provider, own.provider, high.provider]
    assert [Decimal("1.5")] * 3 == [low.markup_rate, own.markup_rate, high.markup_rate]
    assert pricing.endpoints(MODEL).digest == low.digest == high.digest
    assert pricing.catalog().digest == own.digest
    chatty = pricing.price_range(MODEL, Usage(0, 10), markup_rate=1)
    assert ["google-vertex/global", "deepinfra/fp8"] == [chatty.min.endpoint, chatty.max.endpoint]
    assert (15, 15, 30) == (chatty.min.raw, chatty.min.total, chatty.max.raw)


def test_cached_tokens_may_turn_the_order(make_pricing: Make, upstream: Upstream) -> None:
    """Who is cheapest depends on the usage, not on the prompt price alone."""
    cheap = endpoint("Cheap", "cheap", "1")
    caching = endpoint("Caching", "caching", "1.2", pricing={"input_cache_read": "0.1"})
    upstream.pages[path()] = Answer(offers(cheap, caching))
    pricing = make_pricing()
    assert ["cheap", "caching"] == [
        pricing.price_range(MODEL, Usage(100, cached_tokens=cached)).min.endpoint for cached in (0, 90)
    ]


def test_the_range_at_an_instant(make_pricing: Make, upstream: Upstream, hands: Hands) -> None:
    """Prices by the time of day are those of the call's own instant, or of now."""
    night = endpoint("Night", "night", "3", pricing={"overrides": [{"utc_start": 2200, "prompt": "1"}]})
    upstream.pages[path()] = Answer(offers(endpoint("Day", "day", "2"), night))
    pricing = make_pricing(clock=hands.clock)
    assert ["day", "night", "day"] == [
        pricing.price_range(MODEL, Usage(1), at=at).min.endpoint for at in (NOON, NIGHT, None)
    ]


def test_endpoints_that_do_not_price_the_usage_are_left_out(make_pricing: Make, upstream: Upstream) -> None:
    """Who does not sell what is asked for has no part in the range; if nobody does, the error says what is missing."""
    upstream.say(row(pricing={"prompt": "1", "completion": "1", "web_search": "5"}))
    selling = endpoint("Search", "search", "10", pricing={"web_search": "1"})
    others = [
        endpoint("Azure", "azure"),
        endpoint("Router", "router", "-1"),
        endpoint("Flex", "f", service_tier="flex"),
    ]
    upstream.pages[path()] = Answer(offers(*others, selling))
    pricing = make_pricing()
    low, own, high = pricing.price_range(MODEL, Usage(1, web_searches=1))
    assert (("search", 11), ("search", 11), 6) == ((low.endpoint, low.raw), (high.endpoint, high.raw), own.raw)
    upstream.pages[path()] = Answer(offers(others[0]))
    with pytest.raises(UnpricedUsageError, match="web_searches"):
        make_pricing().price_range(MODEL, Usage(1, web_searches=1))
    upstream.pages[path()] = Answer(offers(others[2]))
    with pytest.raises(UnpricedUsageError, match="no provider offers it at the standard tier"):
        make_pricing().price_range(MODEL, Usage(1))


def test_the_range_of_nothing_listed(pricing: Pricing, upstream: Upstream) -> None:
    """An unknown model has no range, and nobody is asked for its endpoints."""
    with pytest.raises(UnknownModelError):
        pricing.price_range("nobody/nothing", Usage(1))
    assert 1 == len(upstream.requests)


price = st.decimals(0, 1, places=3, allow_nan=False).map(str)
prices = st.fixed_dictionaries(
    {"prompt": price},
    optional={"completion": price, "input_cache_read": price, "input_cache_write": price, "request": price},
)
tiers = st.sampled_from([None, None, "default", "flex"])
counts = st.fixed_dictionaries({name: st.integers(0, 9) for name in ("prompt_tokens", "completion_tokens")})
parts = st.fixed_dictionaries({name: st.integers(0, 9) for name in ("cached_tokens", "cache_write_tokens")})


def reckoned(pricing: dict[str, str], usage: dict[str, int]) -> Fraction | None:
    """What the reference says that a usage costs there; None where it is not priced."""
    try:
        return reference.cost({"id": MODEL, "pricing": pricing}, usage)
    except reference.UnpricedError:
        return None


@settings(deadline=None)  # each example starts threads
@given(st.lists(st.tuples(prices, tiers), min_size=1, max_size=6), counts, parts)
def test_nothing_costs_less_or_more_than_the_range(
    offered: list[tuple[dict[str, str], str | None]], whole: dict[str, int], part: dict[str, int]
) -> None:
    """The range is that of the costs at each standard endpoint that prices the usage, reckoned independently."""
    usage = whole | part
    body = offers(
        *(
            {"tag": f"tag-{number}", "pricing": pricing, "service_tier": tier}
            for number, (pricing, tier) in enumerate(offered)
        )
    )
    costs = {
        f"tag-{number}": cost
        for number, (pricing, tier) in enumerate(offered)
        if tier != "flex" and (cost := reckoned(pricing, usage)) is not None
    }
    with Pricing(Settings(backend="null://"), client=Fixed(body)) as pricing:
        if not costs:
            with pytest.raises(UnpricedUsageError):
                pricing.price_range(MODEL, Usage(**usage))
            return
        low, own, high = pricing.price_range(MODEL, Usage(**usage))
        each = {tag: Fraction(pricing.cost(MODEL, usage=Usage(**usage), provider=tag).raw) for tag in costs}
    assert costs == each
    assert (min(costs.values()), max(costs.values())) == (Fraction(low.raw), Fraction(high.raw))
    assert [Fraction(low.raw), Fraction(high.raw)] == [costs[str(one.endpoint)] for one in (low, high)]
    assert None is own.endpoint
