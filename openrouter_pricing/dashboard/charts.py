"""Step charts of what a model cost, as numbers that a template draws.

Places along the time axis are per cent of the width, so that a chart fits any screen and its letters keep their size.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import NamedTuple

import attrs

from .._history.periods import PricePeriod
from .._prices.rates import PRICE_KEYS, Rates
from .._prices.words import unit_price
from .figures import shortened

#: What a chart shows.
SPAN = timedelta(days=730)
_TOP, _BOTTOM = 26.0, 118.0  # pixels; room for the labels is above and below
_MOST_PANELS = 2
_EDGE = 4.0  # per cent; a label nearer to an edge would be cut
_LABELS = {"prompt": "Prompt", "completion": "Completion"}


class Line(NamedTuple):
    """A straight line: along the time, or a step.

    Args:
        x1, x2: per cent of the width.
        y1, y2: pixels.
    """

    x1: str
    y1: str
    x2: str
    y2: str


class Tick(NamedTuple):
    """A label of the time axis, at so many per cent of the width."""

    x: str
    label: str


@attrs.frozen
class Panel:
    """One price over time.

    Args:
        name: which, and per what.
        lines: what is drawn.
        most: the label of the upper edge.
        last: the last price, in words.
        words: what the chart shows, for whoever cannot see it.
        ticks: the labels of the time axis.
    """

    name: str
    lines: tuple[Line, ...]
    most: str
    last: str
    words: str
    ticks: tuple[Tick, ...]


def panels(periods: Sequence[PricePeriod], now: datetime) -> list[Panel]:
    """A chart for each of the prices that matter most; none where nothing had a price in that time.

    Args:
        periods: oldest first; one without an end reaches to ``now``.
        now: the right edge.
    """
    begin = now - SPAN
    seen = [period for period in periods if period.until is None or period.until > begin]
    keys = [key for key in PRICE_KEYS if any((getattr(period.rates, key) or 0) > 0 for period in seen)]
    ticks = tuple(_ticks(begin, now))
    return [_panel(key, seen, begin, now, ticks) for key in keys[:_MOST_PANELS]]


def _panel(key: str, periods: Sequence[PricePeriod], begin: datetime, now: datetime, ticks: tuple[Tick, ...]) -> Panel:
    values = [(period, *_value(key, period.rates)) for period in periods]
    shown = [(period, value) for period, value, _ in values if value is not None]
    most = _nice(max(value for _, value in shown))

    def across(when: datetime) -> str:
        return f"{100 * min(max((when - begin) / SPAN, 0.0), 1.0):.2f}%"

    def up(value: Decimal) -> str:
        return f"{_BOTTOM - float(value / most) * (_BOTTOM - _TOP):.1f}"

    lines: list[Line] = []
    last: tuple[datetime | None, str] | None = None
    for period, value in shown:
        start, height = across(period.since), up(value)
        if last is not None and last[0] == period.since and last[1] != height:
            lines.append(Line(start, last[1], start, height))
        lines.append(Line(start, height, across(now if period.until is None else period.until), height))
        last = period.until, height
    unit = next((unit for _, _, unit in reversed(values) if unit), "")
    first, final = shown[0], shown[-1]
    name = f"{_LABELS.get(key, key.replace('_', ' ').capitalize())}, USD per {unit}"
    final_text = shortened(final[1])
    words = (
        f"{name}: {shortened(first[1])} on {first[0].since:%Y-%m-%d}, then {len(shown) - 1} changes; "
        f"between {shortened(min(value for _, value in shown))} and {shortened(max(value for _, value in shown))}; "
        f"last {final_text}."
    )
    return Panel(name, tuple(lines), shortened(most), final_text, words, ticks)


def _value(key: str, rates: Rates) -> tuple[Decimal | None, str]:
    """A price in the unit that people know it by; None where there is none that a chart can show."""
    text, unit = unit_price(key, getattr(rates, key), rates.prompt)
    return (Decimal(text), unit) if unit else (None, "")


def _nice(most: Decimal) -> Decimal:
    """A round number that is no less."""
    size = Decimal(10) ** math.floor(most.log10())
    return next(size * step for step in map(Decimal, ("1", "1.5", "2", "3", "5", "7.5", "10")) if most <= size * step)


def _ticks(begin: datetime, end: datetime) -> Iterable[Tick]:
    """January and July."""
    for year in range(begin.year, end.year + 1):
        for month, label in ((1, str(year)), (7, "July")):
            place = 100 * ((datetime(year, month, 1, tzinfo=timezone.utc) - begin) / (end - begin))
            if _EDGE <= place <= 100 - _EDGE:
                yield Tick(f"{place:.2f}%", label)
