"""The models of some time, put together from what was recorded then and what is known of them now."""

from __future__ import annotations

import json
import lzma
import random
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from support.recorded import SHARED, each_day, recorded
from support.recordings import FIRST, MemoryHistory, listed
from support.upstream import row

from openrouter_pricing import (
    Catalog,
    Cost,
    Pricing,
    Rates,
    Settings,
    UnknownModelError,
    UnpricedUsageError,
    Usage,
    VariablePriceError,
    data,
)
from openrouter_pricing._billing.bill import bill as lines_of
from openrouter_pricing._history.bundled import BundledHistory
from openrouter_pricing._history.periods import RecordedList

LATER = datetime(2026, 11, 25, tzinfo=timezone.utc)
USAGE = Usage(prompt_tokens=300_000, completion_tokens=700, cached_tokens=40_000, reasoning_tokens=100)
BILLED = SHARED / "billed.jsonl"
RECORDING = SHARED / "price-history.jsonl.xz"
FIRST_DAY = datetime(2024, 9, 21, 3, tzinfo=timezone.utc)


def of_then(*then: dict[str, Any], now: tuple[dict[str, Any], ...] = ()) -> Pricing:
    """A list of then, and one of now."""
    held = Catalog.from_models(now, as_of=LATER)
    first = Catalog.from_models(then, as_of=FIRST)
    return Pricing(catalog=held, history=MemoryHistory(first, first.dated(LATER)))


def same_as_catalog(pricing: Pricing, *names: str) -> bool:
    """Whether a question and the list of then find the same rows."""
    then = pricing.catalog(at=FIRST)
    return all(
        pricing.model(name, at=FIRST).id == then[name].id and pricing.model(name, at=FIRST).rates == then[name].rates
        for name in names
    )


def test_slugs_come_from_the_list_held() -> None:
    """A response answers with a canonical slug, which no recording holds."""
    price = {"prompt": "1", "completion": "1"}
    now = row("a/x", canonical_slug="a/x-2026"), row("a/x:free", canonical_slug="a/x-2026")
    pricing = of_then({"id": "a/x", "pricing": price}, {"id": "a/x:free", "pricing": price}, now=now)
    assert ["a/x", "a/x", "a/x:free"] == [
        pricing.cost(name, 1, at=FIRST).model_id for name in ("a/x-2026", "a/x-2026:nitro", "a/x:free")
    ]
    assert same_as_catalog(pricing, "a/x-2026", "a/x-2026:nitro", "a/x@preset/y", "a/x:free")


def test_a_slug_means_what_was_listed_then() -> None:
    """Where the row without suffix was not listed then, the one with it is meant."""
    now = row("a/x", canonical_slug="a/x-2026"), row("a/x:free", canonical_slug="a/x-2026")
    pricing = of_then({"id": "a/x:free", "pricing": {"prompt": "0"}}, now=now)
    assert "a/x:free" == pricing.cost("a/x-2026", 1, at=FIRST).model_id
    assert same_as_catalog(pricing, "a/x-2026")


def test_slugs_come_from_the_bundled_list_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """A model that is listed no more is known by it."""
    bundled = Catalog.from_models([row("a/gone", canonical_slug="a/gone-2025")])
    monkeypatch.setattr(data, "read_bundled", lambda: bundled)
    pricing = of_then({"id": "a/gone", "pricing": {"prompt": "4"}}, now=(row(),))
    assert ("a/gone", 4) == ((cost := pricing.cost("a/gone-2025", 1, at=FIRST)).model_id, cost.computed)


def test_an_alias_of_then() -> None:
    """It prices itself by its price of then; where that is variable, the row that it points at is meant."""
    now = row("~a/latest", alias_target={"slug": "a/x"}), row("a/x")
    pricing = of_then(
        {"id": "~a/latest", "pricing": {"prompt": "-1"}}, {"id": "a/x", "pricing": {"prompt": "2"}}, now=now
    )
    assert ("a/x", 2) == ((cost := pricing.cost("~a/latest", 1, at=FIRST)).model_id, cost.raw)
    assert same_as_catalog(pricing, "~a/latest")
    pricing = of_then({"id": "~a/latest", "pricing": {"prompt": "3"}}, now=now)
    assert 3 == pricing.cost("~a/latest", 1, at=FIRST).raw


@pytest.mark.parametrize("target", ["a/unlisted", "~a/other"])
def test_an_alias_of_then_that_leads_nowhere(target: str) -> None:
    """Its price is variable, and nobody guesses."""
    variable = {"prompt": "-1", "completion": "-1"}
    now = (row("~a/latest", alias_target={"slug": target}),)
    pricing = of_then({"id": "~a/latest", "pricing": variable}, {"id": "~a/other", "pricing": variable}, now=now)
    with pytest.raises(VariablePriceError):
        pricing.cost("~a/latest", 1, at=FIRST)


def test_what_a_row_sells_comes_from_the_list_held() -> None:
    """A row of videos at 0 was no gift then either."""
    video = row("a/video", architecture={"input_modalities": ["text"], "output_modalities": ["video"]})
    zero = {"prompt": "0", "completion": "0"}
    pricing = of_then({"id": "a/video", "pricing": zero}, now=(video,))
    assert pricing.model("a/video", at=FIRST).rates.unpriced is not None
    assert of_then({"id": "a/other", "pricing": zero}).model("a/other", at=FIRST).rates.unpriced is None


def test_a_receipt_of_then_can_be_replayed() -> None:
    """It names the list's day and digest, and comes out the same on that list, stored and read back."""
    pricing = of_then({"id": "a/x", "pricing": {"prompt": "1"}}, now=(row("a/x", pricing={"prompt": "2"}),))
    cost = pricing.cost("a/x", 5, at=FIRST)
    receipt = cost.to_dict()
    assert ("history", FIRST.isoformat()) == (receipt["source"], receipt["as_of"])
    then = Catalog.loads(pricing.catalog(at=FIRST).dumps())
    assert receipt["catalog_digest"] == then.digest
    assert cost == cost.replay(then)
    assert ("pinned", 10) == ((other := cost.replay(pricing.catalog())).source, other.raw)


def test_what_is_no_name_of_then() -> None:
    """It is unknown, or told by its kind, as for the list held."""
    pricing = of_then({"id": "a/x", "pricing": {"prompt": "1"}}, now=(row(),))
    with pytest.raises(TypeError, match="model must be a string"):
        pricing.cost(5, 1, at=FIRST)  # type: ignore[arg-type]
    with pytest.raises(UnknownModelError):
        pricing.cost("a/y", 1, at=FIRST)
    then = pricing._past.at(pricing._held(), FIRST)
    assert then is not None
    assert then["a/x"].id in then
    with pytest.raises(UnknownModelError):
        then["a/y"]


@pytest.mark.parametrize("text", ["{", "5", "[" * 9999, '{"prompt": "dear"}', '{"prompt": {}}'])
def test_a_recording_that_cannot_be_read(text: str, caplog: pytest.LogCaptureFixture) -> None:
    """The model is priced by the list held, says so, and the rest of the list of then is there."""

    class Foreign(MemoryHistory):
        def as_of(self, at: datetime) -> RecordedList | None:
            found = super().as_of(at)
            assert found is not None
            return RecordedList(found.as_of, found.until, {**found.prices, "a/x": text})

    pricing = Pricing(catalog=listed(99, x="9"), history=Foreign(listed(0, x="1", y="2"), listed(99, x="1", y="2")))
    cost = pricing.cost("a/x", 1, at=FIRST)
    assert ("pinned", 9, 1) == (cost.source, cost.raw, len(cost.flags))
    assert 1 == len(caplog.records)
    assert 2 == pricing.cost("a/y", 1, at=FIRST).raw
    if text.startswith('{"'):
        assert ["a/y"] == list(pricing.catalog(at=FIRST))
        assert pricing.stats().history_errors >= 2


@each_day
def test_each_recorded_catalogue_on_its_own_day(name: str) -> None:
    """What the history says of that day is what its catalogue costs, model for model."""
    own = Catalog.from_models(recorded(name)["data"])
    at = datetime.strptime(name, "models-%Y-%m-%d.json.gz").replace(tzinfo=timezone.utc, hour=23)
    pricing = Pricing(catalog=data.read_bundled().dated(LATER), history=BundledHistory())
    then = {model_id: Rates.from_dict(json.loads(text)) for model_id, text in BundledHistory().as_of(at).prices.items()}
    wrong = [
        model.id
        for model in own.decoded()
        if model.id not in then
        or list(lines_of(then[model.id].effective(USAGE.prompt_tokens, at), USAGE))
        != list(lines_of(Rates.from_dict(model.raw["pricing"]).effective(USAGE.prompt_tokens, at), USAGE))
    ]
    assert [] == wrong
    assert set(own) == set(then) == set(pricing.catalog(at=at))


@pytest.mark.skipif(not BILLED.is_file(), reason="the recorded data is not at hand")
def test_bills_find_the_rates_of_their_day() -> None:
    """Each of the twenty bills is computed as by the row of its own hour, under the slug that its response gives."""
    held = Catalog.from_models(recorded("models-2026-08-20.json.gz")["data"], as_of=LATER)
    pricing = Pricing(catalog=held, history=BundledHistory())
    for line in BILLED.read_text().splitlines():
        bill = json.loads(line)
        at = datetime.fromisoformat(bill["created_at"].replace("Z", "+00:00"))
        response = {"model": bill["model"], "provider": bill["provider"], "usage": bill["usage"]}
        cost = pricing.cost_of(response, at=at)
        own = Pricing(catalog=Catalog.from_models([bill["listed_model"]], as_of=at)).cost_of(response, at=at)
        assert ("history", ()) == (cost.source, cost.flags)
        assert (own.computed, own.residual_kind) == (cost.computed, cost.residual_kind)


@pytest.mark.skipif(not RECORDING.is_file(), reason="the recorded data is not at hand")
def test_costs_of_the_past_equal_a_replay_of_the_recording() -> None:
    """On 60 days drawn at random every model costs what the recording, read line by line, lists for that time."""
    draw = random.Random(16)
    days = sorted(FIRST_DAY + timedelta(seconds=draw.randrange(700 * 86_400)) for _ in range(60))
    held = Catalog.from_models(recorded("models-2026-08-20.json.gz")["data"], as_of=LATER)
    settings, known = Settings(markup_rate=1), {model.id: model.raw for model in held.decoded()}
    pricing = Pricing(settings, catalog=held, history=BundledHistory())
    prices: dict[str, Any] = {}
    lines = iter([*map(json.loads, lzma.decompress(RECORDING.read_bytes()).decode().splitlines()), None])
    entry, compared = next(lines), 0
    for at in days:
        while entry is not None and entry["observed_at"] <= f"{at:%Y-%m-%dT%H:%M:%SZ}":
            prices[entry["id"]], entry = entry["pricing"], next(lines)
        for model_id, listed_then in prices.items():
            if listed_then is not None:
                compared += 1
                row_of_then = {**known.get(model_id, {"id": model_id}), "pricing": listed_then}
                own = Pricing(settings, catalog=Catalog.from_models([row_of_then], as_of=at))
                expected = outcome(partial(own.cost, model_id, usage=USAGE, at=at))
                assert expected == outcome(partial(pricing.cost, model_id, usage=USAGE, at=at))
    assert compared > 15_000


def outcome(question: Callable[[], Cost]) -> Decimal | str | None:
    """A cost, or the name of the error in its place."""
    try:
        return question().computed
    except (UnpricedUsageError, VariablePriceError) as error:
        return type(error).__name__
