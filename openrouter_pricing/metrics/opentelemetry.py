"""OpenTelemetry: the same numbers through a meter of the host's, and what a call cost on its span."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable

from opentelemetry.metrics import CallbackOptions, MeterProvider, Observation, get_meter
from opentelemetry.trace import Span

from .._base import money
from .._billing.cost import Cost
from ..pricing import Pricing
from .table import METRICS, Metric, check

__all__ = ["annotate", "instrument"]

#: What a span says of a call's tokens. https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-spans/
#: The cached and the written ones are among the input tokens, and the reasoning ones among the output tokens.
_TOKENS = {
    "prompt_tokens": "gen_ai.usage.input_tokens",
    "completion_tokens": "gen_ai.usage.output_tokens",
    "cached_tokens": "gen_ai.usage.cache_read.input_tokens",
    "cache_write_tokens": "gen_ai.usage.cache_creation.input_tokens",
    "reasoning_tokens": "gen_ai.usage.reasoning.output_tokens",
}

_Seen = list["weakref.ref[Pricing]"]


def instrument(pricing: Pricing, meter_provider: MeterProvider | None = None) -> None:
    """Let a meter observe what ``pricing`` counts, and what holds just now.

    Each collection reads ``pricing.stats()``, and asks nobody. Once the ``Pricing`` is closed or gone nothing is
    observed any more, and another one may take its place. The provider does not keep it alive, and stays yours to shut
    down.

    Args:
        pricing: what is to be measured.
        meter_provider: whose meter; the global one when left out. It takes one ``Pricing``.

    Raises:
        ValueError: the provider observes a ``Pricing`` already.
        TypeError: an argument of the wrong kind.
    """
    check(pricing)
    if meter_provider is not None and not isinstance(meter_provider, MeterProvider):
        raise TypeError(f"meter_provider must be a MeterProvider, not {type(meter_provider).__name__}")
    meter = get_meter("openrouter_pricing", meter_provider=meter_provider)
    # A provider gives the same meter again, whose instruments keep the callbacks that they were first made with.
    seen: _Seen = vars(meter).setdefault("_openrouter_pricing", [])
    if any(_open(each) for each in seen):
        raise ValueError("meter_provider observes a Pricing already: close that one first, or take another provider")
    seen[:] = [weakref.ref(pricing)]
    for metric in METRICS:
        make = meter.create_observable_counter if metric.kind == "counter" else meter.create_observable_gauge
        make(metric.opentelemetry, [_observing(seen, metric)], metric.unit, metric.meaning)


def _open(seen: weakref.ref[Pricing]) -> Pricing | None:
    pricing = seen()
    return None if pricing is None or pricing._live.closed else pricing


def _observing(seen: _Seen, metric: Metric) -> Callable[[CallbackOptions], Iterable[Observation]]:
    def observe(options: CallbackOptions) -> Iterable[Observation]:
        for each in seen:
            if (pricing := _open(each)) is not None:
                for value, number in metric.series(pricing.stats()).items():
                    yield Observation(number, {metric.label: value} if metric.label is not None else {})

    return observe


def annotate(span: Span, cost: Cost) -> None:
    """Say on a span what its call cost.

    ``gen_ai.usage.*`` are the tokens, as the conventions for generative AI name them. ``openrouter_pricing.cost.raw``
    and ``.total`` are USD as text, as a number would not be exact; ``.source`` is what priced the call. A span that is
    not recorded stays as it is.

    Args:
        span: of the call.
        cost: of the call.

    Raises:
        TypeError: an argument of the wrong kind.
    """
    if not isinstance(cost, Cost):
        raise TypeError(f"cost must be a Cost, not {type(cost).__name__}")
    if not isinstance(span, Span):
        raise TypeError(f"span must be a Span, not {type(span).__name__}")
    if not span.is_recording():
        return
    counts = [(key, getattr(cost.usage, field)) for field, key in _TOKENS.items()]
    known = cost.computed is not None  # a cost may be reported without any tokens
    span.set_attributes({key: count for number, (key, count) in enumerate(counts) if count or (known and number < 2)})
    span.set_attributes(
        {
            "openrouter_pricing.cost.raw": money.text(cost.raw),
            "openrouter_pricing.cost.total": money.text(cost.total),
            "openrouter_pricing.cost.source": cost.source,
        }
    )
