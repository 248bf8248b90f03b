"""A stand-in for OpenRouter on loopback: real HTTP over real sockets, and raw peers that break the rules."""

from __future__ import annotations

import gzip
import http.server
import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

ROW = {
    "id": "openai/gpt-4o-mini",
    "canonical_slug": "openai/gpt-4o-mini",
    "name": "OpenAI: GPT-4o-mini",
    "created": 1721260800,
    "context_length": 128000,
    "architecture": {
        "modality": "text+image->text",
        "input_modalities": ["text", "image"],
        "output_modalities": ["text"],
    },
    "supported_parameters": ["tools", "temperature"],
    "pricing": {"prompt": "0.00000015", "completion": "0.0000006", "input_cache_read": "0.000000075"},
}


def row(model_id: str = "openai/gpt-4o-mini", **fields: Any) -> dict[str, Any]:
    """One row of a model list."""
    return {**ROW, "id": model_id, "canonical_slug": model_id, **fields}


def models(*rows: dict[str, Any]) -> bytes:
    """The body of a model list."""
    return json.dumps({"data": list(rows) or [ROW]}).encode()


def steady(*rows: dict[str, Any]) -> bytes:
    """The same, and four models that stay as they are: a list of which not all can move at once."""
    return models(*(rows or (ROW,)), *(row(f"steady/model-{number}") for number in range(4)))


@dataclass
class Answer:
    """What the server says to a request."""

    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    etag: str | None = None
    gzip: bool = False
    chunked: bool = False
    hold: threading.Event | None = None


@dataclass
class Request:
    """What a client asked."""

    path: str
    headers: dict[str, str]


class Upstream:
    """A server whose answer can be changed while it runs; it notes every request.

    ``answer`` is what it says; ``script`` goes before it, one answer a request; ``pages`` answers paths by name.
    """

    def __init__(self, listing: Callable[..., bytes] = models) -> None:
        self._listing = listing
        self.answer = Answer(listing())
        self.script: list[Answer] = []
        self.pages: dict[str, Answer] = {}
        self.requests: list[Request] = []
        upstream = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                upstream._serve(self)

            def log_message(self, *args: Any) -> None:
                """Say nothing."""

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 256

            def handle_error(self, request: Any, client_address: Any) -> None:
                """A client that goes away is no news."""

        self._server = Server(("127.0.0.1", 0), Handler)
        self.port: int = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}/api/v1"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    def say(self, *rows: dict[str, Any], **options: Any) -> None:
        """From now on, list these rows."""
        self.answer = Answer(self._listing(*rows), **options)

    def fail(self, status: int = 500, **headers: str) -> None:
        """From now on, answer with an error status."""
        self.answer = Answer(b"no", status, {name.replace("_", "-"): value for name, value in headers.items()})

    def _serve(self, handler: http.server.BaseHTTPRequestHandler) -> None:
        self.requests.append(Request(handler.path, {k.lower(): v for k, v in handler.headers.items()}))
        answer = self.script.pop(0) if self.script else self.pages.get(handler.path, self.answer)
        if answer.hold is not None:
            answer.hold.wait(3600)  # for ever, so that no test passes because a held answer came
        body, status, headers = answer.body, answer.status, dict(answer.headers)
        if answer.etag is not None:
            headers["ETag"] = answer.etag
            if handler.headers.get("If-None-Match") == answer.etag:
                body, status = b"", 304
        if answer.gzip and body:
            body = gzip.compress(body, 1)
            headers["Content-Encoding"] = "gzip"
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name, value)
        if answer.chunked and status == 200:
            handler.send_header("Transfer-Encoding", "chunked")
            handler.end_headers()
            for start in range(0, len(body), 1000):
                part = body[start : start + 1000]
                handler.wfile.write(f"{len(part):x}\r\n".encode() + part + b"\r\n")
            handler.wfile.write(b"0\r\n\r\n")
        else:
            if "Content-Length" not in headers:
                handler.send_header("Content-Length", str(len(body)))
            handler.end_headers()
            handler.wfile.write(body)

    def close(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()


@contextmanager
def raw_peer(talk: Callable[[socket.socket], None]) -> Iterator[str]:
    """A TCP server that lets ``talk`` do what it likes with each connection; gives its base URL."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)
    stop = threading.Event()
    open_sockets: list[socket.socket] = []

    def one(conn: socket.socket) -> None:
        try:
            talk(conn)
        except OSError:
            pass
        finally:
            conn.close()

    def accept() -> None:
        while not stop.is_set():
            try:
                conn, _ = listener.accept()
            except OSError:
                return
            open_sockets.append(conn)
            threading.Thread(target=one, args=(conn,), daemon=True).start()

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/api/v1"
    finally:
        stop.set()
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        for conn in open_sockets:
            try:
                conn.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue
        thread.join(5)


def read_request(conn: socket.socket) -> bytes:
    """A request, up to the empty line."""
    data = b""
    while b"\r\n\r\n" not in data:
        part = conn.recv(65536)
        if not part:
            raise ConnectionError("the client went away")
        data += part
    return data
