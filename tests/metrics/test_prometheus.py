"""Metrics for Prometheus."""

from __future__ import annotations

import gc
import os
import re
import subprocess
import sys
import threading
import weakref
from pathlib import Path
from typing import Any

import pytest
from support.freshness import MODEL, Make, settle
from support.hands import Hands
from support.pinned import ROWS, pinned
from support.upstream import Upstream, models, row

from openrouter_pricing import Pricing, UpstreamError
from openrouter_pricing.metrics.table import COUNTERS, METRICS

pytest.importorskip("prometheus_client")

from prometheus_client import REGISTRY, CollectorRegistry, Counter, generate_latest, multiprocess, values
from prometheus_client.parser import text_string_to_metric_families

from openrouter_pricing.metrics import prometheus
from openrouter_pricing.metrics.prometheus import instrument


@pytest.fixture
def registry() -> CollectorRegistry:
    """One of the test's own."""
    return CollectorRegistry()


@pytest.fixture
def many_processes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The client's multiprocess mode, as if this process had begun with it; gives its folder."""
    folder = tmp_path / "metrics"
    folder.mkdir()
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(folder))
    monkeypatch.setattr(values, "ValueClass", values.MultiProcessValue())
    return folder


def scraped(registry: CollectorRegistry, name: str, **labels: str) -> float | None:
    """The value of one series in a text exposition."""
    for family in text_string_to_metric_families(generate_latest(registry).decode()):
        for sample in family.samples:
            if (sample.name, sample.labels) == (f"openrouter_pricing_{name}", labels):
                return sample.value
    return None


def test_what_is_scraped_is_what_the_statistics_say(
    make_pricing: Make, upstream: Upstream, hands: Hands, registry: CollectorRegistry
) -> None:
    """Every counter and gauge has the value of its field, before, after and between questions."""
    pricing = make_pricing(clock=hands.clock)
    pricing.cost(MODEL, 1)
    instrument(pricing, registry)
    upstream.fail(503)
    with pytest.raises(UpstreamError):
        pricing.refresh()
    hands.turn(90)
    for _ in range(5):
        pricing.cost(MODEL, 1)
    settle()
    stats = pricing.stats()
    assert (stats.l1_answers, stats.requests, stats.failures, stats.age) == (6, 2, {"StatusError": 1}, 90.0)
    for metric in METRICS:
        for value, number in metric.series(stats).items():
            labels = {metric.label: value} if metric.label is not None else {}
            assert number == scraped(registry, metric.prometheus.removeprefix("openrouter_pricing_"), **labels)


def test_the_exposition_is_typed(make_pricing: Make, registry: CollectorRegistry) -> None:
    """Each metric has its kind and its help; nothing is a series per model."""
    instrument(make_pricing(), registry)
    families = {each.name: each for each in text_string_to_metric_families(generate_latest(registry).decode())}
    for metric in METRICS:
        family = families[metric.prometheus.removesuffix("_total")]
        assert (family.type, family.documentation) == ("counter" if metric in COUNTERS else "gauge", metric.meaning)
    assert [] == families["openrouter_pricing_price_usd"].samples


def test_the_default_registry(make_pricing: Make) -> None:
    """Without a registry it is the client's own, and the place is free when the ``Pricing`` is closed."""
    for _ in range(2):
        pricing = make_pricing()
        instrument(pricing)
        assert 0.0 == REGISTRY.get_sample_value("openrouter_pricing_fetches_total")
        pricing.close()
        assert REGISTRY.get_sample_value("openrouter_pricing_fetches_total") is None


def test_prices_of_models(registry: CollectorRegistry) -> None:
    """Chosen models have a series for each price they list; those without one of their own, and unknown ones, none."""
    unpriced = row("a/video", pricing={"prompt": "0", "completion": "0"})
    unpriced["architecture"] = {"output_modalities": ["video"]}
    pricing = pinned(*ROWS, unpriced)
    instrument(pricing, registry, models=iter([MODEL, "a/asking", MODEL, "a/router", "a/video", "nobody/knows"]))
    shown = {
        (sample.labels["model"], sample.labels["key"]): sample.value
        for family in registry.collect()
        for sample in family.samples
        if sample.name == "openrouter_pricing_price_usd"
    }
    assert shown == {
        (MODEL, "prompt"): 1.5e-7,
        (MODEL, "completion"): 6e-7,
        (MODEL, "input_cache_read"): 7.5e-8,
        ("a/asking", "prompt"): 0.0,
        ("a/asking", "completion"): 0.0,
        ("a/asking", "request"): 0.005,
    }


def test_hostile_names_stay_text(registry: CollectorRegistry) -> None:
    """What would end a label is escaped, and reads back as it was; a name that no model has is left out."""
    name = 'a/"b"\\'
    pricing = pinned(row(name))
    instrument(pricing, registry, models=[name, "a/b\n# TYPE x counter", "", "a/b:free"])
    assert 1.5e-7 == scraped(registry, "price_usd", model=name, key="prompt")


def test_a_scrape_asks_nobody(make_pricing: Make, upstream: Upstream, registry: CollectorRegistry) -> None:
    """Before the first question, and when everything is too old, a scrape sends nothing and starts no thread."""
    hands = Hands()
    pricing = make_pricing(clock=hands.clock)
    instrument(pricing, registry, models=[MODEL])
    assert scraped(registry, "price_usd", model=MODEL, key="prompt") is None
    assert [] == upstream.requests
    pricing.cost(MODEL, 1)
    settle()
    hands.turn(100_000)
    threads = {*threading.enumerate()}
    assert 1.5e-7 == scraped(registry, "price_usd", model=MODEL, key="prompt")
    assert 100_000.0 == scraped(registry, "age_seconds")
    assert (1, set()) == (len(upstream.requests), {*threading.enumerate()} - threads)


def test_twice_is_an_error(make_pricing: Make, registry: CollectorRegistry) -> None:
    """A registry takes one ``Pricing``: the same again, or another one, is told so, and nothing is lost."""
    pricing = make_pricing()
    instrument(pricing, registry)
    for other in (pricing, make_pricing()):
        with pytest.raises(ValueError, match="registry has the metrics of a Pricing already"):
            instrument(other, registry)
    pricing.cost(MODEL, 1)
    assert 1.0 == scraped(registry, "l1_answers_total")


def test_two_in_registries_of_their_own(make_pricing: Make) -> None:
    """Each registry shows its own."""
    registries = CollectorRegistry(), CollectorRegistry()
    for count, each in enumerate(registries):
        pricing = make_pricing()
        instrument(pricing, each)
        for _ in range(count):
            pricing.cost(MODEL, 1)
    assert [0.0, 1.0] == [scraped(each, "l1_answers_total") for each in registries]


def test_names_of_others_are_left_alone(make_pricing: Make, registry: CollectorRegistry) -> None:
    """A metric of the host's under one of the names is an error, and stays."""
    Counter("openrouter_pricing_requests", "mine", registry=registry)
    with pytest.raises(ValueError, match="already"):
        instrument(make_pricing(), registry)
    assert 0.0 == scraped(registry, "requests_total")


@pytest.mark.parametrize("end", ["closed", "gone"])
def test_nothing_is_left(make_pricing: Make, registry: CollectorRegistry, end: str) -> None:
    """The registry does not keep a ``Pricing`` alive; once it is closed or gone, nothing is shown and nothing stays."""
    pricing = pinned(row()) if end == "gone" else make_pricing()
    instrument(pricing, registry, models=[MODEL])
    seen = weakref.ref(pricing)
    if end == "closed":
        pricing.close()
    del pricing
    gc.collect()
    assert (seen() is None) == (end == "gone")
    assert b"" == generate_latest(registry)
    for collector in list(registry._collector_to_names):
        raise AssertionError(f"{collector} is still there")
    other = pinned(row())
    instrument(other, registry)
    assert 1.0 == scraped(registry, "models")


def test_the_place_of_one_that_is_closed(registry: CollectorRegistry) -> None:
    """Another one takes it, without a scrape between."""
    before, after = pinned(row()), pinned(row())
    instrument(before, registry)
    before.close()
    instrument(after, registry)
    after.cost(MODEL, 1)
    assert 1.0 == scraped(registry, "l1_answers_total")


def test_two_scrapes_at_once_of_one_that_is_closed(registry: CollectorRegistry) -> None:
    """Both say nothing: the second finds that it has left."""
    pricing = pinned(row())
    instrument(pricing, registry)
    first, second = registry.collect(), registry.collect()
    assert "openrouter_pricing" in next(first).name
    scrapes: list[Any] = [registry.collect() for _ in range(2)]
    (collector,) = registry._collector_to_names
    pricing.close()
    assert [[], []] == [list(collector.collect()) for _ in scrapes]
    assert [] == list(second)


@pytest.mark.parametrize("which", ["pricing", "registry", "models", "bytes", "number", "ids"])
def test_wrong_arguments(which: str, registry: CollectorRegistry) -> None:
    """The error names the argument, and nothing was registered."""
    wrong: dict[str, tuple[dict[str, Any], str]] = {
        "pricing": ({"pricing": object()}, "pricing must be a Pricing, not object"),
        "registry": ({"registry": "default"}, "registry must be a CollectorRegistry, not str"),
        "models": ({"models": MODEL}, "models must be a list of ids, not str"),
        "bytes": ({"models": b"a"}, "models must be a list of ids, not bytes"),
        "number": ({"models": 3}, "models must be a list of ids, not int"),
        "ids": ({"models": [MODEL, 3]}, "models must be ids, not int"),
    }
    arguments, message = wrong[which]
    with pytest.raises(TypeError, match=re.escape(message)):
        instrument(**{"pricing": pinned(row()), "registry": registry, **arguments})
    assert b"" == generate_latest(registry)
    assert ["instrument"] == prometheus.__all__


# -- many processes ----------------------------------------------------------------------------------------------------


def test_one_registry_is_enough(many_processes: Path, make_pricing: Make, upstream: Upstream) -> None:
    """The registry that is scraped has the counters of all processes from their files, and the gauges of this one."""
    pricing = make_pricing()
    pricing.cost(MODEL, 1)
    pricing.cost(MODEL, 1)
    registry = CollectorRegistry()
    multiprocess.MultiProcessCollector(registry)
    instrument(pricing, registry, models=[MODEL])
    upstream.answer.body = models(row(), row("a/b"))
    pricing.refresh()
    pricing.cost(MODEL, 1)
    settle()
    assert (3, 2) == (pricing.stats().l1_answers, pricing.stats().requests)
    for metric in METRICS:
        for value, number in metric.series(pricing.stats()).items():
            labels = {metric.label: value} if metric.label is not None else {}
            if metric.field != "age":
                assert number == scraped(registry, metric.prometheus.removeprefix("openrouter_pricing_"), **labels)
    assert scraped(registry, "age_seconds") is not None
    assert 1.5e-7 == scraped(registry, "price_usd", model=MODEL, key="prompt")


def test_a_registry_for_each_scrape(many_processes: Path, make_pricing: Make) -> None:
    """As the client's own recipe has it: counted once, however often the registry of a scrape is instrumented."""
    pricing = make_pricing()
    instrument(pricing, CollectorRegistry())
    for count in range(3):
        pricing.cost(MODEL, 1)
        registry = CollectorRegistry()
        multiprocess.MultiProcessCollector(registry)
        bare = scraped(registry, "l1_answers_total"), scraped(registry, "models")
        instrument(pricing, registry)
        whole = scraped(registry, "l1_answers_total"), scraped(registry, "models")
        assert ((count + 1.0, None), (count + 1.0, 1.0)) == (bare, whole)
    assert 1 == len(list(many_processes.glob("*.db")))


def test_counts_outlive_the_pricing(many_processes: Path) -> None:
    """What a ``Pricing`` counted stays when it is closed, and counts of the next one are added."""
    registry = CollectorRegistry()
    multiprocess.MultiProcessCollector(registry)
    for _ in range(2):
        pricing = pinned(row())
        instrument(pricing, registry)
        pricing.cost(MODEL, 1)
        pricing.close()
    assert (2.0, None) == (scraped(registry, "l1_answers_total"), scraped(registry, "models"))


@pytest.mark.parametrize("missing", ["folder", "variable"])
def test_a_folder_that_is_not_there(missing: str, many_processes: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is told at once, and nothing is half done."""
    if missing == "folder":
        many_processes.rmdir()
    else:
        monkeypatch.delenv("PROMETHEUS_MULTIPROC_DIR")
    pricing, registry = pinned(row()), CollectorRegistry()
    with pytest.raises((FileNotFoundError, KeyError), match="metrics" if missing == "folder" else "MULTIPROC_DIR"):
        instrument(pricing, registry)
    assert (b"", 0) == (generate_latest(registry), pricing._answers)


SCRIPT = """
import os, sys
from prometheus_client import CollectorRegistry, multiprocess
from openrouter_pricing import Catalog, Pricing
from openrouter_pricing.metrics import prometheus

rows = [{"id": "a/b", "pricing": {"prompt": "1", "completion": "1"}}]
pricing = Pricing(catalog=Catalog.from_models(rows))
prometheus.instrument(pricing)
pricing.cost("a/b", 1)
for number in range(3):
    pid = os.fork()
    if pid == 0:
        for _ in range(number):
            pricing.cost("a/b", 1)
        os._exit(pricing.stats().l1_answers)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == number
registry = CollectorRegistry()
multiprocess.MultiProcessCollector(registry)
print(registry.get_sample_value("openrouter_pricing_l1_answers_total"), pricing.stats().l1_answers)
"""


def test_processes_of_their_own(tmp_path: Path) -> None:
    """In a process that begins in that mode, forked children count anew, and once; the sum is exact."""
    environment = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}
    command = [sys.executable, "-W", "ignore", "-c", SCRIPT]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment, cwd=tmp_path)
    assert ("4.0 1\n", "") == (done.stdout, done.stderr)


def test_importing_the_sdk_imports_none_of_it(tmp_path: Path) -> None:
    """Neither the client nor these rooms come with the SDK, or with a cost."""
    code = (
        "import sys\n"
        "from openrouter_pricing import Catalog, Pricing\n"
        "rows = [{'id': 'a/b', 'pricing': {'prompt': '1', 'completion': '1'}}]\n"
        "pricing = Pricing(catalog=Catalog.from_models(rows))\n"
        "pricing.cost('a/b', 1), pricing.stats()\n"
        "print([name for name in sys.modules if name.startswith(('prometheus', 'opentelemetry')) or 'metrics' in name])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert "[]\n" == done.stdout


def test_an_instrumented_cost_runs_the_same_code(registry: CollectorRegistry) -> None:
    """In one process nothing of a ``Pricing`` is replaced: its count stays a plain number."""
    pricing = pinned(row())
    before = dict(vars(pricing))
    instrument(pricing, registry)
    assert before == vars(pricing)
    assert Pricing.cost is type(pricing).cost
