"""TLS on loopback."""

from __future__ import annotations

import socket
import ssl
import subprocess
from collections.abc import Callable
from pathlib import Path

#: What a server does with a connection.
Talk = Callable[[socket.socket], None]


class Certificate:
    """A certificate for loopback that nobody vouches for, unless ``REQUESTS_CA_BUNDLE`` names it."""

    def __init__(self, folder: Path, name: str) -> None:
        self.path = folder / f"{name}.pem"
        key = folder / f"{name}.key"
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=127.0.0.1",
             "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", self.path],
            capture_output=True, check=True, timeout=60,
        )  # fmt: skip
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(self.path, key)

    def over(self, talk: Talk) -> Talk:
        """The same over TLS."""

        def tls_talk(conn: socket.socket) -> None:
            with self._context.wrap_socket(conn, server_side=True) as tls:
                talk(tls)

        return tls_talk
