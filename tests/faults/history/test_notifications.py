"""Many processes, and one that is killed: each event arrives, and is told once."""

from __future__ import annotations

import base64
import hashlib
import hmac
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from standardwebhooks import Webhook as Verifier
from support.databases import emptied, made
from support.figures import Figure
from support.programs import Launch, hear, launching, say
from support.receiver import Receiver
from support.upstream import Upstream, row
from support.waiting import until

from openrouter_pricing.history.entries import LEASE

pytestmark = pytest.mark.history

SECRET = "whsec_" + "c2VjcmV0" * 6
OUTBOXES = ["the store on disk", "SQLite", "PostgreSQL"]

#: One process of a fleet. Arguments: upstream, receiver, secret, backend and history. Each line is an order: a price,
#: until which the process fetches, or "end". Prints what its notifier did.
MEMBER = """
import json, sys, time
from openrouter_pricing import Pricing, Settings
from openrouter_pricing.history import Notifier, Webhook
url, receiver, secret, backend, history = sys.argv[1:]
pricing = Pricing(Settings(base_url=url, backend=backend, history=history, l1_ttl=0))
notifier = Notifier(pricing, [Webhook(receiver, secret)])
for order in sys.stdin:
    if order.strip() == "end":
        break
    while str(pricing.cost("a/one", 1).raw) != order.strip():  # it may get the list that another one has just fetched
        pricing.refresh(force=True)
    print(json.dumps(order.strip()), flush=True)
notifier.close()
pricing.close()
print(json.dumps(notifier.stats().delivered), flush=True)
"""


@pytest.fixture
def launch(tmp_path: Path) -> Iterator[Launch]:
    """Starts Python programs; none outlives the test."""
    with launching(tmp_path) as start:
        yield start


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A receiver on this machine."""
    made = Receiver()
    yield made
    made.close()


def priced(upstream: Upstream, price: str) -> None:
    """From now on a/one costs that much."""
    upstream.say(row("a/one", pricing={"prompt": price, "completion": "0"}), row("a/steady"))


@pytest.fixture
def places(request: pytest.FixtureRequest, outbox: str, tmp_path: Path) -> tuple[str, str]:
    """The backend and the history of a fleet that keeps its outbox there."""
    if outbox == "PostgreSQL":
        url = emptied(request.getfixturevalue("server").url)
        made(url).close()
        return "memory://", url
    if outbox == "SQLite":
        return "memory://", f"sqlite:///{tmp_path / 'history.db'}"
    return f"disk://{tmp_path / 'store'}", "none"


@pytest.mark.parametrize("outbox", OUTBOXES)
def test_eight_processes_tell_once(
    launch: Launch, upstream: Upstream, receiver: Receiver, places: tuple[str, str], figure: Figure, outbox: str
) -> None:
    """All of them come to hold ten new lists; each is told once, and verified by the library and by hand."""
    priced(upstream, "1")
    fleet = [launch(MEMBER, upstream.url, receiver.url, SECRET, *places) for _ in range(8)]
    for price in range(1, 12):
        priced(upstream, str(price))
        for process in fleet:
            say(process, price)
        assert [hear(process) for process in fleet] == [str(price)] * 8
        until(lambda told=price - 1: len(receiver.received) >= told)
    time.sleep(2)  # whoever wants to tell twice has the time to
    for process in fleet:
        say(process, "end")
    delivered = [hear(process) for process in fleet]
    moves = [event["data"]["changes"][0]["moves"][0] for event in receiver.events]
    assert [(move["before"], move["after"]) for move in moves] == [(str(one), str(one + 1)) for one in range(1, 11)]
    assert sum(delivered) == 10
    for headers, body in receiver.received:
        assert Verifier(SECRET).verify(body, headers)["id"] == headers["webhook-id"]
        signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
        digest = hmac.new(base64.b64decode(SECRET[6:]), signed, hashlib.sha256).digest()
        assert headers["webhook-signature"] == f"v1,{base64.b64encode(digest).decode()}"
    tellers = sum(1 for count in delivered if count)
    figure(
        f"8 processes, 10 new lists, {outbox}",
        f"{len(receiver.received)} events, by {tellers} of the processes; all of them verified",
    )


def ports_of(process: subprocess.Popen[str]) -> set[int]:
    """The ports that a process is connected from."""
    return {connection.laddr.port for connection in psutil.Process(process.pid).net_connections() if connection.laddr}


@pytest.mark.parametrize("outbox", OUTBOXES)
def test_kill_in_the_middle_of_a_delivery(
    launch: Launch, upstream: Upstream, receiver: Receiver, places: tuple[str, str], figure: Figure, outbox: str
) -> None:
    """Whoever is killed while the receiver thinks leaves the event to the others: one of them tells it, with its id.

    It need not be the one that was asked first: another may be fetching behind an answer that it has given.
    """
    priced(upstream, "1")
    fleet = [launch(MEMBER, upstream.url, receiver.url, SECRET, *places) for _ in range(3)]
    for process in fleet:
        say(process, 1)
        hear(process)
    priced(upstream, "2")
    receiver.hold = threading.Event()
    say(fleet[0], 2)
    until(lambda: receiver.received)
    teller = next(process for process in fleet if receiver.ports[0] in ports_of(process))
    teller.send_signal(signal.SIGKILL)
    killed = time.monotonic()
    teller.wait()
    receiver.hold.set()
    others = [process for process in fleet if process is not teller]
    for process in others:
        if process is not fleet[0]:
            say(process, 2)
        hear(process)
    until(lambda: len(receiver.received) == 2)
    seconds = time.monotonic() - killed
    time.sleep(2)
    for process in others:
        say(process, "end")
    delivered = sorted(hear(process) for process in others)
    ids = [headers["webhook-id"] for headers, _ in receiver.received]
    figure(
        f"kill -9 in the middle of a delivery, {outbox}",
        f"told again by one other process after {seconds:.0f} s, with the same id",
    )
    assert (delivered, len(ids), len(set(ids)), seconds < LEASE + 10) == ([0, 1], 2, 1, True)


@pytest.mark.parametrize("outbox", OUTBOXES)
def test_kill_of_all_processes(
    launch: Launch, upstream: Upstream, receiver: Receiver, places: tuple[str, str], figure: Figure, outbox: str
) -> None:
    """Nobody is left: what one was telling, and what changed meanwhile, is told by the next process that starts."""
    priced(upstream, "1")
    first = launch(MEMBER, upstream.url, receiver.url, SECRET, *places)
    say(first, 1)
    hear(first)
    priced(upstream, "2")
    receiver.hold = threading.Event()
    say(first, 2)
    until(lambda: receiver.received)
    first.send_signal(signal.SIGKILL)
    first.wait()
    receiver.hold.set()
    priced(upstream, "3")
    later = launch(MEMBER, upstream.url, receiver.url, SECRET, *places)
    say(later, 3)
    hear(later)
    until(lambda: len(receiver.received) == 3)
    say(later, "end")
    hear(later)
    told = [(event["id"], event["data"]["changes"][0]["moves"][0]["after"]) for event in receiver.events]
    again = [after for name, after in told if name == told[0][0]]
    figure(f"kill -9 of the only process, {outbox}", f"the next one told {len(told) - 1} events, none was lost")
    assert (sorted(after for _, after in told), again) == (["2", "2", "3"], ["2", "2"])
