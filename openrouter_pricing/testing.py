"""What every backend, and every price history, must do, as checks that a stranger can run on theirs.

With pytest::

    @pytest.mark.parametrize("check", backend_checks(), ids=lambda check: check.__name__)
    def test_my_backend(check, tmp_path):
        check(lambda: MyBackend(tmp_path))

    @pytest.mark.parametrize("check", history_checks(), ids=lambda check: check.__name__)
    def test_my_history(check, tmp_path):
        check(lambda: MyHistory(tmp_path))
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TypeAlias

from ._freshness.protocols import Backend
from ._history.checks import HistoryCheck, history_checks

__all__ = ["BackendCheck", "HistoryCheck", "backend_checks", "history_checks"]

#: Takes what opens a fresh view of one and the same store, and raises AssertionError if it does not behave.
BackendCheck: TypeAlias = Callable[[Callable[[], Backend]], None]

_BODY = bytes(range(256)) * 4000  # a megabyte of every byte there is: a catalogue is about that large


def backend_checks(*, stores: bool = True) -> list[BackendCheck]:
    """The checks of the ``Backend`` protocol.

    Args:
        stores: whether the backend keeps anything; the null one does not.
    """
    return [*_ALWAYS, *_STORING] if stores else [*_ALWAYS]


def it_is_a_backend(open_backend: Callable[[], Backend]) -> None:
    """It has the five methods of the protocol."""
    assert isinstance(open_backend(), Backend)


def a_missing_key_is_none(open_backend: Callable[[], Backend]) -> None:
    """A key that was never set has no value, and deleting it is no error."""
    backend = open_backend()
    backend.delete("missing")
    assert backend.get("missing") is None
    backend.close()


def the_first_add_is_granted(open_backend: Callable[[], Backend]) -> None:
    """``add`` answers True where there is nothing yet."""
    backend = open_backend()
    assert backend.add("lease", b"mine", ttl=60) is True
    backend.close()


def closing_twice_is_allowed(open_backend: Callable[[], Backend]) -> None:
    """``close`` may be called as often as one likes."""
    backend = open_backend()
    backend.set("key", b"value")
    backend.close()
    backend.close()


def bytes_stay_bytes(open_backend: Callable[[], Backend]) -> None:
    """Every byte comes back, in small and in large values, also empty ones."""
    backend = open_backend()
    for key, value in (("small", b"\x00\xff"), ("empty", b""), ("large", _BODY)):
        backend.set(key, value)
        assert value == backend.get(key), key
        assert type(backend.get(key)) is bytes
    backend.close()


def keys_are_apart(open_backend: Callable[[], Backend]) -> None:
    """Keys that look alike are different keys."""
    backend = open_backend()
    backend.set("v1:abc:head", b"one")
    backend.set("v1:abc:head ", b"two")
    backend.set("V1:abc:head", b"three")
    assert [backend.get(key) for key in ("v1:abc:head", "v1:abc:head ", "V1:abc:head")] == [b"one", b"two", b"three"]
    backend.close()


def the_last_set_wins(open_backend: Callable[[], Backend]) -> None:
    """Setting a key again replaces its value; deleting it removes it."""
    backend = open_backend()
    backend.set("key", b"old" * 50_000)
    backend.set("key", b"new")
    assert backend.get("key") == b"new"
    backend.delete("key")
    assert backend.get("key") is None
    backend.close()


def values_expire(open_backend: Callable[[], Backend]) -> None:
    """A value with a ``ttl`` is gone after it, and one without stays."""
    backend = open_backend()
    backend.set("short", b"value", ttl=0.05)
    backend.set("long", b"value", ttl=60)
    backend.set("forever", b"value")
    until = time.monotonic() + 10
    while backend.get("short") is not None:
        assert time.monotonic() < until, "a value outlived its ttl by far"
    assert backend.get("long") == backend.get("forever") == b"value"
    backend.close()


def add_is_granted_once(open_backend: Callable[[], Backend]) -> None:
    """``add`` keeps the first value and refuses later ones, until it has expired or was deleted."""
    backend = open_backend()
    assert backend.add("lease", b"first", ttl=60)
    assert not backend.add("lease", b"second", ttl=60)
    assert backend.get("lease") == b"first"
    backend.delete("lease")
    assert backend.add("lease", b"third", ttl=0.05)
    until = time.monotonic() + 10
    while not backend.add("lease", b"fourth", ttl=60):
        assert time.monotonic() < until, "a lease outlived its ttl by far"
    assert backend.get("lease") == b"fourth"
    backend.close()


def add_is_atomic(open_backend: Callable[[], Backend]) -> None:
    """Of many threads that ``add`` the same key at once, exactly one is granted it."""
    backend = open_backend()
    assert _at_once(lambda: backend.add("lease", b"mine", ttl=60)) == 1
    backend.close()


def _at_once(take: Callable[[], bool]) -> int:
    """How many of 16 threads that do it at once were granted it."""
    start = threading.Barrier(16)
    granted: list[bool] = []

    def run() -> None:
        start.wait()
        granted.append(take())

    threads = [threading.Thread(target=run) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return granted.count(True)


def only_what_is_equal_is_deleted(open_backend: Callable[[], Backend]) -> None:
    """``compare_and_delete``, where a backend has it, forgets a value that is the one given, once, and no other."""
    backend = open_backend()
    delete = getattr(backend, "compare_and_delete", None)
    if delete is not None:
        assert backend.add("lease", b"mine", ttl=60)
        assert not delete("lease", b"another's")
        assert not delete("missing", b"mine")
        assert backend.get("lease") == b"mine"
        assert delete("lease", b"mine")
        assert not delete("lease", b"mine")
        assert backend.get("lease") is None
    backend.close()


def deleting_what_is_equal_is_atomic(open_backend: Callable[[], Backend]) -> None:
    """Of many threads that ``compare_and_delete`` the same value at once, one deletes it."""
    backend = open_backend()
    delete = getattr(backend, "compare_and_delete", None)
    if delete is not None:
        backend.set("lease", b"mine")
        assert _at_once(lambda: bool(delete("lease", b"mine"))) == 1
    backend.close()


def only_bytes_are_kept(open_backend: Callable[[], Backend]) -> None:
    """Anything but bytes under str keys is a TypeError, and nothing of it is kept."""
    backend = open_backend()
    for key, value in (("key", "text"), ("key", None), (7, b"value")):
        try:
            backend.set(key, value)  # type: ignore[arg-type]  # that is the point
        except TypeError:
            continue
        raise AssertionError(f"{value!r} under {key!r} was accepted")
    assert backend.get("key") is None
    backend.close()


_ALWAYS: tuple[BackendCheck, ...] = (
    it_is_a_backend,
    a_missing_key_is_none,
    the_first_add_is_granted,
    closing_twice_is_allowed,
)
_STORING: tuple[BackendCheck, ...] = (
    bytes_stay_bytes,
    keys_are_apart,
    the_last_set_wins,
    values_expire,
    add_is_granted_once,
    add_is_atomic,
    only_what_is_equal_is_deleted,
    deleting_what_is_equal_is_atomic,
    only_bytes_are_kept,
)
