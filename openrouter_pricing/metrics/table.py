"""What is measured: every name, its kind and its unit, once, for all systems that metrics are given to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

import attrs

from ..errors import CircuitOpenError, PayloadError, StatusError, TransportError, UpstreamError
from ..pricing import Pricing

if TYPE_CHECKING:
    from .._freshness.stats import Stats

#: A counter grows; a gauge is a number of just now; of states, one is 1 and the others are 0.
Kind: TypeAlias = Literal["counter", "gauge", "states"]

#: The kinds of failed fetches. An error class of a client of yours counts as the last where processes are added up.
FAILURES = tuple(
    error.__name__ for error in (TransportError, StatusError, PayloadError, CircuitOpenError, UpstreamError)
)


@attrs.frozen
class Metric:
    """One metric.

    Args:
        field: the field of :class:`Stats` that it is taken from.
        kind: counter, gauge or states.
        unit: as UCUM writes it; in braces what is counted.
        meaning: for people.
        name: what it is called, without the prefix; its field where left out.
        label: what tells its series apart, if anything does.
        values: those of the label that are always there.
    """

    field: str
    kind: Kind
    unit: str
    meaning: str
    name: str = attrs.field(default=attrs.Factory(lambda self: self.field, takes_self=True), kw_only=True)
    label: str | None = attrs.field(default=None, kw_only=True)
    values: tuple[str, ...] = attrs.field(default=(), kw_only=True)

    @property
    def prometheus(self) -> str:
        """Its name in a Prometheus exposition."""
        return f"openrouter_pricing_{self.name}" + ("_total" if self.kind == "counter" else "")

    @property
    def opentelemetry(self) -> str:
        """Its name as an OpenTelemetry instrument."""
        return f"openrouter_pricing.{self.name}"

    def series(self, stats: Stats) -> dict[str, float]:
        """Its values, by that of its label (an empty text without one); nothing where nothing is known."""
        value = getattr(stats, self.field)
        if self.kind == "states":
            return {state: float(state == value) for state in self.values}
        if self.label is not None:
            return {**dict.fromkeys(self.values, 0.0), **value}
        if value is None:
            return {}
        return {"": value.timestamp() if self.unit == "s" and hasattr(value, "timestamp") else float(value)}


METRICS = (
    Metric("l1_answers", "counter", "{answer}", "Questions answered from the catalogue that the process holds."),
    Metric("l2_reads", "counter", "{read}", "Catalogues read from the backend."),
    Metric("l2_checks", "counter", "{check}", "Times the backend was asked whether there is a newer catalogue."),
    Metric("stale_answers", "counter", "{answer}", "Questions that left L1 and were answered with stale prices."),
    Metric(
        "bundled_answers", "counter", "{answer}", "Questions that left L1 and were answered from the bundled snapshot."
    ),
    Metric("fetches", "counter", "{fetch}", "Fetches started."),
    Metric("requests", "counter", "{request}", "HTTP requests sent, retries and further pages included."),
    Metric("not_modified", "counter", "{fetch}", "Fetches that the upstream answered with 304."),
    Metric("failures", "counter", "{fetch}", "Failed fetches, by their error.", label="error", values=FAILURES),
    Metric("retries", "counter", "{attempt}", "Further attempts within a fetch."),
    Metric("bytes_received", "counter", "By", "Decoded bytes of response bodies."),
    Metric("refused_catalogs", "counter", "{catalogue}", "Catalogues that were not believed."),
    Metric("price_jumps", "counter", "{price}", "Prices that moved more than tenfold between believed lists."),
    Metric("skipped_rows", "counter", "{row}", "Rows of believed catalogues that could not be read."),
    Metric("backend_errors", "counter", "{error}", "Failed questions to the backend."),
    Metric("history_errors", "counter", "{error}", "Failed questions to the price history."),
    Metric("lease_waits", "counter", "{wait}", "Times another process was fetching already."),
    Metric("abandoned", "counter", "{fetch}", "Fetches that outlived their deadline."),
    Metric("listener_errors", "counter", "{error}", "Listeners that raised."),
    Metric("refreshes", "counter", "{fetch}", "Successful fetches."),
    Metric("refresh_seconds", "counter", "s", "Seconds that all successful fetches took together."),
    Metric(
        "breaker",
        "states",
        "1",
        "State of the circuit breaker.",
        name="breaker_state",
        label="state",
        values=("closed", "open", "half-open"),
    ),
    Metric("age", "gauge", "s", "Seconds since the prices in use were fetched.", name="age_seconds"),
    Metric(
        "source",
        "states",
        "1",
        "What questions are answered from.",
        name="source_state",
        label="source",
        values=("live", "stale", "bundled", "pinned"),
    ),
    Metric("models", "gauge", "{model}", "Models held."),
    Metric(
        "last_refresh",
        "gauge",
        "s",
        "When the last successful fetch of the process ended, in Unix time.",
        name="last_refresh_timestamp_seconds",
    ),
    Metric("last_refresh_seconds", "gauge", "s", "Seconds that the last successful fetch took."),
    Metric("warmer_alive", "gauge", "1", "Whether the warmer's thread runs."),
)
COUNTERS = tuple(metric for metric in METRICS if metric.kind == "counter")
GAUGES = tuple(metric for metric in METRICS if metric.kind != "counter")

#: The price of one unit (token, request, image or search), of the models that are asked for.
PRICE = ("openrouter_pricing_price_usd", "Listed price of one unit in USD, by its key; conditional prices left out.")


def check(pricing: object) -> None:
    """Look at what is to be measured.

    Raises:
        TypeError: it is no ``Pricing``.
    """
    if not isinstance(pricing, Pricing):
        raise TypeError(f"pricing must be a Pricing, not {type(pricing).__name__}")
