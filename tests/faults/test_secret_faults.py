"""Redirects, proxies and trouble: no credential leaves for another host, and none is shown to anybody."""

from __future__ import annotations

import base64
import json
import logging
import os
import socket
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from support.certificate import Certificate
from support.upstream import Answer, Upstream, models, raw_peer, read_request, row

from openrouter_pricing import Client, Pricing, Settings, SettingsError, StatusError, UpstreamError, open_backend

pytestmark = pytest.mark.faults

Figure = Callable[[str, str], None]

KEY = "sk-or-v1-4f1d"
PROXY = "hunter2-proxy"
MIRROR = "hunter2-mirror"
STORE = "hunter2-store"


def told(text: str) -> set[str]:
    """The secrets that a text gives away, as they are or in the form of a header."""
    pairs = [f"user:{PROXY}", f"user:{MIRROR}", f"user:{STORE}"]
    hidden = {secret: {secret, secret.replace("-", "%2D")} for secret in (KEY, PROXY, MIRROR, STORE)}
    for pair in pairs:
        hidden[pair.partition(":")[2]].add(base64.b64encode(pair.encode()).decode().rstrip("="))
    return {secret for secret, forms in hidden.items() if any(form in text for form in forms)}


def with_user(url: str, password: str = MIRROR) -> str:
    """The URL with a user and a password."""
    return url.replace("://", f"://user:{password}@", 1)


class Listening(logging.Handler):
    """Keeps everything that any record of any logger says: message, arguments, attributes, traceback."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.said.append(record.getMessage())
        self.said += [f"{name}={value!r} {value}" for name, value in vars(record).items()]
        if record.exc_info:
            self.said.append("".join(traceback.format_exception(*record.exc_info)))


@pytest.fixture
def listening() -> Iterator[Listening]:
    """The root logger at DEBUG."""
    root, handler = logging.getLogger(), Listening()
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield handler
    root.removeHandler(handler)
    root.setLevel(before)


# -- where credentials go ----------------------------------------------------------------------------------------------


@pytest.fixture
def elsewhere() -> Iterator[Upstream]:
    """Another host: the same address, another port."""
    server = Upstream()
    yield server
    server.close()


REDIRECTS = ["{0}/models", "//127.0.0.1:{1}/models", "http://localhost:{1}/models", "https://127.0.0.1:{1}/models"]


def test_a_redirect_takes_nothing_along(upstream: Upstream, elsewhere: Upstream, figure: Figure) -> None:
    """A redirect to another host, or from https to http, is not followed, with a key or with a password.

    Guard: ``_Session.get_redirect_target`` answers None, and ``Client._get`` asks with ``allow_redirects=False``.
    """
    cases = [(status, where) for status in (300, 301, 302, 303, 307, 308) for where in REDIRECTS]
    for status, where in cases:
        upstream.requests.clear()
        upstream.fail(status, Location=where.format(elsewhere.url, elsewhere.port))
        for url, key in ((upstream.url, KEY), (with_user(upstream.url), None)):
            client = Client(Settings(base_url=url, api_key=key, attempts=2, deadline=2))
            with pytest.raises(UpstreamError):
                client.fetch()
            client.close()
        assert ["authorization" in request.headers for request in upstream.requests] == [True, True]
    assert elsewhere.requests == []
    figure("redirects to another host", f"0 of {len(cases)} followed")


def test_a_redirect_from_https_takes_nothing_along(
    elsewhere: Upstream, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, figure: Figure
) -> None:
    """A redirect from https to http is not followed.

    Guard: the same.
    """
    certificate = Certificate(tmp_path, "upstream")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate.path))
    heard: list[bytes] = []
    answer = f"HTTP/1.1 302 Found\r\nLocation: {elsewhere.url}/models\r\nContent-Length: 0\r\n\r\n".encode()
    with raw_peer(certificate.over(answering(answer, heard))) as url:
        client = Client(Settings(base_url=url.replace("http:", "https:"), api_key=KEY, attempts=2, deadline=2))
        with pytest.raises(StatusError):
            client.fetch()
        client.close()
    assert {KEY} == told(heard[0].decode())
    assert elsewhere.requests == []
    figure("redirect from https to http", "not followed")


NEXT = [
    "http://127.0.0.1:{1}/api/v1/models",
    "//127.0.0.1:{1}/api/v1/models",
    "https://127.0.0.1:{0}/api/v1/models",
    "http://localhost:{0}/api/v1/models",
    "http://127.0.0.1:{0}@127.0.0.1:{1}/models",
    "http://user@127.0.0.1:{1}/models",
    "http:\\\\127.0.0.1:{1}\\models",
    "http://127.0.0.1:{1}\\@127.0.0.1:{0}/models",
    "http://127.0.0.1:{1}#@127.0.0.1:{0}/models",
    "http://127.0.0.1:{1}?@127.0.0.1:{0}/models",
    "\thttp://127.0.0.1:{1}/models",
    "ftp://127.0.0.1:{0}/models",
]


def test_a_next_page_takes_nothing_along(upstream: Upstream, elsewhere: Upstream, figure: Figure) -> None:
    """``links.next`` to another origin, however it is spelt, is not followed.

    Guard: ``Client._all_pages`` compares each page's origin with that of ``base_url``, read as the request will be.
    """
    wrong = []
    for spelling in NEXT:
        link = spelling.format(upstream.port, elsewhere.port)
        upstream.answer = Answer(json.dumps({"data": [row()], "links": {"next": link}}).encode())
        client = Client(Settings(base_url=upstream.url, api_key=KEY, attempts=2, deadline=2))
        with suppress(UpstreamError):
            client.fetch()
        client.close()
        wrong += [(spelling, request.headers.get("authorization")) for request in elsewhere.requests]
        elsewhere.requests.clear()
    assert wrong == []
    figure("links.next to another origin", f"0 of {len(NEXT)} spellings followed")


# -- proxies -----------------------------------------------------------------------------------------------------------

_EVERYTHING = """
import json, logging, sys, traceback
from openrouter_pricing import Pricing, Settings, UpstreamError

said = []


class Listening(logging.Handler):
    def emit(self, record):
        said.append(record.getMessage())
        said.extend(f"{name}={value!r} {value}" for name, value in vars(record).items())
        if record.exc_info:
            said.extend(traceback.format_exception(*record.exc_info))


logging.getLogger().addHandler(Listening())
logging.getLogger().setLevel(logging.DEBUG)
with Pricing(Settings.from_env(deadline=2, attempts=2)) as pricing:
    said.append(repr(pricing))
    try:
        pricing.refresh()
    except UpstreamError as error:
        said.extend([repr(error), *traceback.format_exception(error)])
        said.append(type(error).__name__)
    said.append(str(pricing.cost("openai/gpt-4o-mini", 1000, 500).to_dict()))
    said.append(json.dumps(pricing.stats().to_dict()))
print("\\n".join(said))
"""

CLI = ["-m", "openrouter_pricing"]
BRIEF = [["-c", _EVERYTHING], [*CLI, "doctor"]]
ALL = [
    *BRIEF,
    [*CLI, "cost", "openai/gpt-4o-mini", "1000", "500"],
    [*CLI, "models", "--json"],
    [*CLI, "refresh"],
    [*CLI, "settings"],
    [*CLI, "settings", "--json"],
]


def run(commands: list[list[str]], folder: Path, **environ: str) -> str:
    """What a program and the command line say, one after the other, under an environment."""
    said = []
    for number, command in enumerate(commands):
        options = {"BACKEND": f"disk://{folder}/{number}", "DEADLINE": "2", "ATTEMPTS": "2"}
        done = subprocess.run(
            [sys.executable, *command], cwd=Path(__file__).parent,
            env={**os.environ, **{f"OPENROUTER_PRICING_{name}": text for name, text in options.items()}, **environ},
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert "Traceback" not in done.stderr
        said += [done.stdout, done.stderr]
    return "\n".join(said)


def answering(text: bytes, heard: list[bytes]) -> Callable[[socket.socket], None]:
    """A proxy that notes what it is told and says one thing."""

    def talk(conn: socket.socket) -> None:
        heard.append(read_request(conn))
        conn.sendall(text)

    return talk


LIST = models()
PROXIES = {
    "asks for a password": b'HTTP/1.1 407 No\r\nProxy-Authenticate: Basic realm="x"\r\nContent-Length: 0\r\n\r\n',
    "refuses": b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n",
    "garbage": b"\x16\x03\x01\x00\xff\r\n\r\n\r\n",
    "hangs up": b"",
    "redirects": b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.2:1/\r\nContent-Length: 0\r\n\r\n",
    "answers": b"HTTP/1.1 200 OK\r\nContent-Length: " + str(len(LIST)).encode() + b"\r\n\r\n" + LIST,
}
BASES = ["http://upstream.invalid/api/v1", "https://upstream.invalid/api/v1", "http://127.0.0.1:9/api/v1"]


@contextmanager
def proxy(how: str, heard: list[bytes]) -> Iterator[str]:
    """A proxy with a password, as an environment variable names it."""
    if how == "nobody there":
        with socket.socket() as held:
            held.bind(("127.0.0.1", 0))
            yield with_user(f"http://127.0.0.1:{held.getsockname()[1]}", PROXY)
        return
    with raw_peer(answering(PROXIES[how], heard)) as url:
        yield with_user(url.removesuffix("/api/v1"), PROXY)


@pytest.mark.parametrize("how", [*PROXIES, "nobody there"])
def test_a_proxy_learns_its_own_password_alone(how: str, tmp_path: Path, figure: Figure) -> None:
    """A proxy is told its own password and nothing else, and no output shows it or the key, whatever it answers.

    Guards: ``Client`` sends the key over https or loopback alone, and a proxy is neither; ``mask`` hides what errors
    quote.
    """
    heard: list[bytes] = []
    said = []
    with proxy(how, heard) as url:
        for number, base in enumerate(BASES):
            names = {
                "HTTP_PROXY": url,
                "HTTPS_PROXY": url,
                "OPENROUTER_PRICING_BASE_URL": base,
                "OPENROUTER_API_KEY": KEY,
            }
            said.append(run(ALL if how == "asks for a password" else BRIEF, tmp_path / str(number), **names))
    assert set() == told("".join(said))
    assert {PROXY} >= told(b"".join(heard).decode("latin-1"))
    figure(f"proxy with a password, {how}", f"{len(heard)} requests, {len(''.join(said))} characters, no secret")


UNREADABLE = [
    f"http://user:{PROXY}/x@127.0.0.1:1",
    f"http://user:{PROXY}#x@127.0.0.1:1",
    f"http://user:{PROXY}?x@127.0.0.1:1",
    f"http://user:{PROXY}@127.0.0.1:port",
    f"http://user:{PROXY}@[::1",
    f"http://user:{PROXY}@",
    f"http://user:{PROXY}",
    f"user:{PROXY}@127.0.0.1:1",
    f"nonsense://user:{PROXY}@127.0.0.1:1",
    f"socks5h://user:{PROXY}@127.0.0.1:1",
    f"http://user:{PROXY}'\"@127.0.0.1:1",
]


def test_a_proxy_that_cannot_be_read(monkeypatch: pytest.MonkeyPatch, listening: Listening, figure: Figure) -> None:
    """A proxy's URL with a mistake in it is a transport error, and nothing shows its password.

    Guard: ``Client._get`` says of a URL that cannot be read only that it cannot be read.
    """
    wrong: dict[str, Any] = {}
    for url in UNREADABLE:
        for name in ("HTTP_PROXY", "HTTPS_PROXY"):
            monkeypatch.setenv(name, url)
        settings = Settings(base_url="https://upstream.invalid/api/v1", backend="null://", api_key=KEY, attempts=2)
        try:
            found: Any = told("\n".join([*in_trouble(settings), *listening.said]))
        except TypeError as error:  # no UpstreamError
            found = error
        if found:
            wrong[url] = found
        listening.said.clear()
    assert wrong == {}
    figure("proxy that cannot be read", f"no secret shown, {len(UNREADABLE)} ways to write it wrong")


# -- what trouble shows ------------------------------------------------------------------------------------------------


def in_trouble(settings: Settings, **collaborators: Any) -> list[str]:
    """Everything that can be seen of a ``Pricing`` whose refresh fails."""
    said = [repr(settings), str(settings)]
    with Pricing(settings, **collaborators) as pricing:
        said.append(repr(pricing))
        with pytest.raises(UpstreamError) as caught:
            pricing.refresh()
        assert pricing.cost("openai/gpt-4o-mini", 1000, 500).source == "bundled"
        said += [repr(caught.value), str(caught.value), repr(caught.value.args), repr(vars(caught.value))]
        said += traceback.format_exception(caught.value)
        said += [repr(pricing.stats()), json.dumps(pricing.stats().to_dict())]
    client = Client(settings)
    said.append(repr(client))
    try:
        client.fetch()
    except UpstreamError as error:
        said += [repr(error), *traceback.format_exception(error)]
    client.close()
    return said


FAULTS = {
    "refused": None,
    "500": Answer(b"no", 500),
    "a redirect": Answer(b"", 302, {"Location": with_user("http://127.0.0.1:1/")}),
    "HTML": Answer(b"<html>"),
    "garbage in the header": Answer(models(), headers={"Content-Length": "many"}),
    "a key that is quoted": Answer(f'{{"error": {{"message": "Incorrect API key provided: {KEY}"}}}}'.encode()),
    "a key in plain text": Answer(f"bad key {KEY}".encode()),
    "a password that is quoted": Answer(f'{{"error": "bad password {MIRROR}"}}'.encode()),
    "a header that is quoted": Answer(b"Basic " + base64.b64encode(f"user:{MIRROR}".encode())),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_trouble_shows_no_secret(
    fault: str, upstream: Upstream, listening: Listening, tmp_path: Path, figure: Figure
) -> None:
    """Whatever goes wrong, no record, repr, exception, statistic or command shows the key or a password.

    Guards: ``mask`` and the masked fields of ``Settings``; what an upstream says is quoted without the credentials
    that it was sent.
    """
    answer = FAULTS[fault]
    if answer is None:
        upstream.close()
    else:
        upstream.answer = answer
    url = with_user(upstream.url)
    said = in_trouble(Settings(base_url=url, api_key=KEY, backend="null://", attempts=2, deadline=2))
    commands = ALL if fault == "refused" else BRIEF
    said.append(run(commands, tmp_path, OPENROUTER_PRICING_BASE_URL=url, OPENROUTER_API_KEY=KEY))
    assert set() == told("\n".join([*said, *listening.said]))
    figure(f"secrets, {fault}", f"{len(listening.said)} log entries, no secret")


class Telltale:
    """A store whose errors quote its URL, as those of many drivers do."""

    def __init__(self) -> None:
        self.error = ConnectionError(f"cannot reach redis://user:{STORE}@127.0.0.1:1/0?password={STORE}")

    def get(self, key: str) -> bytes | None:
        raise self.error

    def set(self, key: str, value: bytes, *, ttl: float | None = None) -> None:
        raise self.error

    def add(self, key: str, value: bytes, *, ttl: float) -> bool:
        raise self.error

    def delete(self, key: str) -> None:
        raise self.error

    def close(self) -> None:
        raise self.error


def test_a_store_that_tells(upstream: Upstream, listening: Listening, figure: Figure) -> None:
    """A store's error that quotes its URL costs a counter and a log line, without the password.

    Guard: ``Store._failed`` masks what it logs.
    """
    upstream.fail(500)
    said = in_trouble(Settings(base_url=upstream.url, attempts=1, deadline=2), backend=Telltale())
    assert set() == told("\n".join([*said, *listening.said]))
    figure("secrets, a store that tells", f"{len(listening.said)} log entries, no secret")


BAD_SETTINGS: dict[str, Callable[[], object]] = {
    "base_url with a port in words": lambda: Settings(base_url=f"http://user:{MIRROR}@host:port"),
    "base_url that cannot be normalised": lambda: Settings(base_url=f"http://user:{MIRROR}@exa\u2100mple.com"),
    "base_url with a slash in it": lambda: Settings(base_url=f"http://user:{MIRROR}/@host"),
    "base_url with a hash in it": lambda: Settings(base_url=f"http://user:{MIRROR}#@host"),
    "base_url with a question mark in it": lambda: Settings(base_url=f"http://user:{MIRROR}?@host"),
    "base_url with a quote in it": lambda: repr(Settings(base_url=f"http://user:{MIRROR}'@host")),
    "base_url with a blank in it": lambda: repr(Settings(base_url=f"http://user:{MIRROR} @host")),
    "base_url without a host": lambda: Settings(base_url=f"http://user:{MIRROR}"),
    "base_url of another scheme": lambda: Settings(base_url=f"ftp://user:{MIRROR}@host"),
    "base_url with a query": lambda: Settings(base_url=f"http://host/?key={MIRROR}"),
    "backend of an unknown scheme": lambda: open_backend(f"nosuch://user:{STORE}@host/0"),
    "backend of an unknown scheme, in a query": lambda: open_backend(f"nosuch://host/0?password={STORE}"),
    "backend of an unknown scheme, in Pricing": lambda: Pricing(Settings(backend=f"nosuch://host/?password={STORE}")),
    "backend with a quote in it": lambda: repr(Settings(backend=f"redis://user:{STORE}'@host")),
    "backend without a scheme": lambda: Settings(backend=f"user:{STORE}@host"),
    "disk with a host": lambda: open_backend(f"disk://user:{STORE}@host/directory"),
    "disk with a query": lambda: open_backend(f"disk:///directory?password={STORE}"),
    "memory with a host": lambda: open_backend(f"memory://user:{STORE}@host"),
    "null with a host": lambda: open_backend(f"null://user:{STORE}@host"),
    "key with a blank": lambda: Settings(api_key=f"{KEY} {KEY}"),
    "key from the environment": lambda: Settings.from_env({"OPENROUTER_API_KEY": f"{KEY}\n{KEY}"}),
}


def test_settings_that_cannot_be_read(listening: Listening, figure: Figure) -> None:
    """A setting with a secret in it that cannot be read, or reads oddly, is named without the secret.

    Guards: the masked fields of ``Settings`` and ``backends._hide``; their errors drop a cause that quotes the value.
    """
    wrong = {}
    for case, make in BAD_SETTINGS.items():
        try:
            said = [str(make())]
        except SettingsError as error:
            said = [repr(error), str(error), repr(vars(error)), *traceback.format_exception(error)]
        lines = [line for line in "".join(said).splitlines() if "lambda" not in line]  # the sources are no finding
        if found := told("\n".join([*lines, *listening.said])):
            wrong[case] = found
        listening.said.clear()
    assert wrong == {}
    figure("settings that cannot be read", f"no secret shown, {len(BAD_SETTINGS)} ways to write them wrong")
