"""Entries of an outbox: what is to be told, to whom it was told, and who is telling it just now."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from typing import Any

import attrs

from .events import Difference, Watch, event

#: Seconds before each try, counted from the one before.
RETRIES = (0.0, 5.0, 300.0, 1_800.0, 7_200.0, 18_000.0, 36_000.0)
#: Seconds that a receiver may ask to be left alone at most.
LONGEST_PAUSE = 86_400.0
#: Seconds after which another process takes over a delivery. One takes 15 seconds at most.
LEASE = 30.0
#: Seconds that an entry is kept; no delivery takes so long.
KEPT = 8 * 86_400.0


@attrs.define
class Delivery:
    """How far one sink has been told.

    Args:
        due: when to try next (seconds since 1970).
        tries: how many failed.
        leased: until when a process is at it.
        over: there is nothing left to do.
    """

    due: float
    tries: int = 0
    leased: float = 0.0
    over: bool = False

    @property
    def at(self) -> float:
        """When somebody may try."""
        return max(self.due, self.leased)


@attrs.define
class Entry:
    """A new price list, or what is said of it.

    Args:
        id: the same in every process.
        at: when it was noted (seconds since 1970).
        as_of: of the list, ISO 8601.
        before, after: digests of the lists.
        differences: what of it is not yet part of an event.
        event: what is said; None as long as that is not settled.
        deliveries: by the name of the sink.
    """

    id: str
    at: float
    as_of: str
    before: str
    after: str
    differences: list[Difference]
    event: dict[str, Any] | None = None
    deliveries: dict[str, Delivery] = attrs.Factory(dict)

    @classmethod
    def of(cls, at: float, as_of: str, before: str, after: str, differences: Sequence[Difference]) -> Entry:
        """A new list; its id follows from the lists, so that two processes which know nothing of each other agree."""
        return cls(_named(before, after, as_of), at, as_of, before, after, list(differences))

    def dumps(self) -> dict[str, Any]:
        """Ready for JSON."""
        return attrs.asdict(self, recurse=False) | {
            "deliveries": {name: attrs.asdict(each) for name, each in self.deliveries.items()}
        }

    @classmethod
    def loads(cls, data: dict[str, Any]) -> Entry:
        """Read what :meth:`dumps` made."""
        found = [Difference(*each) for each in data["differences"]]
        deliveries = {name: Delivery(**each) for name, each in data["deliveries"].items()}
        return cls(**{**data, "differences": found, "deliveries": deliveries})


def settle(entries: list[Entry], watch: Watch, sinks: Collection[str], now: float) -> None:
    """Make events of the lists whose prices have stood long enough; without ``watch.settle`` one of each list.

    What went and came back meanwhile is nothing.
    """
    waiting = [entry for entry in entries if entry.event is None]
    for group in [waiting] if watch.settle else [[entry] for entry in waiting]:
        _settle(entries, group, watch, sinks, now)


def _settle(entries: list[Entry], group: list[Entry], watch: Watch, sinks: Collection[str], now: float) -> None:
    net: dict[str, Difference] = {}
    last: dict[str, Entry] = {}
    for entry in group:
        for name, before, after in entry.differences:
            net[name] = Difference(name, net[name].before if name in net else before, after)
            last[name] = entry
    ripe = {name for name, entry in last.items() if not watch.settle or entry.at + watch.settle <= now}
    parts = [entry for entry in group if any(each.model_id in ripe for each in entry.differences)]
    for entry in parts:
        entry.differences = [each for each in entry.differences if each.model_id not in ripe]
        if not entry.differences:
            entries.remove(entry)
    told = [each for name, each in net.items() if name in ripe and each.before != each.after and watch.wants(each)]
    if told and sinks:
        first, newest = parts[0], parts[-1]
        name = _named(*(entry.id for entry in parts), *(sorted(ripe) if newest.differences else ()))
        said = event(name, newest.as_of, first.before, newest.after, told)
        deliveries = {sink: Delivery(now) for sink in sinks}
        entries.append(Entry(name, now, newest.as_of, first.before, newest.after, [], said, deliveries))


def lease(entries: list[Entry], sinks: Collection[str], now: float) -> tuple[Entry, str] | None:
    """Take the next delivery that is due, for so long that nobody else does it; None where there is none."""
    for entry in entries:
        for name, delivery in entry.deliveries.items():
            if name in sinks and not delivery.over and delivery.at <= now:
                delivery.leased = now + LEASE
                return entry, name
    return None


def failed(delivery: Delivery, retry_after: float, now: float) -> bool:
    """Note a try that failed; whether it was the last."""
    delivery.tries += 1
    delivery.over = delivery.tries >= len(RETRIES)
    if not delivery.over:
        put_off(delivery, now + max(RETRIES[delivery.tries], min(retry_after, LONGEST_PAUSE)))
    return delivery.over


def put_off(delivery: Delivery, due: float) -> None:
    """Give it back, to be tried then."""
    delivery.due, delivery.leased = due, 0.0


def tidy(entries: list[Entry], disabled: Collection[str], now: float) -> None:
    """Drop what is told, what is told to nobody any more, and what no sink of ours ever asked for.

    No time lies further ahead than it may: a host whose clock was wrong must not put off an event for ever.
    """
    for entry in entries:
        entry.at = min(entry.at, now)
        for delivery in entry.deliveries.values():
            delivery.due = min(delivery.due, now + LONGEST_PAUSE)
            delivery.leased = min(delivery.leased, now + LEASE)
        for name in disabled:
            if name in entry.deliveries:
                entry.deliveries[name].over = True
    entries[:] = [
        entry
        for entry in entries
        if entry.at > now - KEPT and (entry.event is None or not all(each.over for each in entry.deliveries.values()))
    ]


def next_look(entries: list[Entry], watch: Watch, sinks: Collection[str]) -> float | None:
    """When there is something to do next (seconds since 1970); None where there is nothing."""
    times = [entry.at + watch.settle for entry in entries if entry.event is None]
    for entry in entries:
        times += [each.at for name, each in entry.deliveries.items() if name in sinks and not each.over]
    return min(times, default=None)


def pending(entries: list[Entry]) -> int:
    """How many deliveries are still to be made."""
    return sum(not each.over for entry in entries for each in entry.deliveries.values())


def _named(*parts: str) -> str:
    return "msg_" + hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]
