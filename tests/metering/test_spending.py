"""What lines cost, summed by name."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from msgspec.json import decode, encode

from openrouter_pricing.metering import tallies
from openrouter_pricing.metering.naming import Namer
from openrouter_pricing.metering.shapes import Chat
from openrouter_pricing.metering.spending import Spending
from openrouter_pricing.metering.tallies import Group, Groups


def said(cost: float, **more: Any) -> Any:
    """A response."""
    usage = {"prompt_tokens": 3, "completion_tokens": 1, "cost": cost, **more}
    return decode(encode({"model": "a/plain", "usage": usage}), type=Chat)


def test_each_name_has_a_sum() -> None:
    """Reported, computed and own keys' amounts are summed, and handed over when they are settled."""
    groups: Groups[str] = Groups()
    spending = Spending(Namer("model"), groups)
    spending.add(3, "a/plain", said(0.1), False)
    spending.add(4, "a/plain", said(0.2), False)
    spending.add(5, "a/other", said(0.5, cost_details={"upstream_inference_cost": 0.25}), True)
    spending.fold()
    spending.add(6, "a/other", said(0.5), False, Decimal("0.0625"))
    again: Groups[str] = Groups()
    spending.settle(again)
    spending.add(7, "a/plain", said(1.5), False)
    spending.settle(groups)

    assert {"a/plain": Group(2, Decimal("0.3"), 3), "a/other": Group(2, Decimal("0.8125"), 5)} == groups
    assert {"a/plain": Group(1, Decimal("1.5"), 7)} == again


def test_names_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that are too many to be told apart are one sum."""
    monkeypatch.setattr(tallies, "_MOST_NAMES", 1)
    groups: Groups[str] = Groups()
    spending = Spending(Namer("model"), groups)
    for name in ("a/plain", "a/other", "a/third"):
        spending.add(1, name, said(0.5), False)
        spending.add(2, name, said(0.5), False, Decimal("0.25"))
    spending.settle(groups)

    assert {"a/plain": Group(2, Decimal("0.75"), 1)} == groups
    assert Group(4, Decimal("1.50"), 1) == groups.others
