"""StreamCost: what a streamed response cost, in every format, whole and cut off."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import pytest
from anthropic import types as anthropic
from hypothesis import given
from hypothesis import strategies as st
from openai.types import chat, responses
from openrouter import components as openrouter
from support.upstream import row

from openrouter_pricing import Catalog, Pricing, ResponseError, Settings, StreamCost, UnknownModelError, Usage
from openrouter_pricing._billing import stream

MODEL = "a/model"
PRICES = {
    "prompt": "0.000001", "completion": "0.00001", "input_cache_read": "0.0000001", "input_cache_write": "0.000002",
}  # fmt: skip
PRICING = Pricing(Settings(markup_rate=2), catalog=Catalog.from_models([row(MODEL, pricing=PRICES)]))


def chunk(choices: Any = (), usage: Any = None, **body: Any) -> dict[str, Any]:
    """A chunk of a chat completion."""
    return {"id": "gen-1", "object": "chat.completion.chunk", "created": 1_790_000_000, "model": MODEL,
            "choices": list(choices), "usage": usage, **body}  # fmt: skip


def choice(content: str | None, reason: str | None = None) -> dict[str, Any]:
    """What a chunk adds to the answer."""
    return {"index": 0, "delta": {"role": "assistant", "content": content}, "finish_reason": reason}


USAGE = {"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100}
CHAT = [
    chunk([choice("Hel")]),
    chunk([choice("lo")]),
    chunk([choice("", "stop")]),
    chunk(usage={**USAGE, "cost": 0.5, "is_byok": False}, provider="A"),
]


def result(status: str, usage: Any) -> dict[str, Any]:
    """A response of the responses API."""
    empty = dict.fromkeys(["error", "incomplete_details", "instructions", "metadata", "temperature", "top_p"])
    return {"id": "resp-1", "object": "response", "created_at": 1_790_000_000, "model": MODEL, "status": status,
            "output": [], "tools": [], "tool_choice": "auto", "parallel_tool_calls": True, **empty,
            "usage": usage}  # fmt: skip


IN_RESPONSES = {"input_tokens": 1000, "output_tokens": 100, "total_tokens": 1100,
                "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
                "output_tokens_details": {"reasoning_tokens": 0}}  # fmt: skip
DELTA = {"type": "response.output_text.delta", "sequence_number": 2, "item_id": "x", "output_index": 0,
         "content_index": 0, "delta": "Hello", "logprobs": []}  # fmt: skip
RESPONSES = [
    {"type": "response.created", "sequence_number": 0, "response": result("in_progress", None)},
    {"type": "response.in_progress", "sequence_number": 1, "response": result("in_progress", None)},
    DELTA,
    {"type": "response.completed", "sequence_number": 3, "response": result("completed", IN_RESPONSES)},
]
STARTED = {"id": "msg-1", "type": "message", "role": "assistant", "model": MODEL, "content": [], "stop_reason": None,
           "stop_sequence": None, "usage": {"input_tokens": 400, "output_tokens": 1, "cache_read_input_tokens": 500,
                                            "cache_creation_input_tokens": 100}}  # fmt: skip
MESSAGES = [
    {"type": "message_start", "message": STARTED},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Hello"}},
    {
        "type": "message_delta",
        "delta": {"stop_reason": "end_turn", "stop_sequence": None},
        "usage": {"output_tokens": 100},
    },
    {"type": "message_stop"},
]
PLAIN = [*CHAT[:-1], chunk(usage=USAGE)]
#: A stream, and what it costs: 1,000 tokens in and 100 out.
WHOLE: list[tuple[str, list[Any], str]] = [
    ("chat", CHAT, "0.5"),
    ("chat without a cost", PLAIN, "0.002"),
    ("chat whose last chunk repeats a choice", [*CHAT[:-1], chunk([choice("")], {**USAGE, "cost": 0.5})], "0.5"),
    ("chat whose last chunk is all there is", [CHAT[-1]], "0.5"),
    ("chat with a usage in every chunk",
     [chunk([choice("Hel")], {"prompt_tokens": 1000, "completion_tokens": 50}), chunk([choice("lo", "stop")], USAGE)],
     "0.002"),
    ("responses", RESPONSES, "0.002"),
    ("responses cut by a limit", [{"type": "response.incomplete", "response": result("incomplete", IN_RESPONSES)}],
     "0.002"),
    ("messages", MESSAGES, "0.00165"),
    ("messages without their stop", MESSAGES[:-1], "0.00165"),
    ("messages that count anew at the end",
     [MESSAGES[0], {**MESSAGES[2], "usage": {"input_tokens": 0, "output_tokens": 100, "cache_read_input_tokens": None,
                                              "cost": 0.5}}], "0.5"),
]  # fmt: skip


def fed(*chunks: Any, model: str | None = None) -> StreamCost:
    """A meter that was fed these."""
    meter = PRICING.stream(model)
    for each in chunks:
        meter.feed(each)
    return meter


def as_object(value: Any) -> Any:
    """The same with attributes instead of keys."""
    if isinstance(value, dict):
        return SimpleNamespace(**{key: as_object(inner) for key, inner in value.items()})
    return [as_object(inner) for inner in value] if isinstance(value, list) else value


def as_line(value: Any) -> str:
    """The same as a line of an event stream."""
    return f"data: {json.dumps(value)}"


def as_event(value: Any) -> bytes:
    """The same as an event, with everything around it that servers send."""
    return (
        f": OPENROUTER PROCESSING\n\nevent: {value.get('type', 'x')}\nid: 5\nretry: 9\r\n{as_line(value)}\n\n".encode()
    )


@pytest.mark.parametrize("form", [dict, as_object, as_line, as_event], ids=["dict", "object", "line", "event"])
@pytest.mark.parametrize(("name", "chunks", "raw"), WHOLE, ids=[name for name, _, _ in WHOLE])
def test_a_whole_stream(name: str, chunks: list[Any], raw: str, form: Callable[[Any], Any]) -> None:
    """Fed all of it in whichever form, the meter answers with the last usage, and has nothing to tell."""
    meter = fed(*map(form, chunks))
    cost = meter.cost()

    assert (Decimal(raw), Decimal(raw) * 2, MODEL, ()) == (cost.raw, cost.total, cost.model_id, cost.flags)
    assert (1000, 100) == (cost.usage.prompt_tokens, cost.usage.completion_tokens)
    assert meter.ended
    assert cost == meter.cost()


@pytest.mark.parametrize(
    ("kinds", "chunks", "raw"),
    [
        ([chat.ChatCompletionChunk] * 4, CHAT, "0.5"),
        ([openrouter.ChatStreamChunk] * 4, PLAIN, "0.002"),
        ([responses.ResponseCreatedEvent, responses.ResponseInProgressEvent, responses.ResponseTextDeltaEvent,
          responses.ResponseCompletedEvent], RESPONSES, "0.002"),
        ([anthropic.RawMessageStartEvent, anthropic.RawContentBlockDeltaEvent, anthropic.RawMessageDeltaEvent,
          anthropic.RawMessageStopEvent], MESSAGES, "0.00165"),
    ],
    ids=["openai chat", "openrouter chat", "openai responses", "anthropic messages"],
)  # fmt: skip
@pytest.mark.parametrize("make", ["model_validate", "construct"])
def test_objects_of_the_official_clients(kinds: list[Any], chunks: list[Any], raw: str, make: str) -> None:
    """The events of the official clients are read as the JSON that they came from."""
    for model in (None, MODEL):
        made = [
            kind.model_validate(each) if make == "model_validate" else kind.model_construct(**each)
            for kind, each in zip(kinds, chunks, strict=True)
        ]
        meter = fed(*made, model=model)
        assert (Decimal(raw), ()) == (meter.cost().raw, meter.cost().flags)


def test_a_stream_as_raw_bytes() -> None:
    """A stream may come as bytes cut anywhere; what is no event of it is passed over."""
    text = "".join(as_event(each).decode() for each in CHAT) + "data: [DONE]\n\n"
    for size in (1, 7, 100, 10_000):
        meter = PRICING.stream()
        for start in range(0, len(text), size):
            meter.feed(text[start : start + size].encode())
        assert (Decimal("0.5"), ()) == (meter.cost().raw, meter.cost().flags)


@given(
    st.lists(st.integers(0, 2000), max_size=6),
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from(["é", "\u2028", "\x85"]),
)
def test_a_stream_in_any_pieces(cuts: list[int], end: str, letter: str) -> None:
    """Wherever the text is cut, and whatever letters are in it, no event of it is lost."""
    said = [chunk([choice(letter * 3)]), *CHAT[1:]]
    text = "".join(f"data: {json.dumps(each, ensure_ascii=False)}{end}{end}" for each in said)
    meter = PRICING.stream()
    places = sorted({0, *cuts, len(text)})
    for start, stop in pairwise(places):
        meter.feed(text[start:stop])

    assert Decimal("0.5") == meter.cost().raw


# -- cut off -----------------------------------------------------------------------------------------------------------


def test_messages_cut_off() -> None:
    """What the first event counted is priced, with a flag, until the last one has come."""
    meter = PRICING.stream()
    for event, made in zip(MESSAGES[:2], (1, 1), strict=True):
        meter.feed(event)
        cost = meter.cost()
        assert Usage(1000, made, cached_tokens=500, cache_write_tokens=100) == cost.usage
        assert (
            "the stream was cut off: priced by the 1000 prompt and 1 completion tokens that were told by then",
        ) == cost.flags
    assert not meter.ended
    meter.feed(MESSAGES[2])
    assert ((), True) == (meter.cost().flags, meter.ended)


def test_half_of_a_usage_is_what_is_known_of_a_stream_that_was_cut_off() -> None:
    """A start without a completion count is priced by its input, with the flag; at the end it is half a usage."""
    start = {"type": "message_start", "message": {"model": MODEL, "usage": {"input_tokens": 1000}}}
    meter = fed(start)

    assert (Decimal("0.001"), 1) == (meter.cost().raw, len(meter.cost().flags))
    meter.feed({"type": "message_stop"})
    with pytest.raises(ResponseError, match="output_tokens is missing"):
        meter.cost()


def test_chat_with_a_usage_in_every_chunk_cut_off() -> None:
    """The last usage that came is what is known."""
    meter = fed(chunk([choice("Hel")], {"prompt_tokens": 1000, "completion_tokens": 1}), chunk([choice("lo")], USAGE))

    assert (Decimal("0.002"), 1, False) == (meter.cost().raw, len(meter.cost().flags), meter.ended)
    meter.feed("data: [DONE]")
    assert ((), True) == (meter.cost().flags, meter.ended)


@pytest.mark.parametrize(
    "chunks", [[], CHAT[:3], RESPONSES[:3], ["data: [DONE]"], [chunk(usage={})], ["nonsense\n", "data: {\n"]]
)
def test_a_stream_without_any_usage(chunks: list[Any]) -> None:
    """Nothing is known of what it cost, which is an error and no 0."""
    with pytest.raises(ResponseError, match=r"^(stream|response) has no usage"):
        fed(*chunks).cost()


def test_the_id_to_ask_for_after_a_cut() -> None:
    """A stream that was cut off still says which generation to ask for."""
    assert "gen-1" == fed(*CHAT[:1]).generation_id
    assert None is PRICING.stream().generation_id
    assert None is fed({"id": 5}).generation_id


@pytest.mark.parametrize(
    "chunks",
    [
        [chunk([choice("", "error")], {**USAGE}, error={"code": 502, "message": "gone"})],
        [{"type": "response.failed", "response": result("failed", IN_RESPONSES)}],
    ],
)
def test_a_stream_that_failed(chunks: list[Any]) -> None:
    """A stream that ended with an error costs what it counted, and says how it ended."""
    cost = fed(*chunks).cost()

    assert (Decimal("0.002"), ("the stream ended with an error",)) == (cost.raw, cost.flags)


def test_errors_of_the_counts_stay_errors() -> None:
    """A count that cannot be read is refused, cut off or not."""
    for usage in ({**USAGE, "cache_stored_tokens": 5}, {**USAGE, "prompt_tokens": -1}):
        with pytest.raises(ResponseError):
            fed(chunk([choice("x")], usage)).cost()
        with pytest.raises(ResponseError):
            fed(chunk([], usage)).cost()


# -- asking ------------------------------------------------------------------------------------------------------------


def test_the_model_that_is_given() -> None:
    """It goes before the one that the stream names, and stands in where it names none."""
    nameless = {"choices": [], "usage": USAGE}

    assert Decimal("0.002") == fed(nameless, model=MODEL).cost().raw
    with pytest.raises(UnknownModelError):
        fed(*PLAIN, model="b/none").cost()
    with pytest.raises(ResponseError, match="model must be given"):
        fed(nameless).cost()


def test_what_is_said_with_the_question() -> None:
    """Rate and instant are those of the question; the instant of the stream is its own otherwise."""
    meter = fed(*PLAIN)

    assert (Decimal("0.01"), "argument") == (meter.cost(markup_rate=5).total, meter.cost(markup_rate=5).markup_rule)
    assert 1_790_000_000 == meter.cost().at.timestamp()  # type: ignore[union-attr]
    with pytest.raises(TypeError, match="at must be"):
        meter.cost(at=5)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="provider must be"):
        meter.cost(provider=5)  # type: ignore[arg-type]


@pytest.mark.parametrize("bad", [None, 5, 1.5, [], [CHAT[0]], (1,), True])
def test_what_is_no_chunk(bad: Any) -> None:
    """Something that is neither an object nor text is a TypeError that says so."""
    with pytest.raises(TypeError, match="a chunk must be an object or text"):
        PRICING.stream().feed(bad)


def test_how_a_meter_looks() -> None:
    """A meter says where it stands."""
    meter = PRICING.stream()
    looks = [repr(meter)]
    for each in (CHAT[0], CHAT[-1]):
        meter.feed(each)
        looks.append(repr(meter))

    assert ["<StreamCost not fed yet>", "<StreamCost running>", "<StreamCost ended>"] == looks


def test_floats_of_text_are_exact() -> None:
    """A cost in the text of a stream keeps all of its digits."""
    digits = "0.12345678901234567890123"
    line = as_line(chunk(usage={**USAGE, "cost": "COST"})).replace('"COST"', digits)

    assert Decimal(digits) == fed(line).cost().raw


@pytest.mark.parametrize(("most", "kept"), [(0, False), (-1, False), (1, True)])
def test_a_line_that_never_ends_is_not_kept(monkeypatch: pytest.MonkeyPatch, most: int, kept: bool) -> None:
    """Pieces of a line are kept up to a bound: a hostile stream has lines without an end."""
    line = f"data: {json.dumps(CHAT[-1])}\n\n"
    monkeypatch.setattr(stream, "_MOST_PENDING", 50 + most)
    meter = PRICING.stream()
    meter.feed(line[:50])
    assert (line[:50] if kept else "") == meter._pending
    meter.feed(line[50:])
    assert kept is meter.ended
