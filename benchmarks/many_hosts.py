"""Many hosts: two years of price changes, and a fleet with a store of each host's own or one for all."""

from __future__ import annotations

import argparse
import gzip
import lzma
import math
import random
import statistics
import sys
from pathlib import Path
from typing import NamedTuple

import data
import fleet
import simulate
import workers

_MARKS = "<!-- fleet: made by benchmarks/many_hosts.py -->", "<!-- /fleet -->"
_PAGE, _CHART = Path("docs/how-to/fleet.md"), Path("docs/images/fleet.svg")
_DAY = 86_400
HOSTS, WORKERS = 1_000, 8
TTLS = {"1 min": 60, "10 min": 600, "1 h": 3600, "6 h": 21_600}
_HOUR = "1 h"  # the default
OWN, SHARED, WARM = "each host its own", "one for all", "one for all, warmers"


class Row(NamedTuple):
    """What a fleet does in a day.

    Args:
        requests: to OpenRouter.
        outdated: share of costs.
        late: seconds that a process lags behind its store.
        commands: to the store, a second, on average.
        busiest: to the store in its busiest second.
        bytes: to and from the store, a second, on average, as far as the history says when the list is another one.
        most: the same where each request brought another list.
    """

    requests: float
    outdated: float
    late: float
    commands: float
    busiest: int
    bytes: float
    most: float


def row(history: simulate.History, sizes: dict[str, int], rules: fleet.Rules, *, hosts: int, shared: bool) -> Row:
    """A fleet by one set of rules.

    Args:
        history: of prices.
        sizes: bytes of each command.
        rules: the settings.
        hosts: how many.
        shared: whether all share one store; else each host has one on its disk.
    """
    processes = WORKERS * (hosts if shared else 1)
    found = fleet.measure(processes, rules, max(1, round(1800 / rules.l2_ttl)))
    late = rules.fetch + found.late
    chance = random.Random(2)
    outdated = statistics.fmean(simulate.outdated(history, found.period, chance, late) for _ in range(50))
    requests = _DAY / found.period
    if not shared:
        return Row(requests * hosts, outdated, found.late, 0, 0, 0, 0)
    small = sum(count * sizes.get(name, sizes["GET head"]) for name, count in found.commands.items()) / found.period
    lists = len({math.floor(moment / found.period) for moment in history.lists}) / history.days / _DAY
    taken = processes * sizes["GET list"]
    commands = sum(found.commands.values()) / found.period + lists * processes
    return Row(
        requests, outdated, found.late, commands, found.busiest, small + taken * lists, small + taken / found.period
    )


def rows(history: simulate.History, sizes: dict[str, int], hosts: int) -> dict[tuple[str, str], Row]:
    """All of them, by ``l2_ttl`` and store."""
    found = {}
    for name, ttl in TTLS.items():
        for store, shared, warm in ((OWN, False, False), (SHARED, True, False), (WARM, True, True)):
            found[name, store] = row(history, sizes, fleet.Rules(ttl, warm=warm), hosts=hosts, shared=shared)
    return found


def table(found: dict[tuple[str, str], Row], hosts: int, sizes: dict[str, int]) -> str:
    """Markdown, and what it says."""
    loads = ("commands a second", "in its busiest second", "bytes a second", "if each request brought another list")
    heads = ("`l2_ttl`", "store", "requests a day", "outdated costs", *loads)
    lines = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    for (ttl, store), one in found.items():
        load = ["-"] * 4
        if store != OWN:
            load = [_count(one.commands), f"{one.busiest:,}", _bytes(one.bytes), _bytes(one.most)]
        lines.append(f"| {ttl} | {store} | {one.requests:,.0f} | {one.outdated:.4%} | {' | '.join(load)} |")
    own, shared, warm = (found[_HOUR, store] for store in (OWN, SHARED, WARM))
    rules = fleet.Rules(3600)
    return "\n".join(lines) + (
        f"\n\n{hosts:,} hosts of {WORKERS} processes, each of which asks for one cost a second. A request takes "
        f"{rules.fetch:g} s, `l1_ttl` is {rules.l1_ttl:g} s, and a warmer renews after 55/60 of `l2_ttl`, ±10 %, as by "
        f"default. A list and its way to a process are {sizes['GET list'] / 1000:.0f} kB.\n\n"
        f"With the default of one hour, one store for all makes {shared.requests:,.0f} requests a day of "
        f"{own.requests:,.0f}. With it {shared.outdated:.4%} of costs are computed with a price that has changed, and "
        f"{own.outdated:.4%} without. The store is sent {_count(shared.commands)} commands a second. When prices reach "
        f"`l2_ttl`, all {hosts * WORKERS:,} processes come to see that at once, and those that do not fetch look for "
        f"what the one fetches: {shared.busiest:,} commands in the busiest second. With warmers one process renews the "
        f"list before it is missed, and the others find it at their next look, {warm.late:.0f} s later on average: "
        f"{warm.busiest:,} commands in the busiest second."
    )


def _count(number: float) -> str:
    return f"{number:,.0f}"


def _bytes(number: float) -> str:
    return f"{number / 1e6:.1f} MB" if number >= 1e6 else f"{number / 1e3:.0f} kB"


def chart(found: dict[tuple[str, str], Row]) -> str:
    """An SVG: what OpenRouter and the store are asked, by ``l2_ttl``."""
    curves = {
        "requests a day, a store on each host": [found[ttl, OWN].requests for ttl in TTLS],
        "requests a day, one store for all": [found[ttl, SHARED].requests for ttl in TTLS],
        "commands in the store's busiest second": [float(found[ttl, SHARED].busiest) for ttl in TTLS],
        "the same with warmers": [float(found[ttl, WARM].busiest) for ttl in TTLS],
    }
    return simulate.curved(list(TTLS), curves, range(8), lambda power: f"{10**power:,}")


def main() -> None:
    """Print the table, and write it and the chart into the docs where asked to."""
    parser = argparse.ArgumentParser(prog="benchmarks/many_hosts.py", description=__doc__)
    recorded = Path("../shared/data")
    parser.add_argument("history", type=Path, nargs="?", default=recorded / "price-changes.jsonl.xz", metavar="FILE")
    parser.add_argument("--write", action="store_true", help="write the table and the chart into the docs")
    parser.add_argument("--quick", action="store_true", help=f"{HOSTS // 20} hosts, in a few seconds")
    options = parser.parse_args()
    if not options.history.exists():
        sys.exit(f"skipped, as there are no recorded prices: {options.history}")
    chance = random.Random(1)
    with lzma.open(options.history, "rt") as file:
        history = simulate.read(file, chance)
    lists = sorted((recorded / "catalogs").glob("*.json.gz"))
    sizes = workers.sizes(gzip.decompress(lists[-1].read_bytes()) if lists else data.body())
    hosts = HOSTS // 20 if options.quick else HOSTS
    found = rows(history, sizes, hosts)
    text = table(found, hosts, sizes)
    print(text)
    if options.write:
        simulate.write(_PAGE, _MARKS, text, _CHART, chart(found))


if __name__ == "__main__":
    main()
