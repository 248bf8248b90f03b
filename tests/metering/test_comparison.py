"""Comparison: what logged usage would have cost at other models."""

from __future__ import annotations

import json
import tracemalloc
from decimal import Decimal
from typing import Any

import pytest
from support.logs import encoded, numbered
from support.upstream import row

from openrouter_pricing import Catalog, UnknownModelError, UnpricedUsageError, VariablePriceError
from openrouter_pricing.metering.comparison import Candidate, Comparison
from openrouter_pricing.metering.lines import MOST_BYTES

NIGHT = {"utc_start": 0, "utc_end": 600, "prompt": "100"}
STEP = {"min_prompt_tokens": 10, "prompt": "1000"}
CATALOG = Catalog.from_models(
    [
        row("a/own", pricing={"prompt": "1", "completion": "10", "web_search": "5"}),
        row("b/cached", pricing={"prompt": "2", "completion": "3", "input_cache_read": "0.5"}),
        row("c/nightly", pricing={"prompt": "1", "completion": "1", "overrides": [NIGHT]}),
        row("d/embed", pricing={"prompt": "0.1"}),
        row("e/step", pricing={"prompt": "1", "completion": "1", "overrides": [STEP]}),
        row("f/router", pricing={"prompt": "-1", "completion": "-1"}),
        row("g/video", architecture={"output_modalities": ["video"]}, pricing={"prompt": "0", "completion": "0"}),
    ]
)
NOON = 1_788_264_000  # seconds; the night's price ends at six
CALL = {"model": "a/own", "created": NOON, "usage": {"prompt_tokens": 10, "completion_tokens": 1}}


def compared(*responses: Any, models: tuple[str, ...] = ("b/cached",)) -> Comparison:
    """A comparison of a whole log."""
    return read(encoded(*responses), *models)


def read(data: bytes, *models: str) -> Comparison:
    """A comparison of these bytes."""
    comparison = Comparison(CATALOG, models)
    for number, line in numbered(data):
        comparison.add(number, line)
    return comparison


def used(prompt: int, completion: int, **more: Any) -> dict[str, Any]:
    """A response of the log's own model."""
    return {
        "model": "a/own",
        "created": NOON,
        "usage": {"prompt_tokens": prompt, "completion_tokens": completion, **more},
    }


def test_what_is_reported_is_what_it_did_cost() -> None:
    """A line costs what it reports, else what its own model lists; at the other model what that one lists."""
    done = compared(CALL, used(10, 1, cost=21))
    (other,) = done.candidates

    assert (2, 2, Decimal(41)) == (done.lines, done.priced, done.raw)
    assert Candidate("b/cached", 2, Decimal(46), Decimal(46), Decimal(41)) == other
    assert "1.121951219512195121951219512" == str(other.against)


def test_caching_counts_where_it_has_a_price() -> None:
    """Cached tokens are priced as such at the other model, if it lists a price of them."""
    done = compared(used(10, 0, prompt_tokens_details={"cached_tokens": 8}), models=("b/cached", "c/nightly"))

    assert [Decimal(8), Decimal(10)] == [candidate.raw for candidate in done.candidates]


def test_the_time_of_the_call_counts() -> None:
    """A price of the night is that of a call of the night."""
    calls = ({**CALL, "created": NOON - 11 * 3600}, CALL)

    assert [Decimal(1001), Decimal(11)] == [compared(call, models=("c/nightly",)).candidates[0].raw for call in calls]


def test_passes_have_their_own_price_steps() -> None:
    """A call of several passes is priced pass by pass, so that no step is met by their sum."""
    call = used(18, 2, iterations=[{"input_tokens": 9, "output_tokens": 1}] * 2)
    call = {
        "model": "a/own",
        "usage": {"input_tokens": 18, "output_tokens": 2, "iterations": call["usage"]["iterations"]},
    }
    done = compared(call, used(11, 0), models=("e/step",))

    assert Decimal(20 + 11000) == done.candidates[0].raw


def test_searches_of_openrouter_are_no_usage_of_a_model() -> None:
    """What OpenRouter searched itself is in the cost of the log alone; the provider's own searches need a price."""
    tools = {"web_search_requests": 2, "tool_calls_executed": 2}
    own = compared(used(10, 1, cost=20.01, server_tool_use_details=tools))
    native = compared(used(10, 1, cost=30, server_tool_use_details={"web_search_requests": 2}))

    assert (Decimal(23), 0) == (own.candidates[0].raw, own.candidates[0].unpriced)
    assert (0, 1, "the model lists no price per search") == (
        native.candidates[0].lines,
        native.candidates[0].unpriced,
        native.candidates[0].reason,
    )


def test_lines_of_an_unknown_model_are_priced_at_the_others() -> None:
    """Nobody knows what they did cost: they count at the other models, and in no ratio."""
    done = compared({"model": "gone/x", "usage": {"prompt_tokens": 100, "completion_tokens": 0}}, CALL)
    (other,) = done.candidates

    assert (2, 1, Decimal(20)) == (done.lines, done.priced, done.raw)
    assert (2, Decimal(223), Decimal(23), Decimal(20)) == (other.lines, other.raw, other.compared, other.logged)


def test_without_a_cost_of_the_log_there_is_no_ratio() -> None:
    """Nothing is how many times nothing."""
    assert None is compared({"usage": {"prompt_tokens": 1, "completion_tokens": 1}}).candidates[0].against


def test_half_a_usage_has_a_price_where_the_other_half_has_none() -> None:
    """A prompt without a completion count is priced at a model of prompts alone, and is told at the others."""
    done = compared({"model": "d/embed", "usage": {"prompt_tokens": 10}}, models=("d/embed", "b/cached"))
    embed, cached = done.candidates

    assert (1, Decimal(1), 0) == (embed.lines, embed.raw, embed.unpriced)
    assert (0, 1) == (cached.lines, cached.unpriced)
    assert "completion" in (cached.reason or "")


def test_the_cheapest_first_and_those_that_lack_a_price_last() -> None:
    """A model that prices half of the log is not cheaper for that."""
    done = compared(CALL, models=("d/embed", "a/own", "b/cached", "c/nightly"))

    assert ["c/nightly", "a/own", "b/cached", "d/embed"] == [each.model_id for each in done.cheapest()]


def test_a_model_that_is_named_twice_is_one() -> None:
    """Under an id or an alias, a model is compared with once."""
    assert ["a/own"] == [each.model_id for each in Comparison(CATALOG, ["a/own", "a/own:nitro"]).candidates]


@pytest.mark.parametrize(
    ("model", "error"),
    [("gone/x", UnknownModelError), ("f/router", VariablePriceError), ("g/video", UnpricedUsageError)],
)
def test_what_has_no_price_is_no_model_to_compare_with(model: str, error: type[Exception]) -> None:
    """It is refused before a line is read, by name."""
    with pytest.raises(error) as caught:
        Comparison(CATALOG, ["a/own", model])
    assert model in str(caught.value)


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        (b"no", "not JSON"),
        (b"[]", "not an object"),
        (b"{}", "no usage"),
        (b'{"usage": {"completion_tokens": 1}}', "half a usage"),
        (b'{"usage": {"prompt_tokens": -1, "completion_tokens": 1}}', "bad number"),
        (b'{"model": "a/own", "usage": {"cost": 5}}', "no usage"),
        (b" " * (MOST_BYTES + 1), "too long"),
    ],
)
def test_bad_lines_are_counted_by_kind(line: bytes, kind: str) -> None:
    """What cannot be priced anywhere is named, and stays out of every sum."""
    done = read(line + b"\n" + encoded(CALL), "b/cached")

    assert (1, Decimal(20), 1) == (done.lines, done.raw, done.candidates[0].lines)
    assert [(kind, 1, [1])] == [
        (name, group.lines, [number for number, _ in group.reasons]) for name, group in done.bad.items()
    ]


def test_three_bad_lines_of_a_kind_are_named() -> None:
    """The others are counted."""
    done = compared(*[{}] * 10)

    assert [1, 2, 3] == [found["line"] for found in done.report()["bad_lines"][0]["first"]]
    assert (10, 10) == (done.report()["bad"], done.report()["bad_lines"][0]["lines"])


def test_the_lines_between_events_are_none() -> None:
    """Blank lines, comments and ends of a stream are passed over, in a log with a byte order mark too."""
    done = read(b"\xef\xbb\xbf\n: hello\n\ndata: [DONE]\ndata: " + encoded(CALL), "b/cached")

    assert (1, {}) == (done.lines, dict(done.bad))


def test_the_report_is_ready_for_json() -> None:
    """Money is strings; what is not known is null."""
    report = json.loads(json.dumps(compared(CALL).report()))

    assert ("20", [], 1, 1) == (report["raw"], report["bad_lines"], report["lines"], report["priced"])
    assert report["models"] == [
        {
            "model": "b/cached",
            "lines": 1,
            "raw": "23",
            "compared": "23",
            "logged": "20",
            "against_logged": "1.15",
            "unpriced": 0,
            "reason": None,
        }
    ]


def test_memory_does_not_grow_with_the_log() -> None:
    """A log with ten times the lines and names takes the same memory."""

    def peak(lines: int) -> int:
        comparison = Comparison(CATALOG, ["b/cached"])
        comparison.add(1, encoded(CALL))
        tracemalloc.start()
        for number in range(lines):
            name = f"gone/{number}"
            comparison.add(number + 2, json.dumps({**CALL, "model": name, "x": {}}).encode())
            comparison.add(number + 2, f"no {number}".encode())
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    small, large = peak(300), peak(3000)
    assert large < 2 * small + 50_000
