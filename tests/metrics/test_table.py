"""What is measured."""

from __future__ import annotations

import attrs
import pytest
from support.hands import Hands

from openrouter_pricing import Pricing, Stats
from openrouter_pricing.metrics.table import COUNTERS, FAILURES, GAUGES, METRICS, check


def test_every_field_of_the_statistics_is_measured() -> None:
    """All that ``Stats`` says is in the table, but for its one text."""
    assert {field.name for field in attrs.fields(Stats)} - {"last_error"} == {metric.field for metric in METRICS}
    assert (*COUNTERS, *GAUGES) != ()
    assert {*COUNTERS, *GAUGES} == {*METRICS}


def test_counters_are_named_after_their_field() -> None:
    """``requests`` is ``openrouter_pricing_requests_total``, a gauge has its unit in its name, and no name is twice."""
    names = [metric.prometheus for metric in METRICS]
    assert len(names) == len(set(names))
    assert [f"openrouter_pricing_{metric.field}_total" for metric in COUNTERS] == [each.prometheus for each in COUNTERS]
    gauges = [f"openrouter_pricing_{name}" for name in ("age_seconds", "models", "breaker_state")]
    assert set(gauges) < set(names)
    assert {metric.opentelemetry for metric in METRICS} == {f"openrouter_pricing.{metric.name}" for metric in METRICS}


def test_values(hands: Hands) -> None:
    """Numbers are numbers, a time is Unix time, of states one is 1, and what is not known has no value."""
    stats = Stats(requests=3, failures={"StatusError": 2, "Mine": 1}, breaker="open", last_refresh=hands.wall)
    said = {metric.field: metric.series(stats) for metric in METRICS}
    assert said["requests"] == {"": 3.0}
    assert said["failures"] == {**dict.fromkeys(FAILURES, 0.0), "StatusError": 2, "Mine": 1}
    assert said["breaker"] == {"closed": 0.0, "open": 1.0, "half-open": 0.0}
    assert said["source"] == {"live": 0.0, "stale": 0.0, "bundled": 0.0, "pinned": 0.0}
    assert said["last_refresh"] == {"": hands.wall.timestamp()}
    assert (said["age"], said["last_refresh_seconds"], said["warmer_alive"]) == ({}, {}, {"": 0.0})


def test_only_a_pricing_is_measured(pinned: Pricing) -> None:
    """Anything else is an error that names the argument."""
    check(pinned)
    with pytest.raises(TypeError, match="pricing must be a Pricing, not str"):
        check("pricing")
