"""Whether the store, the upstream and the age of the prices are all right."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from openrouter_pricing.backends.memory import MemoryBackend
from support.freshness import Broken, Make, settle
from support.hands import Hands
from support.upstream import Upstream, row

from openrouter_pricing import Catalog, CatalogUnavailableError, Pricing, Settings
from openrouter_pricing.health import Check, examine, span


def findings(pricing: Pricing) -> dict[str, tuple[bool, str]]:
    """What was found, by name; that the whole says what its parts do is proved beside it."""
    health = pricing.health()
    assert health.ok == all(check.ok for check in health.checks)
    assert json.loads(json.dumps(health.to_dict())) == {
        "ok": health.ok,
        "checks": [{"name": check.name, "ok": check.ok, "finding": check.finding} for check in health.checks],
    }
    return {check.name: (check.ok, check.finding) for check in health.checks}


def test_all_is_well(make_pricing: Make, upstream: Upstream, hands: Hands) -> None:
    """The store is written to and cleaned, the upstream is asked, and prices that were stored before are aged."""
    backend = MemoryBackend(monotonic=hands.clock.monotonic)
    make_pricing(clock=hands.clock, backend=backend).refresh()
    settle()
    kept = set(backend._values)
    hands.turn(7300)
    found = findings(make_pricing(clock=hands.clock, backend=backend))
    settle()
    assert found["backend"] == (True, "null:// keeps nothing, as it should"), "the address is the settings' one"
    assert found["upstream"][0]
    assert "listed 1 models within" in found["upstream"][1]
    assert found["prices"] == (True, "those that were held before are 2 hours old")
    assert set(backend._values) == kept
    assert len(upstream.requests) == 2


def test_a_store_that_fails_is_named_without_secrets(make_pricing: Make) -> None:
    """Its error is the finding, whether or not it is being left alone."""
    pricing = make_pricing(backend=Broken("set"), base_url="http://127.0.0.1:9/api/v1")
    for _ in range(2):
        assert findings(pricing)["backend"] == (False, "null://: OSError: disk full")


def test_a_store_that_keeps_nothing_is_named(upstream: Upstream) -> None:
    """One that takes everything and keeps nothing, and does not say so, is not all right."""

    class Forgetful(MemoryBackend):
        def get(self, key: str) -> bytes | None:
            return None

    with Pricing(Settings(base_url=upstream.url, backend="memory://"), backend=Forgetful()) as pricing:
        assert findings(pricing)["backend"] == (False, "memory:// did not keep what was written")
    with Pricing(Settings(base_url=upstream.url, backend="memory://")) as pricing:
        assert findings(pricing)["backend"] == (True, "memory:// can be written")


@pytest.mark.parametrize(
    ("fallback", "ok", "words"),
    [(True, True, "none were held before; the bundled snapshot is"), (False, False, "the fallback is off")],
)
def test_an_upstream_that_is_down(make_pricing: Make, upstream: Upstream, fallback: bool, ok: bool, words: str) -> None:
    """It is named; the prices are all right as long as something answers."""
    upstream.fail(500)
    found = findings(make_pricing(fallback=fallback))
    assert found["upstream"] == (False, f"{upstream.url}: upstream answered with HTTP status 500")
    assert (found["prices"][0], words in found["prices"][1]) == (ok, True)


def test_a_snapshot_that_cannot_be_read(upstream: Upstream, hands: Hands) -> None:
    """Where the bundled list is broken, prices are all right if the upstream is."""

    def broken() -> Catalog:
        raise CatalogUnavailableError("torn")

    def probe(work: Callable[[Any], bool], timeout: float) -> bool:
        return work(MemoryBackend())

    settings = Settings(base_url=upstream.url)
    health = examine(settings, probe, None, broken, lambda: Catalog.from_models([row()]), hands.wall)
    assert health.ok
    assert health.checks[2] == Check("prices", True, "none were held before, and the fallback is off")


def test_offline_is_nothing_wrong(make_pricing: Make, upstream: Upstream) -> None:
    """Who says that nothing is fetched is not told that nothing was."""
    assert findings(make_pricing(offline=True))["upstream"] == (
        True,
        f"{upstream.url} was not asked: the settings say offline",
    )
    assert upstream.requests == []


def test_pinned_prices_are_all_right() -> None:
    """There is no store and no upstream to look at."""
    pricing = Pricing(Settings(), catalog=Catalog.from_models([row()]))
    assert findings(pricing) == {"prices": (True, "1 models are pinned")}


@pytest.mark.parametrize(
    ("length", "words"),
    [
        (timedelta(seconds=-5), "0 seconds"),
        (timedelta(seconds=119), "119 seconds"),
        (timedelta(minutes=2), "2 minutes"),
        (timedelta(hours=47), "47 hours"),
        (timedelta(days=2), "2 days"),
    ],
)
def test_a_length_of_time_for_people(length: timedelta, words: str) -> None:
    """In the largest unit that there are two of."""
    assert span(length.total_seconds()) == words
