"""Events sent over HTTP."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import logging
import pickle
import socket
import threading
import time
import traceback
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from typing import Any

import pytest
from standardwebhooks import Webhook as Verifier
from support.receiver import Receiver
from support.upstream import raw_peer, read_request
from support.waiting import until

from openrouter_pricing.errors import StatusError, TransportError
from openrouter_pricing.history import Slack, Webhook
from openrouter_pricing.history import webhook as room
from openrouter_pricing.history.events import Difference, event
from openrouter_pricing.history.webhook import text_of

KEY, OTHER = b"k" * 32, b"o" * 32
SECRET, OTHER_SECRET = (f"whsec_{base64.b64encode(key).decode()}" for key in (KEY, OTHER))
EVENT = event("msg_1", "2026-11-01T12:00:00+00:00", "b", "a", [Difference("a/one", {"prompt": "1"}, {"prompt": "2"})])


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A receiver on this machine."""
    made = Receiver()
    yield made
    made.close()


def test_a_receiver_verifies_by_the_library(receiver: Receiver) -> None:
    """What arrives passes the library of Standard Webhooks, and is the event."""
    Webhook(receiver.url, SECRET)(EVENT)
    (request,) = receiver.received
    assert Verifier(SECRET).verify(request.body, request.headers) == EVENT


def test_a_receiver_verifies_by_hand(receiver: Receiver) -> None:
    """HMAC-SHA256 of id, time and body, in Base64, by nothing but the standard library; the time is that of now."""
    Webhook(receiver.url, SECRET)(EVENT)
    headers, body = receiver.received[0]
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    signature = base64.b64encode(hmac.new(KEY, signed, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{signature}"
    assert headers["webhook-id"] == "msg_1"
    assert abs(float(headers["webhook-timestamp"]) - datetime.now(timezone.utc).timestamp()) < 60
    assert headers["content-type"] == "application/json"


def test_it_is_signed_in_utc_wherever_it_runs(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    """The library takes a local time for one of UTC: the signature would be hours off."""
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        Webhook(receiver.url, SECRET)(EVENT)
    finally:
        monkeypatch.undo()
        time.tzset()
    request = receiver.received[0]
    assert Verifier(SECRET).verify(request.body, request.headers)["id"] == "msg_1"


@pytest.mark.parametrize("secret", [f"{SECRET} {OTHER_SECRET}", f" {SECRET}, {OTHER_SECRET}\n", [SECRET, OTHER_SECRET]])
def test_two_secrets_while_one_is_replaced(receiver: Receiver, secret: Any) -> None:
    """A receiver that knows either of them verifies every event."""
    Webhook(receiver.url, secret)(EVENT)
    request = receiver.received[0]
    for each in (SECRET, OTHER_SECRET):
        assert Verifier(each).verify(request.body, request.headers)["id"] == "msg_1"


@pytest.mark.parametrize("secret", [SECRET.removeprefix("whsec_"), SECRET.rstrip("="), f"  {SECRET}  "])
def test_a_secret_is_read_as_the_library_reads_it(receiver: Receiver, secret: str) -> None:
    """With and without its prefix, and its padding."""
    Webhook(receiver.url, secret)(EVENT)
    request = receiver.received[0]
    assert Verifier(SECRET).verify(request.body, request.headers)["id"] == "msg_1"


@pytest.mark.parametrize(
    ("secret", "error"),
    [
        ("", ValueError),
        ("whsec_", ValueError),
        ("whsec_hush-hush!", ValueError),
        ("whsec_hushh", ValueError),
        (f"{SECRET} {SECRET} {SECRET}", ValueError),
        ([], ValueError),
        (None, TypeError),
        (b"hush-hush", TypeError),
        ([b"hush-hush"], TypeError),
        (7, TypeError),
    ],
)
def test_a_bad_secret_is_told_without_being_quoted(secret: Any, error: type[Exception]) -> None:
    """The message names the argument; neither it nor a frame of ours shows what was given."""
    with pytest.raises(error, match=r"^secret must be") as caught:
        Webhook("https://example.com", secret)
    _hides(caught.value, "hush", SECRET)


@pytest.mark.parametrize(
    ("url", "error"),
    [
        ("", ValueError),
        ("ftp://hush/", ValueError),
        ("https://", ValueError),
        ("https://ho st/hush", ValueError),
        ("https://[hush", ValueError),
        ("https://host:hush/", ValueError),
        (None, TypeError),
        (b"https://hush", TypeError),
    ],
)
@pytest.mark.parametrize("kind", [Slack, lambda url: Webhook(url, SECRET)])
def test_a_bad_url_is_told_without_being_quoted(kind: Any, url: Any, error: type[Exception]) -> None:
    """A URL may be a secret, too."""
    with pytest.raises(error, match=r"^url must be") as caught:
        kind(url)
    _hides(caught.value, "hush", SECRET)


def _hides(error: BaseException, *secrets: str) -> None:
    """Neither the message nor a variable of a frame of the package shows a secret."""
    shown = [str(error), repr(error)]
    for frame, _ in traceback.walk_tb(error.__traceback__):
        if "openrouter_pricing" in frame.f_code.co_filename.split("tests")[-1]:
            shown += map(repr, frame.f_locals.values())
    assert not [text for text in shown for secret in secrets if secret in text]


def test_slack_must_be_https() -> None:
    """Whoever sees its URL may write to the channel."""
    with pytest.raises(ValueError, match=r"^url of Slack must be https") as caught:
        Slack("http://hooks.slack.com/services/hush")
    _hides(caught.value, "hush")


@pytest.mark.parametrize("status", [301, 302, 307, 308, 400, 404, 410, 429, 500, 503])
def test_every_other_status_is_an_error(receiver: Receiver, status: int) -> None:
    """Nothing but 2xx is a delivery; a redirect is not followed."""
    receiver.script = [(status, {"Location": receiver.url})]
    with pytest.raises(StatusError) as caught:
        Webhook(receiver.url, SECRET)(EVENT)
    assert (caught.value.status, len(receiver.received)) == (status, 1)


def test_retry_after_is_read(receiver: Receiver) -> None:
    """Seconds, or a date."""
    later = format_datetime(datetime.now(timezone.utc) + timedelta(hours=1), usegmt=True)
    receiver.script = [(503, {"Retry-After": "120"}), (429, {"Retry-After": later}), (503, {})]
    asked = []
    for _ in range(3):
        with pytest.raises(StatusError) as caught:
            Webhook(receiver.url, SECRET)(EVENT)
        asked.append(caught.value.retry_after)
    assert asked[0] == 120
    assert asked[1] is not None
    assert 3500 < asked[1] <= 3600
    assert asked[2] is None


@pytest.mark.parametrize("path", ["/hush?hush=1", "/hush"])
def test_secrets_are_in_no_log_and_no_error(
    receiver: Receiver, caplog: pytest.LogCaptureFixture, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not in those of the libraries either, which log the path of each request; other threads are heard as ever."""
    caplog.set_level(logging.DEBUG)
    url = f"http://user:hush-pass@127.0.0.1:{receiver.port}{path}"
    webhook = Webhook(url, SECRET)
    receiver.script = [(204, {}), (500, {})]
    webhook(EVENT)
    with pytest.raises(StatusError) as caught:
        webhook(EVENT)
    receiver.close()
    with pytest.raises(TransportError) as broken:
        webhook(EVENT)
    for error in (caught.value, broken.value):
        _hides(error, "hush", SECRET, SECRET[6:])
        assert (error.__cause__, error.__context__) == (None, None)
    assert pickle.loads(pickle.dumps(broken.value)).args == broken.value.args
    shown = caplog.text + repr(webhook) + webhook.name
    assert "hush" not in shown
    assert f"http://127.0.0.1:{receiver.port}" in repr(webhook)
    assert receiver.received[0].headers["authorization"].startswith("Basic ")
    quiet = room._Quiet()
    record = logging.makeLogRecord({})
    heard: list[bool] = []
    other = threading.Thread(target=lambda: heard.append(quiet.filter(record)))
    other.start()
    other.join()
    assert (quiet.filter(record), heard) == (False, [True])
    assert logging.getLogger("urllib3.connectionpool").filters == []


def test_names_tell_sinks_apart() -> None:
    """Two paths of one host are two sinks, and are always called the same."""
    one, other = (Webhook(f"https://example.com/{path}", SECRET).name for path in ("one", "other"))
    assert one == Webhook("https://example.com/one", OTHER_SECRET).name != other
    assert one.startswith("Webhook https://example.com (")


def test_no_answer_is_an_error(receiver: Receiver) -> None:
    """Nobody listens, or what listens speaks no HTTP, or the name of the host is none."""
    with raw_peer(lambda conn: conn.sendall(b"\0" * 10)) as url:
        for bad in (url, "http://127.0.0.1:1/", "http://..invalid../"):
            with pytest.raises(TransportError, match="no answer from Webhook"):
                Webhook(bad, SECRET)(EVENT)


def test_a_proxy_that_cannot_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is an error like no answer at all, and its password is not told."""
    monkeypatch.setenv("HTTP_PROXY", "http://user:hush@")
    with pytest.raises(TransportError, match="no answer from Webhook") as caught:
        Webhook("http://receiver.invalid/", SECRET)(EVENT)
    _hides(caught.value, "hush")


def test_an_answer_that_drips_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """A byte now and then resets the time limit of a read; the deadline for everything is not put off."""
    monkeypatch.setattr(room, "_DEADLINE", 0.3)
    stop = threading.Event()

    def drip(conn: socket.socket) -> None:
        read_request(conn)
        while not stop.wait(0.02):
            conn.sendall(b"H")

    with raw_peer(drip) as url, pytest.raises(TransportError):
        Webhook(url, SECRET)(EVENT)
    stop.set()


def test_a_body_is_not_waited_for() -> None:
    """The status says it all: an endless body keeps nobody."""
    stop = threading.Event()

    def endless(conn: socket.socket) -> None:
        read_request(conn)
        conn.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while not stop.wait(0.02):
            conn.sendall(b"1\r\nx\r\n")

    with raw_peer(endless) as url:
        assert Webhook(url, SECRET)(EVENT) is None
        stop.set()


def test_close_breaks_off_what_is_under_way(receiver: Receiver) -> None:
    """A thread that waits for an answer comes back."""
    receiver.hold = threading.Event()
    webhook = Webhook(receiver.url, SECRET)
    raised: list[Exception] = []

    def send() -> None:
        try:
            webhook(EVENT)
        except TransportError as error:
            raised.append(error)

    thread = threading.Thread(target=send)
    thread.start()
    until(lambda: receiver.received)
    webhook.close()
    thread.join(60)
    assert len(raised) == 1
    webhook.close()


# -- Slack -------------------------------------------------------------------------------------------------------------


def test_slack_gets_a_text(receiver: Receiver) -> None:
    """A short one, in JSON, whose links are not unfolded, and without a signature."""
    Slack(receiver.url)(EVENT)
    (request,) = receiver.received
    assert json.loads(request.body) == {
        "text": "*OpenRouter prices*: 1 changed (list of 2026-11-01 12:00 UTC)\n"
        "• `a/one` changed: prompt $1000000/M → $2000000/M",
        "unfurl_links": False,
        "unfurl_media": False,
    }
    assert "webhook-signature" not in request.headers


def test_names_of_strangers_are_only_text() -> None:
    """No mention, no link, no markup, no new line, whatever a model is called; and no more than 100 letters of it."""
    name = "a/<!channel>`*bold*`\n<https://evil.example|x>&\u202e" + "z" * 500
    told = [Difference(name, None, {"prompt": "0.000001"}), Difference("a/gone", {}, None)]
    lines = text_of(event("msg", "2026-11-01T12:00:00+00:00", "b", "a", told)).splitlines()
    assert lines[1] == (
        "• `a/&lt;!channel&gt; *bold*  &lt;https://evil.example|x&gt;&amp; " + "z" * 53 + "` listed: prompt none → $1/M"
    )
    assert lines[2] == "• `a/gone` delisted"


def test_prices_are_in_their_own_unit() -> None:
    """Tokens per million; requests, images and searches each; four prices of a model, and no more."""
    after = {"request": "0.01", "image": "0.02", "web_search": "0.03", "prompt": "0.000002", "completion": "1"}
    line = text_of(event("msg", "2026-11-01", "b", "a", [Difference("a/one", {}, after)])).splitlines()[1]
    assert line == (
        "• `a/one` changed: request none → $0.01, image none → $0.02, web_search none → $0.03, prompt none → $2/M, …"
    )


@pytest.mark.parametrize("count", [20, 21, 500])
def test_twenty_models_are_enough(count: int) -> None:
    """The others are counted, also those that the event itself has no room for."""
    told = [Difference(f"a/model-{number}", {"prompt": "1"}, {"prompt": "2"}) for number in range(count)]
    lines = text_of(event("msg", "2026-11-01", "b", "a", told)).splitlines()
    assert len(lines) == min(count, 20) + 1 + (count > 20)
    assert count == 20 or lines[-1] == f"… and {count - 20} more"
