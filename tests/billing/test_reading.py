"""Counts that do not add up, or are not all there: halves, passes, reasoning beside the completion, clamps."""

from __future__ import annotations

from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.upstream import row

from openrouter_pricing import Catalog, Pricing, Rates, ResponseError, Settings, UnpricedUsageError, Usage
from openrouter_pricing._billing.bill import bill
from openrouter_pricing._billing.responses import read_response

CLAUDE = {
    "prompt": "0.000003",
    "completion": "0.000015",
    "input_cache_read": "0.0000003",
    "overrides": [{"min_prompt_tokens": 200_000, "prompt": "0.000006", "completion": "0.0000225"}],
}
ROWS = [
    row("a/model", pricing={"prompt": "0.000001", "completion": "0.00001"}),
    row("a/claude", pricing=CLAUDE),
    row(
        "a/embed", architecture={"output_modalities": ["embeddings"]}, pricing={"prompt": "0.000001", "completion": "0"}
    ),
    row("a/per-request", pricing={"prompt": "0", "completion": "0", "request": "1"}),
    row("a/searching", pricing={"prompt": "1", "completion": "1", "web_search": "0.01"}),
    row("a/rerank", architecture={"output_modalities": ["rerank"]}, pricing={"prompt": "0", "completion": "0"}),
    row("a/auto", pricing={"prompt": "-1", "completion": "-1"}),
]
CATALOG = Catalog.from_models(ROWS)
PRICING = Pricing(Settings(markup_rate=1), catalog=CATALOG)


# -- half a usage ------------------------------------------------------------------------------------------------------

HALVES: list[tuple[dict[str, Any], str]] = [
    ({"usage": {"completion_tokens": 10, "total_tokens": 1000}}, "prompt_tokens"),
    ({"usage": {"completion_tokens": 10, "prompt_tokens": None}}, "prompt_tokens"),
    ({"usage": {"prompt_tokens": 10}}, "completion_tokens"),
    ({"usage": {"prompt_tokens": 10, "completion_tokens": None, "total_tokens": 30}}, "completion_tokens"),
    ({"usage": {"promptTokens": 10}}, "completion_tokens"),
    ({"usage": {"input_tokens": 10}}, "output_tokens"),
    ({"usage": {"output_tokens": 10}}, "input_tokens"),
    ({"type": "message_delta", "usage": {"output_tokens": 15, "input_tokens": None}}, "input_tokens"),
    ({"type": "message_start", "message": {"usage": {"input_tokens": 25, "cache_read_input_tokens": 5}}},
     "output_tokens"),
    ({"data": {"native_tokens_prompt": 10}}, "native_tokens_completion"),
    ({"data": {"native_tokens_completion": 10}}, "native_tokens_prompt"),
    ({"request_tokens": 10}, "response_tokens"),
    ({"usage": {"input_tokens": 9, "output_tokens": 9, "iterations": [{"input_tokens": 9}]}}, "output_tokens"),
]  # fmt: skip


@pytest.mark.parametrize(("response", "field"), HALVES, ids=range(len(HALVES)))
@pytest.mark.parametrize("model", ["a/model", "a/embed"])
def test_half_a_usage(response: dict[str, Any], field: str, model: str) -> None:
    """A count that is missing beside the other one is refused by its name, but for completions that a row never has."""
    given = read_response(response).usage
    if model == "a/embed" and given.prompt_tokens and not given.completion_tokens:
        assert given.prompt_tokens == PRICING.cost_of(response, model).raw * 10**6
        return
    with pytest.raises(ResponseError, match=f"^{field} is missing: .* half of a usage"):
        PRICING.cost_of(response, model)


@pytest.mark.parametrize(
    "response",
    [
        {"object": "list", "data": [], "model": "a/model", "usage": {"prompt_tokens": 8, "total_tokens": 8}},
        {"object": "list", "data": [], "model": "a/model", "usage": {"prompt_tokens": 8}},
        {"model": "a/model", "usage": {"prompt_tokens": 8, "total_tokens": 8}},
        {"model": "a/model", "usage": {"promptTokens": 8, "totalTokens": 8}},
    ],
)
def test_an_api_with_one_side_only(response: dict[str, Any]) -> None:
    """Embeddings count what went in and nothing else, and their total says so."""
    assert Decimal("0.000008") == PRICING.cost_of(response).raw == PRICING.cost_of(SimpleNamespace(**response)).raw


def test_a_reported_cost_settles_half_a_usage() -> None:
    """What the response reports is what it cost; the missing half is flagged, and the rest is no other provider's."""
    cost = PRICING.cost_of({"model": "a/model", "provider": "A", "usage": {"completion_tokens": 10, "cost": 0.5}})

    assert (Decimal("0.5"), "unexplained") == (cost.raw, cost.residual_kind)
    assert ("prompt_tokens is missing: completion_tokens alone is half of a usage",) == cost.flags


def test_a_row_that_is_not_priced_by_tokens_is_told_before_a_half() -> None:
    """A rerank counts one side only, and what it costs is not known by tokens."""
    with pytest.raises(UnpricedUsageError, match="rerank"):
        PRICING.cost_of({"model": "a/rerank", "usage": {"prompt_tokens": 150, "search_units": 1}})


def test_a_router_is_told_before_a_half() -> None:
    """An error of the model comes before one of the counts: no count would help."""
    with pytest.raises(Exception, match="variable price"):
        PRICING.cost_of({"model": "a/auto", "usage": {"prompt_tokens": 1}})


# -- several passes ----------------------------------------------------------------------------------------------------


def passes(*counts: tuple[int, int, int]) -> list[dict[str, int]]:
    """Passes of so many plain, read and made tokens."""
    return [{"input_tokens": a, "cache_read_input_tokens": b, "output_tokens": c, "cache_creation_input_tokens": 0}
            for a, b, c in counts]  # fmt: skip


def test_every_pass_is_priced_by_itself() -> None:
    """Each pass has its own price step, the amounts are added, and the receipt shows them apart."""
    usage = {
        "input_tokens": 5,
        "output_tokens": 7,
        "iterations": passes((250_000, 0, 3), (5, 100_000, 7), (190_000, 0, 0)),
    }
    cost = PRICING.cost_of({"model": "a/claude", "usage": usage})

    expected = (
        Decimal("1.5") + 3 * Decimal("0.0000225") + Decimal("0.000015") + Decimal("0.03") + 7 * Decimal("0.000015")
    )
    assert expected + Decimal("0.57") == cost.raw == cost.computed == sum(line.amount for line in cost.lines)
    assert Usage(540_005, 10, cached_tokens=100_000) == cost.usage
    assert (1, 200_000) == (len(cost.overrides), cost.overrides[0].min_prompt_tokens)
    receipt = cost.to_dict()
    assert [250_000, 100_005, 190_000] == [each["prompt_tokens"] for each in receipt["passes"]]
    assert cost == cost.replay(CATALOG)
    assert "passes" not in PRICING.cost("a/claude", 1).to_dict()


def test_one_request_and_the_searches_of_the_whole() -> None:
    """Passes are one request together, and the searches that stand above them are charged once."""
    usage = {"input_tokens": 1, "output_tokens": 1, "iterations": passes((1, 0, 1), (1, 0, 1))}
    searched = {**usage, "server_tool_use": {"web_search_requests": 2}}

    assert 1 == PRICING.cost_of({"model": "a/per-request", "usage": usage}).raw
    assert Decimal("4.02") == PRICING.cost_of({"model": "a/searching", "usage": searched}).raw


def test_passes_that_leave_out_what_stands_above_them() -> None:
    """Where the passes hold less than the counts above them, those are a pass too: never a smaller bill."""
    usage = {"input_tokens": 50, "output_tokens": 7, "iterations": passes((10, 0, 1))}

    assert Usage(60, 8) == read_response(usage).usage


def test_passes_of_another_model() -> None:
    """A pass that names a model is not priced as this one's, unless a reported cost settles it."""
    usage = {"input_tokens": 1, "output_tokens": 1, "iterations": [{**passes((1, 0, 1))[0], "model": "b/advisor"}]}
    with pytest.raises(ResponseError, match=r"^iterations of the usage name models"):
        PRICING.cost_of({"model": "a/claude", "usage": usage})
    assert 1 == PRICING.cost_of({"model": "a/claude", "usage": {**usage, "cost": 1}}).raw


def test_a_pass_without_a_price() -> None:
    """Each pass must be priced, unless a reported cost settles it."""
    usage = {"input_tokens": 1, "output_tokens": 1, "iterations": passes((1, 0, 1), (1, 0, 1))}
    with pytest.raises(UnpricedUsageError):
        PRICING.cost_of({"model": "a/embed", "usage": usage})


count = st.integers(0, 300_000)


@given(st.lists(st.tuples(count, count, count), min_size=1, max_size=5))
def test_passes_cost_what_they_cost_one_by_one(counts: list[tuple[int, int, int]]) -> None:
    """The whole is the sum of its passes, asked for one by one."""
    each = passes(*counts)
    total = {name: sum(one[name] for one in each) for name in ("input_tokens", "output_tokens")}
    whole = PRICING.cost_of({"usage": {**total, "iterations": each}}, "a/claude")
    one_by_one = [PRICING.cost_of({"usage": one}, "a/claude").raw for one in each]

    assert sum(one_by_one, Decimal(0)) == whole.raw


# -- reasoning ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "usage",
    [
        {"prompt_tokens": 100, "completion_tokens": 15, "total_tokens": 143,
         "completion_tokens_details": {"reasoning_tokens": 28}},
        {"input_tokens": 100, "output_tokens": 15, "total_tokens": 143,
         "output_tokens_details": {"reasoning_tokens": 28}},
        {"promptTokens": 100, "completionTokens": 15, "totalTokens": 143,
         "completionTokensDetails": {"reasoningTokens": 28}},
        {"prompt_tokens": 100, "completion_tokens": 15, "citation_tokens": 9, "reasoning_tokens": 28},
    ],
)  # fmt: skip
def test_reasoning_beside_the_completion(usage: dict[str, Any]) -> None:
    """The total proves that reasoning is not in the completion count (xAI): it is added, and flagged."""
    reading = read_response(usage)

    assert Usage(100, 43, reasoning_tokens=28) == reading.usage
    assert ("reasoning_tokens 28 beside completion_tokens 15: total_tokens says so",) == reading.flags


@pytest.mark.parametrize("total", [115, 114, 142, 144, None, "143", True])
def test_reasoning_inside_the_completion(total: Any) -> None:
    """Any other total leaves the counts as they are."""
    usage = {"prompt_tokens": 100, "completion_tokens": 15, "total_tokens": total}
    usage["completion_tokens_details"] = {"reasoning_tokens": 28}

    assert 15 == read_response(usage).usage.completion_tokens


STEP: dict[str, Any] = {"min_prompt_tokens": 1000, "prompt": "3", "completion": "30"}


@pytest.mark.parametrize(
    ("reasoning", "step", "expected"),
    [
        ("20", STEP, 30),
        ("20", {**STEP, "internal_reasoning": "25"}, 25),
        ("15", STEP, 15),
        (None, STEP, None),
        ("20", {"min_prompt_tokens": 1000, "prompt": "3"}, 20),
    ],
)
def test_reasoning_over_a_price_step(reasoning: str | None, step: dict[str, Any], expected: int | None) -> None:
    """A step of the completion price carries reasoning along where both were equal and it says nothing else."""
    rates = Rates.from_dict({"prompt": "2", "completion": "20", "internal_reasoning": reasoning, "overrides": [step]})

    assert (expected, rates.internal_reasoning) == (
        rates.effective(1001).internal_reasoning,
        rates.effective(9).internal_reasoning,
    )


def test_reasoning_over_two_price_steps() -> None:
    """It is carried along from step to step."""
    further = {**STEP, "min_prompt_tokens": 2000, "completion": "40"}
    rates = Rates.from_dict(
        {"prompt": "2", "completion": "20", "internal_reasoning": "20", "overrides": [STEP, further]}
    )

    assert [20, 30, 40] == [rates.effective(tokens).internal_reasoning for tokens in (1000, 1001, 2001)]


# -- bounds ------------------------------------------------------------------------------------------------------------


@given(st.lists(st.integers(0, 4), min_size=9, max_size=9))
def test_every_part_that_is_more_than_its_whole_is_flagged(counts: list[int]) -> None:
    """And no other, whatever else there is of it."""
    prompt, completion, cached, written, heard, seen, thought, said, drawn = counts
    reading = read_response(
        {
            "usage": {
                "prompt_tokens": prompt,
                "completion_tokens": completion,
                "prompt_tokens_details": {
                    "cached_tokens": cached,
                    "cache_write_tokens": written,
                    "audio_tokens": heard,
                    "image_tokens": seen,
                },
                "completion_tokens_details": {"reasoning_tokens": thought, "audio_tokens": said, "image_tokens": drawn},
            }
        }
    )
    given = {"cached": cached, "cache_write": written, "audio": heard, "image": seen}
    made = {"reasoning": thought, "audio_output": said, "image_output": drawn}
    expected = [f"{name}_tokens {part} of prompt_tokens {prompt}" for name, part in given.items() if part > prompt]
    expected += [
        f"{name}_tokens {part} of completion_tokens {completion}" for name, part in made.items() if part > completion
    ]
    assert expected == list(reading.flags)


def test_a_part_as_large_as_its_whole_is_no_flag() -> None:
    """A part may be all of its whole; one token more is told."""
    usage = {"prompt_tokens": 10, "completion_tokens": 10}
    for read, made, flags in ((10, 10, 0), (11, 10, 1), (10, 11, 1), (11, 11, 2)):
        details = {
            "prompt_tokens_details": {"cached_tokens": read},
            "completion_tokens_details": {"reasoning_tokens": made},
        }
        assert flags == len(read_response({**usage, **details}).flags)


def test_parts_that_add_up_to_the_whole_are_no_flag() -> None:
    """Only a part above its whole is told, not parts that overlap."""
    details = {"cached_tokens": 6, "audio_tokens": 6}

    assert () == read_response({"prompt_tokens": 10, "completion_tokens": 0, "prompt_tokens_details": details}).flags


@pytest.mark.parametrize(("value", "fits"), [(0, True), (10**18, True), (10**18 + 1, False), (-1, False)])
@pytest.mark.parametrize("kind", [int, Decimal])
def test_the_bounds_of_a_count(value: int, fits: bool, kind: type) -> None:
    """A count is from 0 to 10**18, its bounds included, whatever kind of number it is."""
    for name in ("prompt_tokens", "completion_tokens"):
        usage = {"prompt_tokens": 1, "completion_tokens": 1, name: kind(value)}
        if fits:
            assert value == getattr(read_response(usage).usage, name)
        else:
            with pytest.raises(ResponseError, match=f"^{name} must "):
                read_response(usage)


@pytest.mark.parametrize(
    "value", [Decimal("1e999999"), Decimal("-1e999999"), 1e300, Decimal("1.5"), Decimal("1e-999999")]
)
def test_a_count_beyond_all_bounds_takes_no_time(value: Any) -> None:
    """A number with a monstrous exponent is refused without being written out."""
    with pytest.raises(ResponseError, match=r"^prompt_tokens ") as caught:
        read_response({"prompt_tokens": value, "completion_tokens": 1})
    assert len(str(caught.value)) < 100


def test_what_nothing_is_taken_of_has_no_line() -> None:
    """A part with a price is a line only where tokens are left for it: none of 0, none after what came before it."""
    rates = Rates(prompt=1, completion=1, input_cache_read="0.5", audio=2)

    assert [("prompt", 0, 1), ("input_cache_read", 5, Decimal("0.5")), ("completion", 0, 1)] == bill(
        rates, Usage(5, cached_tokens=5, audio_tokens=5)
    )
    assert [("prompt", 0, 1), ("completion", 0, 1)] == bill(rates, Usage(0, cached_tokens=5))


def test_a_part_without_a_price_has_no_line() -> None:
    """Tokens of a part that lists no price, or one of 0, stay in the line of the whole."""
    for price in (None, 0):
        rates = Rates(prompt=1, completion=1, input_cache_read=price)
        assert [("prompt", 5, 1), ("completion", 0, 1)] == bill(rates, Usage(5, cached_tokens=3))


@pytest.mark.parametrize(
    ("written", "hour", "expected"),
    [
        (4, 0, {"input_cache_write": 4}),
        (4, 4, {"input_cache_write_1h": 4}),
        (4, 1, {"input_cache_write": 3, "input_cache_write_1h": 1}),
        (5, 5, {"input_cache_write_1h": 5}),
        (9, 0, {"input_cache_write": 5}),
        (9, 2, {"input_cache_write": 3, "input_cache_write_1h": 2}),
        (9, 9, {"input_cache_write_1h": 5}),
        (0, 9, {"input_cache_write_1h": 5}),
        (2, 9, {"input_cache_write_1h": 5}),
    ],
)
@pytest.mark.parametrize(("short", "long"), [("0.1", "0.2"), ("3", "4")], ids=["storage", "instead of the prompt"])
def test_writes_are_never_more_than_the_prompt(
    written: int, hour: int, expected: dict[str, int], short: str, long: str
) -> None:
    """Of a prompt of five tokens no more than five are written, those for an hour first, whatever a write costs."""
    rates = Rates(prompt=1, completion=1, input_cache_write=short, input_cache_write_1h=long)
    lines = bill(rates, Usage(5, cache_write_tokens=written, cache_write_1h_tokens=hour))

    assert expected == {item: tokens for item, tokens, _ in lines if item.startswith("input_cache_write")}


# -- searches ----------------------------------------------------------------------------------------------------------


def searched(native: int, calls: dict[str, int], **usage: Any) -> dict[str, Any]:
    """A response that searched."""
    tools = {"web_search_requests": native, **calls}
    counts = {"prompt_tokens": 1, "completion_tokens": 0, "server_tool_use_details": tools}
    return {"model": "a/searching", "usage": {**counts, **usage}}


@pytest.mark.parametrize(
    ("calls", "computed"),
    [
        ({}, "1.02"),
        ({"tool_calls_requested": 0, "tool_calls_executed": 0}, "1.02"),
        ({"tool_calls_requested": 2}, "1"),
        ({"tool_calls_executed": 2}, "1"),
        ({"tool_calls_requested": 1}, "1.01"),
        ({"tool_calls_requested": 5}, "1"),
        ({"tool_calls_requested": -5}, "1.02"),
    ],
)
def test_searches_that_openrouter_ran(calls: dict[str, int], computed: str) -> None:
    """Searches counted as tool calls are OpenRouter's own: the row prices the provider's, the rest is residual."""
    cost = PRICING.cost_of(searched(2, calls, cost=5))

    assert (Decimal(computed), "server_tool") == (cost.computed, cost.residual_kind)


def test_searches_of_openrouter_without_a_cost() -> None:
    """Without a reported cost nobody knows what they cost, which is an error, and other tools are flagged."""
    with pytest.raises(UnpricedUsageError, match="OpenRouter ran them itself"):
        PRICING.cost_of(searched(1, {"tool_calls_executed": 1}))
    cost = PRICING.cost_of(searched(0, {"tool_calls_executed": 1}))
    assert (1, ("server-side tools ran: what they cost is in no price list",)) == (cost.raw, cost.flags)
    assert () == PRICING.cost_of(searched(2, {})).flags
