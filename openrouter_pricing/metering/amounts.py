"""Amounts: what a response of a known shape reports, on whoever's key."""

from __future__ import annotations

from decimal import Decimal
from functools import partial
from typing import Any

from .._base import money
from .._billing.reported import read_parts

_LEAST, _MOST = 1e-40, 1e39  # USD; what is outside may be no amount
_FEW, _APART = 1_000, 1e-9  # USD; below so many, floats that are so far apart are not of the same amount


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


def parts_of(details: Any, computed: Decimal) -> Decimal | None:
    """USD, what the provider took for prompt and completion, where that may be what was computed: else it says nothing.

    Args:
        details: what was taken, and for what.
        computed: USD.
    """
    one, other = details.upstream_inference_prompt_cost, details.upstream_inference_completions_cost
    if type(one) is type(other) is float and one + other < _FEW and abs(one + other - float(computed)) > _APART:
        return None
    return read_parts(partial(getattr, details))
