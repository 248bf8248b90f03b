"""Nine recorded days, and rows that they lack: the SDK against an independent computation, model by model."""

from __future__ import annotations

import functools
import json
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from support import reference
from support.recorded import each_day, recorded
from support.upstream import row

from openrouter_pricing import (
    Catalog,
    Fetched,
    Pricing,
    Settings,
    UnknownModelError,
    UnpricedUsageError,
    Usage,
    VariablePriceError,
)
from openrouter_pricing._billing.cost import charge
from openrouter_pricing._prices.wire import read_catalog

AS_OF = datetime(2026, 11, 2, tzinfo=timezone.utc)


@functools.cache
def _loaded(name: str) -> tuple[list[dict[str, Any]], Pricing]:
    rows = recorded(name)["data"]
    catalog = Catalog.from_models(rows, as_of=AS_OF)
    return rows, Pricing(Settings(markup_rate=1), catalog=Catalog.loads(catalog.dumps()))


def usages(prompt: int) -> Iterator[dict[str, int]]:
    """Many ways to consume a prompt of that many tokens."""
    whole = {"prompt_tokens": prompt, "completion_tokens": 517}
    cached = {"cached_tokens": prompt // 3}
    written = {"cache_write_tokens": prompt // 4}
    hour = {"cache_write_1h_tokens": prompt // 8}
    yield {"prompt_tokens": prompt}
    yield {"completion_tokens": 517}
    yield whole
    yield {**whole, **cached}
    yield {**whole, **written}
    yield {**whole, **cached, **written, **hour}
    yield {**whole, "cached_tokens": prompt - 7, "cache_write_tokens": prompt - 7}
    yield {**whole, "reasoning_tokens": 211}
    yield {**whole, "reasoning_tokens": 518}
    yield {**whole, "audio_tokens": prompt // 5, "audio_output_tokens": 100}
    yield {**whole, "image_tokens": prompt // 6, "image_output_tokens": 90, "images": 2}
    yield {
        **whole, **cached, **written, **hour, "audio_tokens": prompt // 5, "image_tokens": prompt // 6, "requests": 3,
        "reasoning_tokens": 211, "audio_output_tokens": 100, "image_output_tokens": 90,
    }  # fmt: skip
    yield {**whole, "web_searches": 3}


def prompts(listed: dict[str, Any]) -> list[int]:
    """Prompt counts below, at and above every threshold of a row."""
    least = {int(entry.get("min_prompt_tokens", 0)) for entry in listed["pricing"].get("overrides") or []}
    return sorted({10_007, *(count for n in least for count in (n - 1, n, n + 1) if count >= 0)})


def check(pricing: Pricing, listed: dict[str, Any], counts: dict[str, int], at: datetime | None = None) -> str:
    """The facade and ``charge`` give the reference's amount, or its error; the answer says which."""
    model, usage = pricing.catalog()[listed["id"]], Usage(**counts)
    try:
        expected = reference.cost(listed, counts, at)
    except reference.VariableError:
        for ask in (
            lambda: pricing.cost(listed["id"], usage=usage, at=at),
            lambda: charge(model.rates, usage, model_id=model.id, at=at),
        ):
            with pytest.raises(VariablePriceError):
                ask()
        return "variable"
    except reference.UnpricedError as error:
        dimension = str(error)
        with pytest.raises(UnpricedUsageError) as caught:
            pricing.cost(listed["id"], usage=usage, at=at)
        with pytest.raises(UnpricedUsageError):
            charge(model.rates, usage, at=at)
        return "unpriced" if dimension == caught.value.dimension else f"not {dimension} but {caught.value.dimension}"
    cost = pricing.cost(listed["id"], usage=usage, at=at)
    charged = charge(model.rates, usage, Decimal("1.3"), at=at)
    assert expected == Fraction(cost.total) == Fraction(charged.raw), (listed["id"], counts)
    assert expected * Fraction("1.3") == Fraction(charged.total)
    assert expected == sum((Fraction(line.amount) for line in cost.lines), Fraction())
    if not counts.keys() - {"prompt_tokens", "completion_tokens"} and at is None:
        for _ in range(2):
            plain = pricing.cost(listed["id"], **counts)
            assert expected == Fraction(plain.total)
    return "priced"


@each_day
def test_every_model_costs_what_the_reference_says(name: str) -> None:
    """Every model of the day, many usages, below, at and above every threshold: exactly the reference's amount."""
    rows, pricing = _loaded(name)
    seen = Counter(
        check(pricing, listed, counts) for listed in rows for prompt in prompts(listed) for counts in usages(prompt)
    )

    assert seen["priced"] > 10 * len(rows)
    assert seen["variable"] > 0
    assert {"priced", "variable", "unpriced"} >= set(seen)


@each_day
def test_images_without_image_tokens_cost_what_the_reference_says(name: str) -> None:
    """Every model of the day prices an image where it lists a price per image, and says so where it does not."""
    rows, pricing = _loaded(name)
    seen = {
        check(pricing, listed, {"prompt_tokens": prompt, "images": 2}) for listed in rows for prompt in prompts(listed)
    }

    assert {"priced", "variable", "unpriced"} >= seen


@each_day
def test_not_one_row_is_lost(name: str) -> None:
    """The day's whole document is read: every row, in its order, whole."""
    document = recorded(name)
    catalog, problems = read_catalog(Fetched(200, {}, json.dumps(document).encode()), AS_OF)
    ids = [listed["id"] for listed in document["data"]]

    assert ([], 0, ids) == (problems, catalog.skipped, list(catalog))
    assert document["data"] == [model.raw for model in Catalog.loads(catalog.dumps()).find()]


@each_day
def test_every_id_and_every_slug_resolves(name: str) -> None:
    """An id is its own row, a shared slug the row without suffix, and routing suffixes change nothing."""
    rows, pricing = _loaded(name)
    catalog, ids = pricing.catalog(), {listed["id"] for listed in rows}
    by_slug: dict[str, list[str]] = {}
    for listed in rows:
        model = catalog[listed["id"]]
        if not model.rates.variable:
            assert listed["id"] == model.id
        if listed.get("canonical_slug"):
            by_slug.setdefault(listed["canonical_slug"], []).append(listed["id"])
    for slug, sharing in by_slug.items():
        bases = [model_id for model_id in sharing if ":" not in model_id]
        wanted = slug if slug in ids else (bases or sharing)[0]
        routed = {f"{slug}{suffix}" for suffix in (":nitro", ":floor", ":online")} - ids
        assert {wanted} == {catalog[each].id for each in (slug, *routed)}


@each_day
def test_suffixes_that_are_not_listed_are_unknown(name: str) -> None:
    """No model of the day lends its price to a variant that is not listed."""
    rows, pricing = _loaded(name)
    ids = {listed["id"] for listed in rows}
    for model_id in ids:
        for suffix in (":free", ":batch", ":thinking", ":extended"):
            if model_id + suffix not in ids:
                with pytest.raises(UnknownModelError):
                    pricing.catalog()[model_id + suffix]


TIMED = [
    {"utc_start": 930, "utc_end": 1700, "prompt": "0.0000001"},
    {"utc_start": 2230, "utc_end": 615, "prompt": "0.0000002", "completion": "0"},
    {"utc_days": ["saturday", "sunday"], "completion": "0.0000003"},
    {"utc_start": 2200, "utc_end": 200, "utc_days": ["monday"], "input_cache_read": "0.00000001"},
    {"utc_end": 100, "min_prompt_tokens": 10_007, "prompt": "0.0000004"},
    {"utc_start": 2300, "min_prompt_tokens": 10_006, "completion": "0.0000005"},
    {"utc_start": 0, "utc_end": 2400, "utc_days": ["tuesday"], "prompt": "0.00000000416666666666667"},
]
TIMED_ROWS = [
    row(f"a/timed-{number}", pricing={**row()["pricing"], "overrides": [entry]}) for number, entry in enumerate(TIMED)
]
TIMED_ROWS.append(row("a/timed-all", pricing={**row()["pricing"], "overrides": TIMED}))


@pytest.mark.parametrize("listed", TIMED_ROWS, ids=lambda fields: fields["id"])
def test_both_sides_of_every_window(listed: dict[str, Any]) -> None:
    """A second before, at and after each edge of every window, on each day of a week: the reference's amount."""
    pricing = Pricing(Settings(markup_rate=1), catalog=Catalog.from_models([listed], as_of=AS_OF))
    edges = {0, 2400} | {entry[key] for entry in TIMED for key in ("utc_start", "utc_end") if key in entry}
    for number in range(7):
        for edge in edges:
            instant = AS_OF + timedelta(days=number, minutes=edge // 100 * 60 + edge % 100)
            for at in (instant - timedelta(seconds=1), instant, instant + timedelta(seconds=59)):
                for tokens in (10_006, 10_007, 10_008):
                    counts = {"prompt_tokens": tokens, "completion_tokens": 500, "cached_tokens": 99}
                    assert "priced" == check(pricing, listed, counts, at)


EMBEDDING = row(
    "a/embed", architecture={"output_modalities": ["embeddings"]}, pricing={"prompt": "0.00000002", "completion": "0"}
)


@pytest.mark.parametrize(
    ("counts", "answer"),
    [({"prompt_tokens": 999}, "priced"), ({"prompt_tokens": 999, "completion_tokens": 1}, "unpriced")],
)
def test_an_embedding_row(counts: dict[str, int], answer: str) -> None:
    """Prompt-only rows price the prompt, and refuse a completion, as the reference does."""
    pricing = Pricing(Settings(markup_rate=1), catalog=Catalog.from_models([EMBEDDING], as_of=AS_OF))

    assert answer == check(pricing, EMBEDDING, counts)


def test_the_reference_knows_real_bills() -> None:
    """The reference itself is right: a bill of 2168 prompt, 2161 read and 2161 written tokens, worked out by hand."""
    listed = {
        "id": "a/b",
        "pricing": {"prompt": "3", "completion": "9", "input_cache_read": "2", "input_cache_write": "1"},
    }

    assert 7 * 3 + 2161 * 2 + 2161 == reference.cost(
        listed, {"prompt_tokens": 2168, "cached_tokens": 2161, "cache_write_tokens": 2161}
    )
