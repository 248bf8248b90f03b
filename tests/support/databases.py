"""A real PostgreSQL on loopback, which ends with its tests."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from support.servers import HOST, free_port
from support.waiting import PATIENCE, until

_OWNER = "nobody"  # PostgreSQL does not run for root


def postgres_folder() -> Path | None:
    """Where the programs of the newest PostgreSQL are; None where there is none."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[-3]))
    if found:
        return found[-1].parent
    program = shutil.which("postgres")
    return None if program is None else Path(program).parent


class Postgres:
    """One server on a free port, with an empty database.

    Args:
        programs: the folder of its programs.
        folder: where its files go; empty.
    """

    def __init__(self, programs: Path, folder: Path) -> None:
        self._programs = programs
        self._user = _OWNER if os.getuid() == 0 else None
        self._data = folder / "data"
        if self._user is not None:
            owner = pwd.getpwnam(self._user)
            os.chown(folder, owner.pw_uid, owner.pw_gid)
            for parent in folder.parents:  # a folder for what is temporary may let nobody else in
                if parent.stat().st_mode & 0o001 == 0 and parent.stat().st_uid == 0:
                    parent.chmod(parent.stat().st_mode | 0o011)
        self._run("initdb", "-A", "trust", "-U", "prices", "-N", "-D", str(self._data))
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    @property
    def url(self) -> str:
        """Of its database, as ``SqlHistory`` takes it."""
        return f"postgresql+psycopg://prices:hush@{HOST}:{self.port}/postgres"

    def start(self) -> None:
        """Run it, and wait until it answers."""
        command = [str(self._programs / "postgres"), "-D", str(self._data), "-p", str(self.port)]
        options = ["-h", HOST, "-k", "", "-F"]

        def is_up() -> bool:
            if self._process is None or self._process.poll() is not None:  # not yet, or something was in its way
                with (self._data.parent / "log").open("ab") as log:
                    self._process = subprocess.Popen([*command, *options], user=self._user, stdout=log, stderr=log)
            return self._run("pg_isready", "-q", "-h", HOST, "-p", str(self.port), check=False) == 0

        try:
            until(is_up)
        except AssertionError as error:
            raise AssertionError((self._data.parent / "log").read_text()[-2000:]) from error

    def stop(self) -> None:
        """End it, whoever is connected."""
        assert self._process is not None
        self._process.send_signal(signal.SIGINT)
        self._process.wait(PATIENCE)

    def _run(self, program: str, *arguments: str, check: bool = True) -> int:
        command = [str(self._programs / program), *arguments]
        return subprocess.run(
            command, user=self._user, check=check, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ).returncode


@contextmanager
def postgres() -> Iterator[Postgres]:
    """A server while the block runs; what needs it is skipped where there is none.

    It has a folder of its own: whenever a run of pytest begins it closes the folders of all runs to everybody else, and
    then a server that was stopped cannot start again.
    """
    pytest.importorskip("psycopg")
    programs = postgres_folder()
    if programs is None:
        pytest.skip("no PostgreSQL: apt-get install postgresql")
    with TemporaryDirectory(prefix="postgres-") as folder:
        server = Postgres(programs, Path(folder))
        try:
            yield server
        finally:
            server.stop()


def emptied(url: str) -> str:
    """The same database, without any table of ours."""
    from openrouter_pricing.history import store

    history = store.SqlHistory(url)
    with history._engines.get().begin() as connection:
        for name in ("schema", "head", "prices", "outbox"):
            connection.execute(store.sql.text(f"DROP TABLE IF EXISTS openrouter_pricing_{name}"))
    history.close()
    return url


def made(url: str) -> Any:
    """A history with its tables."""
    from openrouter_pricing.history import SqlHistory

    history = SqlHistory(url)
    history.initialise()
    return history
