"""A receiver of webhooks on loopback: real HTTP, with answers that a test chooses."""

from __future__ import annotations

import http.server
import json
import threading
from typing import Any, NamedTuple


class Received(NamedTuple):
    """One request.

    Args:
        headers: by their name in small letters.
        body: as it came.
    """

    headers: dict[str, str]
    body: bytes

    @property
    def event(self) -> dict[str, Any]:
        """The body, read."""
        event: dict[str, Any] = json.loads(self.body)
        return event


class Receiver:
    """Notes every request; ``script`` goes before ``answer``, one for each request.

    Attributes:
        received: what came.
        ports: of the senders, one for each of these.
        answer: status and headers.
        script: answers to the next requests.
        hold: where it is set to an event, answers wait for that.
    """

    def __init__(self) -> None:
        self.received: list[Received] = []
        self.ports: list[int] = []
        self.answer: tuple[int, dict[str, str]] = (204, {})
        self.script: list[tuple[int, dict[str, str]]] = []
        self.hold: threading.Event | None = None
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                given = {name.lower(): value for name, value in self.headers.items()}
                receiver.ports.append(self.client_address[1])
                receiver.received.append(Received(given, body))
                if receiver.hold is not None:
                    receiver.hold.wait(60)
                status, headers = receiver.script.pop(0) if receiver.script else receiver.answer
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", "0")
                self.end_headers()

            do_GET = do_POST

            def log_message(self, *args: Any) -> None:
                """Say nothing."""

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request: Any, client_address: Any) -> None:
                """A sender that goes away is no news."""

        self._server = Server(("127.0.0.1", 0), Handler)
        self.port: int = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}/hooks/prices"
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    @property
    def events(self) -> list[dict[str, Any]]:
        """What came, read."""
        return [each.event for each in self.received]

    def close(self) -> None:
        """Stop serving."""
        if self.hold is not None:
            self.hold.set()
        self._server.shutdown()
        self._server.server_close()
