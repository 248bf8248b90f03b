"""Amounts: what a response of a known shape reports, on whoever's key."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from .._base import money

_LEAST, _MOST = 1e-40, 1e39  # USD; what is outside may be no amount


def is_own_key(said: Any) -> bool | None:
    """Whether a call ran on one's own key; None where that is in doubt, or an amount cannot be taken as it stands."""
    usage, details = said.usage, said.usage.cost_details
    cost, upstream = usage.cost, None if details is None else details.upstream_inference_cost
    flag = said.is_byok if usage.is_byok is None else usage.is_byok
    if flag is None and (said.openrouter_metadata is not None or upstream not in (None, cost)):
        return None
    if flag and (upstream is None or cost is None):
        return None
    return bool(flag) if _is_amount(cost) and _is_amount(upstream) else None


def _is_amount(usd: float | None) -> bool:
    return not usd or _LEAST < usd < _MOST


def reported_of(usage: Any, own_key: bool) -> Decimal:
    """USD, what a usage reports: the cost, or the fee and what the provider took."""
    cost = money.read(usage.cost, "cost")
    if not own_key:
        return cost
    return money.add(cost, money.read(usage.cost_details.upstream_inference_cost, "upstream_inference_cost"))
