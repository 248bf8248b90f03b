"""Logs of any time are priced fast by the lists of then, as line by line."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from support.both_ways import AS_OF, CATALOG, CHAT, OWN_KEY, PLAIN, WRITTEN, both

from openrouter_pricing import Catalog
from openrouter_pricing._history.bundled import BundledHistory
from openrouter_pricing._history.periods import HistoryStore, RecordedList


class Stored:
    """A history of few lists that ends long before the list held, as a database may."""

    def __init__(self, *lists: RecordedList) -> None:
        self._lists = lists

    def as_of(self, at: datetime) -> RecordedList:
        """The last list at or before ``at``, else the first."""
        return ([self._lists[0]] + [found for found in self._lists if found.as_of <= at])[-1]

    def record(self, catalog: Catalog) -> tuple[()]:
        """Keep nothing."""
        return ()

    def periods(self, model_id: str | None = None, **span: Any) -> tuple[()]:
        """Know nothing."""
        return ()

    def close(self) -> None:
        """Nothing to let go of."""


def priced(number: int, prompt: str, *, until: int) -> RecordedList:
    """A list of that day of 2026, which stood until another."""
    pricing = json.dumps({"prompt": prompt, "completion": "0.00001"})
    since = datetime(2026, 1, 1, 7, 31, 12, tzinfo=timezone.utc) + timedelta(days=number)
    return RecordedList(since, since + timedelta(days=until - number), {"a/plain": pricing, "a/past": pricing})


HISTORIES: dict[str, Callable[[], HistoryStore | None]] = {
    "none": lambda: None,
    "bundled": BundledHistory,
    "one list": lambda: Stored(priced(3, "0.000003", until=3)),
    "with a gap": lambda: Stored(priced(3, "0.000003", until=9), priced(20, "0.000004", until=26)),
    "up to the list held": lambda: Stored(priced(3, "0.000003", until=9), priced(9, "0.000005", until=230)),
}


@pytest.mark.parametrize("by", [None, "day"])
@pytest.mark.parametrize("name", HISTORIES)
def test_histories(name: str, by: str | None) -> None:
    """Calls of any time, before, within and after what is recorded, are priced by the list that prices them alone."""
    chance = random.Random(f"{name} {by}")
    edges = [AS_OF.timestamp(), *(each.timestamp() for number in (3, 9, 20, 26, 230)
                                  for each in (priced(number, "1", until=number).as_of,))]  # fmt: skip
    lines = []
    for number in range(1500):
        said = copy.deepcopy(chance.choice((CHAT, PLAIN, OWN_KEY, WRITTEN)))
        edge = chance.choice(edges) + chance.choice((0, 86_400, -86_400, 43_200, 15 * 86_400))
        when = int(edge) + chance.choice((-3600, -1, 0, 1, 3599, chance.randrange(-(10**7), 10**7)))
        model = chance.choice(("a/plain", "a/past", "a/all", "openai/gpt-4o-mini", "openai/gpt-4o", "gone/model"))
        said |= {
            "id": str(number),
            "created": chance.choice((when, when, 1_700_000_000 + 40_000 * number)),
            "model": model,
        }
        if chance.random() < 0.1:
            del said["usage"]["cost"]  # type: ignore[attr-defined]
        if chance.random() < 0.1:
            said["created_at"] = datetime.fromtimestamp(when + 0.5, timezone.utc).isoformat()
            del said["created"]
        lines.append(json.dumps(said).encode())
    slow, quick, fast_lines = both(lines, catalog=CATALOG, history=HISTORIES[name](), by=by)

    assert slow == quick
    assert 300 < fast_lines
    assert slow["another_day"]


def test_a_gap_takes_no_longer() -> None:
    """Calls between the last recording and the list held are read fast, by whichever list is nearer."""
    history = Stored(priced(3, "0.000003", until=9))
    start = int(priced(9, "1", until=9).as_of.timestamp())
    lines = [json.dumps({**CHAT, "id": str(each), "created": start + 3600 * each}).encode() for each in range(24 * 200)]
    slow, quick, fast_lines = both(lines, catalog=CATALOG, history=history)

    assert slow == quick
    assert len(lines) - fast_lines == 2
    assert 24 * 200 - 2 * 25 < quick["another_day"] < len(lines)
