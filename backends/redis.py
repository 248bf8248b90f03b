"""The backend of many hosts: Redis or Valkey, one server, a cluster, or whichever the sentinels say is the primary.

Imported without redis-py, which comes with the first question: a URL is checked before anything is asked.
"""

from __future__ import annotations

import math
import os
import threading
import zlib
from collections.abc import Callable
from typing import Any, TypeVar

from openrouter_pricing.errors import SettingsError

from .redis_url import PREFIX, Place, check, read

__all__ = ["RedisBackend"]

_T = TypeVar("_T")
_KEPT = 30 * 86400  # seconds that a value without a ttl is kept; each fetch stores anew what it finds unchanged
_LARGE = 64 * 1024  # bytes; what is larger is compressed
_MOST = 64 * 1024 * 1024  # bytes of a value; a small one that unpacks into more is nobody's price list
#: A value that begins with a NUL is marked: compressed, as it is, or added, with a number used once before it. All
#: others stand as they are.
_PACKED, _PLAIN, _ADDED = b"\x00z", b"\x00=", b"\x00+"
_NONCE = 8  # bytes
_FORGET = """
local held = redis.call('get', KEYS[1])
if held and string.sub(held, 1, 2) == ARGV[2] then held = string.sub(held, 3 + ARGV[3]) end
if held == ARGV[1] then return redis.call('del', KEYS[1]) end
return 0
"""


class RedisBackend:
    """Keeps values in Redis or Valkey, for every process on every host that reaches it.

    A value without a ``ttl`` is kept for 30 days, and every fetch stores it anew. A process that was forked connects
    anew. A command that fails because the connection does is tried once more.

    Args:
        client: a ``redis.Redis`` or ``redis.RedisCluster`` of yours, or one of valkey-py; it stays yours to close, and
            its timeouts are its own. One for ``redis://localhost`` when left out.
        prefix: of each key.

    Raises:
        SettingsError: redis-py is not installed.
        TypeError: the client gives text for bytes.
    """

    #: What it keeps expires: a list that has not changed is stored anew, not read back and compared.
    expires = True

    def __init__(self, client: Any = None, *, prefix: str = PREFIX) -> None:
        if client is not None and getattr(client.get_encoder(), "decode_responses", False):
            raise TypeError("a backend keeps bytes: the client must not have decode_responses")
        self._given = client
        place = read("redis://") if client is not None else check("redis://")
        self._place = place._replace(prefix=prefix)
        self._made: dict[object, _Made] = {}
        self._inherited: list[_Made] = []
        if client is None:
            _import()

    @classmethod
    def from_url(cls, url: str) -> RedisBackend:
        """The store that a URL names; nothing is connected to yet.

        Args:
            url: ``redis://user:password@host:6379/0``, ``unix:///path``, ``redis+sentinel://host,host/service/0``,
                ``redis+cluster://host,host``; ``rediss`` for TLS, ``valkey`` and ``valkeys`` for the same.

        Raises:
            SettingsError: a URL that holds what it may not, or redis-py is not installed.
        """
        try:
            place = check(url)
        except SettingsError as error:
            failure = SettingsError(*error.args)
            del url  # this frame stays with the error, and trackers of errors send its variables
        else:
            return cls._at(place)
        raise failure

    @classmethod
    def _at(cls, place: Place) -> RedisBackend:
        backend = cls(prefix=place.prefix)
        backend._place = place
        if place.unsafe:
            import logging  # slow to import, and nobody should need it here

            logging.getLogger(__name__).warning(
                "the price store is not checked: %s of its URL switches that off", " and ".join(place.unsafe)
            )
        return backend

    def __repr__(self) -> str:
        where = self._place if self._given is None else type(self._given).__name__
        return f"<RedisBackend {where}, prefix {self._place.prefix!r}>"

    def get(self, key: str) -> bytes | None:
        """The value, or None where there is none or it has expired."""
        name = self._name(key)
        data = self._do(lambda client: client.get(name))
        return None if data is None else _unpacked(data)

    def set(self, key: str, value: bytes, *, ttl: float | None = None) -> None:
        """Keep ``value``, for ``ttl`` seconds if given, else for 30 days."""
        name, data, kept = self._name(key), _packed(value), _milliseconds(_KEPT if ttl is None else ttl)
        self._do(lambda client: client.set(name, data, px=kept))

    def add(self, key: str, value: bytes, *, ttl: float) -> bool:
        """Keep ``value`` for ``ttl`` seconds if there is none, atomically over all hosts; whether it was kept."""
        name, data, kept = self._name(key), _ADDED + os.urandom(_NONCE) + _packed(value), _milliseconds(ttl)

        def take(client: Any) -> bool:
            return bool(client.set(name, data, px=kept, nx=True))

        # What was lost of the first try may be the answer alone. The number tells ours from another's equal value.
        return self._do(take, lambda client: take(client) or client.get(name) == data)

    def delete(self, key: str) -> None:
        """Forget the value; one that is not there is no error."""
        name = self._name(key)
        self._do(lambda client: client.delete(name))

    def compare_and_delete(self, key: str, value: bytes) -> bool:
        """Forget the value if it is this one, atomically over all hosts; whether it was.

        A server that refuses scripts is asked in two steps, between which another process may set another value.
        """
        name, data = self._name(key), _packed(value)

        def forget(client: Any) -> bool:
            try:
                return bool(client.eval(_FORGET, 1, name, data, _ADDED, _NONCE))
            except Exception as error:
                if not _is(error, "ResponseError"):
                    raise
            held = client.get(name)
            return held is not None and _unpacked(held) == value and bool(client.delete(name))

        return self._do(forget)

    def close(self) -> None:
        """Let go of the connections; the next question opens them again."""
        made = self._made.pop(_world(), None)
        if made is not None:
            made.close()

    def _name(self, key: str) -> str:
        if not isinstance(key, str):
            raise TypeError(f"a backend keeps bytes under str keys, not {type(key).__name__}")
        return self._place.prefix + key

    def _client(self) -> Any:
        return self._made_here().client if self._given is None else self._given

    def _made_here(self) -> _Made:
        """This process's client. What a parent made is kept and never touched: its connections are the parent's."""
        world = _world()
        if world not in self._made:
            self._made.setdefault(world, _Made(self._place))  # atomic, so that two threads agree
            for other in [other for other in self._made if other != world]:
                self._inherited.append(self._made.pop(other))
        return self._made[world]

    def _do(self, work: Callable[[Any], _T], again: Callable[[Any], _T] | None = None) -> _T:
        """Do ``work`` with the client; once more, or ``again``, where the connection failed. Errors tell no secret."""
        try:
            try:
                return work(self._client())
            except Exception as error:
                if not _is(error, "ConnectionError", "TimeoutError") or _is(error, "AuthenticationError"):
                    raise
            return (again or work)(self._client())
        except Exception as error:  # noqa: BLE001  # raised below, as it is or without the secret in it
            failure = _without_secret(error, self._place)
        failure.__cause__ = failure.__context__ = None  # their frames keep what was sent
        raise failure.with_traceback(None)


class _Made:
    """A client of ours, and what must be closed with it."""

    def __init__(self, place: Place) -> None:
        redis, login = _import(), place.login
        options = {**place.options, **_unnamed(redis), "protocol": 2}
        options["retry"] = redis.retry.Retry(redis.backoff.NoBackoff(), 0)
        self._more: list[Any] = []
        if place.kind == "unix":
            self.client = redis.Redis(unix_socket_path=place.hosts[0][0], **options, **login)
        elif place.kind == "cluster":
            nodes = [redis.cluster.ClusterNode(*host) for host in place.hosts]
            self.client = redis.RedisCluster(startup_nodes=nodes, **options, **login)
        elif place.kind == "sentinel":
            of_sentinels = {name: value for name, value in options.items() if name != "db"}
            sentinel = redis.Sentinel(place.hosts, sentinel_kwargs=of_sentinels, **options, **login)
            if login:  # theirs, too, where they want one
                host_by_host = [redis.Redis(*host, **of_sentinels, **login) for host in place.hosts]
                sentinel.sentinels = [*sentinel.sentinels, *host_by_host]
            self._more = list(sentinel.sentinels)
            self.client = sentinel.master_for(place.service)
        else:
            host, port = place.hosts[0]
            self.client = redis.Redis(host, port, **options, **login)

    def close(self) -> None:
        """Close all connections."""
        for client in (self.client, *self._more):
            client.close()


def _import() -> Any:
    """redis-py, with all that a question would import: it is asked in another thread, and a fork may come."""
    import redis
    import redis.backoff
    import redis.cluster
    import redis.retry
    import redis.sentinel

    return redis


def _unnamed(redis: Any) -> dict[str, None]:
    """What keeps a client from telling each server its own version, which takes as long to find out as connecting."""
    return {"driver_info": None} if hasattr(redis, "DriverInfo") else {"lib_name": None, "lib_version": None}


def _world() -> tuple[int, object]:
    """This process, and the locks that its threads use: gevent and eventlet put others in their place."""
    return os.getpid(), threading.Lock


def _is(error: Exception, *names: str) -> bool:
    """Whether it is of one of these classes, of whichever library."""
    return any(kind.__name__ in names for kind in type(error).__mro__)


def _without_secret(error: Exception, place: Place) -> Exception:
    """The error itself, unless it says what the server was told: one that knows no AUTH repeats the password."""
    told = str(error).partition(", with args beginning with")[0]
    for secret in (place.login.get("password"), place.options.get("ssl_password")):
        told = told.replace(secret, "***") if secret else told
    return error if told == str(error) else OSError(f"{type(error).__name__}: {told}")


def _milliseconds(seconds: float) -> int:
    return max(1, math.ceil(seconds * 1000))


def _packed(value: bytes) -> bytes:
    if not isinstance(value, bytes):
        raise TypeError(f"a backend keeps bytes under str keys, not {type(value).__name__}")
    if len(value) > _MOST:
        raise ValueError(f"a value of more than {_MOST} bytes is not kept")
    if len(value) > _LARGE:
        return _PACKED + zlib.compress(value)
    return _PLAIN + value if value.startswith(b"\x00") else value


def _unpacked(data: bytes) -> bytes:
    if not data.startswith(b"\x00"):
        return data
    if data.startswith(_ADDED):
        return _unpacked(data[len(_ADDED) + _NONCE :])
    if data.startswith(_PLAIN):
        return data[len(_PLAIN) :]
    unpack = zlib.decompressobj()
    try:
        value = unpack.decompress(data[len(_PACKED) :], _MOST) if data.startswith(_PACKED) else b""
    except zlib.error:
        value = b""
    if not unpack.eof:
        raise ValueError("a value in the store that is none of ours is not read")
    return value
