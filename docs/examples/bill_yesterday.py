"""Bills yesterday's calls: reads their log, writes one bill for each customer.

    python bill_yesterday.py LOGS BILLS [DAY]

LOGS/DAY.jsonl holds a call a line: {"customer": "ann", "response": {...}}. The exit
status is 0 if all was billed, 1 if a person must look at some lines, 2 if there is
no log.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path

from openrouter_pricing import Cost, Pricing, PricingError, Settings, Total


def main(logs: str, bills: str, day: str = "") -> int:
    """Bill one day; yesterday (UTC) when no other is given."""
    day = day or f"{datetime.now(timezone.utc) - timedelta(days=1):%Y-%m-%d}"
    log = Path(logs, f"{day}.jsonl")
    if not log.is_file():
        print(f"there is no log {log}", file=sys.stderr)
        return 2
    owed: defaultdict[str, Total] = defaultdict(Total)
    problems = []
    # This process answers once: it waits for fresh prices, until the deadline at most.
    with Pricing(Settings.from_env(stale_while_revalidate=0)) as pricing:
        for number, customer, cost in priced(pricing, log):
            if isinstance(cost, Cost):
                owed[customer] += cost
                if cost.reported is None and cost.source != "live":
                    problems.append(f"line {number}: priced by {cost.source} prices")
            else:
                problems.append(f"line {number}: {cost}")
    bill = {customer: total.to_dict() for customer, total in sorted(owed.items())}
    replace(Path(bills, f"{day}.json"), json.dumps(bill, indent=1))
    print(f"{day}: {sum(owed.values(), Total())}")
    print(*problems, sep="\n", end="\n" if problems else "", file=sys.stderr)
    return 1 if problems else 0


def priced(pricing: Pricing, log: Path) -> Iterator[tuple[int, str, Cost | Exception]]:
    """Each line's number and customer, and its cost or why it has none."""
    with log.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            customer = ""
            try:
                call = json.loads(line)
                customer = call["customer"]
                yield number, customer, pricing.cost_of(call["response"])
            except (PricingError, ValueError, KeyError, TypeError) as error:
                yield number, customer, error


def replace(path: Path, text: str) -> None:
    """Write a file whole or not at all, whoever else writes it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=path.parent)
    with open(descriptor, "w", encoding="utf-8") as file:
        file.write(text + "\n")
    os.replace(name, path)


if __name__ == "__main__":
    if not 3 <= len(sys.argv) <= 4:
        raise SystemExit(__doc__)
    raise SystemExit(main(*sys.argv[1:]))
