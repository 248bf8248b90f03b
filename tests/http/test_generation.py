"""One generation's record over HTTP: with a key, until it is there, never longer than the deadline."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from support.upstream import Answer, Upstream, models, row

from openrouter_pricing import (
    Catalog,
    Client,
    Fetched,
    PayloadError,
    Pricing,
    PricingError,
    Settings,
    StatusError,
    TransportError,
)

Make = Callable[..., Pricing]
PATH = "/api/v1/generation?id=gen-1"
RECORD = {
    "id": "gen-1", "model": "openai/gpt-4o-mini", "native_tokens_prompt": 1000, "native_tokens_completion": 100,
    "total_cost": 0.00021, "usage": 0.00021, "is_byok": False, "provider_name": "OpenAI", "cancelled": True,
}  # fmt: skip


def record(**fields: Any) -> Answer:
    """The answer that has the record."""
    return Answer(json.dumps({"data": {**RECORD, **fields}}).encode())


@pytest.fixture
def pricing(make_pricing: Make, upstream: Upstream) -> Pricing:
    """Prices with a key."""
    return make_pricing(api_key="sk-or-secret", deadline=5, markup_rate=2)


def test_the_bill_of_a_generation(pricing: Pricing, upstream: Upstream) -> None:
    """The record is asked for with the key, and priced as any other response."""
    upstream.pages[PATH] = record()
    cost = pricing.generation("gen-1", markup_rate=3)

    assert (Decimal("0.00021"), Decimal("0.00063"), "OpenAI") == (cost.raw, cost.total, cost.provider)
    assert (Decimal("0.00021"), "openai/gpt-4o-mini") == (cost.computed, cost.model_id)
    asked = [request for request in upstream.requests if request.path == PATH]
    assert ["Bearer sk-or-secret"] == [request.headers["authorization"] for request in asked]
    assert Decimal("0.00042") == pricing.generation("gen-1").total


def test_a_record_that_is_not_there_yet(pricing: Pricing, upstream: Upstream) -> None:
    """It is asked for again while it is 404, more often than anything else is tried."""
    pricing.warm()
    upstream.script += [Answer(status=404)] * 4
    upstream.pages[PATH] = record()

    assert Decimal("0.00021") == pricing.generation("gen-1").raw
    assert 5 == sum(request.path == PATH for request in upstream.requests)


def test_a_record_that_never_comes(pricing: Pricing, upstream: Upstream) -> None:
    """After the deadline the 404 is the answer."""
    upstream.pages[PATH] = Answer(status=404)
    with pytest.raises((StatusError, TransportError)):
        pricing.generation("gen-1", deadline=0.6)
    assert 1 < sum(request.path == PATH for request in upstream.requests)


@pytest.mark.parametrize("status", [401, 500])
def test_another_status_is_tried_as_often_as_ever(make_pricing: Make, upstream: Upstream, status: int) -> None:
    """What is transient is tried as often as the settings say, and what is not once."""
    upstream.pages[PATH] = Answer(status=status)
    pricing = make_pricing(api_key="k", attempts=2, deadline=5)
    with pytest.raises(StatusError) as caught:
        pricing.generation("gen-1")
    assert status == caught.value.status
    assert (2 if status == 500 else 1) == sum(request.path == PATH for request in upstream.requests)


def test_a_server_that_hangs(make_pricing: Make, upstream: Upstream) -> None:
    """Nobody waits longer than the deadline, whatever the network does."""
    hold = threading.Event()
    upstream.pages[PATH] = Answer(record().body, hold=hold)
    pricing = make_pricing(api_key="k", deadline=0.3, read_timeout=60)
    try:
        with pytest.raises(TransportError):
            pricing.generation("gen-1")
    finally:
        hold.set()


@pytest.mark.parametrize("body", [b"no JSON", b"[]", b"{}", b'{"data": []}', b'{"data": null}', b"[" * 100_000])
def test_what_is_no_record(pricing: Pricing, upstream: Upstream, body: bytes) -> None:
    """An answer that is no record is a PayloadError, and never a cost of 0."""
    upstream.pages[PATH] = Answer(body)
    with pytest.raises(PayloadError, match="upstream answered 200"):
        pricing.generation("gen-1")


@pytest.mark.parametrize(
    ("given", "sent"), [("gen 1/ä?&id=2#x", "gen%201%2F%C3%A4%3F%26id%3D2%23x"), ("../models", "..%2Fmodels")]
)
def test_an_id_is_quoted(pricing: Pricing, upstream: Upstream, given: str, sent: str) -> None:
    """Whatever stands in an id stays in the id."""
    upstream.pages[f"/api/v1/generation?id={sent}"] = record()

    assert Decimal("0.00021") == pricing.generation(given).raw


@pytest.mark.parametrize(
    ("bad", "error"),
    [("", ValueError), ("x" * 301, ValueError), ("a\nb", ValueError), (5, TypeError), (None, TypeError)],
)
def test_what_is_no_id(pricing: Pricing, upstream: Upstream, bad: Any, error: type[Exception]) -> None:
    """It is refused by name before anybody is asked."""
    with pytest.raises(error, match=r"^generation_id "):
        pricing.generation(bad)
    assert [] == upstream.requests


def test_without_a_key_nobody_is_asked(make_pricing: Make, upstream: Upstream) -> None:
    """A record needs a key, and one that may be sent there."""
    with pytest.raises(PricingError, match="API key"):
        make_pricing().generation("gen-1")
    with pytest.raises(PricingError, match="API key"):
        Client(Settings(base_url="http://example.test/api", api_key="k")).fetch_generation("gen-1")
    assert [] == upstream.requests


def test_pinned_and_offline_prices_ask_nobody(make_pricing: Make, upstream: Upstream) -> None:
    """Prices that never use the network do not for this either."""
    pinned = Pricing(Settings(api_key="k"), catalog=Catalog.from_models([row()]))
    for pricing in (pinned, make_pricing(api_key="k", offline=True)):
        with pytest.raises(PricingError, match="nobody to ask for a generation"):
            pricing.generation("gen-1")
    assert [] == upstream.requests


class Source:
    """A source of the test's own."""

    def fetch(self, *, etag: str | None, deadline: float) -> Fetched:
        """The model list."""
        return Fetched(200, {}, models(row()))

    def close(self) -> None:
        """Nothing to do."""


class Knowing(Source):
    """One that knows generations too."""

    def fetch_generation(self, generation_id: str, *, deadline: float) -> Fetched:
        """The record."""
        return Fetched(200, {}, record(id=generation_id).body)


def test_a_source_of_ones_own(make_pricing: Make) -> None:
    """A client of the user's own answers it where it can, and says so where it cannot."""
    assert Decimal("0.00021") == make_pricing(client=Knowing()).generation("gen-1").raw
    with pytest.raises(PricingError, match=r"client has no fetch_generation\(\): Source"):
        make_pricing(client=Source()).generation("gen-1")
