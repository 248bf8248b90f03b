"""Which responses were counted already."""

from __future__ import annotations

from array import array

import pytest

from openrouter_pricing.metering.ids import Ids, stable


def test_each_is_new_once() -> None:
    """However many there are, each is new the first time and never again."""
    ids = Ids()
    names = [f"gen-{number}" for number in range(20_000)]

    assert all(map(ids.add, names))
    assert not any(map(ids.add, names))


def test_digests_are_handed_on() -> None:
    """What one process counted, another knows by its digests: those that were new since they were last taken."""
    one, other = Ids(stable), Ids(stable)
    names = [f"gen-{number}" for number in range(10_000)]
    other.add(names[9000])
    one.add(names[9000])
    assert not one.take()
    for name in (*names[:8000], *names[:100]):
        one.add(name)
    taken = one.take()

    assert list(taken) == [stable(name) for name in names[:8000]]
    assert not one.take()
    assert other.add_new(taken)
    assert not other.add_new(array("q", [stable("new"), stable("gen-7")]))
    assert other.add_new(array("q", [stable("new")]))
    assert [False, True, False] == [other.add(name) for name in (names[0], names[8000], names[9000])]
    assert [False, True] == [one.add(name) for name in (names[9000], names[9001])]
    assert [stable(names[9001])] == list(one.take())


def test_slots_that_are_taken() -> None:
    """Digests that want the same slot stand beside one another, and are found there."""
    ids = Ids()
    size = len(ids.table)
    same = [7, 7 + size, 7 + 2 * size]

    assert [True, True, False] == [ids.add_digest(digest) for digest in (*same[:2], same[1])]
    assert [False, False, True] == [ids.add_new([digest]) for digest in same]
    more = [7 + count * size for count in range(3, 1_000)]
    before = list(ids.table)
    assert [False, before] == [ids.add_new([*more, 7]), list(ids.table)]
    assert [True, False] == [ids.add_new(more), ids.add_new(more[-1:])]
    assert [True, False] == [ids.add_digest(0), ids.add_digest(0)]


@pytest.mark.parametrize("most", [1, 3, 2_000, 20_000])
def test_slots_may_be_held(most: int) -> None:
    """While they are, as many others may be filled and the table stays; what is not filled comes back."""
    ids = Ids()
    for begin in range(0, 10 * most, most):
        ids.hold(most)
        table = ids.table
        assert all(map(ids.add_digest, range(begin + 1, begin + most + 1)))
        assert ids.table is table
        ids.let_go(most)
    size = len(ids.table)
    for _ in range(100):
        ids.hold(most)
        ids.let_go(most)
    assert len(ids.table) == size


@pytest.mark.parametrize("text", ["x" * 1_000_000, "\ud800", "\u00e9"])
def test_any_text_is_an_id(text: str) -> None:
    """A text of any length and of any letters has a digest, which is the same in every process."""
    assert stable(text) == stable(text) != stable(text + "x")
    assert [True, False] == [Ids(stable).add(text), (ids := Ids(stable)).add(text) and ids.add(text)]


def test_many_take_little_room() -> None:
    """An id takes 8 bytes in a table that is filled by a third at least."""
    ids = Ids()
    for number in range(100_000):
        ids.add(str(number))

    assert 8 * len(ids.table) <= 24 * 100_000
