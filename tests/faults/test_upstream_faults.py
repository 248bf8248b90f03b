"""An upstream that is away, slow, hostile or broken: cold questions are answered in time, warm ones never wait."""

from __future__ import annotations

import gzip
import json
import socket
import subprocess
import sys
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from support.certificate import Certificate, Talk
from support.hands import Hands
from support.upstream import models, raw_peer, read_request, row

from openrouter_pricing import Pricing, Settings, TransportError

pytestmark = pytest.mark.faults

Figure = Callable[[str, str], None]

MODEL = "openai/gpt-4o-mini"
GOOD = models(*[row(f"a/model-{number}") for number in range(400)], row(MODEL))
OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n"
SLACK = 0.5  # seconds that an answer may come after the deadline
MOST = 64  # MiB that a process may grow by
PAST = format_datetime(datetime.now(timezone.utc) - timedelta(days=9), usegmt=True)


def percentile(seconds: list[float], share: float = 0.99) -> float:
    """The value that so much of all values stay below."""
    return sorted(seconds)[int(len(seconds) * share)]


# -- what an upstream can do -------------------------------------------------------------------------------------------


def say(head: bytes, *parts: bytes) -> Talk:
    """Answer one request with these bytes and hang up."""

    def talk(conn: socket.socket) -> None:
        read_request(conn)
        conn.sendall(head)
        for part in parts:
            conn.sendall(part)

    return talk


def well(conn: socket.socket) -> None:
    """Answer as OpenRouter does."""
    say(OK + f"Content-Length: {len(GOOD)}\r\n\r\n".encode(), GOOD)(conn)


def nothing(conn: socket.socket) -> None:
    """Take the request and never answer."""
    while conn.recv(65536):
        pass


def drip(head: bytes, text: bytes) -> Talk:
    """Answer with ``head`` at once, then with ``text`` for ever, a byte at a time."""

    def talk(conn: socket.socket) -> None:
        read_request(conn)
        conn.sendall(head)
        pause = threading.Event()
        while True:
            for byte in text:
                conn.sendall(bytes([byte]))
                pause.wait(0.01)

    return talk


def stream(head: bytes, part: bytes, times: int) -> Talk:
    """Answer with a long body that is never held in memory."""

    def talk(conn: socket.socket) -> None:
        read_request(conn)
        conn.sendall(head)
        for _ in range(times):
            conn.sendall(part)

    return talk


def error(status: str, **headers: str) -> Talk:
    """Answer with an error status."""
    lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    return say(f"HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: 2\r\n{lines}\r\nno".encode())


@cache
def packed(parts: int, part: bytes = bytes(1 << 20), first: bytes = b"", last: bytes = b"") -> bytes:
    """A small gzip stream that unpacks to a large body."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    return b"".join([packer.compress(part) for part in (first, *[part] * parts, last)]) + packer.flush()


def bomb(status: str, *args: Any) -> Talk:
    """Answer with a gzip bomb."""

    def talk(conn: socket.socket) -> None:
        body = packed(*args)
        head = f"HTTP/1.1 {status}\r\nLocation: /elsewhere\r\nContent-Encoding: gzip\r\nConnection: close\r\n"
        say(f"{head}Content-Length: {len(body)}\r\n\r\n".encode(), body)(conn)

    return talk


STATUS = {
    "500": error("500 Internal Server Error"),
    "429 for an hour": error("429 Too Many Requests", Retry_After="3600"),
    "429 for -1": error("429 Too Many Requests", Retry_After="-1"),
    "429 for NaN": error("429 Too Many Requests", Retry_After="NaN"),
    "429 for garbage": error("429 Too Many Requests", Retry_After="soon; \x7f 1e999"),
    "429 for a past date": error("429 Too Many Requests", Retry_After=PAST),
}
UNREACHABLE = ("refused", "black-holed", "TLS failure")


@contextmanager
def nobody() -> Iterator[str]:
    """A port that refuses, held so that nobody else gets it."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{held.getsockname()[1]}/api/v1"


@contextmanager
def full() -> Iterator[str]:
    """A port whose queue is full: a connection never comes about."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as held, ExitStack() as stack:
        for _ in range(4):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(held.getsockname())
        yield f"http://127.0.0.1:{held.getsockname()[1]}/api/v1"


# -- away: cold --------------------------------------------------------------------------------------------------------

_COLD = """
import json, sys, time
from openrouter_pricing import Pricing, Settings

url, backend, deadline = sys.argv[1], sys.argv[2], float(sys.argv[3])
with Pricing(Settings(base_url=url, backend=backend, deadline=deadline)) as pricing:
    began = time.monotonic()
    cost = pricing.cost("openai/gpt-4o-mini", 1000, 500)
    seconds = time.monotonic() - began
    print(json.dumps([seconds, cost.source, str(cost.raw > 0), pricing.stats().fetches]))
"""


def ask_cold(url: str, folder: Path, deadline: float) -> list[Any]:
    """The first question in a process of its own."""
    command = [sys.executable, "-c", _COLD, url, f"disk://{folder}/store", str(deadline)]
    done = subprocess.run(command, cwd=Path(__file__).parent, capture_output=True, text=True, check=True, timeout=60)
    assert "Traceback" not in done.stderr
    answer: list[Any] = json.loads(done.stdout)
    return answer


@pytest.mark.parametrize("fault", ["refused", "black-holed", "never connected", "TLS failure", "no TLS", *STATUS])
def test_a_cold_question_is_answered_in_time(fault: str, tmp_path: Path, figure: Figure) -> None:
    """Nothing held and an upstream that fails: the snapshot answers within the deadline and half a second.

    Guards: ``SingleFlight.wait`` lets go of a caller at the deadline, behind it ``Client._get`` cuts each timeout to
    what the deadline leaves and ``_worth_retrying`` sleeps no longer; ``CatalogCache._hold`` falls back.
    """
    deadline = 1.0
    with ExitStack() as stack:
        if fault == "refused":
            url = stack.enter_context(nobody())
        elif fault == "never connected":
            url = stack.enter_context(full())
        elif fault == "TLS failure":
            url = stack.enter_context(raw_peer(Certificate(tmp_path, "peer").over(well)))
        else:
            url = stack.enter_context(raw_peer(STATUS.get(fault, nothing if fault == "black-holed" else well)))
        if "TLS" in fault:
            url = url.replace("http:", "https:")
        seconds, source, priced, fetches = ask_cold(url, tmp_path, deadline)
    figure(f"cold, {fault}", f"answered after {seconds:.2f} s of a deadline of {deadline:g} s")
    assert (source, priced, fetches) == ("bundled", "True", 1)
    assert seconds <= deadline + SLACK


# -- away: warm --------------------------------------------------------------------------------------------------------


def ask_warm(pricing: Pricing, hands: Hands, expected: Any, *, patience: float) -> list[float]:
    """How long each question took; the clock is turned far past ``l1_ttl`` every 300 of them.

    They come in bursts, some of them while a refresh runs behind, which is then given ``patience`` seconds.
    """
    took: list[float] = []
    for _ in range(40):
        hands.turn(400)
        for _ in range(6):
            for _ in range(50):
                began = time.perf_counter()
                cost = pricing.cost(MODEL, 1000, 500)
                took.append(time.perf_counter() - began)
            assert cost.raw == expected
            for thread in refreshing():
                thread.join(0.002)
        for thread in refreshing():
            thread.join(patience)
    return took


def refreshing() -> list[threading.Thread]:
    """The refreshes under way."""
    return [thread for thread in threading.enumerate() if thread.name == "openrouter-pricing-refresh"]


@pytest.mark.parametrize("fault", [*UNREACHABLE, *STATUS])
def test_a_warm_question_never_waits(
    fault: str, tmp_path: Path, hands: Hands, monkeypatch: pytest.MonkeyPatch, figure: Figure
) -> None:
    """Prices held and past ``l2_ttl``, the upstream fails: nobody waits, and p99 stays below a millisecond.

    Guard: ``CatalogCache._must_wait``, which lets stale prices answer while a refresh runs behind, and once one has
    failed for as long as nothing better comes.
    """
    deadline = 5.0
    talks: list[Talk] = [well]
    with ExitStack() as stack:
        server = stack.enter_context(ExitStack())
        url = server.enter_context(raw_peer(lambda conn: talks[-1](conn)))  # noqa: PLW0108  # it changes
        if fault == "TLS failure":
            good, bad = Certificate(tmp_path, "good"), Certificate(tmp_path, "bad")
            monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(good.path))
            url = url.replace("http:", "https:")
            talks.append(good.over(well))
            faulty = bad.over(well)
        else:
            faulty = STATUS.get(fault, nothing)
        settings = Settings(base_url=url, backend=f"disk://{tmp_path}/store", deadline=deadline, attempts=1)
        pricing = stack.enter_context(Pricing(settings, clock=hands.clock))
        expected = pricing.cost(MODEL, 1000, 500).raw
        healthy = ask_warm(pricing, hands, expected, patience=5)
        assert pricing.cost(MODEL, 1000, 500).source == "live"
        assert pricing.stats().failures == {}

        talks.append(faulty)
        if fault == "refused":
            server.close()
        hands.turn(settings.l2_ttl)
        under = ask_warm(pricing, hands, expected, patience=0.05)  # ends far past stale_while_revalidate
        assert pricing.cost(MODEL, 1000, 500).source == "stale"
        assert sum(pricing.stats().failures.values()) >= 2
    figure(
        f"warm, {fault}",
        f"p99 of cost() {percentile(healthy) * 1e6:.1f} µs healthy, {percentile(under) * 1e6:.1f} µs under the fault; "
        f"slowest {max(healthy) * 1e3:.1f} ms and {max(under) * 1e3:.1f} ms; {len(under)} questions",
    )
    assert len(under) >= 2000
    assert percentile(under) < 0.001
    assert max(under) < deadline / 5


# -- slow, large, broken -----------------------------------------------------------------------------------------------

CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
CHUNK = b"100000\r\n" + b" " * (1 << 20) + b"\r\n"
ROWS = b"{}," * (1 << 18)
HOSTILE: dict[str, Talk] = {
    "status line dripped": drip(b"", b"HTTP/1.1 200 OK" + b" " * 60000),
    "headers dripped": drip(b"HTTP/1.1 200 OK\r\n", b"X-Header: value\r\n"),
    "endless 100 Continue": drip(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "body dripped": drip(OK + b"Content-Length: 100000\r\n\r\n", b" "),
    "gzip body dripped": drip(
        OK + b"Content-Encoding: gzip\r\nContent-Length: 100000\r\n\r\n" + gzip.compress(b"")[:10], b"\0\0\0\xff\xff"
    ),
    "chunks dripped": drip(CHUNKED, b"1\r\n \r\n"),
    "chunk length dripped": drip(CHUNKED, b"0" * 60000),
    "chunked garbage": say(CHUNKED, b"zz\r\n{}\r\n\r\n\x00\xff"),
    "negative chunk": say(CHUNKED, b"-5\r\n{}\r\n0\r\n\r\n"),
    "gzip bomb": bomb("200 OK", 300),
    "gzip bomb in a redirect": bomb("302 Found", 300),
    "gzip bomb in an error": bomb("500 Internal Server Error", 300),
    "gzip bomb of JSON rows": bomb("200 OK", 8, ROWS, b'{"data":[', b"{}]}"),
    "gzip bomb of JSON numbers": bomb("200 OK", 8, b"1," * (1 << 19), b'{"data":[', b"1]}"),
    "1 GB body, announced": stream(OK + b"Content-Length: 1073741824\r\n\r\n", b" " * (1 << 20), 1024),
    "1 GB body, not announced": stream(OK + b"\r\n", b" " * (1 << 20), 1024),
    "1 GB body, chunked": stream(CHUNKED, CHUNK, 1024),
    "1 GB header": stream(b"HTTP/1.1 200 OK\r\nX-Large: ", b"x" * (1 << 20), 1024),
    "length too short": say(OK + b"Content-Length: 1000\r\n\r\n", GOOD),
    "length too long": say(OK + f"Content-Length: {len(GOOD) + 1}\r\n\r\n".encode(), GOOD),
    "length too long, held open": drip(OK + f"Content-Length: {len(GOOD) * 2}\r\n\r\n".encode() + GOOD, b" "),
}

_WARM = """
import array, json, sys, threading, time
from openrouter_pricing import Pricing, Settings, UpstreamError

url, backend, deadline = sys.argv[1], sys.argv[2], float(sys.argv[3])


def memory(field):
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith(field + ":")) // 1024


def refreshes():
    return [thread for thread in threading.enumerate() if thread.name == "openrouter-pricing-refresh"]


def ask(until):
    took, prices, pause = array.array("d"), set(), threading.Event()
    while len(took) < 3000 or until():
        for _ in range(100):
            began = time.perf_counter()
            cost = pricing.cost("openai/gpt-4o-mini", 1000, 500)
            took.append(time.perf_counter() - began)
        prices.add((str(cost.raw), cost.source, str(cost.as_of)))
        pause.wait(0.001)  # or the fetch would starve, and do no harm
    return took, sorted(prices)


def figures(took):
    took = sorted(took)
    return took[int(len(took) * 0.99)], took[-1], len(took)


def refresh():
    began = time.monotonic()
    try:
        pricing.refresh()
    except UpstreamError as error:
        report["error"] = f"{type(error).__name__}: {error}"
    report["seconds"] = time.monotonic() - began


report = {}
pricing = Pricing(Settings(base_url=url, backend=backend, deadline=deadline, attempts=1, l1_ttl=0.02))
pricing.cost("openai/gpt-4o-mini", 1000, 500)
quiet = time.monotonic() + 0.3
healthy, report["before"] = ask(lambda: time.monotonic() < quiet)
before = memory("VmRSS")
fetch = threading.Thread(target=refresh)
fetch.start()
under, report["during"] = ask(fetch.is_alive)
for thread in refreshes():
    thread.join(3)
report["left"] = len(refreshes())
report["grown"] = memory("VmHWM") - before
report["after"] = ask(lambda: False)[1]
report["healthy"], report["under"] = figures(healthy), figures(under)
pricing.close()
print(json.dumps(report))
"""


@pytest.mark.parametrize("fault", HOSTILE)
def test_a_hostile_answer_is_abandoned(fault: str, tmp_path: Path, figure: Figure) -> None:
    """A fetch that drips, explodes or lies ends at the deadline, costs no memory, and no reader sees anything of it.

    Guards: ``SingleFlight`` takes the slot from a fetch that outlived its deadline and has ``Client.close`` break it
    off; ``_read`` looks at the clock and at ``max_body`` after each piece; ``_Session.get_redirect_target`` leaves a
    redirect's body alone; ``wire.read_catalog`` refuses what cannot be a catalogue before it is decoded.
    """
    deadline = 2.0
    talks: list[Talk] = [well]

    def talk(conn: socket.socket) -> None:
        (talks.pop() if talks else HOSTILE[fault])(conn)

    with raw_peer(talk) as url:
        done = subprocess.run(
            [sys.executable, "-c", _WARM, url, f"disk://{tmp_path}/store", str(deadline)], cwd=Path(__file__).parent,
            capture_output=True, text=True, check=True, timeout=120,
        )  # fmt: skip
    report = json.loads(done.stdout)
    (calm, _, _), (p99, slowest, count) = report["healthy"], report["under"]
    figure(
        f"hostile, {fault}",
        f"over after {report['seconds']:.2f} s of a deadline of {deadline:g} s, {report['grown']} MiB; p99 of cost() "
        f"{calm * 1e6:.1f} µs healthy, {p99 * 1e6:.1f} µs under the fault, slowest of {count} {slowest * 1e3:.0f} ms",
    )
    assert "Traceback" not in done.stderr
    print(report["error"])
    assert report["error"] != ""
    assert report["seconds"] <= deadline + SLACK
    assert report["grown"] < MOST
    assert report["left"] == 0
    assert len(report["before"]) == 1
    assert report["before"] == report["during"] == report["after"]
    assert p99 < 0.001
    assert slowest < deadline / 4


@pytest.mark.parametrize("fault", ["TLS handshake dripped", "answer of a proxy to CONNECT dripped"])
def test_a_dripped_beginning_is_abandoned(fault: str, monkeypatch: pytest.MonkeyPatch, figure: Figure) -> None:
    """A connection that never gets past its beginning is given up at the deadline, and its thread ends.

    Guard: ``Client.close`` breaks off a connection that is still being made as well.
    """
    deadline = 1.0
    beginning = {
        "TLS handshake dripped": (b"\x16\x03\x03\x40\x00\x02\x00\x3f\xfc", b"\x03"),
        "answer of a proxy to CONNECT dripped": (b"", b"HTTP"),
    }

    def talk(conn: socket.socket) -> None:
        conn.recv(65536)
        conn.sendall(beginning[fault][0])
        pause = threading.Event()
        while True:
            for byte in beginning[fault][1]:
                conn.sendall(bytes([byte]))
                pause.wait(0.01)

    with raw_peer(talk) as url:
        base_url = url.replace("http:", "https:")
        if "proxy" in fault:
            monkeypatch.setenv("HTTPS_PROXY", url.removesuffix("/api/v1"))
            base_url = "https://upstream.invalid/api/v1"
        settings = Settings(base_url=base_url, backend="null://", deadline=deadline, attempts=1)
        with Pricing(settings) as pricing:
            began = time.monotonic()
            with pytest.raises(TransportError):
                pricing.refresh()
            seconds = time.monotonic() - began
            for thread in refreshing():
                thread.join(3)
            left = refreshing()
    figure(f"hostile, {fault}", f"over after {seconds:.2f} s of a deadline of {deadline:g} s")
    assert seconds <= deadline + SLACK
    assert left == []
