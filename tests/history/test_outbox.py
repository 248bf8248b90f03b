"""The outbox in the store of the price list."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from openrouter_pricing.backends.disk import DiskBackend
from openrouter_pricing.backends.memory import MemoryBackend
from openrouter_pricing.backends.null import NullBackend
from support.hands import Hands
from support.upstream import row

from openrouter_pricing import Catalog, CatalogChange
from openrouter_pricing.history import outbox as rooms
from openrouter_pricing.history.entries import Entry
from openrouter_pricing.history.outbox import BackendOutbox

Open = Callable[[Any], BackendOutbox]


def asking(backend: Any) -> Any:
    """Asks a backend as a ``Pricing`` does: what it raises is "otherwise"."""

    def ask(work: Callable[[Any], Any], otherwise: Any, timeout: float) -> Any:
        try:
            return work(backend)
        except OSError:
            return otherwise

    return ask


@pytest.fixture
def opened(hands: Hands) -> Open:
    """Opens the outbox of another process."""
    return lambda backend: BackendOutbox(asking(backend), ["an address", "a sink"], hands.clock)


class Failing(MemoryBackend):
    """A store that is down at times."""

    down = False

    def add(self, key: str, value: bytes, *, ttl: float) -> bool:
        if self.down:
            raise OSError("down")
        return super().add(key, value, ttl=ttl)

    def lose(self) -> None:
        """Evict everything."""
        self._values.clear()


def priced(hands: Hands, price: str) -> Catalog:
    """A list of that price, fetched now."""
    return Catalog.from_models([row("a/one", pricing={"prompt": price})], as_of=hands.wall)


def change(before: Catalog | None, after: Catalog) -> CatalogChange:
    """What a listener is told; what differs is found by the outbox itself, from the last list that the fleet noted."""
    return CatalogChange(before, after, ())


def moves(outbox: BackendOutbox) -> list[tuple[str, str]]:
    """The price of a/one before and after, in each entry."""
    return outbox.change(lambda entries: [_move(entry) for entry in entries])


def _move(entry: Entry) -> tuple[str, str]:
    (difference,) = entry.differences
    return (difference.before or {})["prompt"], (difference.after or {})["prompt"]


@pytest.mark.parametrize("kind", ["memory", "disk", "null"])
def test_a_change_is_noted_once(opened: Open, hands: Hands, tmp_path: Path, kind: str) -> None:
    """The first list is noted silently, and each later one once, however many hear of it."""
    backend = {"memory": MemoryBackend, "disk": lambda: DiskBackend(tmp_path / "store"), "null": NullBackend}[kind]()
    outbox = opened(backend)
    first = priced(hands, "1")
    outbox.note(change(None, first))
    assert moves(outbox) == []
    hands.turn(60)
    second = priced(hands, "2")
    outbox.note(change(first, second))
    outbox.note(change(first, second))
    assert moves(outbox) == [("1", "2")]
    backend.close()


def test_others_note_nothing_twice(opened: Open, hands: Hands) -> None:
    """Eight processes hear of the same list: there is one entry, and one id, even where each does without the store."""
    backend = MemoryBackend()
    first = priced(hands, "1")
    hands.turn(60)
    second = priced(hands, "2")
    fleet = [opened(backend) for _ in range(8)]
    for outbox in fleet:
        outbox.note(change(first, second))
    assert [moves(outbox) for outbox in fleet] == [[("1", "2")]] * 8
    alone = [opened(NullBackend()) for _ in range(8)]
    for outbox in alone:
        outbox.note(change(first, second))
    ids = [outbox.change(lambda entries: entries[0].id) for outbox in [*fleet, *alone]]
    assert len(set(ids)) == 1


def test_what_changed_while_nobody_ran_is_noted(opened: Open, hands: Hands) -> None:
    """A process that has just started has no list before its first one; the outbox has."""
    backend = MemoryBackend()
    opened(backend).note(change(None, priced(hands, "1")))
    hands.turn(86_400)
    outbox = opened(backend)
    outbox.note(change(None, priced(hands, "2")))
    assert moves(outbox) == [("1", "2")]


def test_an_older_list_is_no_news(opened: Open, hands: Hands) -> None:
    """A process that still holds an older list notes nothing of it, unless the list noted is from the future."""
    backend = MemoryBackend()
    old = priced(hands, "1")
    hands.turn(60)
    outbox = opened(backend)
    outbox.note(change(old, priced(hands, "2")))
    outbox.note(change(None, old))
    assert moves(outbox) == [("1", "2")]
    hands.turn(-30)
    outbox.note(change(None, priced(hands, "3")))
    assert moves(outbox) == [("1", "2"), ("2", "3")]


def test_back_and_forth_is_noted_each_time(opened: Open, hands: Hands) -> None:
    """A-B-A-B are three changes with three ids."""
    outbox = opened(MemoryBackend())
    for price in ("1", "2", "1", "2"):
        outbox.note(change(None, priced(hands, price)))
        hands.turn(60)
    assert moves(outbox) == [("1", "2"), ("2", "1"), ("1", "2")]
    assert len(outbox.change(lambda entries: {entry.id for entry in entries})) == 3


def test_a_store_that_is_down_loses_nothing(opened: Open, hands: Hands) -> None:
    """What is noted meanwhile is kept by the process, and shared when the store is back."""
    backend = Failing()
    outbox, other = opened(backend), opened(backend)
    outbox.note(change(None, priced(hands, "1")))
    hands.turn(60)
    backend.down = True
    outbox.note(change(None, priced(hands, "2")))
    assert moves(outbox) == [("1", "2")]
    backend.down = False
    assert moves(other) == []
    assert moves(outbox) == [("1", "2")]
    assert moves(other) == [("1", "2")]
    other.note(change(None, priced(hands, "2")))
    assert moves(other) == [("1", "2")]


def test_a_store_that_went_on_meanwhile(opened: Open, hands: Hands) -> None:
    """A process that could not reach the store has seen less than the others: the later list stays."""
    backend = Failing()
    outbox, other = opened(backend), opened(backend)
    outbox.note(change(None, priced(hands, "1")))
    backend.down = True
    outbox.change(lambda entries: None)
    backend.down = False
    hands.turn(60)
    second = priced(hands, "2")
    other.note(change(None, second))
    outbox.note(change(None, second))
    assert moves(outbox) == [("1", "2")]


@pytest.mark.parametrize("lost", [None, b"torn", b"[1]", b"[" * 100_000])
def test_a_store_that_lost_it(opened: Open, hands: Hands, lost: bytes | None) -> None:
    """What was evicted, or cannot be read, comes back from a process that has seen it; without one it is lost."""
    backend = Failing()
    outbox = opened(backend)
    outbox.note(change(None, priced(hands, "1")))
    hands.turn(60)
    second = priced(hands, "2")
    outbox.note(change(None, second))
    backend.lose()
    if lost is not None:
        backend.set(outbox._key, lost)
    assert moves(outbox) == [("1", "2")]
    assert moves(opened(backend)) == [("1", "2")]
    backend.lose()
    fresh = opened(backend)
    fresh.note(change(None, second))
    assert moves(fresh) == []


def test_outboxes_of_others_are_left_alone(hands: Hands) -> None:
    """Another address, or other sinks, have an outbox of their own in the same store."""
    backend = MemoryBackend()
    outboxes = [BackendOutbox(asking(backend), name, hands.clock) for name in (["a", "x"], ["a", "y"], ["b", "x"])]
    for outbox in outboxes[:2]:
        outbox.note(change(None, priced(hands, "1")))
    hands.turn(60)
    outboxes[0].note(change(None, priced(hands, "2")))
    assert [moves(outbox) for outbox in outboxes] == [[("1", "2")], [], []]


def test_one_at_a_time(opened: Open, hands: Hands, monkeypatch: pytest.MonkeyPatch) -> None:
    """While another process has the lock this one waits for it; for ever it does not."""
    backend = MemoryBackend()
    outbox = opened(backend)
    monkeypatch.setattr(rooms, "_PAUSE", 0.0)
    backend.add(outbox._key + ":lock", b"another", ttl=1000)
    with pytest.raises(TimeoutError, match="busy"):
        outbox.note(change(None, priced(hands, "1")))
    backend.delete(outbox._key + ":lock")
    outbox.note(change(None, priced(hands, "1")))
    assert backend.get(outbox._key + ":lock") is None


def test_a_lock_that_is_lost_is_not_taken_from_others(opened: Open) -> None:
    """Who was too slow, and whose lock another one has by now, leaves that alone; so does one whose work fails."""
    backend = MemoryBackend()
    outbox = opened(backend)
    lock = outbox._key + ":lock"
    outbox.change(lambda entries: backend.set(lock, b"another"))
    assert backend.get(lock) == b"another"
    backend.delete(lock)
    with pytest.raises(ZeroDivisionError):
        outbox.change(lambda entries: 1 / 0)
    assert backend.get(lock) is None


def test_a_store_that_refuses_every_lock_is_done_without(opened: Open, hands: Hands) -> None:
    """A store that refuses ``add`` and holds nothing keeps nothing: the process goes on by itself."""

    class Refusing(NullBackend):
        def add(self, key: str, value: bytes, *, ttl: float) -> bool:
            return False

    outbox = opened(Refusing())
    outbox.note(change(None, priced(hands, "1")))
    hands.turn(60)
    outbox.note(change(None, priced(hands, "2")))
    assert moves(outbox) == [("1", "2")]
