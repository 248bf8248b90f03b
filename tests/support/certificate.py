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


class Authority:
    """A private certificate authority, and a certificate that it has signed.

    Args:
        folder: where they are kept.
        name: whose certificate it is.

    Attributes:
        ca: what a client must trust.
        path, key: the certificate, and its key.
    """

    def __init__(self, folder: Path, name: str = "IP:127.0.0.1") -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.ca, ca_key = folder / "ca.pem", folder / "ca.key"
        self.path, self.key = folder / "signed.pem", folder / "signed.key"
        request, names = folder / "signed.csr", folder / "names"
        names.write_text(f"subjectAltName={name}\n")
        new = ["openssl", "req", "-newkey", "rsa:2048", "-nodes"]
        for command in (
            [*new, "-x509", "-days", "2", "-subj", "/CN=private", "-keyout", ca_key, "-out", self.ca],
            [*new, "-subj", "/CN=store", "-keyout", self.key, "-out", request],
            ["openssl", "x509", "-req", "-in", request, "-CA", self.ca, "-CAkey", ca_key, "-CAcreateserial",
             "-days", "2", "-extfile", names, "-out", self.path],
        ):  # fmt: skip
            subprocess.run(command, capture_output=True, check=True, timeout=60)
