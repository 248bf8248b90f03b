"""Usage: what was consumed, and how responses say so."""

from __future__ import annotations

import decimal
import re
from datetime import datetime, timezone
from decimal import Decimal
from types import MappingProxyType, SimpleNamespace
from typing import Any

import attrs
import pytest
from support.reference import CONTEXTS
from support.upstream import row

from openrouter_pricing import Catalog, Pricing, ResponseError, Settings, Usage
from openrouter_pricing._billing.responses import read_response

FIELDS = [field.name for field in attrs.fields(Usage)]


def test_the_fields_and_their_defaults() -> None:
    """Nothing is consumed by default, in one request."""
    assert attrs.asdict(Usage()) == {
        "prompt_tokens": 0,
        "completion_tokens": 0,
        "cached_tokens": 0,
        "cache_write_tokens": 0,
        "cache_write_1h_tokens": 0,
        "reasoning_tokens": 0,
        "audio_tokens": 0,
        "audio_output_tokens": 0,
        "image_tokens": 0,
        "image_output_tokens": 0,
        "images": 0,
        "web_searches": 0,
        "requests": 1,
    }


@pytest.mark.parametrize("name", FIELDS)
@pytest.mark.parametrize("bad", [True, 1.0, float("nan"), "1", None, [1]])
def test_a_count_of_another_type_is_refused(name: str, bad: Any) -> None:
    """A count that is no integer raises a TypeError that names the argument."""
    with pytest.raises(TypeError, match=f"^{name} must be an integer, not {type(bad).__name__}$"):
        Usage(**{name: bad})


@pytest.mark.parametrize("name", FIELDS)
@pytest.mark.parametrize("bad", [-1, 10**18 + 1, pytest.param(10**10_000, id="huge")])
def test_a_count_out_of_range_is_refused(name: str, bad: int) -> None:
    """A negative or absurd count raises a ValueError that names the argument."""
    with pytest.raises(ValueError, match=f"^{name} must "):
        Usage(**{name: bad})


def test_unknown_and_surplus_arguments_are_refused() -> None:
    """A misspelt count never vanishes."""
    with pytest.raises(TypeError, match="prompt_token"):
        Usage(prompt_token=1)  # type: ignore[call-arg]


def test_usage_is_a_value() -> None:
    """Equal counts are equal usages, usable as keys, and nobody changes one."""
    usage = Usage(10, 5, cached_tokens=3)

    assert {usage} == {Usage(prompt_tokens=10, completion_tokens=5, cached_tokens=3)}
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        usage.prompt_tokens = 1  # type: ignore[misc]


@pytest.mark.parametrize("name", ["prompt_tokens", "completion_tokens"])
@pytest.mark.parametrize("asked_before", [False, True])
@pytest.mark.parametrize(
    ("bad", "kind"),
    [
        (-1, ValueError), (10**18 + 1, ValueError), (True, TypeError), (1.0, TypeError), (float("nan"), TypeError),
        ("1", TypeError), (None, TypeError),
    ],
)  # fmt: skip
def test_the_facade_refuses_bad_counts(name: str, asked_before: bool, bad: Any, kind: type[Exception]) -> None:
    """A bad count is refused by name, also for a model whose prices are at hand already."""
    pricing = Pricing(Settings(), catalog=Catalog.from_models([row()]))
    if asked_before:
        pricing.cost("openai/gpt-4o-mini", 1, 1)

    with pytest.raises(kind, match=f"^{name} must "):
        pricing.cost("openai/gpt-4o-mini", **{name: bad})


# -- responses -------------------------------------------------------------------------------------------------------

CHAT = {
    "id": "gen-1",
    "model": "google/gemini-2.5-flash",
    "created": 1793534400,
    "provider": "Google",
    "usage": {
        "prompt_tokens": 2168,
        "completion_tokens": 100,
        "prompt_tokens_details": {"cached_tokens": 2161, "cache_write_tokens": 5, "audio_tokens": 2, "image_tokens": 1},
        "completion_tokens_details": {"reasoning_tokens": 40, "audio_tokens": 3, "image_tokens": 4},
        "server_tool_use_details": {"web_search_requests": 2},
        "cost": 0.0003253,
        "cost_details": {"upstream_inference_cost": 0.0003253},
        "is_byok": False,
        "service_tier": "flex",
    },
}
RESPONSES = {
    "model": "openai/gpt-4o",
    "created_at": 1793534400,
    "service_tier": "default",
    "usage": {
        "input_tokens": 50,
        "output_tokens": 20,
        "input_tokens_details": {"cached_tokens": 10},
        "output_tokens_details": {"reasoning_tokens": 5},
    },
}
MESSAGES = {
    "model": "anthropic/claude-sonnet-4.6",
    "usage": {
        "input_tokens": 10,
        "output_tokens": 20,
        "cache_read_input_tokens": 300,
        "cache_creation_input_tokens": 200,
        "cache_creation": {"ephemeral_5m_input_tokens": 150, "ephemeral_1h_input_tokens": 50},
        "server_tool_use": {"web_search_requests": 1},
    },
}
GENERATION = {
    "data": {
        "model": "openai/gpt-4o",
        "created_at": "2026-11-01T12:00:00Z",
        "provider_name": "OpenAI",
        "native_tokens_prompt": 100,
        "native_tokens_completion": 50,
        "native_tokens_reasoning": 20,
        "native_tokens_cached": 30,
        "native_tokens_completion_images": 4,
        "total_cost": 0.0125,
        "is_byok": False,
        "upstream_inference_cost": 0.0125,
    }
}
EXPECTED = {
    "chat": Usage(
        2168, 100, cached_tokens=2161, cache_write_tokens=5, audio_tokens=2, image_tokens=1, reasoning_tokens=40,
        audio_output_tokens=3, image_output_tokens=4, web_searches=2,
    ),
    "responses": Usage(50, 20, cached_tokens=10, reasoning_tokens=5),
    "messages": Usage(
        510, 20, cached_tokens=300, cache_write_tokens=200, cache_write_1h_tokens=50, web_searches=1,
    ),
    "generation": Usage(100, 50, reasoning_tokens=20, cached_tokens=30, image_output_tokens=4),
}  # fmt: skip
BODIES = {"chat": CHAT, "responses": RESPONSES, "messages": MESSAGES, "generation": GENERATION}


def _objects(value: Any) -> Any:
    """The same body as objects with attributes."""
    if isinstance(value, dict):
        return SimpleNamespace(**{key: _objects(inner) for key, inner in value.items()})
    return value


@pytest.mark.parametrize("shape", BODIES)
def test_every_shape_of_response_is_read(shape: str) -> None:
    """A body's counts are the same from any mapping, from objects, the usage alone, and a stream's last event."""
    body = BODIES[shape]
    alone = body.get("usage") or body["data"]

    for given in (
        body,
        MappingProxyType(body),
        _objects(body),
        alone,
        {"type": "done", "response": body},
        {"message": body},
        {"data": alone},
    ):
        assert EXPECTED[shape] == read_response(given).usage


def test_what_a_response_says_beside_the_counts() -> None:
    """Model, instant, provider, tier and cost come from the places that each format has for them."""
    noon = datetime(2026, 11, 1, 12, tzinfo=timezone.utc)
    chat, responses, generation = (read_response(body) for body in (CHAT, RESPONSES, GENERATION))

    assert ("google/gemini-2.5-flash", noon, Decimal("0.0003253"), "Google", "flex", False, ()) == chat[1:8]
    assert ("openai/gpt-4o", noon, None, None, "default", False, ()) == responses[1:8]
    assert ("openai/gpt-4o", noon, Decimal("0.0125"), "OpenAI", None, False, ()) == generation[1:8]


@pytest.mark.parametrize("byok", [True, False])
@pytest.mark.parametrize(
    ("given", "expected"),
    [(0.25, "0.25"), (0.5, "0.5"), (1, "1"), ("0.1", "0.1"), (Decimal("0.3"), "0.3"), (0, "0"), (None, None)],
)
def test_what_the_provider_took(byok: bool, given: Any, expected: str | None) -> None:
    """The upstream figure is told as it stands, on one's own key or not, equal to the cost or not."""
    amount = None if expected is None else Decimal(expected)
    usage = {"prompt_tokens": 1, "cost": 0.25, "cost_details": {"upstream_inference_cost": given}, "is_byok": byok}
    generation = {"native_tokens_prompt": 1, "total_cost": 0.25, "upstream_inference_cost": given, "is_byok": byok}

    assert amount == read_response(usage).upstream
    assert amount == read_response(generation).upstream


def test_an_upstream_figure_without_a_cost() -> None:
    """What the provider took is told also where the response says no cost; where it says neither, it is None."""
    usage = {"prompt_tokens": 1, "cost_details": {"upstream_inference_cost": 0.25}}

    assert (None, Decimal("0.25")) == (read_response(usage).reported, read_response(usage).upstream)
    assert read_response({"prompt_tokens": 1, "cost": 0.25}).upstream is None


@pytest.mark.parametrize(
    ("usage", "ran"),
    [
        ({"server_tool_use_details": {"tool_calls_executed": 1, "tool_calls_requested": 1}}, True),
        ({"server_tool_use_details": {"web_search_requests": 2}}, True),
        ({"server_tool_use": {"web_search_requests": 1}}, True),
        ({"server_tool_use": {"web_search_requests": 0, "web_fetch_requests": 1}}, True),
        ({"server_tool_use": {"code_execution_requests": 1}}, True),
        ({"server_tool_use_details": {"tool_calls_executed": 0, "web_search_requests": 0}}, False),
        ({"server_tool_use_details": {"tool_calls_executed": None, "tool_calls_requested": 1}}, False),
        ({"server_tool_use_details": {"tool_calls_executed": "many"}}, False),
        ({"server_tool_use_details": {}}, False),
        ({"server_tool_use_details": None}, False),
        ({}, False),
    ],
)
def test_whether_server_tools_ran(usage: dict[str, Any], ran: bool) -> None:
    """Tools and searches that the server ran are told of, in every place that counts them; requested ones are not."""
    assert ran is read_response({"prompt_tokens": 1, **usage}).tools
    assert ran is read_response(_objects({"input_tokens": 1, **usage})).tools


@pytest.mark.parametrize(
    ("counts", "ran"), [({"num_search_results": 5}, True), ({"num_fetches": 1}, True), ({"num_fetches": 0}, False)]
)
def test_whether_a_generation_searched(counts: dict[str, int], ran: bool) -> None:
    """A generation tells of searches and fetches by how much they found."""
    assert ran is read_response({"native_tokens_prompt": 1, **counts}).tools


@pytest.mark.parametrize("currency", ["EUR", "eur", "US$", "", "x" * 1000])
@pytest.mark.parametrize("place", ["body", "usage", "cost_details", "generation"])
def test_another_currency_is_refused(place: str, currency: str) -> None:
    """Amounts that are not in USD are never taken for USD, wherever the response says what they are in."""
    marked = {"currency": currency}
    bodies: dict[str, dict[str, Any]] = {
        "body": {"usage": {"prompt_tokens": 1, "cost": 1}, **marked},
        "usage": {"usage": {"prompt_tokens": 1, "cost": 1, **marked}},
        "cost_details": {"usage": {"prompt_tokens": 1, "cost": 1, "cost_details": marked}},
        "generation": {"data": {"native_tokens_prompt": 1, "total_cost": 1, **marked}},
    }
    for body in (bodies[place], _objects(bodies[place])):
        with pytest.raises(ValueError, match=re.escape(f"currency must be USD, not {currency[:40]!r}")):
            read_response(body)


@pytest.mark.parametrize("currency", ["USD", "usd", "Usd", None, 840, ["EUR"]])
def test_usd_in_any_case_is_read(currency: Any) -> None:
    """USD in any case is what amounts are in anyway, and what is no string names no currency."""
    usage = {"prompt_tokens": 1, "cost": 0.5, "currency": currency}

    assert Decimal("0.5") == read_response({"currency": currency, "usage": usage}).reported


@pytest.mark.parametrize("context", CONTEXTS)
def test_with_ones_own_key_fee_and_upstream_are_added(context: str) -> None:
    """BYOK reports the sum of both, exactly, in any decimal context; else the upstream figure repeats the cost."""
    usage = {"prompt_tokens": 1, "cost": 0.000123456789, "cost_details": {"upstream_inference_cost": 1.00000000001}}
    with decimal.localcontext(CONTEXTS[context]):
        theirs, ours = (read_response({**usage, "is_byok": byok}) for byok in (True, False))

    assert (True, Decimal("1.000123456799")) == (theirs.byok, theirs.reported)
    assert (False, Decimal("0.000123456789")) == (ours.byok, ours.reported)


@pytest.mark.parametrize(("cost", "upstream"), [(None, 1.5), (0.25, None)])
def test_half_of_a_byok_report_is_none(cost: float | None, upstream: float | None) -> None:
    """Where one of the two figures is missing their sum is not known, and half of it is not taken for the whole."""
    usage = {"prompt_tokens": 1, "is_byok": True, "cost": cost, "cost_details": {"upstream_inference_cost": upstream}}

    assert read_response(usage).reported is None


@pytest.mark.parametrize(
    ("stamp", "instant"),
    [
        (1793534400.0, 12), (Decimal(1793534400), 12), ("2026-11-01T12:00:00", 12), ("2026-11-01T14:00:00+02:00", 12),
        (datetime(2026, 11, 1, 12, tzinfo=timezone.utc), 12), (datetime(2026, 11, 1, 12), 12),  # noqa: DTZ001
        (None, None), (True, None), ("yesterday", None), (1e30, None), (float("nan"), None), ([1], None),
        ("0001-01-01T00:00:00+14:00", None), ("9999-12-31T23:59:59-12:00", None),
    ],
    ids=range(14),
)  # fmt: skip
def test_the_instant_of_a_response(stamp: Any, instant: int | None) -> None:
    """Seconds or ISO 8601, in UTC where no zone is named; what is neither, or no day in UTC, is None."""
    expected = None if instant is None else datetime(2026, 11, 1, instant, tzinfo=timezone.utc)
    created = read_response({"created": stamp, "usage": {"prompt_tokens": 1}}).created

    assert expected == created
    assert created is None or created.tzinfo is timezone.utc


def test_what_is_missing_or_foreign_counts_nothing() -> None:
    """Null, absent and unset details are 0, and a name that is no string is none."""
    body = {
        "model": 5,
        "provider": ["x"],
        "service_tier": 7,
        "usage": {"prompt_tokens": 3.0, "completion_tokens": None, "prompt_tokens_details": None, "cost": object()},
    }
    reading = read_response(body)

    assert (Usage(3), None, None, None, None) == (
        reading.usage,
        reading.model,
        reading.reported,
        reading.provider,
        reading.service_tier,
    )
    with pytest.raises(ValueError, match="has no usage"):
        read_response({"usage": {"completion_tokens": object()}})


def test_dirty_counts_are_flagged() -> None:
    """A part larger than its whole is told, not refused."""
    usage = {
        "prompt_tokens": 5, "completion_tokens": 10, "prompt_tokens_details": {"cached_tokens": 6},
        "completion_tokens_details": {"reasoning_tokens": 11},
    }  # fmt: skip

    assert ("cached_tokens 6 of prompt_tokens 5", "reasoning_tokens 11 of completion_tokens 10") == read_response(
        usage
    ).flags


@pytest.mark.parametrize("bad", [None, "{}", b"{}", 5, 1.5, [], ()])
def test_what_is_no_response_at_all(bad: Any) -> None:
    """A body that was not decoded, or nothing, raises a TypeError that says so."""
    with pytest.raises(TypeError, match=f"^response must be an object, not {type(bad).__name__}$"):
        read_response(bad)


@pytest.mark.parametrize("body", [{}, {"usage": None}, {"usage": {}}, {"usage": 5}, {"error": {"code": 400}}, object()])
def test_a_response_without_usage(body: Any) -> None:
    """A body that counts nothing is an error, never a free call."""
    with pytest.raises(ValueError, match=r"^response has no usage"):
        read_response(body)


@pytest.mark.parametrize(
    ("usage", "words"),
    [
        ({"prompt_tokens": -1}, "prompt_tokens must not be negative"),
        ({"prompt_tokens": 1.5}, "prompt_tokens is not a whole number: '1.5'"),
        ({"prompt_tokens": "5"}, "prompt_tokens is not a whole number: '5'"),
        ({"prompt_tokens": True}, "prompt_tokens is not a whole number: 'True'"),
        ({"prompt_tokens": float("inf")}, "prompt_tokens is not a whole number: 'inf'"),
        ({"prompt_tokens": 1, "cost": -0.5}, "cost must not be negative: -0.5"),
        ({"prompt_tokens": 1, "cost": True}, "cost is not an amount: True"),
        ({"prompt_tokens": 1, "cost": "NaN"}, "cost is not a readable decimal number"),
    ],
)
def test_a_number_that_cannot_be_read_is_named(usage: dict[str, Any], words: str) -> None:
    """A count or an amount that cannot be one raises a ValueError that names the field."""
    with pytest.raises(ValueError, match=f"^{words}"):
        read_response(usage)


def test_a_count_of_nan_is_named() -> None:
    """NaN is no count, and its field is named like that of any other."""
    with pytest.raises(ValueError, match=r"^prompt_tokens "):
        read_response({"prompt_tokens": float("nan")})


def test_a_cache_creation_alone_is_counted() -> None:
    """Written tokens are counted also where only the split says how many they were."""
    usage = {"input_tokens": 10, "output_tokens": 1, "cache_creation": {"ephemeral_1h_input_tokens": 50}}

    assert Usage(60, 1, cache_write_tokens=50, cache_write_1h_tokens=50) == read_response(usage).usage


NOTHING_SAID: dict[str, Any] = {
    "error": {"code": 429, "message": "Rate limit exceeded", "usage": {"cost": 1}}, "id": "gen-1", "object": "error",
    "created": 1_786_680_756, "model": "a/plain", "provider": {"prompt_tokens": 3}, "choices": [{"usage": {"cost": 1}}],
    "user_id": "user_1", "type": "error", "usage": {"prompt_tokens": None, "cost": None},
}  # fmt: skip


@pytest.mark.parametrize("left_out", [None, *NOTHING_SAID])
def test_an_answer_that_is_an_error_has_no_usage(left_out: str | None) -> None:
    """A dictionary of fields that say nothing of a usage is told as an object with the same fields is: it has none."""
    body = {name: value for name, value in NOTHING_SAID.items() if name != left_out}
    for response in (body, MappingProxyType(body), SimpleNamespace(**body)):
        with pytest.raises(ResponseError, match=r"^response has no usage: neither prompt_tokens nor input_tokens nor "):
            read_response(response)
