"""The SDK itself as a fleet: real ``Pricing`` objects that share a store, each asked when its time has come."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta, timezone
from typing import Any, NamedTuple

from fleet import Rules, chances
from openrouter_pricing.backends.memory import MemoryBackend
from openrouter_pricing.backends.redis import _ADDED, _FORGET, _NONCE, _packed
from openrouter_pricing.backends.redis_url import PREFIX

from openrouter_pricing import Clock, Fetched, Pricing, Settings

_START = datetime(2026, 1, 1, tzinfo=timezone.utc)
_MODEL = "lab/model-0"


class Hands:
    """The time of everybody."""

    def __init__(self) -> None:
        self.now = 0.0

    def clock(self, chance: Callable[[], float]) -> Clock:
        """A clock that goes by it."""
        return Clock(monotonic=lambda: self.now, utcnow=lambda: _START + timedelta(seconds=self.now), random=chance)


class Store(MemoryBackend):
    """Counts what a Redis would be sent, by the command and what lies under the key.

    Attributes:
        commands: how many.
        bytes: of the longest of these, with its answer.
    """

    expires = True

    def __init__(self) -> None:
        super().__init__()
        self.commands: Counter[str] = Counter()
        self.bytes: Counter[str] = Counter()

    def _count(self, command: str, key: str, *sent: bytes, got: bytes | None = None) -> None:
        name = f"{command} {key.split(':')[2].replace('catalog', 'list')}"
        parts = [command.encode(), (PREFIX + key).encode(), *sent, b"" if got is None else _packed(got)]
        self.commands[name] += 1
        self.bytes[name] = max(self.bytes[name], sum(len(part) + len(str(len(part))) + 5 for part in parts))

    def get(self, key: str) -> bytes | None:
        """GET."""
        value = super().get(key)
        self._count("GET", key, got=value)
        return value

    def set(self, key: str, value: bytes, *, ttl: float | None = None) -> None:
        """SET."""
        self._count("SET", key, _packed(value), b"PX", b"2592000000")
        super().set(key, value, ttl=ttl)

    def add(self, key: str, value: bytes, *, ttl: float) -> bool:
        """SET NX."""
        self._count("SET", key, _ADDED + bytes(_NONCE) + value, b"PX", b"15000", b"NX")
        return super().add(key, value, ttl=ttl)

    def delete(self, key: str) -> None:
        """DEL."""
        self._count("DEL", key)
        super().delete(key)

    def compare_and_delete(self, key: str, value: bytes) -> bool:
        """EVAL."""
        self._count("EVAL", key, _FORGET.encode(), b"1", value, _ADDED, b"8")
        return super().compare_and_delete(key, value)


class Upstream:
    """OpenRouter, whose prices change at known times. An answer comes when the question that led to it is answered.

    Attributes:
        asked: the time of each request.
        gate: open while answers come.
    """

    def __init__(self, hands: Hands, changes: Sequence[float]) -> None:
        self._hands, self._changes = hands, changes
        self.asked: list[float] = []
        self.gate = threading.Event()
        self.gate.set()

    def price(self) -> str:
        """What a token costs now."""
        return f"0.00{1000 + sum(1 for change in self._changes if change <= self._hands.now)}"

    def fetch(self, *, etag: str | None, deadline: float) -> Fetched:
        """The list of now."""
        self.gate.wait(deadline)
        self.asked.append(self._hands.now)
        price = self.price()
        rows = [{"id": f"lab/model-{n}", "pricing": {"prompt": price, "completion": price}} for n in range(3)]
        return Fetched(200, {}, json.dumps({"data": rows}).encode())

    def close(self) -> None:
        """Nothing to do."""


class Worker:
    """One process of the fleet: a ``Pricing`` with its own clock's chance."""

    def __init__(
        self, settings: Settings, hands: Hands, store: Store, upstream: Upstream, number: int, *, every: bool
    ) -> None:
        self._hands, self._upstream, self._all = hands, upstream, every
        self.questions, warming = chances(number)
        self.pricing = Pricing(settings, backend=store, client=upstream, clock=hands.clock(warming.random))
        self._live: Any = self.pricing._live
        self._guard = self._live._shared.get().backend
        self._behind: list[tuple[Any, Any]] = []
        # As over a network: the look comes after the answer that it runs behind.
        self._ask_behind, self._guard.ask_behind = self._guard.ask_behind, lambda *job: self._behind.append(job)
        self.pricing.warm()
        self.settle()
        first = min(settings.l1_ttl, settings.l2_ttl)
        self.gap = self.questions.expovariate(1)
        self.next = first * self.questions.random() + self.gap
        self._live.cache.held.until = self.next - self.gap
        self.wakes = settings.warm_interval * (0.9 + 0.2 * warming.random())

    def settle(self) -> None:
        """Let everything that runs behind come to its end."""
        self._upstream.gate.set()
        for work, done in self._behind:
            over = threading.Event()
            self._ask_behind(work, lambda done=done, over=over: (done(), over.set()))
            over.wait()
        self._behind.clear()
        thread = self._live.cache._processes.get().flights._thread
        if thread is not None:
            thread.join()

    def ask(self) -> bool:
        """A question; whether it was answered with a price that is out of date."""
        self.gap = self.questions.expovariate(1)
        self._upstream.gate.clear()
        outdated = str(self.pricing.cost(_MODEL, 1).raw) != self._upstream.price()
        self.settle()
        self.next = self._after()
        return outdated

    def wake(self) -> None:
        """A round of the warmer."""
        pause: float = self._live.warmer._round()
        self.settle()
        self.next = self._after()
        self.wakes = self._hands.now + pause

    def _after(self) -> float:
        """The next question that is not answered from what is held; the next one of all where all are asked."""
        now = self._hands.now
        return (now if self._all else max(self._live.cache.held.until, now)) + self.gap


class Seen(NamedTuple):
    """What became of workers.

    Args:
        commands: that their store was sent.
        asked: when OpenRouter was.
        outdated: answers with a price that was out of date.
    """

    commands: Counter[str]
    asked: list[float]
    outdated: int


def drive(workers: int, rules: Rules, until: float, changes: Sequence[float] = (), *, every: bool = False) -> Seen:
    """Drive so many workers up to a time.

    Args:
        workers: how many.
        rules: their settings; a request takes no time.
        until: in seconds.
        changes: when OpenRouter lists other prices.
        every: ask every question, also those that are answered from what is held.
    """
    hands, store = Hands(), Store()
    upstream = Upstream(hands, changes)
    settings = Settings(l1_ttl=rules.l1_ttl, l2_ttl=rules.l2_ttl, warm_interval=rules.interval, fallback=False)
    crowd = [Worker(settings, hands, store, upstream, number, every=every) for number in range(workers)]
    store.commands.clear()
    upstream.asked.clear()
    outdated = 0
    while True:
        asking = min(crowd, key=lambda worker: worker.next)
        waking = min(crowd, key=lambda worker: worker.wakes)
        hands.now = min(asking.next, waking.wakes) if rules.warm else asking.next
        if hands.now >= until:
            break
        if hands.now < asking.next:
            waking.wake()
        else:
            outdated += asking.ask()
    for worker in crowd:
        worker.pricing.close()
    return Seen(store.commands, upstream.asked, outdated)


def sizes(body: bytes) -> dict[str, int]:
    """The bytes of each command of a fetch and of a look, with its answer, where a list with such a body is shared."""
    store = Store()

    class Listed:
        def fetch(self, *, etag: str | None, deadline: float) -> Fetched:
            return Fetched(200, {"ETag": 'W/"0123456789abcdef0123456789abcdef"'}, body)

        def close(self) -> None:
            """Nothing to do."""

    for _ in range(2):  # the second finds the list of the first
        with Pricing(Settings(), backend=store, client=Listed()) as pricing:
            pricing.warm()
    return dict(store.bytes)
