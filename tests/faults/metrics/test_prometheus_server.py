"""The dashboard and the alert rules, as a real Prometheus reads them."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry, start_http_server
from support.dashboard import ALERTS, alerts, queries
from support.figures import Figure
from support.freshness import MODEL, Make
from support.upstream import Upstream

from openrouter_pricing import UpstreamError
from openrouter_pricing.metrics.prometheus import instrument

pytestmark = pytest.mark.metrics


def program(name: str) -> str:
    """A program of Prometheus; what needs it is skipped where there is none."""
    return shutil.which(name) or pytest.skip(f"no {name}: apt-get install prometheus")


CONFIGURATION = """
global: {{scrape_interval: 200ms, scrape_timeout: 200ms, evaluation_interval: 200ms}}
rule_files: ["{alerts}"]
scrape_configs: [{{job_name: app, static_configs: [{{targets: ["127.0.0.1:{port}"]}}]}}]
"""


def ask(port: int, path: str, **query: str) -> Any:
    """What the server's API answers."""
    url = f"http://127.0.0.1:{port}/api/v1/{path}?{urllib.parse.urlencode(query)}"
    with urllib.request.urlopen(url, timeout=10) as response:
        return json.loads(response.read())["data"]


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


@pytest.fixture
def prometheus(tmp_path: Path, make_pricing: Make, upstream: Upstream) -> Iterator[int]:
    """A Prometheus that scrapes an application of ours; gives its port."""
    registry, port = CollectorRegistry(), free_port()
    pricing = make_pricing(breaker_threshold=1)
    instrument(pricing, registry, models=[MODEL])
    pricing.cost(MODEL, 1)
    server, thread = start_http_server(0, "127.0.0.1", registry)
    configuration = CONFIGURATION.format(alerts=ALERTS, port=server.server_port)
    (tmp_path / "prometheus.yml").write_text(configuration)
    command = [
        program("prometheus"),
        f"--config.file={tmp_path}/prometheus.yml",
        f"--storage.tsdb.path={tmp_path}/tsdb",
    ]
    command.append(f"--web.listen-address=127.0.0.1:{port}")
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        _until(lambda: len(ask(port, "query", query="openrouter_pricing_models[1m]")["result"][0]["values"]) > 2)
        pricing.refresh()
        upstream.fail(503)
        with pytest.raises(UpstreamError):
            pricing.refresh()
        for _ in range(10):
            pricing.cost(MODEL, 1)
        _until(lambda: ask(port, "query", query="openrouter_pricing_l1_answers_total == 11")["result"])
        yield port
    finally:
        process.terminate()
        process.wait(30)
        server.shutdown()
        server.server_close()
        thread.join(30)


def _until(condition: Any) -> None:
    end = time.monotonic() + 60
    while True:
        try:
            if condition():
                return
        except (OSError, LookupError):
            pass
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.1)


def test_every_query_of_the_dashboard(prometheus: int, figure: Figure) -> None:
    """Prometheus answers each query, and each but the alerts has something to show."""
    empty = [query for query in queries() if not ask(prometheus, "query", query=query)["result"]]
    assert [] == empty
    groups = ask(prometheus, "rules")["groups"]
    assert [""] * len(alerts()) == [rule.get("lastError", "") for group in groups for rule in group["rules"]]
    _until(lambda: {alert["labels"]["alertname"] for alert in ask(prometheus, "alerts")["alerts"]})
    told = {alert["labels"]["alertname"]: alert["state"] for alert in ask(prometheus, "alerts")["alerts"]}
    assert {"OpenRouterBreakerOpen": "pending"} == told
    figure("queries of the dashboard, by a real Prometheus", f"{len(queries())} of {len(queries())} have data")
    figure("alert rules, evaluated there", f"{len(alerts())}, without an error; the open breaker is pending")


def test_the_rules_are_rules(figure: Figure) -> None:
    """promtool finds nothing to complain of."""
    done = subprocess.run(
        [program("promtool"), "check", "rules", str(ALERTS)], capture_output=True, text=True, check=False
    )
    assert 0 == done.returncode, done.stderr
    assert f"SUCCESS: {len(alerts())} rules found" in done.stdout
    figure("promtool check rules", f"{len(alerts())} rules, no complaint")


#: What each alert needs to fire, and what is like it and no reason.
CASES: dict[str, tuple[dict[str, str], dict[str, str]]] = {
    "OpenRouterPricesStale": (
        {"age_seconds": "9000+60x60", "l1_answers_total": "0+9x60"},
        {"age_seconds": "9000+60x60", "l1_answers_total": "7+0x60"},
    ),
    "OpenRouterPricesBundled": (
        {'source_state{source="bundled"}': "1+0x60"},
        {'source_state{source="bundled"}': "0+0x60", 'source_state{source="live"}': "1+0x60"},
    ),
    "OpenRouterListRefused": ({"refused_catalogs_total": "0x30 1x30"}, {"refused_catalogs_total": "1+0x60"}),
    "OpenRouterBreakerOpen": (
        {'breaker_state{state="closed"}': "0+0x60", 'breaker_state{state="half-open"}': "1+0x60"},
        {'breaker_state{state="closed"}': "1+0x60", 'breaker_state{state="open"}': "0+0x60"},
    ),
    "OpenRouterStoreFails": ({"backend_errors_total": "0+1x60"}, {"backend_errors_total": "0x30 1x30"}),
}


@pytest.mark.parametrize("number", [0, 1], ids=["fires", "keeps still"])
@pytest.mark.parametrize("name", CASES)
def test_when_an_alert_fires(name: str, number: int, tmp_path: Path) -> None:
    """Each alert fires for what it is meant for after its time, and not for what is only like it."""
    series = [
        {"series": f"openrouter_pricing_{metric}", "values": values} for metric, values in CASES[name][number].items()
    ]
    rules = {"rule_files": [str(ALERTS)], "evaluation_interval": "1m", "tests": []}
    probe = f'count(ALERTS{{alertname="{name}", alertstate="firing"}})'
    expected = [{"labels": "{}", "value": 1}] if number == 0 else []
    test = {"expr": probe, "eval_time": "40m", "exp_samples": expected}
    rules["tests"] = [{"interval": "1m", "input_series": series, "promql_expr_test": [test]}]
    (tmp_path / "test.yml").write_text(json.dumps(rules))
    done = subprocess.run(
        [program("promtool"), "test", "rules", str(tmp_path / "test.yml")], capture_output=True, text=True, check=False
    )
    assert 0 == done.returncode, done.stderr


TIMED = """
import os, sys, time
from openrouter_pricing import Catalog, Pricing
from openrouter_pricing.metrics import prometheus

rows = [{"id": "a/b", "pricing": {"prompt": "1", "completion": "1"}}]
pricings = [Pricing(catalog=Catalog.from_models(rows)) for _ in range(2)]
if sys.argv[1] == "many":
    from prometheus_client import Counter
    counter = Counter("host", "a counter of the host's")
prometheus.instrument(pricings[1])

def seconds(work):
    began = time.process_time()
    for _ in range(25_000):
        work()
    return time.process_time() - began

works = [lambda each=each: each.cost("a/b", 1000, 500) for each in pricings]
if sys.argv[1] == "many":
    works.append(counter.inc)
rounds = [[seconds(work) for work in works] for _ in range(15)]  # in turns, so that what slows the machine slows all
print(*(min(times) * 40 for times in zip(*rounds)))
"""


@pytest.mark.parametrize("mode", ["one", "many"])
def test_what_counting_costs(mode: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, figure: Figure) -> None:
    """In one process nothing; in the client's multiprocess mode less than one count of a counter of the client's."""
    if mode == "many":
        monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", TIMED, mode], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    plain, ours, *host = map(float, done.stdout.split())
    if mode == "one":
        assert ours < 1.25 * plain
        figure("`cost()` in one process", f"{plain:.2f} µs, instrumented {ours:.2f} µs")
    else:
        assert ours - plain < host[0]
        figure(
            "`cost()` in multiprocess mode",
            f"{plain:.2f} µs, instrumented {ours:.2f} µs; a counter of the client takes {host[0]:.2f} µs",
        )
