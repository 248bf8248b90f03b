"""Metrics and spans for OpenTelemetry."""

from __future__ import annotations

import gc
from decimal import Decimal
from typing import Any

import pytest
from support.freshness import MODEL, Make, settle
from support.pinned import pinned
from support.upstream import Upstream, row

from openrouter_pricing import Pricing, UpstreamError, Usage
from openrouter_pricing.metrics.table import METRICS

pytest.importorskip("opentelemetry.sdk")

from opentelemetry import trace
from opentelemetry.metrics import NoOpMeterProvider
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import Gauge, InMemoryMetricReader, Sum
from opentelemetry.sdk.trace import TracerProvider

from openrouter_pricing.metrics import opentelemetry as otel


@pytest.fixture
def reader() -> InMemoryMetricReader:
    """Collects when it is asked."""
    return InMemoryMetricReader()


@pytest.fixture
def provider(reader: InMemoryMetricReader) -> MeterProvider:
    """The host's provider."""
    return MeterProvider(metric_readers=[reader], shutdown_on_exit=False)


def collected(reader: InMemoryMetricReader) -> dict[tuple[str, str], float]:
    """Every number that is observed now, by its name and the value of its attribute."""
    data = reader.get_metrics_data()
    found: dict[tuple[str, str], float] = {}
    for resource in () if data is None else data.resource_metrics:
        for scope in resource.scope_metrics:
            assert scope.scope.name == "openrouter_pricing"
            for metric in scope.metrics:
                for point in metric.data.data_points:
                    (value,) = (point.attributes or {"": ""}).values()
                    assert (metric.name, str(value)) not in found
                    found[metric.name, str(value)] = point.value
    return found


def test_what_is_observed_is_what_the_statistics_say(
    make_pricing: Make, upstream: Upstream, provider: MeterProvider, reader: InMemoryMetricReader
) -> None:
    """Every instrument has the value of its field, and counters keep what was counted before."""
    pricing = make_pricing()
    pricing.cost(MODEL, 1)
    otel.instrument(pricing, provider)
    upstream.fail(503)
    with pytest.raises(UpstreamError):
        pricing.refresh()
    pricing.cost(MODEL, 1)
    settle()
    seen, stats = collected(reader), pricing.stats()
    assert seen.pop(("openrouter_pricing.age_seconds", "")) >= 0
    for metric in METRICS:
        if metric.field != "age":
            for value, number in metric.series(stats).items():
                assert number == seen.pop((metric.opentelemetry, value))
    assert {} == seen


def test_kinds_and_units(make_pricing: Make, provider: MeterProvider, reader: InMemoryMetricReader) -> None:
    """Counters are cumulative and only grow; the rest are gauges; each has its unit and meaning."""
    otel.instrument(make_pricing(), provider)
    data = reader.get_metrics_data()
    assert data is not None
    told = {metric.name: metric for metric in data.resource_metrics[0].scope_metrics[0].metrics}
    for metric in METRICS:
        if (one := told.get(metric.opentelemetry)) is not None:
            kind = (one.data.is_monotonic, "counter") if isinstance(one.data, Sum) else (type(one.data), "other")
            assert kind == ((True, "counter") if metric.kind == "counter" else (Gauge, "other"))
            assert (one.unit, one.description) == (metric.unit, metric.meaning)
    assert "openrouter_pricing.requests" in told


def test_one_pricing_a_provider(make_pricing: Make, provider: MeterProvider, reader: InMemoryMetricReader) -> None:
    """The same again, or another one, is an error, as the API would drop it silently; another provider takes it."""
    pricing = make_pricing()
    otel.instrument(pricing, provider)
    for other in (pricing, make_pricing()):
        with pytest.raises(ValueError, match="meter_provider observes a Pricing already"):
            otel.instrument(other, provider)
    otel.instrument(pricing, MeterProvider(shutdown_on_exit=False))
    pricing.cost(MODEL, 1)
    assert 1 == collected(reader)["openrouter_pricing.l1_answers", ""]


@pytest.mark.parametrize("end", ["closed", "gone"])
def test_the_next_one_takes_the_place(end: str, provider: MeterProvider, reader: InMemoryMetricReader) -> None:
    """Of one that is closed or gone nothing is observed; the next one is."""
    pricing = pinned(row())
    otel.instrument(pricing, provider)
    assert 1 == collected(reader)["openrouter_pricing.models", ""]
    if end == "closed":
        pricing.close()
    else:
        del pricing
        gc.collect()
    assert {} == collected(reader)
    other = pinned(row(), row("a/b"))
    otel.instrument(other, provider)
    assert 2 == collected(reader)["openrouter_pricing.models", ""]


def test_without_a_provider(pinned: Pricing) -> None:
    """The global provider is used, which does nothing until the host sets one."""
    otel.instrument(pinned)
    otel.instrument(pinned, NoOpMeterProvider())
    assert pinned.cost(MODEL, 1).source == "pinned"


def test_wrong_arguments(pinned: Pricing) -> None:
    """The error names the argument."""
    wrong: Any = object()
    with pytest.raises(TypeError, match="pricing must be a Pricing, not object"):
        otel.instrument(wrong)
    with pytest.raises(TypeError, match="meter_provider must be a MeterProvider, not object"):
        otel.instrument(pinned, wrong)
    with pytest.raises(TypeError, match="cost must be a Cost, not object"):
        otel.annotate(trace.INVALID_SPAN, wrong)
    with pytest.raises(TypeError, match="span must be a Span, not object"):
        otel.annotate(wrong, pinned.cost(MODEL, 1))
    assert ["annotate", "instrument"] == otel.__all__


# -- spans -------------------------------------------------------------------------------------------------------------


def annotated(cost: Any) -> dict[str, Any]:
    """The attributes of a span that a cost was written on."""
    span = TracerProvider(shutdown_on_exit=False).get_tracer("test").start_span("chat")
    otel.annotate(span, cost)
    return dict(getattr(span, "attributes", {}))


def test_a_span_says_what_its_call_cost() -> None:
    """Tokens by the conventions' names; money as text, to the last digit, and what priced it."""
    cost = pinned(row(), markup_rate="1.3").cost(MODEL, 1_000_001, 0)
    assert annotated(cost) == {
        "gen_ai.usage.input_tokens": 1_000_001,
        "gen_ai.usage.output_tokens": 0,
        "openrouter_pricing.cost.raw": "0.15000015",
        "openrouter_pricing.cost.total": "0.195000195",
        "openrouter_pricing.cost.source": "pinned",
    }
    assert Decimal(annotated(cost)["openrouter_pricing.cost.total"]) == cost.total


def test_cached_written_and_reasoning_tokens() -> None:
    """They are said where there are any, beside the counts that include them."""
    usage = Usage(prompt_tokens=100, completion_tokens=50, cached_tokens=40, cache_write_tokens=30, reasoning_tokens=20)
    told = annotated(pinned(row()).cost(MODEL, usage=usage))
    assert {key: told[key] for key in told if key.startswith("gen_ai")} == {
        "gen_ai.usage.input_tokens": 100,
        "gen_ai.usage.output_tokens": 50,
        "gen_ai.usage.cache_read.input_tokens": 40,
        "gen_ai.usage.cache_creation.input_tokens": 30,
        "gen_ai.usage.reasoning.output_tokens": 20,
    }


def test_a_cost_without_tokens() -> None:
    """What was only reported says nothing of tokens."""
    told = annotated(pinned(row()).cost_of({"model": "a/film", "usage": {"cost": 0.25}}))
    assert told == {
        "openrouter_pricing.cost.raw": "0.25",
        "openrouter_pricing.cost.total": "0.25",
        "openrouter_pricing.cost.source": "reported",
    }


def test_a_span_that_is_not_recorded() -> None:
    """It stays as it is, and nothing is raised."""
    cost = pinned(row()).cost(MODEL, 1)
    otel.annotate(trace.INVALID_SPAN, cost)
    span = TracerProvider(shutdown_on_exit=False).get_tracer("test").start_span("chat")
    span.end()
    otel.annotate(span, cost)
    assert {} == dict(getattr(span, "attributes", {}))
