"""A session that follows nothing, retries nothing and can be broken off, and a body read with a limit."""

from __future__ import annotations

import ipaddress
import socket
import time
import weakref
from importlib import metadata
from typing import Any
from urllib.parse import unquote, urlsplit

import requests
import requests.adapters
import requests.auth
import urllib3

from ..errors import PayloadError, TransportError

#: What we call ourselves.
USER_AGENT = f"openrouter-pricing/{metadata.version('openrouter-pricing')}"
_CHUNK = 65536


class Session(requests.Session):
    """A session that never follows a redirect, as merely asking where one leads would read its whole body.

    Args:
        direct: use no proxy: the environment's has no business with this machine's own addresses, nor with the key.
    """

    def __init__(self, *, direct: bool) -> None:
        super().__init__()
        self._direct = direct

    def merge_environment_settings(self, *args: Any, **kwargs: Any) -> Any:
        settings = super().merge_environment_settings(*args, **kwargs)
        return {**settings, "proxies": {}} if self._direct else settings

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        return None


class Auth(requests.auth.AuthBase):
    """Adds the one Authorization header that we mean. Setting it keeps netrc and URL credentials out."""

    def __init__(self, value: str | None) -> None:
        self._value = value

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self._value is not None:
            request.headers["Authorization"] = self._value
        return request


def credentials(url: str) -> str | None:
    """The Authorization header of the user and password in a URL, if there are any."""
    parts = urlsplit(url)
    if parts.username is None:
        return None
    return requests.auth._basic_auth_str(unquote(parts.username), unquote(parts.password or ""))


def is_loopback(host: str) -> bool:
    """Whether a host is this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class Adapter(requests.adapters.HTTPAdapter):
    """An adapter that never retries and whose connections can be broken off from another thread."""

    def __init__(self, pool_size: int) -> None:
        self.sockets: weakref.WeakSet[socket.socket] = weakref.WeakSet()
        super().__init__(pool_connections=pool_size, pool_maxsize=pool_size, max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self._watch(self.poolmanager)

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> urllib3.ProxyManager:
        known = proxy in self.proxy_manager
        manager: urllib3.ProxyManager = super().proxy_manager_for(proxy, **kwargs)
        if not known:
            self._watch(manager)
        return manager

    def _watch(self, manager: urllib3.PoolManager) -> None:
        manager.pool_classes_by_scheme = {
            scheme: self._watched(pool) for scheme, pool in manager.pool_classes_by_scheme.items()
        }

    def _watched(self, pool: type[urllib3.HTTPConnectionPool]) -> type[urllib3.HTTPConnectionPool]:
        sockets = self.sockets

        class Connection(pool.ConnectionCls):  # type: ignore[name-defined,misc]
            """Notes its sockets."""

            def _new_conn(self) -> socket.socket:
                sock: socket.socket = super()._new_conn()
                sockets.add(sock)  # TLS will take it over; until then a proxy may keep it waiting
                return sock

            def connect(self) -> None:
                super().connect()
                sockets.add(self.sock)

        return type(pool.__name__, (pool,), {"ConnectionCls": Connection})

    def abort(self) -> None:
        """Break off every connection, so that a thread which reads from one comes back."""
        for sock in list(self.sockets):
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue  # it is gone already, which is what was wanted


def read_body(raw: urllib3.BaseHTTPResponse, until: float, room: int) -> bytes:
    """The decoded body, at most ``room`` bytes of it, read as it drips in so that the deadline is seen."""
    announced = raw.headers.get("Content-Length", "")
    if announced.isdigit() and int(announced) > room:
        raise PayloadError(f"the response is larger than max_body allows: {announced} bytes")
    chunks: list[bytes] = []
    while True:
        chunk = raw.read1(_CHUNK, decode_content=True)
        if not chunk:
            return b"".join(chunks)
        chunks.append(chunk)
        room -= len(chunk)
        if room < 0:
            raise PayloadError("the decoded response is larger than max_body allows")
        if time.monotonic() >= until:
            raise TransportError("the deadline passed in the middle of a response")


def reason(error: BaseException) -> str:
    """What went wrong, without the URLs that the libraries' own messages quote."""
    kind = type(error).__name__
    inner: BaseException | None = error
    while inner is not None:
        if isinstance(inner, OSError) and inner.strerror:
            return f"{kind} ({inner.strerror})"
        reason = getattr(inner, "reason", None) or (inner.args[0] if inner.args else None)
        inner = reason if isinstance(reason, BaseException) else inner.__cause__ or inner.__context__
    return kind
