"""The dashboard and the alert rules of the documentation."""

from __future__ import annotations

import pytest
from support.dashboard import ALERTS, EXAMPLES, alerts, dashboard, names, queries
from support.freshness import MODEL
from support.pinned import pinned
from support.upstream import row

pytest.importorskip("prometheus_client")

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from openrouter_pricing.metrics.prometheus import instrument

if not EXAMPLES.is_dir():
    pytest.skip("the documentation is not at hand", allow_module_level=True)


@pytest.fixture
def exposed() -> dict[str, str]:
    """The name and kind of everything in a text exposition, series or not."""
    registry, pricing = CollectorRegistry(), pinned(row())
    instrument(pricing, registry, models=[MODEL])
    families = text_string_to_metric_families(generate_latest(registry).decode())
    return {family.name + ("_total" if family.type == "counter" else ""): family.type for family in families}


@pytest.mark.parametrize("query", [*queries(), *alerts()])
def test_every_query_asks_for_what_is_exposed(query: str, exposed: dict[str, str]) -> None:
    """Each name is exposed; counters are asked for their growth, and gauges are not."""
    assert names(query)
    assert names(query) <= exposed.keys()
    for name in names(query):
        grows = f"rate({name}" in query or f"increase({name}" in query
        assert grows == (exposed[name] == "counter")


def test_the_dashboard_can_be_imported() -> None:
    """Panels have ids and places of their own, and ask whichever data source is chosen."""
    board = dashboard()
    panels = board["panels"]
    assert len(panels) == len({panel["id"] for panel in panels})
    assert len(panels) == len({(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in panels})
    assert {"${datasource}"} == {target["datasource"]["uid"] for panel in panels for target in panel["targets"]}
    assert {"datasource", "job"} == {variable["name"] for variable in board["templating"]["list"]}


def test_every_alert_is_read() -> None:
    """Each rule has one expression, and the three that a host needs first are there."""
    text = ALERTS.read_text(encoding="utf-8")
    assert len(alerts()) == text.count("- alert:")
    for name in ("age_seconds", "refused_catalogs_total", "breaker_state"):
        assert any(f"openrouter_pricing_{name}" in query for query in alerts())
