"""API calls saved: two years of price changes, replayed against caches of different ages."""

from __future__ import annotations

import argparse
import json
import lzma
import math
import random
from collections.abc import Callable, Iterable
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

_BEGIN, _END = "<!-- savings: made by benchmarks/simulate.py -->", "<!-- /savings -->"
_PAGE, _CHART = Path("docs/explanation/savings.md"), Path("docs/images/savings.svg")
_DAY = 86_400
_RECORDED = 12 * 3600  # seconds between two recordings: a change happened at some time in them
TTLS = {
    "1 min": 60,
    "5 min": 300,
    "15 min": 900,
    "1 h": 3600,
    "3 h": 10_800,
    "6 h": 21_600,
    "12 h": 43_200,
    "24 h": _DAY,
}
FLEETS = (1, 10, 100, 1_000, 10_000)
_HOST = 10  # processes that share a store
_COLOURS = ("#d1495b", "#2a7de1", "#2a9d5c", "#b5761b")


class History(NamedTuple):
    """What was listed when.

    Args:
        changes: of each model, the seconds at which its price changed into another one.
        listed: seconds that models were listed, all together.
        days: from the first recording to the last.
        lists: the seconds at which the list became another one: a price changed, or a model appeared or disappeared.
    """

    changes: dict[str, list[float]]
    listed: float
    days: float
    lists: tuple[float, ...] = ()


def read(lines: Iterable[str], chance: random.Random) -> History:
    """A history of recorded changes; each is placed at random between the two recordings that show it."""
    changes: dict[str, list[float]] = {}
    prices: dict[str, Any] = {}
    appears = random.Random(1)
    since: dict[str, float] = {}
    lists: list[float] = []
    listed, first, last = 0.0, math.inf, -math.inf
    for line in lines:
        row = json.loads(line)
        name, pricing = row["id"], None if row["pricing"] is None else _charged(row["pricing"])
        seen = datetime.fromisoformat(row["observed_at"].replace("Z", "+00:00")).timestamp()
        first, last = min(first, seen), max(last, seen)
        if pricing is None:
            listed += seen - since.pop(name, seen)
        else:
            since.setdefault(name, seen)
            before = prices.get(name)
            if before is not None and before != pricing:
                changes.setdefault(name, []).append(seen - chance.random() * _RECORDED)
        if seen > first and pricing != prices.get(name):
            moved = pricing is not None and prices.get(name) is not None
            lists.append(changes[name][-1] if moved else seen - appears.random() * _RECORDED)
        prices[name] = pricing
    listed += sum(last - start for start in since.values())
    each = {name: sorted(times) for name, times in changes.items()}
    return History(each, listed, (last - first) / _DAY, tuple(sorted(lists)))


def _charged(pricing: dict[str, Any]) -> dict[str, Any]:
    """What of a row costs anything: that a key of price 0 comes or goes, or is spelt anew, changes no price."""
    prices = {key: listed if isinstance(listed, list) else Decimal(str(listed)) for key, listed in pricing.items()}
    return {key: price for key, price in prices.items() if price}


def outdated(history: History, ttl: float, chance: random.Random, late: float = 0.0) -> float:
    """The share of costs, spread evenly over time and models, that are computed with a price of before.

    Args:
        history: what was listed when.
        ttl: seconds between two fetches; their phase is random.
        chance: randomness.
        late: seconds from the start of a fetch until its prices are answered with.
    """
    stale = 0.0
    for times in history.changes.values():
        phase, until = chance.random() * ttl, -math.inf
        for moment in times:
            fetched = phase + (math.floor((moment - phase) / ttl) + 1) * ttl + late  # the first after the change
            stale += fetched - max(moment, until) if fetched > until else 0.0
            until = max(until, fetched)
    return stale / history.listed


def requests(processes: int, ttl: float, *, shared: bool) -> float:
    """Requests a day of a fleet in which each process, or each host's shared store, fetches once per ``ttl``."""
    stores = math.ceil(processes / _HOST) if shared else processes
    return stores * _DAY / ttl


def asking(processes: int) -> float:
    """Requests a day of a fleet that asks for the price of each of its costs, one a second and process."""
    return processes * float(_DAY)


def table(history: History, shares: dict[str, float]) -> str:
    """Markdown: per TTL the share of outdated costs, and requests a day with a shared store and without."""
    heads = " | ".join(f"{fleet:,} process{'es' * (fleet > 1)}" for fleet in FLEETS)
    lines = [f"| prices at most | outdated costs | fewer requests | {heads} |", "|---|---|---|" + "---|" * len(FLEETS)]
    for name, ttl in TTLS.items():
        cells = [
            f"{requests(fleet, ttl, shared=True):,.0f} ({requests(fleet, ttl, shared=False):,.0f})" for fleet in FLEETS
        ]
        saved = 1 - requests(FLEETS[0], ttl, shared=False) / asking(FLEETS[0])
        lines.append(f"| {name} old | {shares[name]:.4%} | {saved:.3%} | {' | '.join(cells)} |")
    asked = " | ".join(f"{asking(fleet):,.0f}" for fleet in FLEETS)
    lines.append(f"| asked for each cost | 0 | 0 % | {asked} |")
    changed = sum(map(len, history.changes.values()))
    hour, day, saved = shares["1 h"], shares["24 h"], 1 - requests(1, TTLS["1 h"], shared=False) / asking(1)
    return "\n".join(lines) + (
        f"\n\nRequests a day; in brackets those without a store that the {_HOST} processes of a host share. "
        f"The history has {changed:,} changes of a listed price in {history.days:.0f} days.\n\n"
        f"With the default of one hour, {hour:.4%} of costs are computed with a price that has changed, one in "
        f"{1 / hour:,.0f}; with a day it would be one in {1 / day:,.0f}. It takes {saved:.2%} fewer requests than "
        "asking for each cost, before any store is shared."
    )


def chart(shares: dict[str, float]) -> str:
    """An SVG with two curves over the TTL, on logarithmic scales: outdated costs, and requests that are left."""
    curves = {
        "outdated costs": [shares[name] for name in TTLS],
        "requests left of asking for each cost": [1 / ttl for ttl in TTLS.values()],
    }
    return curved(list(TTLS), curves, range(-6, 1), lambda power: f"{100 * 10.0**power:g} %")


def curved(names: list[str], curves: dict[str, list[float]], powers: range, label: Callable[[int], str]) -> str:
    """An SVG with curves over ``names``, on a logarithmic scale.

    Args:
        names: what stands below.
        curves: their values by their names.
        powers: of ten, that the scale shows.
        label: what it says at each.
    """
    left, width, height = 70, 560, 260
    top = 12 + 18 * ((len(curves) + 1) // 2)
    low, high = powers[0], powers[-1]

    def place(number: int, value: float) -> tuple[float, float]:
        across = left + width * number / (len(names) - 1)
        return across, top + height * (high - max(math.log10(max(value, 1e-99)), low)) / (high - low)

    parts = []
    for number, ((title, values), colour) in enumerate(zip(curves.items(), _COLOURS, strict=False)):
        points = " ".join("{:.1f},{:.1f}".format(*place(at, value)) for at, value in enumerate(values))
        parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2.5"/>')
        across, down = left + 10 + (200 if len(curves) == 2 else 280) * (number % 2), 18 + 18 * (number // 2)
        parts.append(f'<text x="{across}" y="{down}" fill="{colour}">{title}</text>')
    for at, name in enumerate(names):
        parts.append(f'<text x="{place(at, 1)[0]:.0f}" y="{top + height + 18}" text-anchor="middle">{name}</text>')
    for power in powers:
        across, down = place(0, 10.0**power)
        parts.append(f'<text x="{across - 8:.0f}" y="{down + 4:.0f}" text-anchor="end">{label(power)}</text>')
        parts.append(f'<line x1="{left}" x2="{left + width}" y1="{down:.1f}" y2="{down:.1f}" stroke="#8883"/>')
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {left + width + 40} {top + height + 30}" '
        f'font-family="sans-serif" font-size="12" fill="#888">{"".join(parts)}</svg>\n'
    )


def main() -> None:
    """Print the table, and write it and the chart into the docs where asked to."""
    parser = argparse.ArgumentParser(prog="benchmarks/simulate.py", description=__doc__)
    default = Path("../shared/data/price-changes.jsonl.xz")
    parser.add_argument("history", type=Path, nargs="?", default=default, metavar="FILE")
    parser.add_argument("--write", action="store_true", help="write the table and the chart into the docs")
    options = parser.parse_args()
    chance = random.Random(1)
    with lzma.open(options.history, "rt") as file:
        history = read(file, chance)
    shares = {name: outdated(history, ttl, chance) for name, ttl in TTLS.items()}
    text = table(history, shares)
    print(text)
    if options.write:
        write(_PAGE, (_BEGIN, _END), text, _CHART, chart(shares))


def write(page: Path, marks: tuple[str, str], text: str, image: Path, drawn: str) -> None:
    """A table into a page, between its marks, and its chart beside it."""
    before, begin, rest = page.read_text().partition(marks[0])
    _, end, after = rest.partition(marks[1])
    if not begin or not end:
        raise ValueError(f"the page has no {marks[0]} … {marks[1]}")
    page.write_text(f"{before}{marks[0]}\n{text}\n{marks[1]}{after}")
    image.parent.mkdir(exist_ok=True)
    image.write_text(drawn)


if __name__ == "__main__":
    main()
