"""What the URL of a Redis or Valkey may say, and what is said of one that it may not."""

from __future__ import annotations

import subprocess
import sys
import traceback
from pathlib import Path
from typing import Any

import pytest
from openrouter_pricing.backends import check, redis_url
from openrouter_pricing.backends.redis_url import SCHEMES, Place, read

from openrouter_pricing import Pricing, Settings, SettingsError, open_backend

TIMES = {"socket_timeout": 0.5, "socket_connect_timeout": 0.5}
TLS = {"ssl": True, "ssl_cert_reqs": "required", "ssl_check_hostname": True}
SECRET = "hunter2"


def place(kind: str, *hosts: tuple[str, int], service: str = "", prefix: str = "", **options: Any) -> Place:
    """What a URL says, without a login."""
    return Place(kind, hosts, service, {**TIMES, **options}, {}, prefix or redis_url.PREFIX, ())


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("redis://", place("", ("localhost", 6379), db=0)),
        ("redis://cache", place("", ("cache", 6379), db=0)),
        ("REDIS://cache:7000/3", place("", ("cache", 7000), db=3)),
        ("valkey://cache/?db=3", place("", ("cache", 6379), db=3)),
        ("redis://[::1]:7000", place("", ("::1", 7000), db=0)),
        ("redis://my_cache.internal", place("", ("my_cache.internal", 6379), db=0)),
        ("rediss://cache", place("", ("cache", 6379), db=0, **TLS)),
        ("valkeys://cache", place("", ("cache", 6379), db=0, **TLS)),
        ("unix:///run/valkey.sock", place("unix", ("/run/valkey.sock", 0), db=0)),
        ("redis+unix:///run/a%20b.sock?db=2", place("unix", ("/run/a b.sock", 0), db=2)),
        ("valkey+unix:///run/valkey.sock", place("unix", ("/run/valkey.sock", 0), db=0)),
        ("redis+cluster://a,b:7001", place("cluster", ("a", 6379), ("b", 7001))),
        ("rediss+cluster://a/0", place("cluster", ("a", 6379), **TLS)),
        ("valkeys+cluster://a", place("cluster", ("a", 6379), **TLS)),
        ("redis+sentinel://a,b:1/main", place("sentinel", ("a", 26379), ("b", 1), service="main", db=0)),
        ("valkey+sentinel://a/main/4", place("sentinel", ("a", 26379), service="main", db=4)),
        ("rediss+sentinel://a/main?db=4", place("sentinel", ("a", 26379), service="main", db=4, **TLS)),
        ("redis://a?prefix=prod:&client_name=me", place("", ("a", 6379), db=0, prefix="prod:", client_name="me")),
        ("redis://a?socket_timeout=0.2", place("", ("a", 6379), db=0, socket_timeout=0.2)),
        ("redis://a?socket_connect_timeout=1", place("", ("a", 6379), db=0, socket_connect_timeout=1.0)),
        ("rediss://a?ssl_ca_certs=/a%2Fb.pem", place("", ("a", 6379), db=0, **TLS, ssl_ca_certs="/a/b.pem")),
    ],
)  # fmt: skip
def test_a_url_is_read(url: str, expected: Place) -> None:
    """Each scheme says where, which database, and whether by TLS, with all checks on."""
    found = read(url)
    assert expected == found
    assert str(expected.hosts[0][0]) in repr(found)


@pytest.mark.parametrize(
    ("user", "login"),
    [
        ("ann:hunter2", {"username": "ann", "password": "hunter2"}),
        (":hunter2", {"password": "hunter2"}),
        ("a%40b:p%2Fw%25%3A", {"username": "a@b", "password": "p/w%:"}),
        ("ann:p@ss:word", {"username": "ann", "password": "p@ss:word"}),
    ],
)
def test_user_and_password(user: str, login: dict[str, str]) -> None:
    """They are percent-decoded once, and no repr shows them."""
    for url in (f"redis://{user}@cache", f"redis+sentinel://{user}@a,b/main", f"unix://{user}@/run/s"):
        found = read(url)
        assert login == found.login
        assert login["password"] not in repr(found)


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("redis://a?decode_responses=True", "not decode_responses"),
        ("redis://a?Hunter-2=x", "not something else"),
        ("redis://a?retry_on_timeout=1", "not retry_on_timeout"),
        ("redis://a?db", "percent-encoded"),
        ("redis://a?db=x", "number of a database"),
        ("redis://a?db=1&db=2", "each option once"),
        ("redis://a/1?db=2", "number of a database once"),
        ("redis://a/x", "number of a database"),
        ("redis://a/-1", "number of a database"),
        ("redis://a/1/2", "number of a database"),
        ("redis://a,b", r"\+sentinel and \+cluster"),
        ("redis://a:0", "port from 1"),
        ("redis://a:70000", "port from 1"),
        ("redis://a:b", "port from 1"),
        ("redis://a b", "port from 1"),
        ("redis://[::1", "percent-encoded"),
        ("redis+cluster://a,", "port from 1"),
        ("redis+cluster://a/1", "a cluster has one alone"),
        ("redis+cluster://a?db=1", "a cluster has one alone"),
        ("redis+sentinel://a", "/mymaster"),
        ("redis+sentinel://a/", "/mymaster"),
        ("redis+sentinel://a/main/x", "number of a database"),
        ("unix://run/valkey.sock", "whole path"),
        ("unix://", "whole path"),
        ("redis://ann@cache", "a password behind"),
        ("redis://ann:@cache", "a password behind"),
        ("redis://a#0", "without a fragment"),
        ("redis://a?socket_timeout=0", "above 0 as socket_timeout"),
        ("redis://a?socket_timeout=nan", "above 0 as socket_timeout"),
        ("redis://a?socket_timeout=soon", "above 0 as socket_timeout"),
        ("redis://a?socket_connect_timeout=inf", "above 0 as socket_connect_timeout"),
        ("redis://a?client_name=a%20b", "printable ASCII characters without spaces as client_name"),
        ("redis://a?prefix=", "as prefix"),
        ("redis://a?ssl_ca_certs=/ca.pem", "ssl_ca_certs with TLS alone"),
        ("rediss://a?ssl_ca_certs=", "a value for each of ssl_ca_certs"),
        ("rediss://a?ssl_cert_reqs=maybe", "as ssl_cert_reqs"),
        ("rediss://a?ssl_check_hostname=maybe", "as ssl_check_hostname"),
        ("rediss://a?ssl_min_version=1", "not ssl_min_version"),
    ],
)
def test_a_url_is_refused(url: str, says: str) -> None:
    """What a URL may not hold is named when the ``Pricing`` is made, and when the store is opened."""
    for attempt in (lambda: Pricing(Settings(backend=url)), lambda: open_backend(url)):
        with pytest.raises(SettingsError, match=says) as caught:
            attempt()
        assert caught.value.option == "backend"


WRONG = [
    f"ann:{SECRET}@cache:port",
    f"ann:{SECRET}/x@cache/0",
    f"ann:x/{SECRET}@cache/0",
    f"ann:x?{SECRET}=1@cache/0",
    f"ann:x#{SECRET}@cache/0",
    f":x[{SECRET}@cache",
    f"{SECRET}@cache",
    f"{SECRET} @cache",
    f"ann:pw@cache/main?password={SECRET}",
    f"ann:pw@cache/main?{SECRET}=1",
    f"cache/main/0?ssl_password={SECRET}&ssl_cert_reqs=maybe",
]


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_refused_url_shows_no_secret(scheme: str) -> None:
    """Whatever is wrong with a URL, nothing of what may be a password is in the error or in its frames."""
    for attempt in (open_backend, redis_backend().from_url, check):
        for rest in WRONG:
            with pytest.raises(SettingsError) as caught:
                attempt(f"{scheme}://{rest}")
            error, trace = caught.value, caught.value.__traceback__
            assert trace is not None
            told = traceback.TracebackException(type(error), error, trace.tb_next, capture_locals=True)
            assert SECRET not in "".join(told.format())


def redis_backend() -> Any:
    """The class, whose module needs no redis-py."""
    from openrouter_pricing.backends.redis import RedisBackend

    return RedisBackend


def test_an_unknown_scheme_is_refused() -> None:
    """The class reads its own schemes alone, and shows nothing of another."""
    with pytest.raises(SettingsError, match="valkeys") as caught:
        redis_backend().from_url("hunter2://cache")
    assert SECRET not in str(caught.value)


def test_without_redis_py(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where redis-py is missing, the error says how to install it."""
    monkeypatch.setattr(redis_url, "find_spec", lambda name: None)
    attempts = (
        lambda: Pricing(Settings(backend="redis://cache")),
        lambda: open_backend("valkey+cluster://cache"),
        redis_backend(),
    )
    for attempt in attempts:
        with pytest.raises(SettingsError, match=r'pip install "openrouter-pricing\[redis\]"'):
            attempt()


def test_a_pricing_is_made_without_redis_py(tmp_path: Path) -> None:
    """A ``Pricing`` checks the URL without importing redis-py, and connects to nothing."""
    code = (
        "import sys; from openrouter_pricing import Pricing, Settings;"
        "Pricing(Settings(backend='redis://cache')).close();"
        "print([name for name in sys.modules if name.partition('.')[0] in ('redis', 'valkey')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.stdout == "[]\n", done.stderr


@pytest.mark.parametrize(
    ("query", "unsafe"),
    [
        ("ssl_cert_reqs=none", ("ssl_cert_reqs",)),
        ("ssl_check_hostname=False", ("ssl_check_hostname",)),
        ("ssl_cert_reqs=none&ssl_check_hostname=no", ("ssl_cert_reqs", "ssl_check_hostname")),
        ("ssl_cert_reqs=optional&ssl_check_hostname=yes", ()),
    ],
)
def test_what_switches_checks_off_is_noted(query: str, unsafe: tuple[str, ...]) -> None:
    """Options that switch a check off are told apart; names are never checked on a certificate that is not."""
    found = read(f"rediss://a?{query}")
    assert unsafe == found.unsafe
    assert (not unsafe) == found.options["ssl_check_hostname"]
