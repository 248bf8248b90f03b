"""What two histories know together."""

from __future__ import annotations

from support.recordings import DAY, FIRST, MemoryHistory, listed

from openrouter_pricing._history.bundled import BundledHistory
from openrouter_pricing._history.merging import merged
from openrouter_pricing._history.packing import pack, unpack

OLDER = MemoryHistory(listed(0, x="1", gone="1"), listed(2, x="2", gone="1"), listed(9, x="9", gone="9"))


def told(*lists: object) -> list[tuple[int, str, str | None]]:
    """The changes, with their days and prompt prices."""
    found = merged(OLDER, MemoryHistory(*lists))  # type: ignore[arg-type]
    return [((at - FIRST).days, name, None if pricing is None else pricing["prompt"]) for at, name, pricing in found]


def test_the_newer_one_goes_on_where_it_begins() -> None:
    """What the older one says of later is not asked; what the newer one does not list is gone by then."""
    assert [
        (0, "a/gone", "1"),
        (0, "a/x", "1"),
        (2, "a/x", "2"),
        (5, "a/gone", None),
        (5, "a/x", "3"),
        (6, "a/new", "4"),
        (6, "a/x", "3.5"),
    ] == told(listed(5, x="3"), listed(6, x="3.5", new="4"))


def test_one_that_knows_nothing_adds_nothing() -> None:
    """Then the older one's are all."""
    assert [day for day, *_ in told()] == [0, 0, 2, 9, 9]


def test_one_that_began_before_is_all() -> None:
    """A database that was given the older one's lists has them all itself."""
    assert [(-1, "a/x", "0")] == told(listed(-1, x="0"))


def test_the_bundled_history_with_itself_is_itself() -> None:
    """Packed again, it is what it was."""
    bundled = BundledHistory()
    again = unpack(pack(merged(bundled, bundled)))
    assert (bundled._packed.times, bundled._packed.models.keys()) == (again.times, again.models.keys())
    assert bundled.as_of(FIRST + DAY).digest() == _history_of(again).as_of(FIRST + DAY).digest()


def _history_of(packed: object) -> BundledHistory:
    history = BundledHistory()
    history._unpacked = packed  # type: ignore[assignment]
    return history
