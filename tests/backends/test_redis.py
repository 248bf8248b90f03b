"""Redis and Valkey: what is sent to them, and what becomes of their answers."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from functools import partial
from typing import Any
from uuid import uuid4

import pytest
from openrouter_pricing.backends.packing import KEPT, LARGE
from openrouter_pricing.backends.redis import RedisBackend
from support.children import in_child
from support.fake_redis import Fake
from support.servers import HOST, Server, any_server, running

from openrouter_pricing import open_backend
from openrouter_pricing.testing import BackendCheck, backend_checks

redis = pytest.importorskip("redis")
SECRET = "hunter2"


@pytest.fixture
def fake() -> Fake:
    """A client without a server."""
    return Fake()


@pytest.fixture
def backend(fake: Fake) -> RedisBackend:
    """The backend over it."""
    return RedisBackend(fake, prefix="")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server; tests that need it are skipped where there is none."""
    program = any_server()
    if program is None:
        pytest.skip("no valkey-server and no redis-server")
    with running(Server(program, tmp_path_factory.mktemp("server"))) as (started,):
        yield started


def url(server: Server, scheme: str = "redis", query: str = "") -> str:
    """Where the server is, under a prefix that nobody else uses; however busy the machine is."""
    where = str(server.socket) if "unix" in scheme else f"{HOST}:{server.port}"
    return f"{scheme}://{where}?prefix={uuid4()}:&socket_timeout=30&socket_connect_timeout=30{query}"


@pytest.mark.parametrize("check", backend_checks(), ids=lambda check: check.__name__)
@pytest.mark.parametrize("scheme", ["redis", "valkey", "unix"])
def test_conformance(check: BackendCheck, scheme: str, server: Server) -> None:
    """Over TCP and over a socket it does everything that the protocol asks for."""
    where = url(server, scheme)
    check(lambda: open_backend(where))


@pytest.mark.parametrize("check", backend_checks(), ids=lambda check: check.__name__)
def test_conformance_of_a_given_client(check: BackendCheck, server: Server) -> None:
    """With a client of the user's it does so too, and leaves that open."""
    with server.client() as client:
        prefix = f"{uuid4()}:"
        check(lambda: RedisBackend(client, prefix=prefix))
        assert client.ping()


# -- values ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [b"", b"head", b"\x00", b"\x00z", b"\x00=", b"\x00" * LARGE, b"\x00" * (LARGE + 1)])
def test_values_come_back(value: bytes, backend: RedisBackend) -> None:
    """Values come back, also those that look like a mark."""
    backend.set("key", value)
    assert value == backend.get("key")
    assert backend.compare_and_delete("key", value)
    assert backend.add("key", value, ttl=60)
    assert value == backend.get("key")
    assert backend.compare_and_delete("key", value)


def test_what_is_stored(backend: RedisBackend, fake: Fake) -> None:
    """Small values stand as they are; those above 64 KiB are compressed."""
    backend.set("small", b"x" * LARGE)
    backend.set("large", b"x" * (LARGE + 1))
    assert fake.values["small"] == b"x" * LARGE
    assert len(fake.values["large"]) < 200


@pytest.mark.parametrize("data", [b"\x00", b"\x00?x", b"\x00z", b"\x00zfoo", b"\x00z\x78\x9c"])
def test_what_is_none_of_ours_is_not_read(data: bytes, backend: RedisBackend, fake: Fake) -> None:
    """A marked value that cannot be unpacked is an error, not an answer."""
    fake.values["key"] = data
    with pytest.raises(ValueError, match="none of ours"):
        backend.get("key")


def test_a_bomb_is_not_unpacked(backend: RedisBackend, fake: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    """What would unpack into more than is ever stored is not read, and so much is not stored."""
    backend.set("key", b"x" * 100_000)
    monkeypatch.setattr("openrouter_pricing.backends.packing._MOST", 99_999)
    with pytest.raises(ValueError, match="none of ours"):
        backend.get("key")
    with pytest.raises(ValueError, match="not kept"):
        backend.set("key", b"x" * 100_000)


def test_expiry(backend: RedisBackend, fake: Fake) -> None:
    """A ``ttl`` is rounded up to a millisecond; without one a value is kept for 30 days."""
    backend.set("a", b"")
    backend.set("b", b"", ttl=0)
    backend.add("c", b"", ttl=1.0001)
    assert [("set", "a", KEPT * 1000, False), ("set", "b", 1, False), ("set", "c", 1001, True)] == fake.sent


def test_only_bytes_under_text(backend: RedisBackend, fake: Fake) -> None:
    """Anything but bytes under a text is refused before it is sent; what was deleted is gone."""
    for key, value in (("key", "text"), (7, b"value")):
        with pytest.raises(TypeError, match="bytes under str keys"):
            backend.set(key, value)  # type: ignore[arg-type]  # that is the point
    assert fake.sent == []
    backend.set("key", b"value")
    backend.delete("key")
    assert backend.get("key") is None


def test_text_is_refused() -> None:
    """A client that answers with text is refused when it is handed in."""
    with pytest.raises(TypeError, match="decode_responses"):
        RedisBackend(Fake(decode=True))


# -- failures ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("error", [redis.ConnectionError, redis.TimeoutError, redis.sentinel.MasterNotFoundError])
def test_once_more(error: type[Exception], backend: RedisBackend, fake: Fake) -> None:
    """A command whose connection fails is tried once more, not twice."""
    fake.values["key"] = b"value"
    fake.before = [error("gone")]
    assert backend.get("key") == b"value"
    fake.before = [error("gone"), error("gone again")]
    with pytest.raises(error, match="again"):
        backend.get("key")
    assert len(fake.sent) == 4


@pytest.mark.parametrize("error", [redis.AuthenticationError("WRONGPASS"), redis.ReadOnlyError("a replica")])
def test_not_once_more(error: Exception, backend: RedisBackend, fake: Fake) -> None:
    """What the server refuses is not asked for again."""
    fake.before = [error]
    with pytest.raises(type(error)):
        backend.set("key", b"value")
    assert len(fake.sent) == 1


def test_a_lost_answer_to_add(backend: RedisBackend, fake: Fake) -> None:
    """Where only the answer to ``add`` was lost, the lease is granted; where an equal one came first, it is not."""
    fake.after = [redis.TimeoutError("lost")]
    assert backend.add("lease", b"mine", ttl=60)
    fake.before = [redis.TimeoutError("lost")]
    assert not backend.add("lease", b"mine", ttl=60)
    fake.before = [redis.TimeoutError("lost")]
    assert backend.add("other", b"mine", ttl=60)


def test_scripts_are_refused(backend: RedisBackend, fake: Fake) -> None:
    """A server that refuses scripts is asked in two steps; any other failure is one."""
    fake.no_scripts = True
    for keep in (backend.set, partial(backend.add, ttl=60)):
        keep("lease", b"mine")
        assert not backend.compare_and_delete("lease", b"another's")
        assert backend.compare_and_delete("lease", b"mine")
    assert not backend.compare_and_delete("lease", b"mine")
    fake.before = [redis.ConnectionError("gone")] * 2
    with pytest.raises(redis.ConnectionError):
        backend.compare_and_delete("lease", b"mine")


def test_a_server_that_repeats_the_password() -> None:
    """One that knows no AUTH repeats what it was told; the error does not, and keeps no frame that would."""
    backend = RedisBackend.from_url(f"rediss://ann:{SECRET}@{HOST}?ssl_password=hunter3")
    fake = Fake()
    backend._client = lambda: fake  # type: ignore[method-assign]
    for told in (f"unknown command 'AUTH', with args beginning with: 'ann' '{SECRET}'", f"{SECRET} or hunter3"):
        fake.before = [redis.ResponseError(told)]
        with pytest.raises(OSError, match="ResponseError") as caught:
            backend.get("key")
        assert "hunter" not in str(caught.value)
        assert (caught.value.__context__, caught.value.__cause__) == (None, None)


def test_a_wrong_password(server: Server) -> None:
    """A real server's refusal tells no secret, and neither does the repr."""
    where = url(server).replace("://", f"://ann:{SECRET}@")
    backend = open_backend(where)
    with pytest.raises(redis.AuthenticationError) as caught:
        backend.get("key")
    backend.close()
    assert SECRET not in f"{caught.value} {caught.value!r} {backend!r} {vars(backend)!r}"


# -- clients -----------------------------------------------------------------------------------------------------------


def test_repr() -> None:
    """It says where the values are, and under which prefix."""
    assert "Fake" in repr(RedisBackend(Fake()))
    assert repr(RedisBackend()) == "<RedisBackend server localhost:6379, prefix 'openrouter-pricing:'>"
    assert "unix /run/s" in repr(open_backend("unix:///run/s"))


def test_clients(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each kind of address has its client, without retries of its own, over TLS where the scheme says so."""
    made: list[dict[str, Any]] = []

    class Cluster(Fake):
        def __init__(self, **options: Any) -> None:
            super().__init__()
            made.append(options)

        def close(self) -> None:
            made.append({})

    monkeypatch.setattr(redis, "RedisCluster", Cluster)
    cluster = open_backend("rediss+cluster://a,b:7")
    cluster.set("key", b"value")
    cluster.close()
    assert [("a", 6379), ("b", 7)] == [(node.host, node.port) for node in made[0]["startup_nodes"]]
    assert (True, True, {}) == (made[0]["ssl"], made[0]["ssl_check_hostname"], made[-1])

    unix, tcp = open_backend("unix:///run/s?db=1"), open_backend("rediss://a:7/1?client_name=billing")
    at = unix._client().connection_pool.connection_kwargs
    assert ("/run/s", 1, 0.5) == tuple(at[name] for name in ("path", "db", "socket_timeout"))
    at = tcp._client().connection_pool.connection_kwargs
    assert ("a", 7, 1, "billing") == tuple(at[name] for name in ("host", "port", "db", "client_name"))
    assert (at["retry"]._retries, tcp._client().connection_pool.connection_class) == (0, redis.SSLConnection)
    for backend in (unix, tcp):
        backend.close()
        backend.close()


@pytest.mark.parametrize(("user", "logins"), [("", [None, None]), (f"ann:{SECRET}@", [None, None, SECRET, SECRET])])
def test_sentinels(user: str, logins: list[str | None]) -> None:
    """Sentinels are asked without the password, then, where there is one, with it."""
    backend = open_backend(f"redis+sentinel://{user}a,b/main/3")
    sentinels = backend._made_here()._more
    at = [sentinel.connection_pool.connection_kwargs for sentinel in sentinels]
    assert logins == [each.get("password") for each in at]
    assert [0.5] * len(at) == [each["socket_timeout"] for each in at]
    assert {0} == {each["db"] for each in at}
    assert backend._client().connection_pool.connection_kwargs["db"] == 3
    backend.close()


def test_another_world_has_a_client_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the process or its locks are others, so is the client; the one before is kept, and not closed."""
    backend = open_backend("redis://a")
    before = backend._client()
    assert backend._client() is before
    monkeypatch.setattr("openrouter_pricing.backends.redis._world", lambda: (0, None))
    assert backend._client() is not before
    assert [made.client for made in backend._inherited] == [before]
    backend.close()


def test_a_child_connects_anew(server: Server) -> None:
    """A forked child has a client of its own, and the parent's stays open and untouched."""
    backend = open_backend(url(server))
    backend.set("key", b"value")
    client = backend._client()
    before = {row["id"] for row in client.client_list()}

    def work() -> bool:
        good = backend.get("key") == b"value" and backend._client() is not client
        return good and [made.client for made in backend._inherited] == [client]

    assert in_child(work)
    assert (backend.get("key"), backend._client() is client) == (b"value", True)
    assert before <= {row["id"] for row in client.client_list()}
    backend.close()


def test_threads_agree(server: Server) -> None:
    """Threads that ask at once share one client."""
    backend = open_backend(url(server))
    start, clients = threading.Barrier(8), []

    def ask() -> None:
        start.wait()
        clients.append(backend._client())

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    backend.close()
    assert len(set(map(id, clients))) == 1


@pytest.mark.parametrize("query", ["ssl_cert_reqs=none", "ssl_check_hostname=false"])
def test_unchecked_tls_is_told(query: str, caplog: pytest.LogCaptureFixture) -> None:
    """An option that switches a check off is a line in the log."""
    with caplog.at_level(logging.WARNING):
        open_backend(f"rediss://ann:{SECRET}@a?{query}")
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert query.partition("=")[0] in caplog.text
    assert SECRET not in caplog.text


def test_stale_connections_are_replaced(server: Server) -> None:
    """A connection that the server has closed costs nothing."""
    backend = open_backend(url(server, query="&client_name=mine"))
    backend.set("key", b"value")
    with server.client() as client:
        for row in client.client_list():
            if row["name"] == "mine":
                client.client_kill(row["addr"])
    assert backend.get("key") == b"value"
    backend.close()
