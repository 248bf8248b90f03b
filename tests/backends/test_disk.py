"""The disk backend: who may read it, what it runs, what it mends, and forks."""

from __future__ import annotations

import os
import pickle
import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import diskcache
import pytest
from openrouter_pricing.backends import disk
from openrouter_pricing.backends.disk import DiskBackend
from support.waiting import PATIENCE

from openrouter_pricing import open_backend


def test_disk_uses_the_platform_directory(tmp_path: Path) -> None:
    """``disk://`` keeps its files in the user's cache directory."""
    backend = open_backend("disk://")
    backend.set("key", b"value")
    assert (tmp_path / "user-cache" / "openrouter-pricing" / "cache.db").exists()
    assert str(tmp_path) in repr(backend)
    backend.close()


def test_disk_url_is_decoded(tmp_path: Path) -> None:
    """A directory with a space in it can be named."""
    backend = open_backend(f"disk://{tmp_path}/a%20b")
    backend.set("key", b"value")
    assert (tmp_path / "a b").is_dir()
    backend.close()


def test_disk_keeps_others_out(tmp_path: Path) -> None:
    """The directory is the owner's alone; one that was there before is used as it is."""
    (tmp_path / "old").mkdir(mode=0o755)
    for name, mode in (("new", 0o700), ("old", 0o755)):
        backend = DiskBackend(tmp_path / name)
        backend.set("key", b"value")
        assert mode == (tmp_path / name).stat().st_mode & 0o777
        backend.close()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a directory away")
def test_disk_refuses_the_directory_of_another_user(tmp_path: Path) -> None:
    """A directory that belongs to somebody else is not used."""
    directory = tmp_path / "store"
    directory.mkdir()
    os.chown(directory, 12345, 12345)
    with pytest.raises(PermissionError, match="another user"):
        DiskBackend(directory).get("key")


class Bomb:
    """Creates a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (self.path,)


@pytest.mark.parametrize("column", ["value", "key", "file"])
def test_disk_never_unpickles(tmp_path: Path, column: str) -> None:
    """A pickle that somebody planted in the directory is refused and never run (CVE-2025-69872)."""
    directory, mark = tmp_path / "store", tmp_path / "pwned"
    payload = pickle.dumps(Bomb(mark))
    cache = diskcache.Cache(str(directory))
    cache.set("key", b"x" * 100_000 if column == "file" else b"value")
    with sqlite3.connect(directory / "cache.db") as db:
        if column == "key":
            db.execute("UPDATE Cache SET key = ?, raw = 0", (payload,))
        elif column == "value":
            db.execute("UPDATE Cache SET mode = 4, value = ?", (payload,))
        else:
            (name,) = db.execute("SELECT filename FROM Cache").fetchone()
            (directory / name).write_bytes(payload)
            db.execute("UPDATE Cache SET mode = 4")
    db.close()
    cache.close()
    backend = DiskBackend(directory)
    if column == "key":
        assert backend.get("key") is None
        with closing(backend._open()) as opened, pytest.raises(ValueError, match="pickled key"):
            list(opened)
    else:
        with pytest.raises(ValueError, match="not bytes"):
            backend.get("key")
    backend.set("key", b"good")
    assert backend.get("key") == b"good"
    assert not mark.exists()
    backend.close()
    # The guard is what keeps it out: diskcache itself runs a pickled value.
    if column == "value":
        plain = diskcache.Cache(str(directory))
        with sqlite3.connect(directory / "cache.db") as db:
            db.execute("UPDATE Cache SET mode = 4, value = ?", (payload,))
        db.close()
        plain.get("key")
        plain.close()
        assert mark.exists()


def test_disk_stays_in_its_directory(tmp_path: Path) -> None:
    """A row that names a file elsewhere neither shows nor removes it."""
    secret = tmp_path / "secret"
    secret.write_bytes(b"not yours")
    backend = DiskBackend(tmp_path / "store")
    backend.set("key", b"x" * 100_000)
    with sqlite3.connect(tmp_path / "store" / "cache.db") as db:
        db.execute("UPDATE Cache SET filename = '../secret'")
    db.close()
    with pytest.raises(ValueError, match="outside"):
        backend.get("key")
    backend.delete("key")
    assert secret.read_bytes() == b"not yours"
    backend.close()


def test_disk_file_that_is_gone(tmp_path: Path) -> None:
    """A large value whose file was deleted meanwhile is not there."""
    backend = DiskBackend(tmp_path / "store")
    backend.set("key", b"x" * 100_000)
    [file] = [path for path in (tmp_path / "store").rglob("*") if path.suffix == ".val"]
    file.unlink()
    assert backend.get("key") is None
    backend.close()


def test_disk_reads_without_writing(tmp_path: Path) -> None:
    """A question changes nothing in the directory: it may be asked of a disk that is full."""
    backend = DiskBackend(tmp_path / "store")
    backend.set("key", b"value")
    backend.close()

    def state() -> list[tuple[str, int]]:
        return [(path.name, path.stat().st_mtime_ns) for path in [tmp_path / "store", *(tmp_path / "store").iterdir()]]

    before = state()
    assert DiskBackend(tmp_path / "store").get("key") == b"value"
    assert DiskBackend(tmp_path / "store").get("other") is None
    assert before == state()


def test_disk_lists_its_keys(tmp_path: Path) -> None:
    """Keys that are not pickled are read as they are."""
    backend = DiskBackend(tmp_path / "store")
    backend.set("key", b"value")
    with closing(backend._open()) as opened:
        assert list(opened) == ["key"]
    backend.close()


def test_disk_mends_a_corrupt_database(tmp_path: Path) -> None:
    """A file that is no database is told of once, moved aside, not lost, and the store works again."""
    directory = tmp_path / "store"
    directory.mkdir()
    (directory / "cache.db").write_bytes(b"this is no database" * 1000)
    backend = DiskBackend(directory)
    with pytest.raises(sqlite3.DatabaseError):
        backend.get("key")
    backend.set("key", b"value")
    assert backend.get("key") == b"value"
    assert (directory / "cache.db.corrupt").read_bytes().startswith(b"this is no database")
    backend.close()


def test_disk_mends_a_database_that_breaks_while_it_is_open(tmp_path: Path) -> None:
    """A database that turns corrupt under an open connection is replaced too."""
    backend = DiskBackend(tmp_path / "store")
    for number in range(200):
        backend.set(f"key{number}", b"x" * 1000)
    backend.close()
    backend.get("key0")
    path = tmp_path / "store" / "cache.db"
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.write(b"\xff" * size)
    with pytest.raises(sqlite3.DatabaseError):
        backend.set("key", b"value")
    backend.set("key", b"value")
    assert backend.get("key") == b"value"
    backend.close()


def test_disk_leaves_a_store_alone_that_another_process_has_mended(tmp_path: Path) -> None:
    """Before anything is moved aside it is looked at once more."""
    backend = DiskBackend(tmp_path / "store")
    backend.set("key", b"value")
    backend._mend()
    assert backend.get("key") == b"value"
    assert not (tmp_path / "store" / "cache.db.corrupt").exists()
    backend.close()


@pytest.mark.usefixtures("real_limits")
def test_disk_does_not_mend_what_is_only_locked(tmp_path: Path) -> None:
    """A database that another process holds is an error for now; nothing is moved, and it works again later."""
    backend = DiskBackend(tmp_path / "store")
    backend.set("key", b"value")
    other = sqlite3.connect(tmp_path / "store" / "cache.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(diskcache.Timeout):
        backend.set("key", b"other")
    assert backend.get("key") == b"value"
    other.execute("ROLLBACK")
    other.execute("BEGIN EXCLUSIVE")
    backend._open = _raise_locked  # type: ignore[method-assign]  # diskcache's constructor may retry for a minute
    with pytest.raises(sqlite3.OperationalError):
        backend._mend()
    with pytest.raises(sqlite3.OperationalError):
        backend.get("key")
    other.execute("ROLLBACK")
    other.close()
    assert not (tmp_path / "store" / "cache.db.corrupt").exists()
    assert DiskBackend(tmp_path / "store").get("key") == b"value"


@pytest.mark.parametrize(
    ("message", "failures", "calls"),
    [("database is locked", 2, 3), ("disk I/O error", 1, 1), ("database is locked", 10**9, 0)],
)
def test_disk_that_many_open_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, message: str, failures: int, calls: int
) -> None:
    """Opening is tried again for a while where another process holds the lock; any other trouble is told at once."""
    made: list[str] = []

    class Crowded(disk._Cache):  # type: ignore[misc]
        def __init__(self, *arguments: object, **options: object) -> None:
            made.append(message)
            if len(made) <= failures:
                raise sqlite3.OperationalError(message)
            super().__init__(*arguments, **options)

    monkeypatch.setattr(disk, "_Cache", Crowded)
    if calls == 0:
        monkeypatch.setattr(disk, "_BUSY", 0.1)
    backend = DiskBackend(tmp_path / "store")
    if calls == 3:
        assert backend.add("key", b"value", ttl=60)
    else:
        with pytest.raises(sqlite3.OperationalError, match=message):
            backend.add("key", b"value", ttl=60)
    assert calls in {0, len(made)}
    assert made


def _raise_locked() -> diskcache.Cache:
    raise sqlite3.OperationalError("database is locked")


def test_disk_works_in_a_forked_child(tmp_path: Path) -> None:
    """A child opens the store anew, sees what its parent wrote, and the parent sees what the child wrote."""
    backend = DiskBackend(tmp_path / "store")
    backend.set("key", b"parent")
    pid = os.fork()
    if pid == 0:
        good = backend.get("key") == b"parent"
        backend.set("key", b"child")
        backend.close()
        os._exit(0 if good else 1)
    assert os.waitpid(pid, 0)[1] == 0
    assert backend.get("key") == b"child"
    backend.close()


def test_disk_child_of_a_closed_backend(tmp_path: Path) -> None:
    """A backend that was closed, or collected, before a fork does not trouble the child."""
    backend = DiskBackend(tmp_path / "store")
    backend.set("key", b"parent")
    backend.close()
    gone = DiskBackend(tmp_path / "store")
    gone.set("key", b"gone")
    gone.close()
    del gone
    pid = os.fork()
    if pid == 0:
        os._exit(0 if backend.get("key") == b"gone" else 1)
    assert os.waitpid(pid, 0)[1] == 0


def test_fork_waits_for_a_write_under_way(tmp_path: Path) -> None:
    """A fork is held back while another thread uses the database, so that no lock of SQLite is inherited."""
    backend = DiskBackend(tmp_path / "store")
    backend.set("key", b"value")
    inside, leave, forked = (threading.Event() for _ in range(3))
    order: list[str] = []

    def work(cache: diskcache.Cache) -> None:
        inside.set()
        leave.wait()
        forked.wait(0.2)  # time enough for a fork that is not held back
        order.append("written")

    writer = threading.Thread(target=lambda: backend._do(work))
    writer.start()
    assert inside.wait(PATIENCE)
    os.register_at_fork(before=leave.set)  # called before those that were registered earlier, as the store's was
    pid = os.fork()
    if pid == 0:
        os._exit(0 if backend.get("key") == b"value" else 1)
    order.append("forked")
    forked.set()
    writer.join()
    assert os.waitpid(pid, 0)[1] == 0
    assert order == ["written", "forked"]
    backend.close()
