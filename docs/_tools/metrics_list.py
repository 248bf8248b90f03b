"""The directive ``metrics-list``: every metric as the table of ``metrics`` states it, so that it is typed once."""

from __future__ import annotations

from typing import Any, ClassVar

from docutils import nodes
from docutils.parsers.rst import Directive
from docutils.statemachine import StringList

from openrouter_pricing.metrics.table import METRICS, PRICE


class MetricsList(Directive):
    """A table: the name for Prometheus, that for OpenTelemetry, the kind, and what it means."""

    option_spec: ClassVar[dict[str, Any]] = {}

    def run(self) -> list[nodes.Node]:
        """The table, parsed from Markdown."""
        rows = ["| Prometheus | OpenTelemetry | kind | unit | |", "|---|---|---|---|---|"]
        for metric in METRICS:
            kind = metric.kind if metric.label is None else f"{metric.kind}, by `{metric.label}`"
            names = f"`{metric.prometheus}` | `{metric.opentelemetry}`"
            rows.append(f"| {names} | {kind} | `{metric.unit}` | {metric.meaning} |")
        name, meaning = PRICE
        rows.append(f"| `{name}` | | gauge, by `model` and `key` | USD | {meaning} |")
        listed = nodes.container()
        self.state.nested_parse(StringList(rows, source="metrics"), self.content_offset, listed)
        return [listed]


def setup(app: Any) -> dict[str, bool]:
    """Called by Sphinx."""
    app.add_directive("metrics-list", MetricsList)
    return {"parallel_read_safe": True}
