"""The client, against real HTTP on loopback: what it asks, retries and pages, whom it tells the key, and turns."""

from __future__ import annotations

import json
import logging
import re
import socket
import threading
from collections.abc import Callable
from datetime import timedelta
from email.utils import format_datetime
from typing import Any

import pytest
import stamina
from stamina.instrumentation import set_on_retry_hooks
from support.children import in_child
from support.clients import NOW, failing, quick
from support.hands import Hands
from support.upstream import Answer, Upstream, models, raw_peer, read_request, row
from support.waiting import PATIENCE, until

from openrouter_pricing import (
    Client,
    PayloadError,
    Settings,
    StatusError,
    TransportError,
    UpstreamError,
)
from openrouter_pricing._http import client as client_module


def test_it_asks_for_everything(upstream: Upstream, client: Client) -> None:
    """One request for all output modalities, honestly signed, with encodings that can be bounded."""
    fetched = client.fetch()
    assert fetched.status == 200
    assert fetched.body == models()
    [request] = upstream.requests
    assert request.path == "/api/v1/models?output_modalities=all"
    assert request.headers["accept-encoding"] == "gzip, deflate"
    assert request.headers["user-agent"].startswith("openrouter-pricing/")
    assert "authorization" not in request.headers


@pytest.mark.parametrize("how", [{"gzip": True}, {"chunked": True}, {"gzip": True, "chunked": True}])
def test_it_reads_every_transfer(upstream: Upstream, client: Client, how: dict[str, bool]) -> None:
    """Compressed and chunked bodies come out as they went in."""
    rows = [row(f"a/model-{number}") for number in range(500)]
    upstream.say(*rows, **how)
    assert json.loads(client.fetch().body)["data"] == rows


def test_conditional_requests(upstream: Upstream, client: Client) -> None:
    """The ETag of what is held goes along, and a 304 has no body."""
    upstream.say(etag='"one"')
    assert client.fetch().header("etag") == '"one"'
    again = client.fetch(etag='"one"')
    assert (again.status, again.body) == (304, b"")
    assert upstream.requests[1].headers["if-none-match"] == '"one"'


def test_connections_are_kept(upstream: Upstream, client: Client) -> None:
    """Two requests travel over one connection."""
    client.fetch()
    assert client._connections.get().adapter is not None
    [sock] = client._connections.get().adapter.sockets
    client.fetch()
    assert list(client._connections.get().adapter.sockets) == [sock]


# -- pages -------------------------------------------------------------------------------------------------------------


def page(next_page: Any, *rows: dict[str, Any]) -> Answer:
    """One page of a list."""
    return Answer(json.dumps({"data": list(rows), "links": {"next": next_page}}).encode(), etag='"page"')


def test_pages_are_followed(upstream: Upstream, client: Client) -> None:
    """``links.next`` is followed to the end; the first page's ETag does not speak for the rest."""
    upstream.answer = page("/api/v1/models?page=2", row("a/one"))
    upstream.pages["/api/v1/models?page=2"] = page(f"{upstream.url}/models?page=3", row("a/two"))
    upstream.pages["/api/v1/models?page=3"] = page(None, row("a/three"))
    fetched = client.fetch()
    bodies = [fetched.body, *fetched.pages]
    assert [json.loads(body)["data"][0]["id"] for body in bodies] == ["a/one", "a/two", "a/three"]
    assert fetched.header("etag") is None


def test_pages_do_not_leave_the_origin(upstream: Upstream, client: Client) -> None:
    """A next page on another host is refused: the key must not go there."""
    upstream.answer = page("http://localhost:1/models", row("a/one"))
    with pytest.raises(PayloadError, match="another origin"):
        client.fetch()


@pytest.mark.parametrize(
    "link", ["http://[::1", "/api/v1/models?a b", "http://127.0.0.1:1\\@{own}/models", "//{own}@127.0.0.1:1/", "/\x00"]
)
def test_odd_links_are_not_followed(upstream: Upstream, client: Client, link: str) -> None:
    """A link that one parser reads as our own origin and another as somebody else's leads nowhere."""
    upstream.answer = page(link.replace("{own}", f"127.0.0.1:{upstream.port}"), row("a/one"))
    with pytest.raises(PayloadError, match="another origin, or nowhere"):
        client.fetch()
    assert len(upstream.requests) == 1


def test_pages_that_go_round_in_circles(upstream: Upstream, client: Client) -> None:
    """A list whose pages never end is refused."""
    upstream.answer = page("/api/v1/models?page=2", row("a/one"))
    with pytest.raises(PayloadError, match="never ends"):
        client.fetch()
    assert len(upstream.requests) == 2


def test_a_missing_page_fails_the_whole(upstream: Upstream, client: Client) -> None:
    """Half a list is no list."""
    upstream.answer = page("/api/v1/models?page=2", row("a/one"))
    upstream.pages["/api/v1/models?page=2"] = Answer(status=500)
    with pytest.raises(StatusError):
        client.fetch()


def test_all_pages_share_one_limit(upstream: Upstream) -> None:
    """Pages together may not be larger than ``max_body``."""
    upstream.answer = page("/api/v1/models?page=2", row("a/one"))
    upstream.pages["/api/v1/models?page=2"] = page(None, row("a/two"))
    client = quick(upstream.url, max_body=len(upstream.answer.body) + 10)
    with pytest.raises(PayloadError, match="max_body"):
        client.fetch()
    client.close()


# -- retries -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
def test_transient_errors_are_tried_again(upstream: Upstream, status: int) -> None:
    """A transient error is followed by another attempt, and told of."""
    upstream.script = [Answer(status=status), Answer(status=status)]
    told: list[UpstreamError] = []
    client = Client(Settings(base_url=upstream.url, attempts=3), on_retry=told.append)
    assert client.fetch().status == 200
    assert [status, status] == [error.status for error in told if isinstance(error, StatusError)]
    assert len(upstream.requests) == 3
    client.close()


@pytest.mark.parametrize("status", [301, 302, 307, 400, 401, 403, 404, 410, 501])
def test_other_errors_are_final(upstream: Upstream, status: int) -> None:
    """An answer that will not change is not asked for again."""
    upstream.fail(status)
    client = Client(Settings(base_url=upstream.url, attempts=3))
    with pytest.raises(StatusError) as caught:
        client.fetch()
    assert caught.value.status == status
    assert len(upstream.requests) == 1
    client.close()


def test_attempts_end(upstream: Upstream) -> None:
    """After the last attempt the last error is raised; the last one is not told of as if another followed."""
    upstream.fail(503)
    told: list[UpstreamError] = []
    client = Client(Settings(base_url=upstream.url, attempts=2), on_retry=told.append)
    with pytest.raises(StatusError, match="503"):
        client.fetch()
    assert len(upstream.requests) == 2
    assert len(told) == 1
    client.close()


def test_a_host_may_switch_retries_off(upstream: Upstream) -> None:
    """A host that turned stamina off is obeyed."""
    upstream.fail(503)
    client = Client(Settings(base_url=upstream.url, attempts=3))
    stamina.set_active(False)
    try:
        with pytest.raises(StatusError):
            client.fetch()
    finally:
        stamina.set_active(True)
    assert len(upstream.requests) == 1
    client.close()


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("0", 0.0),
        ("3600", 3600.0),
        ("-1", None),
        ("NaN", None),
        ("soon", None),
        ("1.5", None),
        (format_datetime(NOW + timedelta(seconds=90), usegmt=True), 90.0),
        (format_datetime(NOW - timedelta(days=9), usegmt=True), 0.0),
        ("Mon, 99 Foo 2026 99:99:99 GMT", None),
    ],
)
def test_retry_after_is_read(upstream: Upstream, header: str, seconds: float | None) -> None:
    """``Retry-After`` is read as seconds or as a date; what makes no sense is as if it were missing."""
    upstream.fail(429, Retry_After=header)
    client = quick(upstream.url)
    with pytest.raises(StatusError) as caught:
        client.fetch()
    assert caught.value.retry_after == seconds
    client.close()


def test_retry_after_is_honoured(upstream: Upstream) -> None:
    """An upstream that asks for a pause within the deadline gets it."""
    upstream.script = [Answer(status=429, headers={"Retry-After": "1"})]
    client = quick(upstream.url, attempts=2)
    pauses: list[float] = []
    set_on_retry_hooks([lambda details: pauses.append(details.wait_for)])
    try:
        assert client.fetch().status == 200
    finally:
        set_on_retry_hooks(None)
    assert pauses == [1.0]
    client.close()


@pytest.mark.parametrize("header", ["3600", "99999999"])
def test_retry_after_beyond_the_deadline_gives_up(upstream: Upstream, header: str) -> None:
    """Nobody sleeps an hour because the upstream says so."""
    upstream.fail(429, Retry_After=header)
    client = quick(upstream.url, attempts=3)
    with pytest.raises(StatusError):
        client.fetch()
    assert len(upstream.requests) == 1
    client.close()


def test_retrying_ends_with_the_deadline() -> None:
    """When the deadline has passed there is no further attempt, whatever ``attempts`` says."""
    count: list[int] = []

    def slow(conn: socket.socket) -> None:
        count.append(1)
        read_request(conn)
        conn.recv(1)

    with raw_peer(slow) as url:
        client = quick(url, attempts=50, deadline=0.5, read_timeout=0.3)
        with pytest.raises(TransportError):
            client.fetch()
        client.close()
    assert len(count) <= 3


def test_a_deadline_that_is_over_asks_nothing(upstream: Upstream, client: Client) -> None:
    """Without time left there is no request."""
    with pytest.raises(TransportError, match="deadline"):
        client.fetch(deadline=0)
    assert upstream.requests == []


# -- secrets -----------------------------------------------------------------------------------------------------------


def test_the_key_goes_to_loopback(upstream: Upstream) -> None:
    """The key is sent to the base URL's own origin over loopback."""
    client = quick(upstream.url, api_key="sk-secret")
    client.fetch()
    assert upstream.requests[0].headers["authorization"] == "Bearer sk-secret"
    assert "sk-secret" not in repr(client)
    client.close()


@pytest.mark.parametrize(
    ("url", "sent"),
    [
        ("https://openrouter.ai/api/v1", True),
        ("http://openrouter.ai/api/v1", False),
        ("http://127.0.0.2:80/", True),
        ("http://[::1]:80/", True),
        ("http://localhost/", True),
        ("http://localhost.example.com/", False),
        ("http://10.0.0.1/", False),
    ],
)
def test_the_key_goes_only_where_it_may(url: str, sent: bool) -> None:
    """Over plain HTTP the key leaves the machine for nobody."""
    client = Client(Settings(base_url=url, api_key="sk-secret"))
    assert (client._authorization is not None) is sent


def test_no_secret_is_logged(upstream: Upstream, caplog: pytest.LogCaptureFixture) -> None:
    """What stamina and urllib3 log of a retry holds no key."""
    upstream.script = [Answer(status=503)]
    client = quick(upstream.url, api_key="sk-secret", attempts=2)
    with caplog.at_level(logging.DEBUG):
        client.fetch()
    assert caplog.records
    assert "sk-secret" not in caplog.text + "".join(repr(vars(record)) for record in caplog.records)
    client.close()


def test_only_our_own_errors_are_worth_retrying() -> None:
    """The hook says no to anything that is not an error of ours: stamina would retry a KeyboardInterrupt."""
    answers: dict[str, Callable[[], bool | float]] = {
        "ours": lambda: client_module._worth_retrying(TransportError("x"), 1.0),
        "late": lambda: client_module._worth_retrying(TransportError("x"), 0.0),
        "foreign": lambda: client_module._worth_retrying(RuntimeError("x"), 1.0),
        "asked": lambda: client_module._worth_retrying(StatusError(429, 0.5), 1.0),
        "at once": lambda: client_module._worth_retrying(StatusError(429, 0.0), 1.0),
        "too long": lambda: client_module._worth_retrying(StatusError(429, 5.0), 1.0),
    }
    assert {name: answer() for name, answer in answers.items()} == {
        "ours": True,
        "late": False,
        "foreign": False,
        "asked": 0.5,
        "at once": 0.05,
        "too long": False,
    }


def test_a_forked_child_has_connections_of_its_own(upstream: Upstream) -> None:
    """A client that was made and used before a fork works in the child, over a socket of the child's own."""
    client = quick(upstream.url)
    client.fetch()
    client._connections.get().lock.acquire()  # as another thread would hold it at that moment

    def work() -> bool:
        good = client.fetch().status == 200
        client.close()
        return good

    good = in_child(work)
    client._connections.get().lock.release()
    assert good
    assert client.fetch().status == 200
    client.close()


def test_an_attempt_that_begins_too_late_asks_nothing(
    upstream: Upstream, monkeypatch: pytest.MonkeyPatch, hands: Hands
) -> None:
    """When the pause between two attempts outlasts the deadline, the second one is not made."""
    monkeypatch.setattr(client_module, "time", hands.clock)
    upstream.fail(503)
    settings = Settings(base_url=upstream.url, attempts=2, deadline=PATIENCE)
    client = Client(settings, on_retry=lambda error: hands.turn(PATIENCE))
    with pytest.raises(TransportError, match="before the upstream answered"):
        client.fetch()
    assert len(upstream.requests) == 1
    client.close()


# -- turns -------------------------------------------------------------------------------------------------------------


class Turns:
    """A client's turns, and who came for one."""

    def __init__(self, client: Client) -> None:
        self.came = threading.Semaphore(0)
        self._turn = client._connections.get().turn
        client._connections.get().turn = self  # type: ignore[assignment]

    def acquire(self, timeout: float) -> bool:
        """Note who comes, and let it wait."""
        self.came.release()
        return self._turn.acquire(timeout=timeout)

    def release(self) -> None:
        """Give it on."""
        self._turn.release()

    def wait_for(self, times: int) -> None:
        """Wait until so many more have come."""
        for _ in range(times):
            assert self.came.acquire(timeout=PATIENCE)


def silent(asked: threading.Semaphore) -> Callable[[socket.socket], None]:
    """A peer that reads a request and says nothing."""

    def talk(conn: socket.socket) -> None:
        read_request(conn)
        asked.release()
        conn.recv(1)

    return talk


def test_fetches_take_turns() -> None:
    """While one fetch hangs a second one waits for its turn, and no longer than its own deadline."""
    asked = threading.Semaphore(0)
    with raw_peer(silent(asked)) as url:
        client = quick(url)
        with failing(client):
            assert asked.acquire(timeout=PATIENCE)
            with pytest.raises(TransportError, match="another fetch of this client"):
                client.fetch_endpoints("a/b", deadline=0.05)
            client.close()
        assert not asked.acquire(blocking=False)


def test_a_turn_is_given_on(upstream: Upstream) -> None:
    """Whoever waits gets its turn when the fetch before it has ended, well or not."""
    upstream.script = [Answer(status=500, hold=(hold := threading.Event())), Answer(models())]
    client = quick(upstream.url)
    turns = Turns(client)
    fetched: list[int] = []
    failed: list[int] = []

    def fetch() -> None:
        try:
            fetched.append(client.fetch().status)
        except StatusError as error:
            failed.append(error.status)

    threads = [threading.Thread(target=fetch) for _ in range(2)]
    for thread in threads:
        thread.start()
    turns.wait_for(2)
    until(lambda: upstream.requests)
    assert len(upstream.requests) == 1
    hold.set()
    for thread in threads:
        thread.join(PATIENCE)
    assert ([200], [500]) == (fetched, failed)
    client.close()


def test_close_ends_those_that_wait_for_their_turn() -> None:
    """A fetch that waits while the client is closed does not start after it; a later one does."""
    asked = threading.Semaphore(0)
    with raw_peer(silent(asked)) as url:
        client = quick(url)
        turns = Turns(client)
        with failing(client, 3) as failures:
            turns.wait_for(3)
            assert asked.acquire(timeout=PATIENCE)
            client.close()
        assert 3 == len(failures)
        assert ["closed in the middle of a fetch"] * 2 == [words for words in failures if words.startswith("closed")]
        assert not asked.acquire(blocking=False)
        assert client._connections.get().session is None


def test_close_is_followed_by_no_attempt() -> None:
    """A fetch that was broken off is not tried again, however many attempts are left."""
    asked = threading.Semaphore(0)
    told: list[UpstreamError] = []
    with raw_peer(silent(asked)) as url:
        client = Client(Settings(base_url=url, attempts=3, read_timeout=60, deadline=60), on_retry=told.append)
        with failing(client) as failures:
            assert asked.acquire(timeout=PATIENCE)
            client.close()
        assert (1, [], False) == (len(failures), told, asked.acquire(blocking=False))


def test_a_child_takes_no_turn_from_its_parent(upstream: Upstream) -> None:
    """A child forked in the middle of a fetch fetches and closes at once, and the parent's fetch goes on."""
    upstream.script = [Answer(models(row("a/parent")), hold=(hold := threading.Event()))]
    client = quick(upstream.url)
    bodies: list[bytes] = []
    thread = threading.Thread(target=lambda: bodies.append(client.fetch().body))
    thread.start()
    until(lambda: upstream.requests)

    def work() -> bool:
        client.close()
        good = client.fetch().body == models()
        client.close()
        return good

    good = in_child(work)
    hold.set()
    thread.join(PATIENCE)
    assert (True, [models(row("a/parent"))]) == (good, bodies)
    client.close()


# -- endpoints ---------------------------------------------------------------------------------------------------------


def test_endpoints_are_asked_for_by_model(upstream: Upstream) -> None:
    """One conditional request for the endpoints of a model, with the key."""
    upstream.pages["/api/v1/models/a/b:free/endpoints"] = Answer(b"{}", etag='"one"')
    client = quick(upstream.url, api_key="sk-secret")
    assert (200, b"{}", '"one"') == (
        (first := client.fetch_endpoints("a/b:free")).status,
        first.body,
        first.header("etag"),
    )
    assert (304, b"") == ((again := client.fetch_endpoints("a/b:free", etag='"one"')).status, again.body)
    assert ["/api/v1/models/a/b:free/endpoints"] * 2 == [request.path for request in upstream.requests]
    assert [None, '"one"'] == [request.headers.get("if-none-match") for request in upstream.requests]
    assert "Bearer sk-secret" == upstream.requests[0].headers["authorization"]
    client.close()


@pytest.mark.parametrize(
    ("model_id", "path"),
    [
        ("a/b:free", "a/b:free"),
        ("~a/b-latest", "~a/b-latest"),
        ("a/b c?d#e", "a/b%20c%3Fd%23e"),
        ("a b/c", "a%20b/c"),
        ("a:b/c", "a%3Ab/c"),
        ("a/%2e%2e", "a/%252e%252e"),
        ("a/..\\..", "a/..%5C.."),
        ("a/...", "a/..."),
        ("a/\r\nX-Evil: 1", "a/%0D%0AX-Evil:%201"),
        ("ä/名", "%C3%A4/%E5%90%8D"),
    ],
)
def test_ids_stand_in_the_path_as_they_are(upstream: Upstream, client: Client, model_id: str, path: str) -> None:
    """Whatever an id holds, it names one author and one model in the path, and nothing else."""
    client.fetch_endpoints(model_id)
    [request] = upstream.requests
    assert f"/api/v1/models/{path}/endpoints" == request.path
    assert "x-evil" not in request.headers


@pytest.mark.parametrize(
    "model_id", ["", "bad", "/", "a/", "/b", "a/b/c", "a//b", "../b", "a/..", "./b", "a/.", "../..", "https://evil/x"]
)
def test_what_is_no_id_is_not_asked_for(upstream: Upstream, client: Client, model_id: str) -> None:
    """An id that is not "author/slug" would lead elsewhere: it is an error that names it, and no request."""
    with pytest.raises(ValueError, match="model_id must be 'author/slug', not " + re.escape(repr(model_id))):
        client.fetch_endpoints(model_id)
    assert [] == upstream.requests


@pytest.mark.parametrize("status", [302, 404])
def test_endpoints_that_are_elsewhere_or_nowhere(upstream: Upstream, client: Client, status: int) -> None:
    """A redirect is not followed, and a model without endpoints is a status error."""
    upstream.fail(status, Location=f"{upstream.url}/elsewhere")
    with pytest.raises(StatusError, match=str(status)):
        client.fetch_endpoints("a/b")
    assert 1 == len(upstream.requests)
