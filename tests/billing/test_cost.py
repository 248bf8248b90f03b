"""Billing rules: how rates meet usage."""

from __future__ import annotations

import decimal
import json
from collections.abc import Iterator
from datetime import datetime, timezone
from decimal import Decimal
from fractions import Fraction
from typing import Any

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import reference
from support.pinned import pinned
from support.reference import CONTEXTS
from support.upstream import models, row

from openrouter_pricing import (
    Catalog,
    Cost,
    CostLine,
    Fetched,
    Pricing,
    Rates,
    Settings,
    UnpricedUsageError,
    Usage,
    VariablePriceError,
)
from openrouter_pricing._billing.call import CallFacts
from openrouter_pricing._billing.cost import charge, settled
from openrouter_pricing._prices.wire import read_catalog

AS_OF = datetime(2026, 11, 2, tzinfo=timezone.utc)

GEMINI = {
    "prompt": "0.0000003",
    "completion": "0.0000025",
    "image": "0.0000003",
    "audio": "0.000001",
    "internal_reasoning": "0.0000025",
    "input_cache_read": "0.00000003",
    "input_cache_write": "0.00000008333333333333334",
}
CLAUDE = {
    "prompt": "0.000003",
    "completion": "0.000015",
    "web_search": "0.01",
    "input_cache_read": "0.0000003",
    "input_cache_write": "0.00000375",
    "input_cache_write_1h": "0.000006",
}
EVERYTHING = {
    **{key: f"0.0000{number}37" for number, key in enumerate(("prompt", "completion", "audio", "audio_output"), 1)},
    "image_token": "0.000071", "image_output": "0.000091", "internal_reasoning": "0.00012",
    "input_cache_read": "0.0000000416666666666667", "input_cache_write": "0.0000411",
    "input_cache_write_1h": "0.0000599",
    "request": "0.00101", "image": "0.0023", "web_search": "0.01",
}  # fmt: skip
FREE = {"prompt": "0", "completion": "0", "request": "0", "image": "0", "web_search": "0"}


@pytest.fixture(params=CONTEXTS)
def _caller(request: pytest.FixtureRequest) -> Iterator[None]:
    with decimal.localcontext(CONTEXTS[request.param]):
        yield


anybody = pytest.mark.usefixtures("_caller")
"""Runs a test in each of the hostile decimal contexts."""


def bill(pricing: dict[str, Any], at: datetime | None = None, **counts: int) -> dict[str, int]:
    """Item to quantity of the bill; it must add up to ``computed`` and to the reference's amount."""
    cost = charge(Rates.from_dict(pricing), Usage(**counts), model_id="a/b", at=at)
    expected = reference.cost({"id": "a/b", "pricing": pricing}, counts, at)
    assert cost.computed is not None
    assert expected == Fraction(cost.computed) == sum((Fraction(line.amount) for line in cost.lines), Fraction())
    assert all(Fraction(line.amount) == line.quantity * Fraction(line.unit_price) for line in cost.lines)
    assert len(cost.lines) == len({line.item for line in cost.lines})
    return {line.item: line.quantity for line in cost.lines}


# -- the rules, one by one -------------------------------------------------------------------------------------------


@anybody
def test_prompt_and_completion() -> None:
    """Tokens times prices."""
    assert {"prompt": 1000, "completion": 500} == bill(GEMINI, prompt_tokens=1000, completion_tokens=500)


@anybody
def test_cached_reads_are_inside_the_prompt_count() -> None:
    """Reads are taken out of the prompt and cost their own price."""
    assert {"prompt": 400, "input_cache_read": 600} == bill(GEMINI, prompt_tokens=1000, cached_tokens=600)


@anybody
def test_a_write_priced_above_the_prompt_replaces_it() -> None:
    """Anthropic's way: plain is prompt minus reads minus writes."""
    lines = bill(CLAUDE, prompt_tokens=1000, cached_tokens=600, cache_write_tokens=300)

    assert {"prompt": 100, "input_cache_read": 600, "input_cache_write": 300} == lines


@anybody
def test_a_write_priced_as_the_prompt_is_charged_once() -> None:
    """At the very prompt price there is nothing on top."""
    lines = bill({**CLAUDE, "input_cache_write": "0.000003"}, prompt_tokens=1000, cache_write_tokens=300)

    assert {"prompt": 700, "input_cache_write": 300} == lines


@anybody
def test_a_write_priced_below_the_prompt_is_storage_on_top() -> None:
    """Gemini's way, as billed: 2168 prompt, 2161 read and 2161 written are 7 plain + 2161 reads + 2161 writes."""
    lines = bill(GEMINI, prompt_tokens=2168, cached_tokens=2161, cache_write_tokens=2161)

    assert {"prompt": 7, "input_cache_read": 2161, "input_cache_write": 2161} == lines


@anybody
def test_storage_is_clamped_to_the_prompt() -> None:
    """No more tokens are stored than came in."""
    assert {"prompt": 10, "input_cache_write": 10} == bill(GEMINI, prompt_tokens=10, cache_write_tokens=99)


@anybody
@pytest.mark.parametrize("cheap", ["0", None])
def test_a_cache_price_of_nothing_counts_as_not_listed(cheap: str | None) -> None:
    """A list that gives 0 for cached tokens of a paid model means the prompt price."""
    listed = {**CLAUDE, "input_cache_read": cheap, "input_cache_write": cheap, "input_cache_write_1h": cheap}

    assert {"prompt": 1000} == bill(
        listed, prompt_tokens=1000, cached_tokens=500, cache_write_tokens=400, cache_write_1h_tokens=100
    )


@anybody
def test_one_hour_writes_have_their_own_price() -> None:
    """The written tokens that live an hour are taken out of the other writes."""
    lines = bill(CLAUDE, prompt_tokens=1000, cache_write_tokens=300, cache_write_1h_tokens=100)

    assert {"prompt": 700, "input_cache_write": 200, "input_cache_write_1h": 100} == lines


@anybody
@pytest.mark.parametrize("listed", ["0", None])
def test_one_hour_writes_fall_back_to_the_other_writes(listed: str | None) -> None:
    """Without a price of their own they cost what a write costs."""
    pricing = {**CLAUDE, "input_cache_write_1h": listed}
    cost = charge(Rates.from_dict(pricing), Usage(1000, cache_write_tokens=300, cache_write_1h_tokens=100))

    assert Fraction("0.0021") + 300 * Fraction("0.00000375") == Fraction(cost.raw)


@anybody
def test_more_one_hour_writes_than_writes() -> None:
    """Dirty counts: the longer-lived ones are charged, the others are not negative."""
    lines = bill(CLAUDE, prompt_tokens=100, cache_write_tokens=10, cache_write_1h_tokens=40)

    assert {"prompt": 60, "input_cache_write_1h": 40} == lines


@anybody
def test_272_000_against_272_001() -> None:
    """The threshold looks at all prompt tokens, cached ones included, and means strictly more."""
    listed = {**CLAUDE, "overrides": [{"min_prompt_tokens": 272_000, "prompt": "0.000006", "completion": "0.0000225"}]}
    at, above = (
        charge(Rates.from_dict(listed), Usage(tokens, 1, cached_tokens=200_000)) for tokens in (272_000, 272_001)
    )

    assert {"prompt": 72_000, "input_cache_read": 200_000, "completion": 1} == bill(
        listed, prompt_tokens=272_000, completion_tokens=1, cached_tokens=200_000
    )
    assert Fraction("0.276015") == Fraction(at.raw)
    assert Fraction("0.4920285") == Fraction(above.raw)
    assert above.rates is not None
    assert Decimal("0.000006") == above.rates.prompt


@anybody
def test_the_time_of_the_call_chooses_the_price() -> None:
    """Both sides of both edges of a window that wraps midnight."""
    listed = {**GEMINI, "overrides": [{"utc_start": 2230, "utc_end": 600, "prompt": "0.0000001"}]}
    instants = [AS_OF.replace(hour=22, minute=29), AS_OF.replace(hour=22, minute=30), AS_OF.replace(hour=5, minute=59),
                AS_OF.replace(hour=6)]  # fmt: skip

    raws = [charge(Rates.from_dict(listed), Usage(10**7), at=at).raw for at in instants]

    assert [3, 1, 1, 3] == [int(raw) for raw in raws]
    for at in instants:
        assert {"prompt": 10} == bill(listed, at, prompt_tokens=10)


@anybody
def test_reasoning_is_inside_the_completion_count() -> None:
    """A listed reasoning price replaces the completion price for those tokens."""
    listed = {**GEMINI, "internal_reasoning": "0.0000035"}

    assert {"completion": 60, "internal_reasoning": 40} == bill(listed, completion_tokens=100, reasoning_tokens=40)


@anybody
@pytest.mark.parametrize("listed", ["0", None])
def test_reasoning_without_a_price_costs_what_completion_costs(listed: str | None) -> None:
    """A reasoning price of 0 is none."""
    assert {"completion": 100} == bill(
        {**GEMINI, "internal_reasoning": listed}, completion_tokens=100, reasoning_tokens=40
    )


@anybody
def test_more_reasoning_than_completion() -> None:
    """Reasoning 11 of completion 10, as really reported: ten are charged, nothing is negative."""
    assert {"internal_reasoning": 10} == bill(GEMINI, completion_tokens=10, reasoning_tokens=11)


@anybody
def test_audio_and_image_tokens_have_their_own_prices() -> None:
    """Where listed they replace the text price, in and out."""
    lines = bill(
        EVERYTHING,
        prompt_tokens=1000,
        completion_tokens=500,
        audio_tokens=100,
        image_tokens=200,
        audio_output_tokens=50,
        image_output_tokens=60,
    )

    assert {
        "prompt": 700, "audio": 100, "image_token": 200, "completion": 390, "audio_output": 50, "image_output": 60,
        "request": 1,
    } == lines  # fmt: skip


@anybody
def test_audio_and_image_tokens_without_a_price_are_text() -> None:
    """Not listed, or listed with 0, means the text price."""
    listed = {"prompt": "0.1", "completion": "0.2", "audio": "0", "image_output": "0"}

    assert {"prompt": 10, "completion": 5} == bill(
        listed, prompt_tokens=10, completion_tokens=5, audio_tokens=3, image_tokens=2, image_output_tokens=4
    )


@anybody
def test_the_order_of_subtraction_of_the_prompt() -> None:
    """Reads, writes, one-hour writes, audio, images; each clamped to what is left."""
    full = {"cached_tokens": 40, "cache_write_tokens": 30, "cache_write_1h_tokens": 10, "audio_tokens": 30,
            "image_tokens": 30}  # fmt: skip
    taken = {
        tokens: {k: v for k, v in bill(EVERYTHING, prompt_tokens=tokens, **full).items() if k != "request"}
        for tokens in (30, 60, 90, 120, 140)
    }

    assert {"input_cache_read": 30} == taken[30]
    assert {"input_cache_read": 40, "input_cache_write": 20} == taken[60]
    assert {"input_cache_read": 40, "input_cache_write": 20, "input_cache_write_1h": 10, "audio": 20} == taken[90]
    assert {
        "input_cache_read": 40, "input_cache_write": 20, "input_cache_write_1h": 10, "audio": 30, "image_token": 20
    } == taken[120]  # fmt: skip
    assert 10 == taken[140]["prompt"]


@anybody
def test_the_order_of_subtraction_of_the_completion() -> None:
    """Reasoning, audio, images; each clamped to what is left."""
    full = {"reasoning_tokens": 40, "audio_output_tokens": 30, "image_output_tokens": 20}
    taken = {tokens: bill(EVERYTHING, completion_tokens=tokens, requests=0, **full) for tokens in (30, 60, 80, 100)}

    assert {"internal_reasoning": 30} == taken[30]
    assert {"internal_reasoning": 40, "audio_output": 20} == taken[60]
    assert {"internal_reasoning": 40, "audio_output": 30, "image_output": 10} == taken[80]
    assert {"internal_reasoning": 40, "audio_output": 30, "image_output": 20, "completion": 10} == taken[100]


@anybody
@pytest.mark.parametrize(
    ("counts", "times"), [({}, {"request": 1}), ({"requests": 3}, {"request": 3}), ({"requests": 0}, {})]
)
def test_the_request_price_is_charged_once_per_request(counts: dict[str, int], times: dict[str, int]) -> None:
    """One call is one request unless said otherwise."""
    assert times == bill(EVERYTHING, **counts)


@anybody
def test_web_searches_are_charged_each() -> None:
    """A native search cost 0.01 more on a real bill."""
    without, searched = (charge(Rates.from_dict(CLAUDE), Usage(10, 10, web_searches=n)).raw for n in (0, 1))

    assert Fraction(1, 100) == Fraction(searched) - Fraction(without)
    assert {"web_search": 3} == bill(CLAUDE, web_searches=3)


@anybody
def test_images_are_charged_each_where_the_price_is_per_image() -> None:
    """Lists until 2025 price an image."""
    assert {"prompt": 10, "image": 2} == bill(
        {"prompt": "0.000001", "completion": "0.000002", "image": "0.001238"}, prompt_tokens=10, images=2
    )


@anybody
def test_images_with_image_tokens_are_not_charged_twice() -> None:
    """Whoever has the token count needs no estimate."""
    lines = bill(EVERYTHING, prompt_tokens=1000, image_tokens=258, images=1, requests=0)

    assert {"prompt": 742, "image_token": 258} == lines


@anybody
@pytest.mark.parametrize(
    ("pricing", "counts", "dimension", "reason"),
    [
        (GEMINI, {"images": 1}, "images", "the model lists a price per image token; give image_tokens"),
        (CLAUDE, {"images": 1}, "images", "the model lists no price per image"),
        ({**CLAUDE, "image": "0"}, {"images": 1}, "images", "the model lists no price per image"),
        (GEMINI, {"web_searches": 1}, "web_searches", "the model lists no price per search"),
        ({**GEMINI, "web_search": "0"}, {"web_searches": 1}, "web_searches", "the model lists no price per search"),
        ({"prompt": "1"}, {"completion_tokens": 1}, "completion_tokens", "the model lists no completion price"),
        ({"completion": "1"}, {"prompt_tokens": 1}, "prompt_tokens", "the model lists no prompt price"),
        ({}, {"prompt_tokens": 1}, "prompt_tokens", "the model lists no prompt price"),
    ],
)
def test_a_dimension_without_a_price_is_an_error(
    pricing: dict[str, Any], counts: dict[str, int], dimension: str, reason: str
) -> None:
    """Unknown is an error and never 0; it names the model, the field of the usage, and why."""
    with pytest.raises(UnpricedUsageError) as caught:
        charge(Rates.from_dict(pricing), Usage(**counts), model_id="a/b")

    assert ("a/b", dimension) == (caught.value.model_id, caught.value.dimension)
    assert caught.value.reason.startswith(reason)


def test_an_image_price_per_token_stays_one_above_a_threshold() -> None:
    """An override of the prompt price does not turn the price of an image token into one of an image."""
    listed = {**GEMINI, "overrides": [{"min_prompt_tokens": 200_000, "prompt": "0.0000006"}]}

    with pytest.raises(UnpricedUsageError, match="images"):
        charge(Rates.from_dict(listed), Usage(200_001, images=1), model_id="a/b")


@anybody
def test_a_prompt_only_list_prices_the_prompt() -> None:
    """Embeddings have no completion."""
    assert {"prompt": 10} == bill({"prompt": "0.1"}, prompt_tokens=10)


@anybody
def test_a_free_model_costs_nothing() -> None:
    """Free is priced: with every dimension that it lists, the bill is zero and has no lines."""
    assert {} == bill(FREE, prompt_tokens=1000, completion_tokens=500, cached_tokens=10, images=1, web_searches=1)


@anybody
@pytest.mark.parametrize("key", ["prompt", "completion", "image"])
def test_a_variable_price_is_an_error(key: str) -> None:
    """Minus one is no price; it never reaches arithmetic."""
    with pytest.raises(VariablePriceError) as caught:
        charge(Rates.from_dict({**FREE, key: "-1"}), Usage(1, 1), model_id="openrouter/auto")

    assert "openrouter/auto" == caught.value.model_id


@anybody
def test_a_discount_is_never_applied_again() -> None:
    """Listed prices are net."""
    assert {"prompt": 10} == bill({"prompt": "0.1", "discount": "0.5"}, prompt_tokens=10)


# -- the result ------------------------------------------------------------------------------------------------------


def evidence(cost: Cost) -> tuple[Any, ...]:
    """All that a cost says."""
    return cost.total, cost.raw, cost.computed, cost.lines, cost.residual, cost.usage, cost.rates, cost.to_dict()


def ask_everything() -> list[tuple[Any, ...]]:
    """Costs by every way, from bytes on, read to the last property."""
    rows = [
        row("a/plain"),
        row("a/all", pricing=EVERYTHING),
        row("a/gemini", pricing=GEMINI),
        row(
            "a/tiers",
            pricing={
                **CLAUDE,
                "overrides": [
                    {"min_prompt_tokens": 100, "prompt": "0.0000060000000000001"},
                    {"utc_start": 2200, "utc_end": 100, "utc_days": ["monday"], "completion": 1.1e-05},
                ],
            },
        ),
    ]
    fetched, problems = read_catalog(Fetched(200, {}, models(*rows)), AS_OF)
    assert [] == problems
    said = []
    for catalog in (fetched, Catalog.loads(fetched.dumps())):
        pricing = Pricing(Settings(markup_rate="1.23456789012345"), catalog=catalog)
        for model in catalog:
            usage = Usage(12_345_678_901, 9_876_543_210, cached_tokens=1_234_567, reasoning_tokens=7_654_321)
            costs = [
                pricing.cost(model, 12_345_678_901, 9_876_543_210, at=AS_OF),
                pricing.cost(model, usage=usage, markup_rate=1.7, at=AS_OF),
                *(pricing.cost(model, 1_234_567, 7_654_321) for _ in range(2) if model != "a/tiers"),
            ]
            costs.append(attrs.evolve(costs[0], reported=Decimal("0.123456789012345678901")))
            said += [evidence(cost) for cost in costs]
            said.append((catalog[model].mean_price, catalog[model].category, catalog[model].rates.to_dict()))
            said.append((catalog[model].rates.per_million("prompt"),))
        said.append(tuple(model.id for model in catalog.cheapest(9)))
        said.append(tuple(model.id for model in catalog.find(max_prompt_price="0.0000029999999")))
    return said


@pytest.fixture(scope="module")
def undisturbed() -> str:
    """The answers in the default context."""
    with decimal.localcontext(decimal.Context()):
        return str(ask_everything())


@pytest.mark.parametrize("name", CONTEXTS)
def test_no_context_changes_a_digit(name: str, undisturbed: str) -> None:
    """Decoding, pricing, lines, residual and the JSON form give the same digits in whatever context they run."""
    with decimal.localcontext(CONTEXTS[name]):
        said = ask_everything()

    with decimal.localcontext(decimal.Context()):
        assert undisturbed == str(said)


@pytest.mark.parametrize("name", CONTEXTS)
def test_a_cost_read_later_by_somebody_else(name: str) -> None:
    """What is worked out lazily does not depend on who looks first."""
    with decimal.localcontext(decimal.Context()):
        cost = charge(Rates.from_dict(EVERYTHING), Usage(123_456_789, 987_654_321, cached_tokens=12_345))
        cost = attrs.evolve(cost, reported=Decimal("1.23456789"))
        expected = str(evidence(cost))
    with decimal.localcontext(CONTEXTS[name]):
        said = evidence(cost)

    with decimal.localcontext(decimal.Context()):
        assert expected == str(said)


def test_to_dict_is_json_with_money_as_strings() -> None:
    """No float stands in the JSON form."""
    cost = pinned(row(), markup_rate="1.3").cost("openai/gpt-4o-mini", 1000, 500)

    assert {
        "model_id": "openai/gpt-4o-mini",
        "total": "0.000585000",
        "raw": "0.00045000",
        "markup_rate": "1.3",
        "markup_rule": "settings",
        "places": None,
        "computed": "0.00045000",
        "reported": None,
        "residual": None,
        "residual_kind": None,
        "source": "pinned",
        "as_of": "2026-11-02T00:00:00+00:00",
        "catalog_digest": cost.digest,
        "at": None,
        "provider": None,
        "endpoint": None,
        "service_tier": None,
        "flags": [],
        "overrides": [],
        "usage": {"prompt_tokens": 1000, "completion_tokens": 500, "requests": 1},
        "lines": [
            {"item": "prompt", "quantity": 1000, "unit_price": "1.5E-7", "amount": "0.00015000"},
            {"item": "completion", "quantity": 500, "unit_price": "6E-7", "amount": "0.0003000"},
        ],
    } == json.loads(json.dumps(cost.to_dict()))


def test_the_bill_in_lines() -> None:
    """Each line has item, quantity, unit price and amount; lines that amount to nothing are left out."""
    cost = pinned(row()).cost("openai/gpt-4o-mini", 1000)

    assert (CostLine("prompt", 1000, Decimal("0.00000015"), Decimal("0.00015")),) == cost.lines
    assert Usage(1000) == cost.usage


def test_the_first_and_the_second_answer_are_alike() -> None:
    """A model whose prices are at hand answers with the same cost as one asked for the first time."""
    pricing = pinned(row())
    first, second = (pricing.cost("openai/gpt-4o-mini", 1234, 567) for _ in range(2))

    assert str(evidence(first)) == str(evidence(second))
    assert first == second


def test_a_reported_cost_shows_its_residual() -> None:
    """What the price list does not explain is shown, never hidden."""
    cost = charge(Rates.from_dict(GEMINI), Usage(1000), Decimal(2), reported=Decimal("0.00031"))

    assert Decimal("0.00001") == cost.residual
    assert [Decimal("0.0003"), Decimal("0.00031"), Decimal("0.00062")] == [cost.computed, cost.raw, cost.total]
    assert "0.0000100" == cost.to_dict()["residual"]
    assert attrs.evolve(cost, computed=None).residual is None


def test_a_reported_cost_settles_what_the_list_does_not_price() -> None:
    """A dimension without a price is no error where the response says what the call cost; it shows as residual."""
    cost = charge(Rates.from_dict(GEMINI), Usage(1000, web_searches=1), reported=Decimal("0.0103"))

    assert [Decimal("0.0103"), Decimal("0.01")] == [cost.raw, cost.residual]


def test_a_cost_without_a_price_list_has_no_lines() -> None:
    """A model that nobody lists but whose cost was reported has neither lines nor residual."""
    reported = Decimal("0.5")
    cost = settled("x/y", reported, Usage(5), Decimal(1), CallFacts())

    assert ((), None, Usage(5)) == (cost.lines, cost.residual, cost.usage)
    assert (None, None) == (cost.to_dict()["computed"], cost.to_dict()["as_of"])


def test_unpriced_dimensions_are_left_out_of_a_bill() -> None:
    """The lines hold what is priced, so that a reported cost can settle the rest."""
    usage, reported = Usage(10, 10, images=1, web_searches=1), Decimal(1)

    assert () == charge(Rates(), usage, reported=reported).lines
    assert ["prompt"] == [line.item for line in charge(Rates(prompt=1, image=1), usage, reported=reported).lines]


# -- properties ------------------------------------------------------------------------------------------------------

COUNT = st.integers(0, 10**7)
PRICE = st.decimals(0, 10, places=22, allow_nan=False, allow_infinity=False).map(str)
POSITIVE = st.decimals("0.0000000000000000000001", 10, places=22, allow_nan=False, allow_infinity=False).map(str)
_TOKENS = [field.name for field in attrs.fields(Usage) if field.name.endswith("tokens")]
USAGE = st.fixed_dictionaries(dict.fromkeys(_TOKENS, COUNT), optional={"requests": st.integers(0, 9)})
_KEYS = [key for key in EVERYTHING if key not in ("image", "web_search")]
PRICES = st.fixed_dictionaries(
    {"prompt": PRICE, "completion": PRICE},
    optional=dict.fromkeys([key for key in _KEYS if key not in ("prompt", "completion")], PRICE),
)
PROMPTISH = {"prompt", "input_cache_read", "input_cache_write", "input_cache_write_1h", "audio", "image_token"}
COMPLETIONISH = {"completion", "internal_reasoning", "audio_output", "image_output"}
many = settings(deadline=None, max_examples=200)


@many
@given(prices=PRICES, counts=USAGE, markup=PRICE, name=st.sampled_from(list(CONTEXTS)))
def test_the_cost_is_the_reference(prices: dict[str, str], counts: dict[str, int], markup: str, name: str) -> None:
    """Any usage at any prices, in any context: exactly the reference's amount, the sum of its lines, never negative."""
    with decimal.localcontext(CONTEXTS[name]):
        cost = charge(Rates.from_dict(prices), Usage(**counts), Decimal(markup))
        lines = cost.lines

    assert cost.computed is not None
    expected = reference.cost({"id": "a/b", "pricing": prices}, counts)
    assert expected == Fraction(cost.computed) == sum((Fraction(line.amount) for line in lines), Fraction())
    assert expected * Fraction(markup) == Fraction(cost.total)
    assert cost.raw >= 0
    assert all(line.quantity > 0 and line.amount > 0 for line in lines)


@many
@given(prices=PRICES, counts=USAGE)
def test_no_context_changes_the_text(prices: dict[str, str], counts: dict[str, int]) -> None:
    """The JSON form is the same, character for character, in every context."""
    forms = set()
    for context in CONTEXTS.values():
        with decimal.localcontext(context):
            forms.add(json.dumps(charge(Rates.from_dict(prices), Usage(**counts)).to_dict()))

    assert 1 == len(forms)


@many
@given(prompt=COUNT, completion=COUNT, times=st.integers(0, 1000), prices=PRICES)
def test_the_cost_is_linear_in_tokens(prompt: int, completion: int, times: int, prices: dict[str, str]) -> None:
    """Twice the tokens cost twice as much, and calls cost together what they cost apart."""
    rates = Rates.from_dict(prices)

    def cost(p: int, c: int) -> Fraction:
        return Fraction(charge(rates, Usage(p, c, requests=0)).raw)

    assert times * cost(prompt, completion) == cost(times * prompt, times * completion)
    assert cost(prompt, completion) == cost(prompt, 0) + cost(0, completion)
    assert cost(prompt + times, completion) - cost(prompt, completion) == cost(times, 0)


@many
@given(prices=PRICES, counts=USAGE)
def test_a_markup_of_one_is_the_identity(prices: dict[str, str], counts: dict[str, int]) -> None:
    """Without a markup the total is the raw cost, digit for digit."""
    cost = charge(Rates.from_dict(prices), Usage(**counts))

    assert str(cost.raw) == str(cost.total)


@many
@given(
    prices=st.fixed_dictionaries(dict.fromkeys(_KEYS, POSITIVE)), counts=USAGE, absent=st.sets(st.sampled_from(_KEYS))
)
def test_every_token_is_charged_once(prices: dict[str, str], counts: dict[str, int], absent: set[str]) -> None:
    """The lines of the prompt hold every prompt token once, those of the completion every completion token."""
    kept = {key: price for key, price in prices.items() if key not in absent - {"prompt", "completion"}}
    rates = Rates.from_dict(kept)
    prompt, write = rates.prompt, rates.input_cache_write
    writes = {"input_cache_write": write, "input_cache_write_1h": rates.input_cache_write_1h or write}
    stored = {key for key, price in writes.items() if price is not None and prompt is not None and price < prompt}
    lines = charge(rates, Usage(**counts)).lines

    assert counts["completion_tokens"] == sum(line.quantity for line in lines if line.item in COMPLETIONISH)
    assert counts["prompt_tokens"] == sum(line.quantity for line in lines if line.item in PROMPTISH - stored)
    written = max(counts["cache_write_tokens"], counts["cache_write_1h_tokens"])
    assert min(written, counts["prompt_tokens"]) >= sum(line.quantity for line in lines if line.item in stored)
    assert PROMPTISH | COMPLETIONISH | {"request"} >= {line.item for line in lines}


@many
@given(least=st.integers(0, 10**6), tokens=st.integers(0, 2 * 10**6))
def test_an_override_holds_for_strictly_more_tokens(least: int, tokens: int) -> None:
    """N tokens cost the listed price at a threshold of N, and N + 1 the other one."""
    rates = Rates.from_dict(
        {"prompt": "1", "completion": "1", "overrides": [{"min_prompt_tokens": least, "prompt": "3"}]}
    )

    assert [least, 3 * (least + 1)] == [charge(rates, Usage(count)).raw for count in (least, least + 1)]
    assert (3 if tokens > least else 1) * tokens == charge(rates, Usage(tokens)).raw
