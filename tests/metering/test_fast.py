"""Reading fast gives to the digit what reading line by line gives, whatever stands in a log."""

from __future__ import annotations

import copy
import json
import random
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.both_ways import AS_OF, CATALOG, CHAT, OWN_KEY, PLAIN, RESPONSES, SHAPES, both
from support.recorded import each_day, recorded

from openrouter_pricing import Catalog
from openrouter_pricing._history.bundled import BundledHistory
from openrouter_pricing.metering import fast
from openrouter_pricing.metering.audit import Audit
from openrouter_pricing.metering.lines import Block
from openrouter_pricing.metering.naming import BY

#: What may stand in the place of a value, if only in a hostile log.
VALUES: list[Any] = [
    None, 0, 1, 3, 1000, 1001, -1, 10**8, 10**8 + 1, 10**18, 10**30, 0.0, -0.0, 1.0, 1.5, 1e-7, 1e-13, 0.1, 1e300,
    0.30000000000000004, 1e-45, 1e-70, 12.5, "", "a", "0.1", "flex", "batch", "default", "fast", "EUR", "USD", "usd",
    True, False, [], {}, [1], {"a": 1}, {"currency": "EUR"}, "a/plain", "a/all", "a/steps", "a/nightly", "a/router",
    "a/prompt-only", "a/free", "gone/model", "a/plain:nitro", "openai/gpt-4o-mini", "x" * 501, "list",
    1_735_689_600, 1_786_680_756, 1_787_140_799, 1_787_140_800, 1_787_227_200, 1_900_000_000, 253_402_300_800,
    "2025-01-01T00:00:00Z", "2026-08-20T01:00:00+02:00", "2026-08-20", "gen-1", "gen-2",
    {"web_search_requests": 0}, {"web_search_requests": 1}, {"tool_calls_executed": None}, {"is_byok": True},
    {"cached_tokens": 3000}, {"reasoning_tokens": 315}, {"ephemeral_1h_input_tokens": 3},
]  # fmt: skip
NAMES = [
    "id", "generation_id", "model", "created", "created_at", "provider", "provider_name", "service_tier", "object",
    "is_byok", "openrouter_metadata", "currency", "usage", "response", "data", "error", "user", "metadata", "api_key",
]  # fmt: skip
COUNTS = [
    "prompt_tokens", "completion_tokens", "input_tokens", "output_tokens", "total_tokens", "cost", "is_byok",
    "service_tier", "prompt_tokens_details", "completion_tokens_details", "input_tokens_details",
    "output_tokens_details", "cost_details", "server_tool_use_details", "server_tool_use", "speed", "currency",
    "cache_read_input_tokens", "cache_creation_input_tokens", "cache_creation", "iterations", "num_search_queries",
    "promptTokens", "total_cost",
]  # fmt: skip
PARTS = [
    "cached_tokens", "cache_write_tokens", "audio_tokens", "image_tokens", "video_tokens", "reasoning_tokens",
    "upstream_inference_cost", "upstream_inference_prompt_cost", "upstream_inference_output_cost", "currency", "odd",
    "ephemeral_1h_input_tokens", "ephemeral_5m_input_tokens", "web_search_requests",
]  # fmt: skip


def disturbed(response: dict[str, Any], chance: random.Random) -> dict[str, Any]:
    """A response with a few values in the places of others."""
    said = copy.deepcopy(response)
    said["id"] = f"gen-{chance.randrange(5000)}"
    usage = said["usage"]
    for _ in range(chance.choice((0, 0, 1, 1, 2, 3))):
        parts = [part for part in usage.values() if isinstance(part, dict)] or [said]
        where, names = chance.choice([(said, NAMES), (usage, COUNTS), (usage, COUNTS), (chance.choice(parts), PARTS)])
        name = chance.choice([*where, *names])
        if chance.random() < 0.2:
            where.pop(name, None)
        else:
            where[name] = copy.deepcopy(chance.choice(VALUES))
        if not isinstance(usage := said.get("usage"), dict):
            break
    return said


def spoilt(line: bytes, chance: random.Random) -> bytes:
    """Bytes that are no JSON any more, or that are barely."""
    ways = [
        lambda: line[: chance.randrange(len(line))],
        lambda: line + b" ]",
        lambda: b"data: " + line,
        lambda: b"data:" + line + b"\r",
        lambda: b" " + line + b"\t\r",
        lambda: b"",
        lambda: line.replace(b'"Acme"', b'"\xff"'),
        lambda: line.replace(b'"Acme"', b'"\\ud800"'),
        lambda: line.replace(b"Hi", b"H\x01i"),
        lambda: line.replace(b'"choices"', b'"x": ' + b"9" * 5000 + b', "choices"'),
        lambda: line.replace(b'"choices"', b'"x": "' + b"9" * 5000 + b'", "choices"'),
        lambda: line.replace(b'"choices"', b'"x": "' + b"y" * 5000 + b'", "choices"'),
        lambda: line.replace(b'"choices"', b'"x": NaN, "choices"'),
        lambda: line.replace(b'"choices"', b'"model": "a/all", "choices"'),
        lambda: line.replace(b"0.005715", chance.choice(NUMBERS)),
        lambda: line.replace(b"2315", chance.choice((b"2315.0", b"2.315e3", b"02315", b"-2315", b"2315000000000"))),
    ]  # fmt: skip
    return chance.choice(ways)()


NUMBERS = [
    b"0.0057150", b"5.715e-3", b"0.0057149999999999999999999", b"0.1000000000000000055511151231257827", b"1e-7", b"0.1",
    b"0.30000000000000004", b"1234567890.123456789012345", b"0.0000000000000000000000012345678901234567890123456",
    b"1E+2", b"1e400", b"10", b"100000000000000000000000000000000000000000", b"12.345678901234567",
    b"9.9999999999999999",
]  # fmt: skip


@pytest.mark.parametrize("by", [None, *BY])
@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("past", [False, True])
def test_disturbed_logs(seed: int, by: str | None, past: bool) -> None:
    """Thousands of lines with anything in the place of anything: every figure, number and reason is the same."""
    chance = random.Random(f"{seed} {by} {past}")
    lines = []
    for _ in range(1500):
        line = json.dumps(disturbed(chance.choice(SHAPES), chance)).encode()
        lines.append(spoilt(line, chance) if chance.random() < 0.2 else line)
    history = BundledHistory() if past else None
    slow, quick, fast_lines = both(lines, catalog=CATALOG, history=history, by=by)

    assert slow == quick
    assert 200 < fast_lines
    results = ("exact", "residual", "unreported", "reported", "unknown", "bad", "duplicates", "another_day")
    assert all(slow[name] for name in results)


@settings(max_examples=200)
@given(st.data())
def test_numbers(data: Any) -> None:
    """A cost is read as the decimal that it prints, however it is spelt, and counts may be anything."""
    cost = data.draw(st.floats(0, 100) | st.sampled_from(NUMBERS) | st.integers(0, 10**40))
    spelt = cost if isinstance(cost, bytes) else json.dumps(cost).encode()
    said = copy.deepcopy(CHAT)
    for count in ("prompt_tokens", "completion_tokens"):
        said["usage"][count] = data.draw(st.integers(0, 10_000))  # type: ignore[index]
    line = json.dumps(said).encode().replace(b"0.005715", spelt)
    slow, quick, _ = both([line.replace(b"gen-1", b"gen-%d" % number) for number in range(3)], catalog=CATALOG)

    assert slow == quick


@each_day
def test_real_lists(name: str) -> None:
    """At the prices of every recorded list, with what each model lists, exact bills and those a little off agree."""
    catalog = Catalog.from_rows(recorded(name)["data"], as_of=AS_OF, problem=lambda _: None)
    audit = Audit(catalog)
    chance = random.Random(name)
    lines = []
    for model in catalog:
        for _ in range(4):
            said = copy.deepcopy(CHAT)
            said |= {"model": model, "id": str(len(lines))}
            usage: dict[str, Any] = said["usage"]  # type: ignore[assignment]
            usage |= {"prompt_tokens": chance.choice((1500, 250_000)), "total_tokens": 0}
            del usage["cost"]
            try:
                computed = audit._cost_of(said).computed
            except Exception:
                computed = None
            off = chance.choice((0, 0, 1e-13, 1.1e-12, 0.001))
            usage["cost"] = 0.25 if computed is None else float(computed) + off
            if chance.random() < 0.2:
                del usage["cost"]
            lines.append(json.dumps(said).encode())
    slow, quick, fast_lines = both(lines, catalog=catalog)

    assert slow == quick
    assert fast_lines > len(catalog)


def test_recorded_bills(shared: Path) -> None:
    """Real bills, at the prices of now and at those of then."""
    lines = (shared / "billed.jsonl").read_bytes().splitlines() * 3
    for history in (None, BundledHistory()):
        slow, quick, _ = both(lines, catalog=CATALOG, history=history, by="day")
        assert slow == quick


def test_field_cases(shared: Path) -> None:
    """The logs of the field are counted as they should be, both ways."""
    file = shared / "field" / "cases.jsonl"
    cases = [json.loads(line) for line in file.read_text().splitlines()]
    logs = [case for case in cases if case.get("kind") == "audit"]
    assert logs
    for case in logs:
        catalog = Catalog.from_models(case["models"])
        slow, quick, _ = both(case["text"].encode().split(b"\n"), catalog=catalog)
        assert slow == quick
        assert case["expect"]["value"].items() <= quick.items()


def test_most_lines_are_read_fast() -> None:
    """But for the first of each model, and of each side of a price step, all plain lines are."""
    lines = []
    for number in range(100):
        for response in (CHAT, RESPONSES, {**CHAT, "model": "a/steps"}):
            said = copy.deepcopy(response)
            said["id"] = f"{response['id']}-{response['model']}-{number}"
            if said["model"] == "a/steps":
                said["usage"]["prompt_tokens"] = 1000 + number % 2  # type: ignore[index]
                said["usage"]["prompt_tokens_details"]["cached_tokens"] = 10  # type: ignore[index]
            lines.append(json.dumps(said).encode())
    slow, quick, fast_lines = both(lines, catalog=CATALOG)

    assert slow == quick
    assert 300 - 4 == fast_lines


WRITES = {"prompt_tokens_details": {"cached_tokens": 400, "cache_write_tokens": 100}, "cost": 0.00623}


@pytest.mark.parametrize(
    ("more", "usage"),
    [
        ({"created": None}, {}),
        ({"created": None, "created_at": 1_787_227_201}, {}),
        ({"created": 1_750_000_000, "model": "openai/gpt-4o-mini"}, {}),
        ({"model": "a/free"}, {"cost": 0}),
        ({}, WRITES),
        ({}, {"prompt_tokens_details": {"cached_tokens": 400, "cache_write_tokens": 1601}}),
    ],
)
@pytest.mark.parametrize("past", [False, True])
def test_plain_lines(more: dict[str, Any], usage: dict[str, Any], past: bool) -> None:
    """What a plain line may leave out, or say besides, counts as it does anywhere else."""
    response = {**PLAIN, **more, "usage": {**PLAIN["usage"], **usage}}  # type: ignore[dict-item]
    lines = [json.dumps({**response, "id": str(number)}).encode() for number in range(5)]
    history = BundledHistory() if past else None
    slow, quick, _ = both(lines, catalog=CATALOG, history=history, by="day")

    assert slow == quick
    assert 5 == slow["lines"]
    assert (5 if usage is WRITES or "a/free" in more.values() else 0) == slow["exact"]


def test_what_the_provider_took_is_the_cost() -> None:
    """A bill that the list does not explain, and whose upstream figure is the cost itself, is read fast as any."""
    usage = {**PLAIN["usage"], "cost": 0.5, "cost_details": {"upstream_inference_cost": 0.5}}  # type: ignore[dict-item]
    lines = [json.dumps({**PLAIN, "id": str(number), "usage": usage}).encode() for number in range(5)]
    slow, quick, fast_lines = both(lines, catalog=CATALOG)

    assert slow == quick
    assert (5, 4) == (slow["residual"], fast_lines)


def test_what_sells_no_tokens_stands_alone() -> None:
    """What a row that sells no tokens reports is believed, from its second line on without a look at the row."""
    lines = [json.dumps({**CHAT, "model": "a/video", "id": str(number)}).encode() for number in range(5)]
    slow, quick, fast_lines = both(lines, catalog=CATALOG, by="model")

    assert slow == quick
    assert (5, 4) == (slow["reported"], fast_lines)


HALVES = [{}, {"prompt_tokens": 1}, {"completion_tokens": 1}, {"input_tokens": 1}, {"output_tokens": 1}]
MIXED = [
    {**half, **other, "cost": 1} for half in HALVES for other in (*HALVES, {"prompt_tokens_details": {}},
                                                                 {"output_tokens_details": None})
]  # fmt: skip


def test_halves_and_mixtures_of_formats() -> None:
    """A usage with half of its counts, or with those of two formats, is read the other way."""
    lines = [json.dumps({**CHAT, "id": str(place), "usage": usage}).encode() for place, usage in enumerate(MIXED)]
    slow, quick, fast_lines = both([json.dumps(CHAT).encode(), *lines], catalog=CATALOG)

    assert slow == quick
    assert 4 == fast_lines


def test_reasoning_beside_the_completion() -> None:
    """Where the total says that reasoning stands beside the completion, the line is read the other way."""
    beside, inside = copy.deepcopy(RESPONSES), copy.deepcopy(RESPONSES)
    beside["usage"]["total_tokens"] = 155  # type: ignore[index]
    lines = [json.dumps({**said, "id": None}).encode() for said in (beside, inside) * 3]
    slow, quick, fast_lines = both(lines, catalog=CATALOG)

    assert slow == quick
    assert 2 == fast_lines


def test_plans_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many models a log names, so many plans are kept, and what they counted is not lost."""
    monkeypatch.setattr(fast, "_MOST_PLANS", 2)
    names = ["a/plain", "a/all", "a/free", "a/steps"] * 6
    lines = [json.dumps({**CHAT, "id": str(place), "model": name}).encode() for place, name in enumerate(names * 2)]
    lines = [line for line in lines for line in (line, line.replace(b'"id": "', b'"id": "x'))]
    slow, quick, fast_lines = both(lines, catalog=CATALOG)

    assert slow == quick
    assert fast_lines == len(lines) / 2


def test_names_of_unlisted_models_are_read_fast(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is not listed, or has no price, is known after its first line; so many of those are kept, too."""
    names = ["gone/model", "a/router", "gone/other"] * 4
    silent = {**PLAIN, "usage": {"prompt_tokens": 1, "completion_tokens": 1}}
    said = [{**each, "model": name} for each in (CHAT, OWN_KEY, silent) for name in names]
    lines = [json.dumps({**each, "id": str(place)}).encode() for place, each in enumerate(said)]
    for most in (20_000, 2):
        monkeypatch.setattr(fast, "_MOST_PLANS", most)
        slow, quick, fast_lines = both(lines, catalog=CATALOG, by="model")

        assert slow == quick
        assert len(lines) == quick["unknown"]
        if most > 2:
            assert len(lines) - 6 == fast_lines


def test_added_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lines may come one at a time: what they reported is added up now and then."""
    monkeypatch.setattr(fast, "_MANY", 3)
    audit = Audit(CATALOG)
    for number in range(1, 9):
        audit.add(number, json.dumps({**CHAT, "id": str(number)}).encode())

    assert len(audit._fast._exact.floats) < 3
    assert "0.045720" == str(audit.exact.reported) == f"{8 * Decimal('0.005715'):f}"


def test_ids_that_want_the_same_slot() -> None:
    """Each is known again, whichever of them came before, and all that were new are handed out, also one of 0."""
    audit = Audit(CATALOG, digest=lambda name: int(name) << 40)
    audit.begin_anew()
    names = ["3", "1", "2", "0", "2", "0", "4", "3"]
    lines = [json.dumps({**CHAT, "id": name}).encode() for name in names]

    assert len(names) == audit.add_all([Block(1, lines)])
    counted, digests = audit.hand_out()
    assert (5, 3, 5) == (counted.exact.lines, counted.duplicates.lines, counted.duplicates.first)
    assert [3 << 40, 1 << 40, 2 << 40, 1, 4 << 40] == list(digests)


def test_endless_numbers() -> None:
    """Long lines are read fast, but where Python itself would not read a number in them."""
    long = json.dumps({**CHAT, "choices": "words 7 " * 1200}).encode()
    digits = json.dumps({**CHAT, "id": "2", "choices": "7" * 9000}).encode()
    endless = digits.replace(b'"' + b"7" * 9000 + b'"', b"7" * 9000)
    slow, quick, fast_lines = both([json.dumps(CHAT).encode(), long, digits, endless], catalog=CATALOG)

    assert slow == quick
    assert (1, 1) == (quick["bad"], quick["duplicates"])
    assert 4 - 3 == fast_lines
