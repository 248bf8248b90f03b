"""Events: what is said of a new price list, in less than 20 kB."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, NamedTuple, TypeAlias

from .._base import money
from .._prices.catalog import Catalog
from .._prices.rates import Rates, effective_prices

#: What is charged for one model: price key to USD per unit, as text; no zeros.
Prices: TypeAlias = Mapping[str, str]

_ROOM = 19_000  # bytes of an event's changes; the rest of the 20 kB is for what stands around them


class Difference(NamedTuple):
    """What differs of one model.

    Args:
        model_id: the model.
        before, after: its prices; None where it is not listed.
    """

    model_id: str
    before: Prices | None
    after: Prices | None

    @property
    def kind(self) -> str:
        """As of :class:`PriceChange`."""
        return "listed" if self.before is None else "delisted" if self.after is None else "changed"

    def moves(self) -> list[dict[str, str | None]]:
        """Every price that is another one now, ready for JSON."""
        before, after = self.before or {}, self.after or {}
        return [
            {"key": key, "before": before.get(key), "after": after.get(key), "ratio": _shown(self.ratio(key))}
            for key in dict.fromkeys([*before, *after])
            if before.get(key) != after.get(key)
        ]

    def ratio(self, key: str) -> Decimal | None:
        """``after / before`` of a price; None where one of them is missing."""
        before, after = (self.before or {}).get(key), (self.after or {}).get(key)
        return None if before is None or after is None else money.quotient(Decimal(after), Decimal(before))


class Watch(NamedTuple):
    """What is worth an event.

    Args:
        models: ids; None for all.
        min_change: the least part by which a price moves.
        settle: seconds that a price stands before it is told.
    """

    models: frozenset[str] | None
    min_change: Decimal
    settle: float

    def wants(self, difference: Difference) -> bool:
        """Whether it is told: a model that comes or goes always is, and so is a price that does."""
        if self.models is not None and difference.model_id not in self.models:
            return False
        if difference.kind != "changed":
            return True
        ratios = [difference.ratio(str(move["key"])) for move in difference.moves()]
        return any(ratio is None or abs(money.subtract(ratio, Decimal(1))) >= self.min_change for ratio in ratios)


def flat(rates: Rates) -> Prices:
    """What is charged, as it is kept; the price of a router, which is negative, like any other."""
    return {key: money.plain(price) for key, price in effective_prices(rates).items()}


def listed(catalog: Catalog) -> dict[str, Prices]:
    """What a list charges, by id. Takes milliseconds."""
    return {model.id: flat(model.rates) for model in catalog.decoded()}


def differences(before: Mapping[str, Prices], after: Mapping[str, Prices]) -> list[Difference]:
    """What differs between two lists, in the order of the newer one, then what is gone."""
    found = [Difference(name, before.get(name), after.get(name)) for name in dict.fromkeys([*after, *before])]
    return [each for each in found if each.before != each.after]


def event(name: str, as_of: str, before: str, after: str, told: Iterable[Difference]) -> dict[str, Any]:
    """What is said of a list, ready for JSON; less than 20 kB of it, however much there is to say.

    Args:
        name: its id, the same however often it is delivered.
        as_of: of the list, ISO 8601.
        before, after: digests of the lists.
        told: what differs.
    """
    kinds: Counter[str] = Counter()
    changes: list[dict[str, Any]] = []
    room = _ROOM
    for difference in told:
        kinds[difference.kind] += 1
        change = {"model_id": difference.model_id, "kind": difference.kind, "moves": difference.moves()}
        size = len(json.dumps(change)) + 2
        if size <= room:
            changes.append(change)
            room -= size
    counts = {kind: kinds[kind] for kind in ("changed", "listed", "delisted")}
    kind = next(iter(kinds)) if len(kinds) == 1 else "changed"
    return {
        "id": name,
        "type": "prices.changed" if kind == "changed" else f"model.{kind}",
        "timestamp": as_of,
        "data": {
            "as_of": as_of,
            "before": before,
            "after": after,
            "counts": counts,
            "changes": changes,
            "truncated": len(changes) < sum(counts.values()),
        },
    }


def _shown(ratio: Decimal | None) -> str | None:
    return None if ratio is None else money.plain(Decimal(f"{ratio:.6g}"))
