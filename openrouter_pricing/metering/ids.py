"""Ids: which responses were counted already; about 16 bytes for each, however long its id is."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence
from hashlib import blake2b

_LEAST = 1 << 12  # slots of a table
_QUICKLY = 1 << 22  # slots up to which a table grows fourfold


def stable(text: str) -> int:
    """A digest that is the same in every process, as ``hash`` is not."""
    digest = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "little", signed=True)


def _slots(size: int) -> memoryview[int]:
    """So many, all of them free; of an array, which takes twice as long to read and to set by itself."""
    return memoryview(array("q", bytes(8)) * size)


class Ids:
    """A set of texts, kept as digests of 64 bits in an open table: a set of Python's own takes ten times as much.

    Args:
        digest: makes them. Of ten million texts two share one in one of 400,000 logs.

    Attributes:
        digest: the same.
        table: the digests, each in the slot of its lowest bits or behind it; 0 in a free slot, and a digest of 0 is 1.
        last: the last slot, which has all those bits.
        new: digests that are new since they were last taken, if ever they were.
    """

    __slots__ = ("_free", "digest", "last", "new", "table")

    def __init__(self, digest: Callable[[str], int] = hash) -> None:
        self.digest: Callable[[str], int] = digest
        self.new: array[int] | None = None
        self.table: memoryview[int] = _slots(_LEAST)
        self.last: int = _LEAST - 1
        self._free = _LEAST * 2 // 3

    def hold(self, most: int) -> None:
        """Hold slots for one who fills them without asking: until as many others are filled, the table stays."""
        while self._free <= 2 * most:
            self._grow()
        self._free -= most

    def let_go(self, unused: int) -> None:
        """Take back what was held and is not filled."""
        self._free += unused

    def add(self, text: str) -> bool:
        """Whether it is new; it is none after that."""
        return self.add_digest(self.digest(text))

    def take(self) -> array[int]:
        """Digests of those that are new since the last time; they are noted from the first time on."""
        taken, self.new = self.new or array("q"), array("q")
        return taken

    def add_new(self, digests: Sequence[int]) -> bool:
        """Add all of these, which differ, if none of them is there; whether that was so."""
        self.hold(len(digests))
        table, last = self.table, self.last
        filled: list[int] = []
        for digest in digests:
            slot = digest & last
            while (found := table[slot]) and found != digest:
                slot = (slot + 1) & last
            if found:
                for each in filled:
                    table[each] = 0
                self.let_go(len(digests))
                return False
            table[slot] = digest
            filled.append(slot)
        return True

    def add_digest(self, digest: int) -> bool:
        """The same of a text's digest."""
        digest = digest or 1  # there is nothing in a slot of 0
        table, last = self.table, self.last
        slot = digest & last
        while found := table[slot]:
            if found == digest:
                return False
            slot = (slot + 1) & last
        table[slot] = digest
        if self.new is not None:
            self.new.append(digest)
        self._free -= 1
        if not self._free:
            self._grow()
        return True

    def _grow(self) -> None:
        old = self.table
        size = len(old) * (4 if len(old) < _QUICKLY else 2)
        self.table = table = _slots(size)
        self.last = last = size - 1
        self._free = size * 2 // 3 - len(old) * 2 // 3
        for digest in filter(None, old):
            slot = digest & last
            while table[slot]:
                slot = (slot + 1) & last
            table[slot] = digest
