"""What the tests of freshness share: sources and stores that do as they are told, and waiting for what runs behind."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from openrouter_pricing.backends.memory import MemoryBackend

from openrouter_pricing import Client, Fetched, Pricing
from openrouter_pricing._freshness.live import Live
from support.upstream import row
from support.waiting import PATIENCE, until

if TYPE_CHECKING:
    from openrouter_pricing._freshness.cache import _Process

MODEL = "openai/gpt-4o-mini"
#: Makes a ``Pricing`` that a test is done with; the fixture ``make_pricing``.
Make = Callable[..., Pricing]


def priced(price: str) -> dict[str, Any]:
    """The model at another price per prompt token."""
    return row(pricing={"prompt": price, "completion": "0"})


def many(count: int, start: int = 0) -> list[dict[str, Any]]:
    """So many models, one of which is the usual one."""
    return [row(MODEL), *(row(f"a/model-{number}") for number in range(start, start + count - 1))]


def source(pricing: Pricing) -> str:
    """Where the answer to a question comes from."""
    return pricing.cost(MODEL, 1).source


def live(pricing: Pricing) -> Live:
    """What keeps its prices current."""
    assert isinstance(pricing._live, Live)
    return pricing._live


def process(pricing: Pricing) -> _Process:
    """What it has in this process."""
    return live(pricing).cache._processes.get()


def settle() -> None:
    """Wait for the refreshes that run behind, and for what they store."""
    for thread in threading.enumerate():
        if thread.name == "openrouter-pricing-refresh":
            thread.join(PATIENCE)
            assert not thread.is_alive()


def look(*pricings: Pricing) -> None:
    """Ask, and wait for the look at the store that runs behind the answer: the next question has what it found."""
    for pricing in pricings:
        pricing.cost(MODEL)
        until(lambda pricing=pricing: not process(pricing).behind)


class Scripted:
    """A source of the test's own: raises or returns what it is told."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.asked: list[str | None] = []
        self.closed = 0
        self.hold: threading.Event | None = None

    def fetch(self, *, etag: str | None, deadline: float) -> Fetched:
        """The next answer."""
        hold, answer = self.hold, self.answers.pop(0)
        self.asked.append(etag)
        if hold is not None:
            hold.wait(PATIENCE)
        if isinstance(answer, Exception):
            raise answer
        assert isinstance(answer, Fetched)
        return answer

    def close(self) -> None:
        """Count it."""
        self.closed += 1


class Patient(Client):
    """A client that goes on after the deadline: it is its caller whose patience ends, and never both at once."""

    def fetch(self, *, etag: str | None = None, deadline: float | None = None) -> Fetched:
        """As it fetches without a hurry."""
        return super().fetch(etag=etag, deadline=PATIENCE)


class Broken(MemoryBackend):
    """Raises in the methods that it is told to."""

    def __init__(self, *methods: str) -> None:
        super().__init__()
        for name in methods:
            setattr(self, name, self._fail)

    def _fail(self, *args: Any, **kwargs: Any) -> Any:
        raise OSError("disk full")


class Held(MemoryBackend):
    """Stands still in the methods that it is told to hold, until they are released."""

    def __init__(self) -> None:
        super().__init__()
        self.held: list[str] = []
        self._gates: dict[str, threading.Event] = {}

    def hold(self, method: str) -> None:
        """From now on, calls of this method wait."""
        self._gates[method] = threading.Event()

    def release(self) -> None:
        """Let everything go on."""
        for gate in self._gates.values():
            gate.set()

    def _pass(self, method: str, key: str) -> None:
        gate = self._gates.get(method)
        if gate is not None and not gate.is_set():
            self.held.append(key)
            gate.wait(PATIENCE)

    def get(self, key: str) -> bytes | None:
        """The value, when it is released."""
        self._pass("get", key)
        return super().get(key)

    def set(self, key: str, value: bytes, *, ttl: float | None = None) -> None:
        """Keep it, when it is released."""
        self._pass("set", key)
        super().set(key, value, ttl=ttl)
