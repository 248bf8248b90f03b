"""The dashboard by itself: a server on one machine, for one person."""

from __future__ import annotations

import io
import socket
import threading
import time
from collections.abc import Callable
from socketserver import ThreadingMixIn
from typing import IO, TYPE_CHECKING, Any, cast
from wsgiref.simple_server import ServerHandler, WSGIRequestHandler, WSGIServer

from .app import HEADERS

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

#: Connections at once; a browser opens six. Whatever comes on top of them is refused, so that nobody can pile them up.
MOST = 16
#: Seconds that a request may take to arrive, and its answer to be taken.
PATIENCE = 10.0
_LONGEST = 65_536  # bytes of a request line
_FULL = (
    "HTTP/1.0 503 Service Unavailable\r\nContent-Type: text/plain; charset=utf-8\r\nRetry-After: 10\r\n"
    + "".join(f"{name}: {value}\r\n" for name, value in HEADERS.items())
    + "\r\nThis dashboard is for one person, and too many are connected. Mount it in an application to serve more.\n"
).encode()


class _Within(io.RawIOBase):
    """What a connection sends, up to one point in time: each read of a byte at a time would have a time-out anew."""

    def __init__(self, connection: socket.socket, until: float) -> None:
        self._connection = connection
        self._until = until

    def readable(self) -> bool:
        """It is read from."""
        return True

    def readinto(self, buffer: Any) -> int:
        """As many bytes as there are.

        Raises:
            TimeoutError: the time is up.
        """
        left = self._until - time.monotonic()
        if left <= 0:
            raise TimeoutError("the request took too long to arrive")
        self._connection.settimeout(left)
        return self._connection.recv_into(buffer)


class _Answering(ServerHandler):
    """Writes an answer, and is silent where the reader went away."""

    server_software = "openrouter-pricing"

    def log_exception(self, exc_info: Any) -> None:
        """The application catches what is its own; what is left is a reader who went away."""


class _Handler(WSGIRequestHandler):
    """One request of one connection."""

    default_request_version = "HTTP/1.0"  # what is no HTTP gets a whole answer, too
    server: OnePerson

    def setup(self) -> None:
        """Give it its time."""
        super().setup()
        self.rfile = io.BufferedReader(_Within(self.connection, time.monotonic() + self.server.patience))

    def handle(self) -> None:
        """Read one request, and answer it."""
        try:
            self.raw_requestline = self.rfile.readline(_LONGEST + 1)
            if len(self.raw_requestline) > _LONGEST:
                self.requestline = self.request_version = self.command = ""
                self.send_error(414)
                return
            if not self.parse_request():
                return
            self.connection.settimeout(self.server.patience)  # of all that is written, however slowly it is taken
            taken = cast(IO[bytes], self.wfile)
            handler = _Answering(self.rfile, taken, self.get_stderr(), self.get_environ(), multithread=True)
            handler.request_handler = self  # type: ignore[attr-defined]  # which is told of the status
            handler.run(self.server.app)
        except OSError:
            return  # a reader who went away, or never said anything

    def end_headers(self) -> None:
        """What is no HTTP is answered here, and not by the application; with the same headers."""
        for name, value in HEADERS.items():
            self.send_header(name, value)
        super().end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # named by the class above
        """One line a request; the query is left out, as it may hold the token."""
        path = getattr(self, "path", "").partition("?")[0]
        self.server.log(f"{self.client_address[0]} {self.command or '-'} {path} {args[1] if len(args) > 1 else '-'}")


class OnePerson(ThreadingMixIn, WSGIServer):
    """Serves one person: so many connections at once, and no more.

    Args:
        host, port: where to listen; port 0 for one that is free.
        app: what answers.
        log: told one line for each request, which holds no token.
        most: connections at once.
        patience: seconds that a request may take to arrive, and its answer to be taken.

    Raises:
        OSError: nobody can listen there.
    """

    address_family: int
    server_address: Any
    server_name: str
    server_port: int
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(
        self,
        host: str,
        port: int,
        app: WSGIApplication,
        log: Callable[[str], None],
        *,
        most: int = MOST,
        patience: float = PATIENCE,
    ) -> None:
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.app = app
        self.log = log
        self.patience = patience
        self._slots = threading.BoundedSemaphore(most)
        super().__init__((host, port), _Handler)

    def server_bind(self) -> None:
        """Listen, without asking a name server for our own name."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])
        self.setup_environ()

    def process_request(self, request: Any, client_address: Any) -> None:
        """Answer in a thread, or refuse at once."""
        if not self._slots.acquire(blocking=False):
            self._refuse(request)
            return
        try:
            super().process_request(request, client_address)
        except RuntimeError:  # no thread can be started
            self._slots.release()
            self._refuse(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Answer, and make room for the next one."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._slots.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A connection that broke is no news."""

    def _refuse(self, request: socket.socket) -> None:
        try:
            request.setblocking(False)
            request.send(_FULL)
            request.shutdown(socket.SHUT_WR)
            request.recv(_LONGEST)  # what is left unread would break the connection before the answer is read
        except OSError:
            pass
        self.shutdown_request(request)
