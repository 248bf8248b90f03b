"""The session, against peers that break the rules: what it follows, sends and reads, and how it is broken off."""

from __future__ import annotations

import gzip
import socket
import ssl
import struct
import subprocess
import sys
import threading
import traceback
import zlib
from pathlib import Path

import pytest
from support.clients import HEAD, NOW, failing, quick
from support.hands import Hands
from support.upstream import Answer, Upstream, models, raw_peer, read_request
from support.waiting import PATIENCE

from openrouter_pricing import (
    Client,
    PayloadError,
    StatusError,
    TransportError,
    UpstreamError,
)
from openrouter_pricing._http import client as client_module
from openrouter_pricing._http import transport
from openrouter_pricing._prices.wire import read_catalog


def test_refused() -> None:
    """Nobody listening is a transport error with its cause."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(TransportError, match="no answer") as caught:
        quick(f"http://127.0.0.1:{port}").fetch()
    assert caught.value.__cause__ is not None


def test_a_name_that_does_not_resolve() -> None:
    """A host without an address is a transport error."""
    with pytest.raises(TransportError):
        quick("http://no-such-host.invalid").fetch()


def test_a_name_that_cannot_be_one() -> None:
    """A host that no resolver would take is a transport error as well."""
    with pytest.raises(TransportError):
        quick(f"http://{'a' * 70}.{'b' * 250}.invalid").fetch()


BROKEN = {
    "hangs up": b"",
    "no HTTP": b"SSH-2.0-OpenSSH_9.2\r\n",
    "cut-off header": b"HTTP/1.1 200 OK\r\nContent-",
    "cut-off body": HEAD + b"Content-Length: 100\r\n\r\n{",
    "cut-off chunk": HEAD + b"Transfer-Encoding: chunked\r\n\r\n64\r\n{",
    "chunked garbage": HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n",
    "no gzip": HEAD + b"Content-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}",
    "cut-off gzip": HEAD + b"Content-Encoding: gzip\r\nContent-Length: 12\r\n\r\n" + gzip.compress(models())[:12],
    "endless header": b"HTTP/1.1 200 OK\r\n" + b"X-A: b\r\n" * 200,
}


@pytest.mark.parametrize("how", BROKEN)
def test_broken_answers(how: str) -> None:
    """A peer that breaks the protocol is a transport error, or at worst unreadable; never half a list believed."""

    def talk(conn: socket.socket) -> None:
        read_request(conn)
        conn.sendall(BROKEN[how])

    with raw_peer(talk) as url:
        client = quick(url)
        with pytest.raises((TransportError, PayloadError)):
            read_catalog(client.fetch(), NOW)
        client.close()


def test_a_dripping_body_ends_at_the_deadline(monkeypatch: pytest.MonkeyPatch, hands: Hands) -> None:
    """A body that comes a byte at a time is given up with the first byte after the deadline."""
    for module in (client_module, transport):
        monkeypatch.setattr(module, "time", hands.clock)

    def talk(conn: socket.socket) -> None:
        read_request(conn)
        conn.sendall(HEAD + b"Content-Length: 3\r\n\r\n ")
        hands.turn(PATIENCE)
        conn.sendall(b" ")
        conn.recv(1)

    with raw_peer(talk) as url, pytest.raises(TransportError, match="deadline passed in the middle"):
        quick(url, read_timeout=5).fetch()


def test_close_breaks_off_a_dripping_header() -> None:
    """``close`` from another thread ends a fetch that no timeout would end."""
    connected = threading.Event()

    def talk(conn: socket.socket) -> None:
        read_request(conn)
        connected.set()
        while True:
            conn.sendall(b"H")
            threading.Event().wait(0.02)

    with raw_peer(talk) as url:
        client = quick(url)
        failures: list[UpstreamError] = []

        def fetch() -> None:
            try:
                client.fetch()
            except UpstreamError as error:
                failures.append(error)

        thread = threading.Thread(target=fetch)
        thread.start()
        assert connected.wait(PATIENCE)
        client.close()
        thread.join(PATIENCE)
        assert not thread.is_alive()
        assert len(failures) == 1
        client.close()


def test_too_large_a_body_is_refused_before_it_is_read(upstream: Upstream) -> None:
    """An announced length above the limit is not even begun."""
    upstream.answer = Answer(b"{}", headers={"Content-Length": str(1 << 30)})
    with pytest.raises(PayloadError, match="1073741824 bytes"):
        quick(upstream.url).fetch()


@pytest.mark.parametrize("status", [200, 302])
def test_a_gzip_bomb_does_not_go_off(status: int) -> None:
    """A small body that unpacks to a gigabyte costs no memory, in an answer or in a redirect."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    bomb = b"".join([packer.compress(bytes(1 << 20)) for _ in range(300)]) + packer.flush()

    def talk(conn: socket.socket) -> None:
        read_request(conn)
        head = f"HTTP/1.1 {status} X\r\nLocation: /elsewhere\r\nContent-Encoding: gzip\r\n"
        conn.sendall(f"{head}Content-Length: {len(bomb)}\r\n\r\n".encode() + bomb)

    code = (
        "import resource, sys\n"
        "from openrouter_pricing import Client, Settings, UpstreamError\n"
        "client = Client(Settings(base_url=sys.argv[1], attempts=1, max_body=1 << 23, deadline=60))\n"
        "client._open()\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "try:\n    client.fetch()\nexcept UpstreamError as error:\n    print(type(error).__name__)\n"
        "client.close()\n"
        "print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)\n"
    )
    with raw_peer(talk) as url:
        done = subprocess.run([sys.executable, "-I", "-c", code, url], capture_output=True, text=True, check=True)
    kind, grown = done.stdout.split()
    assert kind == ("PayloadError" if status == 200 else "StatusError")
    assert int(grown) < 64


def test_a_redirect_is_not_followed(upstream: Upstream, client: Client) -> None:
    """An API endpoint does not move: a redirect is an error, and nobody goes there."""
    upstream.fail(302, Location=f"{upstream.url}/elsewhere")
    with pytest.raises(StatusError, match="302"):
        client.fetch()
    assert len(upstream.requests) == 1


def test_tls_failure(tmp_path: Path) -> None:
    """A certificate that nobody vouches for is a transport error."""
    made = subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=localhost",
         "-keyout", tmp_path / "key", "-out", tmp_path / "cert"],
        capture_output=True, check=False,
    )  # fmt: skip
    if made.returncode:
        pytest.skip("openssl is not at hand")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "cert", tmp_path / "key")

    def talk(conn: socket.socket) -> None:
        with context.wrap_socket(conn, server_side=True) as tls:
            tls.recv(1)

    with raw_peer(talk) as url, pytest.raises(TransportError, match="SSL"):
        quick(url.replace("http:", "https:")).fetch()


def test_reset_in_the_middle() -> None:
    """A connection that is reset is a transport error."""

    def talk(conn: socket.socket) -> None:
        read_request(conn)
        conn.sendall(HEAD + b"Content-Length: 100\r\n\r\n{")
        conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    with raw_peer(talk) as url, pytest.raises(TransportError):
        quick(url).fetch()


def test_netrc_never_replaces_the_key(upstream: Upstream, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An entry for the host in the user's netrc neither replaces the key nor is sent without one."""
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login user password hunter2\n")
    (tmp_path / "netrc").chmod(0o600)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    for key, expected in (("sk-secret", "Bearer sk-secret"), (None, None)):
        client = quick(upstream.url, api_key=key)
        client.fetch()
        assert upstream.requests[-1].headers.get("authorization") == expected
        client.close()


def test_credentials_of_a_mirror(upstream: Upstream) -> None:
    """A user and password in the base URL become basic authentication, and show nowhere."""
    url = upstream.url.replace("http://", "http://us%40er:pa%3Ass@")
    client = quick(url)
    client.fetch()
    assert upstream.requests[0].headers["authorization"] == "Basic dXNAZXI6cGE6c3M="
    assert "pa%3Ass" not in repr(client)
    upstream.close()
    client.close()
    with pytest.raises(TransportError) as caught:
        client.fetch()
    assert "pa%3Ass" not in str(caught.value)
    client.close()


def test_closing_what_is_closed_already(upstream: Upstream) -> None:
    """Breaking off a connection that is gone is no error, and a client may be used again after it."""
    client = quick(upstream.url)
    client.fetch()
    adapter = client._connections.get().adapter
    assert adapter is not None
    [sock] = adapter.sockets
    sock.close()
    client.close()
    client.close()
    assert client.fetch().status == 200
    client.close()


def test_a_proxy_that_cannot_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """A mistake in the environment's proxy is a transport error that does not quote its password."""
    monkeypatch.setenv("HTTP_PROXY", "http://user:hunter2@[::1")
    with pytest.raises(TransportError, match="cannot be read") as caught:
        quick("http://upstream.invalid").fetch()
    assert "hunter2" not in "".join(traceback.format_exception(caught.value))


def test_a_proxy_is_not_asked_for_this_machine(upstream: Upstream, monkeypatch: pytest.MonkeyPatch) -> None:
    """Loopback is reached without the environment's proxy, which would see the key."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    client = quick(upstream.url, api_key="sk-secret")
    assert client.fetch().status == 200
    client.close()


def test_connections_through_a_proxy_can_be_broken_off_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """``close`` ends a second fetch that a proxy keeps waiting, after it let the first one through."""
    connected = threading.Event()
    answers = [HEAD + f"Content-Length: {len(models())}\r\nConnection: close\r\n\r\n".encode() + models()]

    def answer_once(conn: socket.socket) -> None:
        read_request(conn)
        if answers:
            conn.sendall(answers.pop())
            return
        connected.set()
        conn.recv(1)

    with raw_peer(answer_once) as url:
        monkeypatch.setenv("HTTP_PROXY", url.removesuffix("/api/v1"))
        client = quick("http://upstream.invalid")
        assert client.fetch().body == models()
        with failing(client) as failures:
            assert connected.wait(PATIENCE)
            client.close()
        assert len(failures) == 1
