"""Servers that refuse, and wrong addresses: one line in the log without a secret, and an answer all the same."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support.certificate import Authority
from support.figures import Figure
from support.hands import Hands
from support.servers import HOST, Server, at, free_port, running
from support.told import causes_told
from support.upstream import Upstream

from openrouter_pricing import Pricing, Settings

pytestmark = pytest.mark.fleet

SECRET = "hunter2"
MODEL = "openai/gpt-4o-mini"
#: Asks over and over with a store that does not work; how many lines of the log tell of it.
Ask = Callable[[str, str], int]


@pytest.fixture
def ask(upstream: Upstream, hands: Hands, caplog: pytest.LogCaptureFixture, figure: Figure) -> Ask:
    """Asks five times, with time for the store to be asked again between; then looks at what was said."""

    def do(row: str, url: str) -> int:
        caplog.clear()
        settings = Settings(base_url=upstream.url, backend=url, l1_ttl=0)
        slowest = 0.0
        with caplog.at_level(logging.DEBUG), Pricing(settings, clock=hands.clock) as pricing:
            for _ in range(5):
                began = time.perf_counter()
                cost = pricing.cost(MODEL, 1)
                slowest = max(slowest, time.perf_counter() - began)
                assert (cost.source, str(cost.raw)) == ("live", "1.5E-7")
                pricing.refresh()
                hands.turn(100)
            assert SECRET not in repr(pricing.stats())
        everything = "\n".join(f"{record.getMessage()} {vars(record)!r}" for record in caplog.records)
        assert SECRET not in everything
        causes = causes_told(caplog.records)
        told = f"1 log line ({', '.join(causes)})" if causes else "no log line"
        figure(f"refused: {row}", f"{told}, answered live, the slowest after {slowest:.2f} s")
        assert slowest < 1.5
        return len(causes)

    return do


@pytest.fixture
def locked(valkey_program: str, tmp_path: Path) -> Iterator[Server]:
    """A server that wants a password."""
    with running(Server(valkey_program, tmp_path / "locked", "requirepass right", "maxmemory 100mb")) as (server,):
        yield server


@pytest.mark.parametrize(
    ("row", "user"),
    [
        ("wrong password", f":{SECRET}@"),
        ("unknown user", f"ann:{SECRET}@"),
        ("no password where one is wanted", ""),
    ],
)
def test_passwords(ask: Ask, locked: Server, row: str, user: str) -> None:
    """A password that the server does not take."""
    assert 1 == ask(row, f"valkey://{user}{at(locked)}")


def test_plain_to_a_tls_port(ask: Ask, tls: Server) -> None:
    """No TLS where it is wanted."""
    assert 1 == ask("plain to a TLS port", f"redis://:{SECRET}@{at(tls)}")


def test_tls_to_a_plain_port(ask: Ask, valkey: Server) -> None:
    """TLS where none is spoken."""
    assert 1 == ask("TLS to a plain port", f"rediss://:{SECRET}@{at(valkey)}")


def test_an_unknown_authority(ask: Ask, tls: Server) -> None:
    """A certificate that nobody known vouches for."""
    assert 1 == ask("unknown CA", f"rediss://:{SECRET}@{at(tls)}")


def test_no_certificate_of_the_client(ask: Ask, tls: Server, authority: Authority) -> None:
    """A server that wants to see one."""
    assert 1 == ask("no client certificate where one is wanted", f"rediss://{at(tls)}?ssl_ca_certs={authority.ca}")


def test_another_name(ask: Ask, redis_program: str, tmp_path: Path) -> None:
    """A certificate of another host."""
    other = Authority(tmp_path / "other", "IP:127.0.0.9")
    lines = (f"tls-cert-file {other.path}", f"tls-key-file {other.key}", f"tls-ca-cert-file {other.ca}")
    with running(Server(redis_program, tmp_path / "tls", *lines, "tls-auth-clients no", tls=True)) as (server,):
        url = f"rediss://:{SECRET}@{at(server)}?ssl_ca_certs={other.ca}"
        assert 1 == ask("a certificate of another host", url)


@pytest.mark.parametrize(("command", "lines"), [("get", 1), ("set", 1), ("eval", 0), ("del", 1)])
def test_a_refused_command(ask: Ask, valkey: Server, command: str, lines: int) -> None:
    """A user who may not do one of the four commands; leases go without scripts."""
    rights = {"+get", "+set", "+del", "+eval"} - {f"+{command}"}
    with valkey.client() as client:
        client.execute_command("ACL", "SETUSER", "ann", "reset", "on", f">{SECRET}", "~*", "-@all", *sorted(rights))
    assert lines == ask(f"{command.upper()}, by ACL", f"valkey://ann:{SECRET}@{at(valkey)}")


def test_foreign_keys(ask: Ask, valkey: Server) -> None:
    """A user who may not touch these keys."""
    with valkey.client() as client:
        client.execute_command("ACL", "SETUSER", "ann", "reset", "on", f">{SECRET}", "~other:*", "+@all")
    assert 1 == ask("keys, by ACL", f"valkey://ann:{SECRET}@{at(valkey)}")


def test_a_replica(ask: Ask, valkey_program: str, valkey: Server, tmp_path: Path) -> None:
    """A server that may only be read."""
    with running(Server(valkey_program, tmp_path / "replica", f"replicaof {HOST} {valkey.port}")) as (replica,):
        assert 1 == ask("writes, by a replica", f"valkey://{at(replica)}")


def test_a_full_server(ask: Ask, valkey: Server) -> None:
    """A server that has no memory left and evicts nothing."""
    with valkey.client() as client:
        client.config_set("maxmemory", "1")
    assert 1 == ask("writes, by a full server that evicts nothing", f"valkey://{at(valkey)}")


def test_nobody(ask: Ask, upstream: Upstream) -> None:
    """A port on which nobody listens, or somebody else."""
    assert 1 == ask("nobody listens", f"valkey://:{SECRET}@{HOST}:{free_port()}")
    assert 1 == ask("an HTTP server", f"valkey://:{SECRET}@{HOST}:{upstream.port}")


def test_no_such_socket(ask: Ask, tmp_path: Path) -> None:
    """A socket that is not there."""
    assert 1 == ask("no such socket", f"unix://:{SECRET}@{tmp_path}/s")


def test_one_server_as_a_cluster(ask: Ask, valkey: Server) -> None:
    """A server that is no cluster."""
    assert 1 == ask("no cluster", f"valkey+cluster://{at(valkey)}")


def test_an_unknown_service(ask: Ask, guarded: tuple[list[Server], list[Server]]) -> None:
    """Sentinels that watch no such service, and sentinels that are servers."""
    servers, sentinels = guarded
    assert 1 == ask("a service that the sentinels do not watch", f"valkey+sentinel://:{SECRET}@{at(*sentinels)}/other")
    assert 1 == ask("a server in place of a sentinel", f"valkey+sentinel://:{SECRET}@{at(servers[0])}/prices")
