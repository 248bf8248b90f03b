"""Directories: made for their owner alone, or used as they are, or refused; never changed."""

from __future__ import annotations

import grp
import os
import pwd
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from openrouter_pricing.backends import directory
from openrouter_pricing.backends.directory import claim
from openrouter_pricing.backends.disk import DiskBackend

only_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a directory away")


@pytest.fixture(params=[0o000, 0o022, 0o277, 0o777], ids=oct)
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    """The process's umask, from one that takes nothing to one that takes everything."""
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


def mode(path: Path) -> str:
    """The permissions of what a path leads to."""
    return oct(path.stat().st_mode & 0o7777)


def test_every_level_is_its_owners_alone(tmp_path: Path, umask: int) -> None:
    """What is missing is made with mode 0700 at every level, whatever the umask, and what lies in it too."""
    backend = DiskBackend(tmp_path / "a" / "b" / "store")
    backend.set("key", b"x" * 100_000)
    assert backend.get("key") == b"x" * 100_000
    made = [path for path in (tmp_path / "a").rglob("*") if path.is_dir()]
    assert {"0o700"} == {mode(path) for path in (tmp_path / "a", *made)}
    assert 4 == len(made)
    assert [] == [path for path in made[-1].iterdir() if path.stat().st_mode & 0o022 and umask]


def test_a_directory_that_is_there_keeps_its_mode(tmp_path: Path) -> None:
    """One that others may read, and one that a link leads to, are used and left as they are."""
    (tmp_path / "public").mkdir()
    (tmp_path / "public").chmod(0o755)
    (tmp_path / "link").symlink_to("public")
    for name in ("public", "link"):
        DiskBackend(tmp_path / name).set("key", b"value")
        assert "0o755" == mode(tmp_path / "public")
    DiskBackend(tmp_path / "public" / ".." / "link" / "below").set("key", b"value")
    assert "0o700" == mode(tmp_path / "public" / "below")


@pytest.mark.parametrize("shared", [0o777, 0o1777, 0o757, 0o770])
def test_a_directory_that_others_can_write_to(tmp_path: Path, shared: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A directory that anybody else can write to is refused, with its name and what to do, and stays as it was."""
    monkeypatch.setattr(directory, "_is_own_group", lambda gid: False)
    (tmp_path / "store").mkdir()
    (tmp_path / "store").chmod(shared)
    with pytest.raises(PermissionError) as caught:
        DiskBackend(tmp_path / "store").set("key", b"value")
    assert (
        f"{tmp_path}/store can be written to by other users, so others could plant prices: name a directory of your "
        "own, such as disk:///var/cache/prices, or take their right to write away (chmod go-w)"
    ) == str(caught.value)
    assert (oct(shared), []) == (mode(tmp_path / "store"), list((tmp_path / "store").iterdir()))


def test_what_leads_to_a_directory(tmp_path: Path) -> None:
    """Whoever can write to a directory above could swap what lies in it, unless it is sticky, as /tmp is."""
    above = tmp_path / "above"
    above.mkdir()
    (tmp_path / "link").symlink_to(above / "store")
    for there in (False, True):
        above.chmod(0o1777)
        claim(above / "store")
        assert "0o700" == mode(above / "store")
        above.chmod(0o777)
        for path in (above / "store", above / "store" / "new", tmp_path / "link"):
            with pytest.raises(PermissionError, match="above can be written to by other users"):
                claim(path)
        if not there:
            (above / "store").rmdir()
            with pytest.raises(PermissionError, match="above can be written to"):
                claim(above / "store")


@only_root
def test_what_belongs_to_others(tmp_path: Path) -> None:
    """What another user owns is not trusted: the directory, one above it, a link, a file in it."""
    (tmp_path / "above" / "store").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "above" / "store")
    for path, claimed in (
        (tmp_path / "above" / "store", tmp_path / "above" / "store"),
        (tmp_path / "above", tmp_path / "above" / "store"),
        (tmp_path / "above", tmp_path / "above" / "new"),
        (tmp_path / "link", tmp_path / "link"),
    ):
        os.chown(path, 12345, 12345, follow_symlinks=False)
        with pytest.raises(PermissionError, match=f"{path} belongs to another user"):
            claim(claimed)
        os.chown(path, 0, 0, follow_symlinks=False)
    claim(tmp_path / "link")


@only_root
def test_a_user_who_is_not_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What root owns is trusted by everybody, so a store that came with an image can be read."""
    DiskBackend(tmp_path / "store").set("key", b"value")
    (tmp_path / "store").chmod(0o755)
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    assert b"value" == DiskBackend(tmp_path / "store").get("key")


def test_planted_links(tmp_path: Path) -> None:
    """A database that is a link, a directory in the store that leads out of it: nothing is written through them."""
    (tmp_path / "store").mkdir(mode=0o700)
    with sqlite3.connect(tmp_path / "other.db") as other:
        other.execute("CREATE TABLE mine (x)")
    other.close()
    before = (tmp_path / "other.db").read_bytes()
    (tmp_path / "store" / "cache.db").symlink_to(tmp_path / "other.db")
    with pytest.raises(PermissionError, match=r"cache\.db is a link"):
        DiskBackend(tmp_path / "store").set("key", b"value")
    assert before == (tmp_path / "other.db").read_bytes()
    (tmp_path / "store" / "cache.db").unlink()
    (tmp_path / "elsewhere").mkdir()
    for number in range(256):
        (tmp_path / "store" / f"{number:02x}").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ValueError, match="leads outside"):
        DiskBackend(tmp_path / "store").set("key", b"x" * 100_000)
    assert [] == list((tmp_path / "elsewhere").iterdir())


def test_a_database_that_others_can_write_to(tmp_path: Path) -> None:
    """A database in a public directory that anybody may write to is refused, too."""
    DiskBackend(tmp_path / "store").set("key", b"value")
    (tmp_path / "store" / "cache.db").chmod(0o666)
    with pytest.raises(PermissionError, match=r"cache\.db can be written to"):
        DiskBackend(tmp_path / "store").get("key")


def test_a_journal_that_comes_and_goes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another process ends its write in the middle of the check: its journal is gone, and nothing is wrong."""
    journal, lstat = tmp_path / "cache.db-journal", os.lstat
    journal.touch(0o600)

    def late(path: str | Path) -> os.stat_result:
        if Path(path) == journal:
            journal.unlink(missing_ok=True)
        return lstat(path)

    monkeypatch.setattr(os, "lstat", late)
    claim(tmp_path, "cache.db-journal")
    assert not os.path.lexists(journal)


def test_links_that_lead_nowhere(tmp_path: Path) -> None:
    """A link to nothing, or to itself, is an error and nothing is made through it."""
    (tmp_path / "dangling").symlink_to(tmp_path / "gone")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    for name, named in (("dangling", "gone"), ("loop", "loop")):
        with pytest.raises(OSError, match=named):
            DiskBackend(tmp_path / name).set("key", b"value")
    assert not (tmp_path / "gone").exists()


def test_a_path_that_no_system_takes() -> None:
    """A path of 64,000 levels is an error at once, before anything is made."""
    with pytest.raises(OSError, match="too long"):
        DiskBackend("/tmp/" + "a/" * 64_000).set("key", b"value")


def test_the_group_of_one_user(monkeypatch: pytest.MonkeyPatch) -> None:
    """A group counts as nobody else's if it is named after the user and holds no other."""
    groups = {1: ("me", []), 2: ("me", ["me"]), 3: ("me", ["me", "you"]), 4: ("staff", [])}
    monkeypatch.setattr(pwd, "getpwuid", lambda uid: SimpleNamespace(pw_name="me"))
    monkeypatch.setattr(grp, "getgrgid", lambda gid: SimpleNamespace(gr_name=groups[gid][0], gr_mem=groups[gid][1]))
    assert [True, True, False, False, False] == [directory._is_own_group(gid) for gid in (1, 2, 3, 4, 5)]
