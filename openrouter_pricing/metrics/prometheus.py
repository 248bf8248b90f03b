"""Prometheus: what a ``Pricing`` counts and holds, in a registry of ``prometheus_client``."""

from __future__ import annotations

import os
import weakref
from collections.abc import Iterable, Iterator
from decimal import Decimal

from prometheus_client import REGISTRY, CollectorRegistry, values
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.registry import Collector

from .._prices.catalog import Catalog
from .._prices.rates import PRICE_KEYS
from ..errors import UnknownModelError
from ..pricing import Pricing
from .table import GAUGES, METRICS, PRICE, Metric, check

__all__ = ["instrument"]


def instrument(pricing: Pricing, registry: CollectorRegistry = REGISTRY, *, models: Iterable[str] = ()) -> None:
    """Give what ``pricing`` counts, and what holds just now, to every scrape of ``registry``.

    A scrape asks nobody and waits for nothing. Once the ``Pricing`` is closed or gone it says nothing any more, and
    another one may take its place. A registry does not keep it alive.

    In the client's multiprocess mode the counters of all processes are added up by its ``MultiProcessCollector``,
    those of processes that have ended included. What holds just now is said of the process that is scraped, by the
    registry that is scraped there: instrument that one, in addition to or instead of any other.

    Args:
        pricing: what is to be measured.
        registry: where it is scraped; it takes one ``Pricing``.
        models: ids of those whose prices are shown, in USD for one unit: a series for each and each price that it
            lists. One that is not listed, or has no price of its own, is left out of a scrape.

    Raises:
        ValueError: the registry has the metrics of a ``Pricing`` already.
        TypeError: an argument of the wrong kind.
        OSError: in multiprocess mode, no file can be made in its folder.
    """
    check(pricing)
    if not isinstance(registry, CollectorRegistry):
        raise TypeError(f"registry must be a CollectorRegistry, not {type(registry).__name__}")
    multiprocess = values.ValueClass is not values.MutexValue
    collector = _Collector(pricing, registry, _ids(models), GAUGES if multiprocess else METRICS)
    try:
        collector.enter()
    except ValueError:
        for _ in registry.restricted_registry([GAUGES[0].prometheus]).collect():
            pass  # one whose Pricing is closed or gone leaves when it is asked
        collector.enter()
    if multiprocess and type(pricing._answers) is int:
        from .multiprocess import Tallies

        try:
            tallies = Tallies(os.environ["PROMETHEUS_MULTIPROC_DIR"])
        except (OSError, KeyError):
            collector.leave()
            raise
        pricing._observe(tallies, tallies.answers)


def _ids(models: Iterable[str]) -> tuple[str, ...]:
    if isinstance(models, (str, bytes)) or not isinstance(models, Iterable):
        raise TypeError(f"models must be a list of ids, not {type(models).__name__}")
    ids = tuple(dict.fromkeys(models))
    for model in ids:
        if not isinstance(model, str):
            raise TypeError(f"models must be ids, not {type(model).__name__}")
    return ids


class _Collector(Collector):
    """Says what holds when it is asked, while there is something to say."""

    def __init__(
        self, pricing: Pricing, registry: CollectorRegistry, models: tuple[str, ...], metrics: tuple[Metric, ...]
    ) -> None:
        self._pricing = weakref.ref(pricing)
        self._registry = registry
        self._models = models
        self._metrics = metrics

    def enter(self) -> None:
        """Be asked by every scrape."""
        try:
            self._registry.register(self)
        except ValueError as error:
            raise ValueError(
                "registry has the metrics of a Pricing already: close that one first, or take another registry"
            ) from error

    def leave(self) -> None:
        """Be asked no more."""
        try:
            self._registry.unregister(self)
        except KeyError:  # another scrape was faster
            return

    def describe(self) -> Iterator[Family]:
        """The names alone."""
        return iter([*(_family(metric) for metric in self._metrics), _prices()])

    def collect(self) -> Iterator[Family]:
        """Called by each scrape."""
        pricing = self._pricing()
        if pricing is None or pricing._live.closed:
            self.leave()
            return
        stats = pricing.stats()
        for metric in self._metrics:
            family = _family(metric)
            for value, number in metric.series(stats).items():
                family.add_metric([value] if metric.label is not None else [], number)
            yield family
        prices, held = _prices(), pricing._live.cache.held
        if held is not None:
            for model in self._models:
                for key, price in _listed(held.catalog, model):
                    prices.add_metric([model, key], float(price))
        yield prices


def _family(metric: Metric) -> CounterMetricFamily | GaugeMetricFamily:
    make = CounterMetricFamily if metric.kind == "counter" else GaugeMetricFamily
    return make(metric.prometheus, metric.meaning, labels=[] if metric.label is None else [metric.label])


def _prices() -> GaugeMetricFamily:
    name, meaning = PRICE
    return GaugeMetricFamily(name, meaning, labels=["model", "key"])


def _listed(catalog: Catalog, model: str) -> Iterator[tuple[str, Decimal]]:
    """What a model lists for each unit; nothing where that is not known."""
    try:
        rates = catalog[model].rates
    except UnknownModelError:
        return
    if not rates.variable and rates.unpriced is None:
        for key in PRICE_KEYS:
            if (price := getattr(rates, key)) is not None:
                yield key, price
