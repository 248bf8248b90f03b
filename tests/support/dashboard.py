"""The dashboard and the alert rules of the documentation, and what they ask for."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

EXAMPLES = Path(__file__).resolve().parents[2] / "docs" / "examples"
ALERTS = EXAMPLES / "alerts.yaml"


def dashboard() -> dict[str, Any]:
    """The dashboard, as Grafana imports it."""
    told: dict[str, Any] = json.loads((EXAMPLES / "grafana.json").read_text(encoding="utf-8"))
    return told


def queries() -> list[str]:
    """What its panels ask, with the variables as Grafana fills them in for everything and one minute."""
    targets = [target for panel in dashboard()["panels"] for target in panel["targets"]]
    return [target["expr"].replace("$__rate_interval", "1m").replace("$job", ".*") for target in targets]


def alerts() -> list[str]:
    """What the rules ask; promtool and a real server read the file as it is."""
    text = ALERTS.read_text(encoding="utf-8")
    rules = re.findall(r"^ +expr: (?:>\n((?: {10}.*\n)+)|(.+)\n)", text, re.MULTILINE)
    return [" ".join((folded or plain).split()) for folded, plain in rules]


def names(query: str) -> set[str]:
    """The series that a query names."""
    return set(re.findall(r"\bopenrouter_pricing_\w+", query))
