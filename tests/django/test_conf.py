"""The prices of a project, and the settings that they are made from."""

from __future__ import annotations

import threading
from decimal import Decimal
from typing import Any

import pytest
from django.test import override_settings
from support.upstream import Upstream, row, steady
from support.waiting import PATIENCE

from openrouter_pricing import Pricing, SettingsError
from openrouter_pricing.django import prices_changed, pricing
from openrouter_pricing.django.conf import read

MODEL = "openai/gpt-4o-mini"


def test_prices_of_the_project(options: dict[str, Any], upstream: Upstream) -> None:
    """They are made with the first question, and are a ``Pricing``."""
    assert upstream.requests == []
    assert pricing.cost(MODEL, 1000, 500).source == "live"
    assert isinstance(pricing, Pricing)
    assert pricing.stats().requests == len(upstream.requests) == 1


def test_other_settings_make_other_prices(options: dict[str, Any]) -> None:
    """Within ``override_settings`` its options hold, and afterwards those of before; the old ones are closed."""
    assert pricing.cost(MODEL, 1000).markup_rate == Decimal("1.3")
    kept = pricing.cost
    with override_settings(OPENROUTER_PRICING={**options, "MARKUP_RATE": 2, "WARM": True}):
        assert pricing.cost(MODEL, 1000).markup_rate == 2
        inside = pricing.stats
        assert inside().warmer_alive
    assert pricing.cost(MODEL, 1000).markup_rate == Decimal("1.3")
    assert not inside().warmer_alive
    assert kept(MODEL, 1000).markup_rate == Decimal("1.3")


def test_settings_that_are_none_of_ours(options: dict[str, Any]) -> None:
    """Others may change as they like."""
    pricing.cost(MODEL, 1)
    made = pricing.stats
    with override_settings(DEBUG=True):
        assert pricing.stats.__self__ is made.__self__  # type: ignore[attr-defined]


def test_threads_that_come_first_agree(options: dict[str, Any], upstream: Upstream) -> None:
    """Of many that ask at once each has an answer, from one ``Pricing``."""
    start = threading.Barrier(8)
    seen: list[Any] = []

    def run() -> None:
        start.wait()
        pricing.cost(MODEL, 1)
        seen.append(pricing.stats.__self__)  # type: ignore[attr-defined]

    threads = [threading.Thread(target=run) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen) == 8
    assert len(set(map(id, seen))) == 1
    assert len(upstream.requests) == 1


def test_the_environment_is_asked_last(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the settings say nothing it does; falsy values are values."""
    monkeypatch.setenv("OPENROUTER_PRICING_MARKUP_RATE", "7")
    monkeypatch.setenv("OPENROUTER_PRICING_ATTEMPTS", "2")
    with override_settings(OPENROUTER_PRICING={"MARKUP_RATE": 0}):
        assert (read().markup_rate, read().attempts) == (0, 2)
    assert (read().markup_rate, read().attempts) == (7, 2)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"MARKUP_RAET": 2}, "MARKUP_RAET is no option; did you mean MARKUP_RATE"),
        ({"markup_rate": 2}, "markup_rate is no option; did you mean MARKUP_RATE"),
        ({"MARKUP_RATE": "much"}, "MARKUP_RATE: cannot read 'much'"),
        ({5: 2}, "OPENROUTER_PRICING: cannot read a dict; accepted: a dictionary of options"),
        ("memory://", "OPENROUTER_PRICING: cannot read a str"),
        (None, "OPENROUTER_PRICING: cannot read a NoneType"),
    ],
)
def test_what_cannot_be_read(given: Any, said: str) -> None:
    """It is an error that names it when prices are first asked for; importing them is none."""
    with override_settings(OPENROUTER_PRICING=given), pytest.raises(SettingsError, match=said):
        pricing.catalog()


def test_an_error_keeps_no_secret() -> None:
    """No frame that comes with it has a variable that holds the options."""
    given = {"API_KEY": "sk-or-v1-hush", "MARKUP_RATE": "much"}
    with override_settings(OPENROUTER_PRICING=given), pytest.raises(SettingsError) as caught:
        pricing.catalog()
    frames = [entry.frame for entry in caught.traceback if "openrouter_pricing" in str(entry.path)]
    assert frames
    assert "hush" not in "".join(repr(frame.f_locals) for frame in frames)


def test_receivers_are_told_of_other_prices(upstream: Upstream, options: dict[str, Any]) -> None:
    """The signal is sent for a list with other prices, not for the first one; a receiver that fails stops no other."""
    upstream.answer.body = steady()
    told: list[Any] = []
    heard = threading.Event()

    def fails(**_: Any) -> None:
        raise ValueError("mine")

    def hears(sender: Any, change: Any, **_: Any) -> None:
        told.append((sender, [(each.model_id, each.kind) for each in change.changes]))
        heard.set()

    for receiver in (fails, hears):
        prices_changed.connect(receiver)
    try:
        pricing.refresh()
        upstream.answer.body = steady(row(), row("acme/new"))
        pricing.refresh()
        assert heard.wait(PATIENCE)
    finally:
        for receiver in (fails, hears):
            prices_changed.disconnect(receiver)
    assert told == [(Pricing, [("acme/new", "listed")])]
