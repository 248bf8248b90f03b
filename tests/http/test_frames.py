"""Tracebacks with local variables, as trackers of errors send them, hold neither key nor password."""

from __future__ import annotations

import base64
import traceback
from collections.abc import Callable, Iterator
from typing import Any

import attrs
import pytest
from openrouter_pricing.backends import open_backend
from support.upstream import Answer, Upstream, models

from openrouter_pricing import (
    CatalogUnavailableError,
    Client,
    Fetched,
    Pricing,
    Settings,
    SettingsError,
    StatusError,
    TransportError,
)
from openrouter_pricing._base.masking import CauseError, without_frames

KEY = "sk-or-v1-4f1d"
PASSWORD = "hunter2"
SECRETS = (KEY, PASSWORD, base64.b64encode(f"user:{PASSWORD}".encode()).decode().rstrip("="))


def chain(error: BaseException | None) -> Iterator[BaseException]:
    """The error and everything that is chained to it, also what ``from None`` hides."""
    if error is not None:
        yield error
        yield from chain(error.__cause__)
        yield from chain(error.__context__)


def kept(error: BaseException) -> list[str]:
    """What the frames of an error keep, below the test's own: names and values; and its words."""
    told = []
    for link in chain(error):
        told += [str(link), repr(link), repr(vars(link))]
        for frame, _ in traceback.walk_tb(link.__traceback__):
            if frame.f_code.co_filename != __file__:
                told += [f"{frame.f_code.co_name}: {name} = {_shown(value)}" for name, value in frame.f_locals.items()]
    return told


def _shown(value: object) -> str:
    try:
        return repr(value)
    except AttributeError:  # it is only half made
        return ""


def leaks(act: Callable[[], object], kind: type[BaseException]) -> list[str]:
    """The lines of what an error keeps that give a secret away."""
    with pytest.raises(kind) as caught:
        act()
    return [line for line in kept(caught.value) if any(secret in line for secret in SECRETS)]


ANSWERS: dict[str, Answer | None] = {
    "refused": None,
    "500": Answer(b"no", 500),
    "a redirect": Answer(b"", 302, {"Location": f"http://user:{PASSWORD}@127.0.0.1:1/"}),
    "garbage in the header": Answer(models(), headers={"Content-Length": "many"}),
    "cut off": Answer(models(), headers={"Content-Length": "999999"}),
    "too large": Answer(b" " * 100_000),
}


@pytest.mark.parametrize("options", [{"api_key": KEY}, {}], ids=["key", "password"])
@pytest.mark.parametrize("fault", ANSWERS)
def test_a_fetch_that_fails(fault: str, options: dict[str, Any], upstream: Upstream) -> None:
    """Whatever goes wrong in a fetch, no frame that its error keeps holds what was sent."""
    answer = ANSWERS[fault]
    if answer is None:
        upstream.close()
    else:
        upstream.answer = answer
    url = upstream.url.replace("://", f"://user:{PASSWORD}@")
    client = Client(Settings(base_url=url, attempts=2, deadline=2, max_body=50_000, read_timeout=0.3, **options))
    assert [] == leaks(client.fetch, Exception)
    client.close()


@pytest.mark.parametrize("proxy", ["http://user:{}@127.0.0.1:9", "http://user:{}@", "socks5h://user:{}@127.0.0.1:9"])
def test_a_proxy_that_fails(proxy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy's password is in no frame either."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, proxy.format(PASSWORD))
    client = Client(Settings(base_url="http://upstream.invalid/api/v1", attempts=2, deadline=2))
    assert [] == leaks(client.fetch, TransportError)
    client.close()


SETTINGS: dict[str, Callable[[], object]] = {
    "a key with a blank": lambda: Settings(api_key=f"{KEY} {KEY}"),
    "a good key beside a bad number": lambda: Settings(api_key=KEY, l1_ttl="soon"),
    "a base URL with a port in words": lambda: Settings(base_url=f"http://user:{PASSWORD}@host:port"),
    "a base URL of another scheme": lambda: Settings(base_url=f"ftp://user:{PASSWORD}@host"),
    "a backend without a scheme": lambda: Settings(backend=f"user:{PASSWORD}@host"),
    "a good key in the environment": lambda: Settings.from_env(
        {"OPENROUTER_API_KEY": KEY, "OPENROUTER_PRICING_L1_TTL": "x"}
    ),
    "a bad key in the environment": lambda: Settings.from_env({"OPENROUTER_API_KEY": f"{KEY} {KEY}"}),
    "a good key beside a bad option": lambda: Settings.from_env({"OPENROUTER_API_KEY": KEY}, l1_ttl="soon"),
    "an unknown backend": lambda: open_backend(f"nosuch://user:{PASSWORD}@host/0"),
    "an unknown backend in Pricing": lambda: Pricing(Settings(backend=f"nosuch://user:{PASSWORD}@host/0")),
    "a backend that is no URL": lambda: open_backend(f"user:{PASSWORD}@host"),
    "a backend that is hardly a URL": lambda: open_backend(f"user:{PASSWORD}@host://x"),
    "a disk with a host": lambda: open_backend(f"disk://user:{PASSWORD}@host/directory"),
    "a good key beside a bad change": lambda: attrs.evolve(
        Settings(api_key=KEY, base_url=f"http://user:{PASSWORD}@host", backend=f"disk://user:{PASSWORD}@/"), attempts=0
    ),
    "a memory with a host": lambda: open_backend(f"memory://user:{PASSWORD}@host"),
}  # fmt: skip


@pytest.mark.parametrize("case", SETTINGS)
def test_settings_that_cannot_be_read(case: str) -> None:
    """Neither the option that is wrong nor those beside it stand in a frame that the error keeps."""
    assert [] == leaks(SETTINGS[case], SettingsError)


@pytest.mark.parametrize("case", ["a good key in the environment", "a disk with a host"])
def test_errors_told_anew_keep_their_cause(case: str) -> None:
    """What was renamed, or comes from a scheme, says what it was before."""
    with pytest.raises(SettingsError) as caught:
        SETTINGS[case]()
    assert isinstance(caught.value.__cause__, ValueError)


QUESTIONS: dict[str, tuple[Callable[[Pricing], object], type[BaseException]]] = {
    "refresh": (lambda pricing: pricing.refresh(), Exception),
    "cost": (lambda pricing: pricing.cost("openai/gpt-4o", 1), CatalogUnavailableError),
    "cost again": (lambda pricing: [pricing.warm(), pricing.cost("openai/gpt-4o", 1)], CatalogUnavailableError),
    "generation": (lambda pricing: pricing.generation("gen-1", deadline=0.3), Exception),
}


@pytest.mark.parametrize("question", QUESTIONS)
@pytest.mark.parametrize("fault", ANSWERS)
def test_a_question_that_fails(question: str, fault: str, upstream: Upstream) -> None:
    """Nor does what a question raises, whichever thread fetched, and whoever asked before."""
    answer, (ask, kind) = ANSWERS[fault], QUESTIONS[question]
    if answer is None:
        upstream.close()
    else:
        upstream.answer = answer
    url = upstream.url.replace("://", f"://user:{PASSWORD}@")
    settings = Settings(base_url=url, api_key=KEY, attempts=1, deadline=2, max_body=50_000, fallback=False)
    pricing = Pricing(attrs.evolve(settings, backend="memory://", read_timeout=0.3))
    try:
        assert [] == leaks(lambda: ask(pricing), kind)
    finally:
        pricing.close()


def test_endpoints_that_fail(upstream: Upstream) -> None:
    """Nor does what a question for the endpoints of a listed model raises."""
    url = upstream.url.replace("://", f"://user:{PASSWORD}@")
    with Pricing(Settings(base_url=url, api_key=KEY, backend="memory://", attempts=1, deadline=2)) as pricing:
        name = next(iter(pricing.catalog()))
        upstream.answer = Answer(b"no", 500)
        assert [] == leaks(lambda: pricing.endpoints(name), CatalogUnavailableError)


def test_an_option_that_does_not_exist() -> None:
    """A misspelt option is a TypeError that keeps none of the others."""
    assert [] == leaks(lambda: Settings(api_key=KEY, api_kye=KEY), TypeError)  # type: ignore[call-arg]


@pytest.mark.parametrize(
    ("raised", "said"),
    [
        (ValueError(f"no port in http://user:{PASSWORD}@host:port"), "a URL that this scheme can read"),
        (SettingsError("backend", "'strange://'", "something else"), "something else"),
    ],
)
def test_a_strangers_backend(raised: Exception, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a stranger's scheme says of a URL is passed on without what may be a password."""

    def opener(url: str) -> None:
        raise raised

    monkeypatch.setattr("openrouter_pricing.backends.find", lambda url: opener)
    assert [] == leaks(lambda: open_backend(f"strange://user:{PASSWORD}@host"), SettingsError)
    with pytest.raises(SettingsError, match=said):
        open_backend("strange://host")


class Wants(Exception):
    """Cannot be built from a message."""

    def __init__(self, one: object, two: object) -> None:
        super().__init__(f"{one} and {two}")


def test_causes_are_told_anew() -> None:
    """Each cause keeps its class and its words, masked, where it can be built from them; its frames are gone."""

    def raised() -> Exception:
        try:
            try:
                try:
                    raise ConnectionRefusedError(111, f"no http://user:{PASSWORD}@host")
                except ConnectionRefusedError as error:
                    raise Wants("a", f"http://user:{PASSWORD}@host") from error
            except Wants as error:
                raise StatusError(503, 2.0) from error
        except StatusError:
            try:
                raise KeyError(Fetched(200))
            except KeyError as error:
                return error

    error = without_frames(raised())
    links = list(chain(error))
    assert [KeyError, StatusError, CauseError, ConnectionRefusedError] == [type(link) for link in links]
    assert ["Wants: a and http://***@host", "[Errno 111] no http://***@host"] == [str(link) for link in links[2:]]
    assert (503, 2.0) == (links[1].status, links[1].retry_after)  # type: ignore[attr-defined]
    assert [None] * 4 == [link.__traceback__ for link in links]


def test_what_was_hidden_stays_hidden() -> None:
    """``from None`` keeps a cause from people; here it goes altogether. A chain without an end is cut."""
    error = ValueError("x")
    error.__context__, error.__suppress_context__ = KeyError(PASSWORD), True
    assert [error] == list(chain(without_frames(error)))
    one, two = ValueError("one"), ValueError("two")
    one.__cause__, two.__cause__ = two, one
    assert ["one", *["two", "one"] * 4] == [str(link) for link in chain(without_frames(one))]
