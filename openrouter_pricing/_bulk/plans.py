"""Plan: what each count of a usage adds to the bill at some rates, found by asking ``charge()``."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import NamedTuple

import attrs

from .._base import money
from .._billing import cost as billing
from .._billing.usage import Usage
from .._prices.rates import PRICE_KEYS, Rates
from ..errors import PricingError, UnpricedUsageError

#: Every count of a usage.
COUNTS = tuple(field.name for field in attrs.fields(Usage))
#: Counts that are inside another one, in the order in which they are taken out of it.
INSIDE = {
    "prompt_tokens": (
        "cached_tokens",
        "cache_write_tokens",
        "cache_write_1h_tokens",
        "audio_tokens",
        "image_tokens",
    ),
    "completion_tokens": ("reasoning_tokens", "audio_output_tokens", "image_output_tokens"),
}
#: Counts that may be charged beside the prompt that they are counted in.
WRITES = ("cache_write_tokens", "cache_write_1h_tokens")
_ALONE = ("prompt_tokens", "completion_tokens", "requests", "images", "web_searches")

_MONDAY = datetime(2026, 1, 5, tzinfo=timezone.utc)


class Plan(NamedTuple):
    """How a usage is charged at some rates without conditions.

    Args:
        steps: USD that one more of each count adds; for a count inside another one, beside what that one adds.
        items: the price key of each count that has a price of its own.
        beside: writes that are charged on top of the prompt.
        unlisted: counts that are without a price.
        dead: nothing can be priced at all.
    """

    steps: dict[str, Decimal]
    items: dict[str, str]
    beside: frozenset[str] = frozenset()
    unlisted: frozenset[str] = frozenset()
    dead: bool = False


def probe(model_id: str, rates: Rates) -> Plan:
    """Ask what each count adds, one at a time. What the answers make together is for :func:`proof` to check.

    Args:
        model_id: whose they are.
        rates: with no conditional prices, and none that is negative.

    Raises:
        PricingError: something is charged at a price that is not listed.
    """
    if _asked(rates) is None:
        return Plan({}, {}, dead=True)
    steps: dict[str, Decimal] = {}
    items: dict[str, str] = {}
    unlisted, beside = set(), set()
    for name in _ALONE:
        if (cost := _asked(rates, **{name: 1})) is None:
            unlisted.add(name)
        else:
            _check_listed(model_id, rates, cost)
            steps[name] = cost.raw
            if cost.lines:
                items[name] = cost.lines[0].item
    for whole, parts in INSIDE.items():
        for name in parts:
            if (cost := _asked(rates, **{whole: 1, name: 1})) is None:
                continue  # it has no price of its own, and the whole has none
            _check_listed(model_id, rates, cost)
            own = [line.item for line in cost.lines if line.item != items.get(whole)]
            if own:
                items[name] = own[0]
            steps[name] = money.subtract(cost.raw, steps.get(whole, money.ZERO))
            if name in WRITES and own and _is_beside(rates, name):
                beside.add(name)
    return Plan(steps, items, frozenset(beside), frozenset(unlisted))


def _check_listed(model_id: str, rates: Rates, cost: billing.Cost) -> None:
    listed = [getattr(rates, key) for key in PRICE_KEYS]
    for line in cost.lines:
        if line.unit_price not in listed:
            raise PricingError(
                f"the billing rules of {model_id} cannot be carried to many rows: {line.item} is charged at "
                f"{money.plain(line.unit_price)} USD, which is no price of its list"
            )


def _is_beside(rates: Rates, name: str) -> bool:
    """Whether a write is charged where a cache was read for the whole prompt."""
    read = _asked(rates, prompt_tokens=1, cached_tokens=1)
    both = _asked(rates, prompt_tokens=1, cached_tokens=1, **{name: 1})
    return read is not None and both is not None and both.raw != read.raw


def _asked(rates: Rates, **counts: int) -> billing.Cost | None:
    try:
        return billing.charge(rates, Usage(**{"requests": 0, **counts}))
    except UnpricedUsageError:
        return None


class Regimes(NamedTuple):
    """Where the prices of a model change.

    Args:
        thresholds: prompt tokens; what holds above one differs from what holds up to it.
        minutes: of the week, from Monday on (UTC), at which something may change; the first is 0.
        plans: one for each threshold and minute, those of the lowest threshold first.
    """

    thresholds: tuple[int, ...]
    minutes: tuple[int, ...]
    plans: tuple[Plan, ...]

    @property
    def timed(self) -> bool:
        """Whether the instant of a call matters."""
        return len(self.minutes) > 1


def regimes(model_id: str, rates: Rates) -> Regimes:
    """The plans of all conditions that can hold.

    Args:
        model_id: whose they are.
        rates: with no negative price.

    Raises:
        PricingError: as for :func:`probe`.
    """
    thresholds = sorted(
        {
            min(max(int(entry.min_prompt_tokens.to_integral_value(rounding="ROUND_FLOOR")), -1), money.MAX_COUNT)
            for entry in rates.overrides
            if entry.min_prompt_tokens is not None
        }
    )
    minutes = {0}
    if rates.timed:
        for day in range(7):
            for entry in rates.overrides:
                inside = (0, entry.utc_start or 0, entry.utc_end or 0)
                minutes |= {day * 1440 + minute for minute in inside if minute < 1440}
    starts = tuple(sorted(minutes))
    plans: dict[int, tuple[Rates, Plan]] = {}
    grid = []
    for tokens in (0, *(threshold + 1 for threshold in thresholds)):
        for start in starts:
            effective = rates.effective(tokens, instant(start)) if rates.overrides else rates
            if id(effective) not in plans:
                plans[id(effective)] = effective, probe(model_id, effective)
            grid.append(plans[id(effective)][1])
    return Regimes(tuple(thresholds), starts, tuple(grid))


def instant(minute: int) -> datetime:
    """A time at that minute of a week."""
    return _MONDAY + timedelta(minutes=minute)
