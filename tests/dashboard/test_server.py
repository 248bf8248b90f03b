"""The dashboard by itself, for one person."""

from __future__ import annotations

import http.client
import io
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from support.pages import catalog
from support.waiting import PATIENCE, until

from openrouter_pricing import Pricing
from openrouter_pricing.dashboard import create_app
from openrouter_pricing.dashboard.app import HEADERS
from openrouter_pricing.dashboard.server import OnePerson, _Within

Serve = Callable[..., OnePerson]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Starts a server on loopback; what it logs is in ``lines``."""
    started = []

    def start(app: Any = None, *, host: str = "127.0.0.1", **options: Any) -> OnePerson:
        lines: list[str] = []
        app = create_app(Pricing(catalog=catalog()), auth="t0ken") if app is None else app
        server = OnePerson(host, 0, app, lines.append, **{"patience": PATIENCE, **options})
        server.lines = lines  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        started.append((server, thread))
        return server

    yield start
    for server, thread in started:
        server.shutdown()
        thread.join(PATIENCE)
        server.server_close()


def ask(server: OnePerson, path: str, **headers: str) -> http.client.HTTPResponse:
    """One answer, read whole."""
    connection = http.client.HTTPConnection(server.server_name, server.server_port, timeout=PATIENCE)
    connection.request("GET", path, headers=headers)
    answer = connection.getresponse()
    answer.body = answer.read()  # type: ignore[attr-defined]
    connection.close()
    return answer


def raw(server: OnePerson, data: bytes) -> bytes:
    """Everything that comes back for these bytes."""
    with socket.create_connection(server.server_address[:2], PATIENCE) as connection:
        connection.sendall(data)
        parts = []
        while part := connection.recv(65536):
            parts.append(part)
    return b"".join(parts)


def test_pages_are_served(serve: Serve) -> None:
    """As by any server; the log holds one line for each, and no token."""
    server = serve()
    assert 401 == ask(server, "/").status
    assert 303 == ask(server, "/models?token=t0ken&q=x").status
    assert 200 == ask(server, "/healthz", Authorization="Bearer t0ken").status
    until(lambda: len(server.lines) == 3)  # type: ignore[attr-defined]
    assert ["127.0.0.1 GET / 401", "127.0.0.1 GET /healthz 200", "127.0.0.1 GET /models 303"] == sorted(server.lines)  # type: ignore[attr-defined]


def test_ipv6(serve: Serve) -> None:
    """The address family follows the address."""
    server = serve(host="::1")
    assert 401 == ask(server, "/").status


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"nonsense\r\n\r\n", b"400"),
        (b"GET / HTTP/9.9\r\n\r\n", b"505"),
        (b"GET /" + b"a" * 70_000 + b" HTTP/1.0\r\n\r\n", b"414"),
        (b"GET / HTTP/1.0\r\n" + b"X: y\r\n" * 200 + b"\r\n", b"431"),
    ],
)
def test_what_is_no_http(serve: Serve, sent: bytes, status: bytes) -> None:
    """It is refused with the headers that every answer has, and the server goes on."""
    server = serve()
    answer = raw(server, sent)
    assert status in answer.partition(b"\r\n")[0]
    assert all(f"{name}: {value}".encode() in answer for name, value in HEADERS.items())
    assert 401 == ask(server, "/").status


def test_more_than_one_person(serve: Serve) -> None:
    """Whoever comes on top is refused at once, and told why; when the others have gone, the next one is let in."""
    server = serve(most=2)
    idle = [socket.create_connection(server.server_address[:2], PATIENCE) for _ in range(2)]
    until(lambda: server._slots._value == 0)  # type: ignore[attr-defined]
    answer = ask(server, "/")
    assert (503, "10") == (answer.status, answer.headers["Retry-After"])
    assert b"for one person" in answer.body  # type: ignore[attr-defined]
    assert HEADERS["Content-Security-Policy"] == answer.headers["Content-Security-Policy"]
    for connection in idle:
        connection.close()
    until(lambda: server._slots._value == 2)  # type: ignore[attr-defined]
    assert 401 == ask(server, "/").status


def test_a_client_that_dawdles(serve: Serve) -> None:
    """A request that does not arrive in time is dropped, however steadily it drips."""
    server = serve(most=1, patience=0.2)
    with socket.create_connection(server.server_address[:2], PATIENCE) as slow:
        slow.sendall(b"GET / HTTP/1.0\r\nX-Slow: ")
        dripping = threading.Event()

        def drip() -> None:
            while not dripping.wait(0.01):
                try:
                    slow.send(b"a")
                except OSError:
                    return

        thread = threading.Thread(target=drip)
        thread.start()
        thread.join(PATIENCE)  # which ends when it is hung up on
        dropped = not thread.is_alive()
        dripping.set()
    assert dropped
    until(lambda: server._slots._value == 1)  # type: ignore[attr-defined]
    server.patience = PATIENCE
    assert 401 == ask(server, "/").status


def test_the_time_of_a_request_ends() -> None:
    """Bytes that lie there already do not put it off."""
    here, there = socket.socketpair()
    with here, there:
        there.sendall(b"GET")
        with pytest.raises(TimeoutError, match="too long"):
            io.BufferedReader(_Within(here, time.monotonic())).read(1)


def test_a_reader_that_does_not_read(serve: Serve) -> None:
    """An answer that nobody takes holds its place for no longer than a request may."""

    def endless(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", [])
        return [b"x" * 50_000_000]

    server = serve(endless, most=1, patience=0.2)
    with socket.create_connection(server.server_address[:2], PATIENCE) as deaf:
        deaf.sendall(b"GET / HTTP/1.0\r\n\r\n")
        until(lambda: server._slots._value == 0 or deaf.recv(1, socket.MSG_PEEK) != b"")  # type: ignore[attr-defined]
        until(lambda: server._slots._value == 1)  # type: ignore[attr-defined]
        assert b"HTTP/1.0 200 OK" == deaf.recv(15)


def test_no_thread_can_be_started(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is as if too many were connected, and the place is free again."""
    server = serve(most=1)
    start = threading.Thread.start

    def fail(thread: threading.Thread) -> None:
        if thread.name.startswith("Thread-") and "process_request" in thread.name:
            raise RuntimeError("can't start new thread")
        start(thread)

    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", fail)
        assert 503 == ask(server, "/").status
    assert 401 == ask(server, "/").status


def test_a_connection_that_is_gone(serve: Serve) -> None:
    """Refusing somebody who has gone already, or whose connection broke, disturbs nobody."""
    server = serve(most=1)
    here, there = socket.socketpair()
    there.close()
    server._refuse(here)
    server.handle_error(here, None)
    assert -1 == here.fileno()
    assert 401 == ask(server, "/").status


def test_an_application_that_raises(serve: Serve) -> None:
    """It is answered all the same, and nothing is printed: the application's own log says it."""

    def broken(environ: Any, start_response: Any) -> Any:
        raise ValueError

    assert 500 == ask(serve(broken), "/").status


def test_a_port_that_is_taken(serve: Serve) -> None:
    """An error, at once."""
    server = serve()
    with pytest.raises(OSError, match="in use"):
        OnePerson("127.0.0.1", server.server_port, server.app, print)
