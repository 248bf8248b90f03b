"""A fleet simulated: what it asks of OpenRouter and of a shared store, by the rules of the SDK, process by process.

Each process asks for costs at random, once a second on average. Between two looks it answers from what it holds, so its
looks alone are events here; ``workers.py`` drives the SDK itself through the same ones, and a test holds the two equal.
"""

from __future__ import annotations

import heapq
import random
from collections import Counter
from collections.abc import Callable, Sequence
from typing import NamedTuple

from openrouter_pricing._freshness.refresh import _POLL, _POLL_GROWS, _POLL_MAX

_WARM = 55 / 60  # of l2_ttl: when a warmer renews, by the defaults
_JITTER = 0.1  # of that, either way


class Rules(NamedTuple):
    """What each process is set to.

    Args:
        l2_ttl: seconds.
        l1_ttl: seconds.
        warm: whether it has a warmer, whose interval has the share of ``l2_ttl`` that it has by default.
        fetch: seconds that a request takes.
    """

    l2_ttl: float
    l1_ttl: float = 60.0
    warm: bool = False
    fetch: float = 0.5

    @property
    def interval(self) -> float:
        """Of the warmer, in seconds."""
        return self.l2_ttl * _WARM


class Record(NamedTuple):
    """A list in the store.

    Args:
        fetched: when.
        version: which list it is.
    """

    fetched: float
    version: int


def chances(worker: int) -> tuple[random.Random, random.Random]:
    """The chance of a worker's questions, and that of its warmer."""
    return random.Random(f"{worker}"), random.Random(f"{worker}, its warmer")


class Fleet:
    """Processes that share a store.

    Args:
        workers: how many.
        rules: their settings.
        changes: when OpenRouter lists something new.

    Attributes:
        records: all lists that were stored, the newest last.
        commands: how often each was sent to the store.
        seconds: how many were sent in each second.
        late: answers from another list than the store's, at one a second and process.
    """

    def __init__(self, workers: int, rules: Rules, changes: Sequence[float] = ()) -> None:
        self.rules = rules
        self.records = [Record(0.0, 0)]
        self.commands: Counter[str] = Counter()
        self.seconds: Counter[int] = Counter()
        self.late = 0.0
        self._changes = changes
        self._chances = [chances(worker) for worker in range(workers)]
        self._held = [0] * workers
        self._until = [min(rules.l1_ttl, rules.l2_ttl)] * workers
        self._gap = [questions.expovariate(1) for questions, _ in self._chances]
        self._turn = [0] * workers
        self._refreshing = [False] * workers
        self._pause = [_POLL] * workers
        self._woken: dict[int, float] = {}
        self._leased = False
        self._events: list[tuple[float, int, Callable[..., None], int, int]] = []
        self._number = 0
        for worker in range(workers):
            # As after a cold start: all hold the first list, and look again within l1_ttl, when they came to ask.
            self._until[worker] *= self._chances[worker][0].random()
            self._schedule(worker, 0.0)
            if rules.warm:
                self._at(self._interval(worker), self._wake, worker)

    def run(self, *, records: int = 10**9, until: float = 1e12) -> None:
        """Go on until so many lists were stored, or until a time."""
        while len(self.records) < records and self._events[0][0] < until:
            now, _, event, worker, known = heapq.heappop(self._events)
            event(now, worker, known)

    def _at(self, when: float, event: Callable[..., None], worker: int, known: int = 0) -> None:
        self._number += 1
        heapq.heappush(self._events, (when, self._number, event, worker, known))

    def _send(self, now: float, *commands: str) -> None:
        for command in commands:
            self.commands[command] += 1
        self.seconds[int(now)] += len(commands)

    # -- questions -------------------------------------------------------------------------------------------------

    def _schedule(self, worker: int, now: float) -> None:
        """The next question that is not answered from what is held."""
        self._turn[worker] += 1
        self._at(max(self._until[worker], now) + self._gap[worker], self._ask, worker, self._turn[worker])

    def _age(self, worker: int, now: float) -> float:
        return now - self.records[self._held[worker]].fetched

    def _ask(self, now: float, worker: int, turn: int) -> None:
        if turn != self._turn[worker]:
            return  # it came to look sooner
        rules = self.rules
        self._gap[worker] = self._chances[worker][0].expovariate(1)
        self._send(now, "GET head")
        until, fresh = self._until[worker], self._age(worker, now) <= rules.l2_ttl
        newer = self._held[worker] < len(self.records) - 1
        if newer and not fresh:
            self._take(worker, now, until)  # before this question is answered
        age = self._age(worker, now)
        self._until[worker] = now + min(rules.l1_ttl, rules.l2_ttl - age if age <= rules.l2_ttl else rules.l1_ttl)
        if age > rules.l2_ttl:
            self._refresh(worker, now)
        elif newer and fresh:  # the look runs behind the answer: the next question has what it found
            self._take(worker, now, until, more=1)
        self._schedule(worker, now)

    def _take(self, worker: int, now: float, until: float, *, more: int = 0, fetched: bool = False) -> None:
        """Hold what the store has. What was held before answered up to ``until``, and ``more`` questions after that."""
        before, self._held[worker] = self._held[worker], len(self.records) - 1
        self.late += sum(more + max(0.0, until - record.fetched) for record in self.records[before + 1 :])
        if not fetched and self.records[before].version != self.records[-1].version:
            self._send(now, "GET list")
        self._until[worker] = now

    # -- refreshes -------------------------------------------------------------------------------------------------

    def _refresh(self, worker: int, now: float) -> None:
        if self._refreshing[worker]:
            return
        self._refreshing[worker] = True
        self._send(now, "GET head", "SET lease")
        if self._leased:
            self._send(now, "GET lease", "GET head")
            self._pause[worker] = _POLL
            self._at(now + _POLL, self._poll, worker, len(self.records))
            return
        self._leased = True
        self._send(now, "GET head")
        if self.rules.fetch:
            self._at(now + self.rules.fetch, self._land, worker)
        else:
            self._land(now, worker, 0)

    def _poll(self, now: float, worker: int, known: int) -> None:
        self._send(now, "SET lease", *(["GET lease", "GET head"] if self._leased else ["EVAL lease"]))
        if len(self.records) == known:
            pause = self._pause[worker] = min(_POLL_GROWS * self._pause[worker], _POLL_MAX)
            self._at(now + pause, self._poll, worker, known)
            return
        self._send(now, "GET head")
        self._take(worker, now, now)
        self._refreshed(worker, now)

    def _land(self, now: float, worker: int, _: int) -> None:
        version = sum(1 for change in self._changes if change <= now - self.rules.fetch)
        changed = version != self.records[-1].version
        self.records.append(Record(now, version))
        self._leased = False
        self._send(now, "GET head", "SET list", "SET head", *(["DEL list"] if changed else []), "GET suspect")
        self._send(now, "EVAL lease")
        self._take(worker, now, now, fetched=True)
        self._refreshed(worker, now)

    def _refreshed(self, worker: int, now: float) -> None:
        self._refreshing[worker] = False
        self._schedule(worker, now)
        if worker in self._woken:
            self._rest(worker, now, self._woken.pop(worker))

    # -- the warmer ------------------------------------------------------------------------------------------------

    def _interval(self, worker: int) -> float:
        return self.rules.interval * (1 + _JITTER * (2 * self._chances[worker][1].random() - 1))

    def _wake(self, now: float, worker: int, _: int) -> None:
        interval = self._interval(worker)
        self._send(now, "GET head")
        if self._held[worker] < len(self.records) - 1:
            self._take(worker, now, min(now, self._until[worker]))
            self._schedule(worker, now)
        if self._age(worker, now) >= interval:
            self._woken[worker] = interval
            self._refresh(worker, now)
        else:
            self._rest(worker, now, interval)

    def _rest(self, worker: int, now: float, interval: float) -> None:
        left = interval - self._age(worker, now)
        self._at(now + (left if left > 0 else interval / 10), self._wake, worker)


class Measured(NamedTuple):
    """What a fleet does while its store holds one list after the other.

    Args:
        period: seconds between two requests.
        late: seconds that a process lags behind the store with each.
        commands: sent to the store for each.
        busiest: commands of the second with the most.
    """

    period: float
    late: float
    commands: dict[str, float]
    busiest: int


def measure(workers: int, rules: Rules, cycles: int) -> Measured:
    """A fleet over so many requests, once everything has found its pace."""
    fleet = Fleet(workers, rules)
    fleet.run(records=2)
    late, commands, since = fleet.late, fleet.commands.copy(), fleet.records[-1].fetched
    fleet.run(records=2 + cycles)
    return Measured(
        (fleet.records[-1].fetched - since) / cycles,
        (fleet.late - late) / workers / cycles,
        {name: count / cycles for name, count in (fleet.commands - commands).items()},
        max(count for second, count in fleet.seconds.items() if second > since),
    )
