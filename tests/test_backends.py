"""Every backend: one suite for all, then what each has of its own."""

from __future__ import annotations

import os
import pickle
import sqlite3
import subprocess
import sys
import threading
import zipfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import diskcache
import pytest
from openrouter_pricing.backends import disk
from openrouter_pricing.backends.disk import DiskBackend
from openrouter_pricing.backends.memory import MemoryBackend
from openrouter_pricing.backends.null import NullBackend
from upstream import Upstream

from openrouter_pricing import Backend, Pricing, Settings, SettingsError, open_backend
from openrouter_pricing.testing import BackendCheck, backend_checks


@pytest.mark.parametrize("check", backend_checks(), ids=lambda check: check.__name__)
@pytest.mark.parametrize("scheme", ["memory", "disk"])
def test_conformance(check: BackendCheck, scheme: str, tmp_path: Path) -> None:
    """The backends that keep something do everything that the protocol asks for."""
    check(lambda: open_backend("memory://" if scheme == "memory" else f"disk://{tmp_path}/store"))


@pytest.mark.parametrize("check", backend_checks(stores=False), ids=lambda check: check.__name__)
def test_conformance_of_null(check: BackendCheck) -> None:
    """The null backend keeps nothing and does everything else."""
    check(NullBackend)


def test_conformance_suite_can_fail() -> None:
    """A backend that forgets, decodes, grants every lease or never expires anything does not pass."""

    class Careless(NullBackend):
        def set(self, key: str, value: bytes, *, ttl: float | None = None) -> None:
            """Forget it."""

    failed = []
    for check in backend_checks():
        try:
            check(Careless)
        except AssertionError:
            failed.append(check.__name__)
    assert failed == [
        "bytes_stay_bytes",
        "keys_are_apart",
        "the_last_set_wins",
        "values_expire",
        "add_is_granted_once",
        "add_is_atomic",
        "only_bytes_are_kept",
    ]


@pytest.mark.parametrize(
    "check", [c for c in backend_checks() if c.__name__ in ("values_expire", "add_is_granted_once")]
)
def test_conformance_suite_notices_values_that_never_expire(
    check: BackendCheck, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A backend whose clock stands still is caught by the checks of expiry."""
    readings = iter(range(0, 10_000, 3))
    monkeypatch.setattr("openrouter_pricing.testing.time.monotonic", lambda: next(readings))
    with pytest.raises(AssertionError, match="outlived"):
        check(lambda: MemoryBackend(monotonic=lambda: 0.0))


@pytest.mark.parametrize(
    ("url", "kind"),
    [("memory://", MemoryBackend), ("null://", NullBackend), ("disk://", DiskBackend), ("DISK:///x", DiskBackend)],
)
def test_open_backend(url: str, kind: type) -> None:
    """A built-in backend is named by its scheme, in any case."""
    assert type(open_backend(url)) is kind


@pytest.mark.parametrize(
    "url", ["redis-like://x", "disk://relative", "disk:///x?y=1", "memory://x", "null://x", "nothing", ""]
)
def test_open_backend_refuses(url: str) -> None:
    """A URL that names no backend, or that its scheme cannot read, is a settings error that says what is accepted."""
    with pytest.raises(SettingsError, match="backend"):
        open_backend(url)


def test_open_backend_hides_passwords() -> None:
    """A password in a backend URL does not reach the message."""
    with pytest.raises(SettingsError) as caught:
        open_backend("nosuch://user:hunter2@host/0")
    assert "hunter2" not in str(caught.value)
    assert "memory://" in str(caught.value)


def test_unknown_scheme_is_refused_at_construction() -> None:
    """A typing error in the backend's scheme is told when the object is made, not on some later day."""
    with pytest.raises(SettingsError, match="nosuch"):
        Pricing(Settings(backend="nosuch://x"))


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
    inside, leave = threading.Event(), threading.Event()
    order: list[str] = []

    def work(cache: diskcache.Cache) -> None:
        inside.set()
        leave.wait(10)
        order.append("written")

    writer = threading.Thread(target=lambda: backend._do(work))
    writer.start()
    inside.wait(10)
    threading.Timer(0.2, leave.set).start()
    pid = os.fork()
    if pid == 0:
        os._exit(0 if backend.get("key") == b"value" else 1)
    order.append("forked")
    writer.join()
    assert os.waitpid(pid, 0)[1] == 0
    assert order == ["written", "forked"]
    backend.close()


STRANGER_CODE = """
STORE = {}

class Backend:
    def __init__(self, url): self.url = url
    def get(self, key): return STORE.get(key)
    def set(self, key, value, *, ttl=None): STORE[key] = value
    def add(self, key, value, *, ttl): return STORE.setdefault(key, value) is value
    def delete(self, key): STORE.pop(key, None)
    def close(self): pass

def open_stranger(url):
    if url.endswith("bad"):
        raise ValueError("stranger:// and a name")
    return Backend(url)
"""
STRANGER_USE = """
import sys
from openrouter_pricing import Pricing, Settings, SettingsError, open_backend
import stranger
assert open_backend("stranger://x").url == "stranger://x"
try:
    open_backend("stranger://bad")
except SettingsError as error:
    assert "stranger:// and a name" in str(error)
with Pricing(Settings(backend="stranger://x", base_url=sys.argv[1])) as pricing:
    print(pricing.cost("openai/gpt-4o-mini", 1000, 500).source, len(stranger.STORE))
"""


def test_a_strangers_backend_is_found(tmp_path: Path, upstream: Upstream) -> None:
    """A package that registers a scheme in the entry-point group is used like a built-in one."""
    wheel = tmp_path / "stranger-1-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("stranger.py", STRANGER_CODE)
        archive.writestr("stranger-1.dist-info/METADATA", "Metadata-Version: 2.1\nName: stranger\nVersion: 1\n")
        archive.writestr("stranger-1.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(
            "stranger-1.dist-info/entry_points.txt",
            "[openrouter_pricing.backends]\naaa = stranger:other\nstranger = stranger:open_stranger\n",
        )
        archive.writestr("stranger-1.dist-info/RECORD", "")
    site = tmp_path / "site"
    pip = [sys.executable, "-m", "pip", "install", "-q", "--no-index", "--no-deps", "--target", str(site), str(wheel)]
    subprocess.run(pip, check=True, capture_output=True, cwd=tmp_path)
    done = subprocess.run(
        [sys.executable, "-c", STRANGER_USE, upstream.url],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(site)},
        cwd=tmp_path,
        check=False,
    )
    assert done.stdout == "live 2\n", done.stderr


def test_backends_are_backends() -> None:
    """Each built-in backend satisfies the protocol that its consumer owns."""
    kinds: list[Callable[[], object]] = [MemoryBackend, NullBackend, DiskBackend]
    assert all(isinstance(kind(), Backend) for kind in kinds)
