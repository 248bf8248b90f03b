"""Django's caches as a store."""

from __future__ import annotations

import logging
import pickle
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.conf import settings
from django.core.cache import caches
from django.core.management import call_command
from django.db import connection, transaction
from django.test import override_settings
from openrouter_pricing.backends.django import DjangoBackend
from support import project  # noqa: F401  # sets Django up
from support.servers import HOST, Server, any_server, running
from support.upstream import Upstream

from openrouter_pricing import Pricing, Settings, SettingsError, open_backend
from openrouter_pricing.testing import BackendCheck, backend_checks

NAME = "openrouter-pricing:key"


@pytest.mark.parametrize("check", backend_checks(), ids=lambda check: check.__name__)
@pytest.mark.parametrize("alias", ["default", "database"])
def test_conformance(check: BackendCheck, alias: str) -> None:
    """In memory and in a database it does everything that the protocol asks for."""
    call_command("createcachetable", verbosity=0)
    caches[alias].clear()
    check(lambda: open_backend(f"django://{alias}"))


@pytest.mark.parametrize("check", backend_checks(), ids=lambda check: check.__name__)
def test_conformance_of_a_server(check: BackendCheck, redis_cache: None) -> None:
    """In a Redis or a Valkey it does so, too."""
    caches["default"].clear()
    check(lambda: open_backend("django://"))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A server; tests that need it are skipped where there is none."""
    pytest.importorskip("redis")
    program = any_server()
    if program is None:
        pytest.skip("no valkey-server and no redis-server")
    with running(Server(program, tmp_path_factory.mktemp("server"))) as (started,):
        yield started


@pytest.fixture
def redis_cache(server: Server) -> Any:
    """The project's cache lies there."""
    place = {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": f"redis://{HOST}:{server.port}"}
    with override_settings(CACHES={"default": place}):
        yield
        caches["default"]._cache.get_client().connection_pool.disconnect()


@pytest.fixture
def backend() -> DjangoBackend:
    """The default cache, empty."""
    caches["default"].clear()
    return DjangoBackend()


def test_what_is_stored(backend: DjangoBackend) -> None:
    """Large values are compressed; keys are such that every cache takes them."""
    backend.set("key", b"x" * 100_000)
    backend.set("a key with spaces\n", b"value")
    assert len(caches["default"].get(NAME)) < 200
    assert caches["default"].get("openrouter-pricing:a%20key%20with%20spaces%0A") == b"value"
    assert (backend.expires, repr(backend)) == (True, "<DjangoBackend 'default'>")


class Gone:
    """What is pickled by a name that is not there any more."""


@pytest.mark.parametrize("value", ["text", 7, ["list"], b"\x00zfoo", b"\x00?"], ids=repr)
def test_a_value_that_is_none_of_ours_is_not_there(value: Any, backend: DjangoBackend) -> None:
    """Whatever somebody else has put in its place is a miss."""
    caches["default"].set(NAME, value)
    assert backend.get("key") is None


@pytest.mark.parametrize("data", [b"", b"\x80", b"garbage", pickle.dumps(b"value" * 100)[:-9], b"cno.such\nThing\n."])
def test_a_value_that_cannot_be_unpickled_is_not_there(
    data: bytes, backend: DjangoBackend, caplog: pytest.LogCaptureFixture
) -> None:
    """A damaged one is a miss, and a line of the log."""
    cache: Any = caches["default"]
    backend.set("key", b"value")
    cache._cache[cache.make_and_validate_key(NAME)] = data
    with caplog.at_level(logging.WARNING):
        assert backend.get("key") is None
    assert "a value in the cache 'default' cannot be read" in caplog.text
    backend.set("key", b"new")
    assert backend.get("key") == b"new"


def test_it_is_said_that_django_unpickles(backend: DjangoBackend, caplog: pytest.LogCaptureFixture) -> None:
    """Once, where it is first asked."""
    with caplog.at_level(logging.WARNING):
        backend.get("key")
        backend.get("key")
    assert caplog.text.count("whoever can write to it can run code here") == 1


@pytest.mark.parametrize("url", ["django://a/b", "django://me:hush@default", "django://default?x=1", "django://a b"])
def test_urls_that_name_no_cache(url: str) -> None:
    """They are told when the ``Pricing`` is made, before anything is asked."""
    with pytest.raises(SettingsError, match="backend") as caught:
        Pricing(Settings(backend=url))
    assert "hush" not in str(caught.value)


def test_without_django(monkeypatch: pytest.MonkeyPatch) -> None:
    """It says what to install."""
    monkeypatch.setattr("openrouter_pricing.backends.django.find_spec", lambda name: None)
    with pytest.raises(SettingsError, match=r"pip install openrouter-pricing\[django\]"):
        Pricing(Settings(backend="django://"))


def test_a_cache_that_is_not_there(upstream: Upstream, caplog: pytest.LogCaptureFixture) -> None:
    """It costs a counter and a line of the log, and no question."""
    with Pricing(Settings(backend="django://nobody", base_url=upstream.url)) as pricing:
        assert pricing.cost("openai/gpt-4o-mini", 1).source == "live"
        assert pricing.stats().backend_errors
        assert "the price store failed (InvalidCacheBackendError" in caplog.text


def test_two_share_a_list(backend: DjangoBackend, upstream: Upstream) -> None:
    """One fetches, and the other has it from the cache."""
    settings = Settings(backend="django://", base_url=upstream.url)
    for _ in range(2):
        with Pricing(settings) as pricing:
            assert pricing.cost("openai/gpt-4o-mini", 1).source == "live"
    assert len(upstream.requests) == 1


@pytest.mark.parametrize("age", [0, None])
def test_connections_are_given_back(age: int | None) -> None:
    """A thread of ours, in which no request ever ends, keeps none open, even where the project would keep them."""
    call_command("createcachetable", verbosity=0)
    kept: list[Any] = []

    def ask() -> None:
        DjangoBackend("database").set("key", b"value")
        kept.append(connection.connection)

    with age_of_connections(age):
        thread = threading.Thread(target=ask)
        thread.start()
        thread.join()
    assert kept == [None]


@contextmanager
def age_of_connections(age: int | None) -> Iterator[None]:
    """How long the project keeps connections, seconds."""
    place: Any = settings.DATABASES["default"]
    before, place["CONN_MAX_AGE"] = place["CONN_MAX_AGE"], age
    yield
    place["CONN_MAX_AGE"] = before


def test_a_cache_that_says_no_and_holds_nothing(backend: DjangoBackend, monkeypatch: pytest.MonkeyPatch) -> None:
    """One in a SQLite that somebody writes to is asked again, for a moment; a value that is there is an answer."""
    cache: Any = type(caches["default"])
    add, refused = cache.add, [True, True]
    monkeypatch.setattr(
        cache, "add", lambda self, *given, **keys: not (refused and refused.pop()) and add(self, *given, **keys)
    )
    assert backend.add("key", b"value", ttl=60)
    assert not backend.add("key", b"another", ttl=60)
    refused += [True] * 9
    assert not backend.add("elsewhere", b"value", ttl=60)
    assert backend.get("key") == b"value"


def test_a_request_keeps_its_connection() -> None:
    """Whoever asks from a thread of its own finds the connection as it was, in a transaction or not."""
    call_command("createcachetable", verbosity=0)
    connection.ensure_connection()
    before = connection.connection
    with transaction.atomic():
        DjangoBackend("database").set("key", b"value")
        assert DjangoBackend("database").get("key") == b"value"
    DjangoBackend("database").delete("key")
    assert connection.connection is before is not None
