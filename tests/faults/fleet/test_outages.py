"""Servers that stand still, move, or are forked over: a moment at most, and never a wrong price."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest
from support.changing import Changing
from support.figures import Figure
from support.freshness import settle
from support.processes import FORKS
from support.programs import Launch, hear, say
from support.servers import Server, at
from support.upstream import Upstream
from support.waiting import until

from openrouter_pricing import Pricing, Settings, open_backend

pytestmark = pytest.mark.fleet

MODEL = "openai/gpt-4o-mini"
READ = 0.8  # seconds that a question waits for its store at most


@pytest.fixture
def changing() -> Iterator[Changing]:
    """Prices that rise with every request."""
    server = Changing()
    yield server
    server.close()


def timed(pricing: Pricing) -> float:
    """How long a question takes, in seconds; it is answered with live prices."""
    began = time.perf_counter()
    cost = pricing.cost(MODEL, 1)
    seconds = time.perf_counter() - began
    assert (cost.source, str(cost.raw)) == ("live", "1.5E-7")
    return seconds


def rest(pricing: Pricing, seconds: float = 1.0) -> float:
    """The slowest question of so many seconds."""
    end, slowest = time.monotonic() + seconds, 0.0
    while time.monotonic() < end:
        slowest = max(slowest, timed(pricing))
        threading.Event().wait(0.001)
    return slowest


def added(upstream: Upstream, url: str, *servers: Server) -> tuple[float, float]:
    """What a store that stands still adds to the first question of a process, and how long the next ones take."""
    with Pricing(Settings(base_url=upstream.url, backend="null://")) as pricing:
        pricing.warm()  # everything is imported
    with Pricing(Settings(base_url=upstream.url, backend="null://")) as pricing:
        usual = timed(pricing)
    open_backend(url).close()
    for server in servers:
        server.stop()
    with Pricing(Settings(base_url=upstream.url, backend=url, l1_ttl=0)) as pricing:
        first, later = timed(pricing), rest(pricing)
    for server in servers:
        server.go_on()
    return first - usual, later


def told(more: float, later: float) -> str:
    """The same for people."""
    return f"the first question took {more:.2f} s more, later ones {later:.3f} s at most"


def test_a_server_that_stands_still(upstream: Upstream, valkey: Server, figure: Figure) -> None:
    """A server under SIGSTOP adds 0.8 s to one question where nothing is held, and nothing to later ones."""
    more, later = added(upstream, f"valkey://{at(valkey)}", valkey)
    figure("SIGSTOP of the server, nothing held", told(more, later))
    assert (more <= READ, later < 0.2) == (True, True)


def test_a_cluster_that_stands_still(upstream: Upstream, nodes: tuple[Server, ...], figure: Figure) -> None:
    """So does a cluster."""
    more, later = added(upstream, f"valkey+cluster://{at(*nodes)}", *nodes)
    figure("SIGSTOP of a whole cluster", told(more, later))
    assert (more <= READ, later < 0.2) == (True, True)


def test_sentinels_that_stand_still(
    upstream: Upstream, guarded: tuple[list[Server], list[Server]], figure: Figure
) -> None:
    """So do sentinels."""
    more, later = added(upstream, f"valkey+sentinel://{at(*guarded[1])}/prices", *guarded[1])
    figure("SIGSTOP of all sentinels", told(more, later))
    assert (more <= READ, later < 0.2) == (True, True)


def test_what_is_held_does_not_wait(upstream: Upstream, valkey: Server, figure: Figure) -> None:
    """While what is held is within ``l2_ttl``, a server under SIGSTOP delays no question."""
    with Pricing(Settings(base_url=upstream.url, backend=f"valkey://{at(valkey)}", l1_ttl=0)) as pricing:
        pricing.warm()
        usual = rest(pricing)
        valkey.stop()
        slowest = rest(pricing, 3)
        assert pricing.stats().backend_errors > 0
        valkey.go_on()
    figure("SIGSTOP of the server, prices held", f"slowest question {slowest:.3f} s, before that {usual:.3f} s")
    assert slowest < 0.2


def test_past_l2_ttl(upstream: Upstream, valkey: Server, figure: Figure) -> None:
    """Past ``l2_ttl`` and ``stale_while_revalidate`` one question waits 0.8 s for the server, then it is left alone."""
    settings = Settings(
        base_url=upstream.url, backend=f"valkey://{at(valkey)}", l1_ttl=0, l2_ttl=2, stale_while_revalidate=0
    )
    with Pricing(settings) as pricing:
        timed(pricing)
        settle()
        threading.Event().wait(2.1)
        usual = timed(pricing)  # a fetch
        settle()
        valkey.stop()
        threading.Event().wait(2.1)
        first, later = timed(pricing), rest(pricing)
        valkey.go_on()
    figure("SIGSTOP of the server, prices past `l2_ttl`", told(first - usual, later))
    assert (first - usual <= READ, later < 0.2) == (True, True)


@pytest.mark.parametrize("how", ["hooks", "object"])
def test_forks(launch: Launch, changing: Changing, valkey: Server, figure: Figure, how: str) -> None:
    """Children forked under traffic answer, each from one whole list, whoever opened the backend."""
    parent = launch(FORKS, changing.url, f"valkey://{at(valkey)}", 200, how)
    answers, hung, refreshes, errors = hear(parent, 500)
    stderr = parent.communicate(timeout=30)[1]
    assert (hung, stderr, parent.returncode) == (0, "", 0)
    assert None not in answers, "a child crashed"
    assert {("live", 1)} == {(source, prices) for _, source, prices, _ in answers}
    assert refreshes > 2
    seconds = sorted(seconds for seconds, *_ in answers)
    failed = sum(1 for *_, backend_errors in answers if backend_errors)
    figure(
        "200 forks under traffic" + (", a backend handed in" if how == "object" else ""),
        f"0 wrong, 0 hung; slowest answer {seconds[-1]:.2f} s; {failed + bool(errors)} did without the server",
    )
    assert seconds[-1] < 1.5


ASKING = """
import json, sys, threading, time
from openrouter_pricing import Pricing, Settings
url, backend = sys.argv[1:]
pricing = Pricing(Settings(base_url=url, backend=backend, l1_ttl=0.05, l2_ttl=0.5, stale_while_revalidate=30))
stop = threading.Event()
threading.Thread(target=lambda: sys.stdin.readline() and stop.set(), daemon=True).start()
questions, mixed, back, slowest, failed, at = 0, 0, 0, 0.0, 0, 0.0
seen = []
pricing.warm()
print(json.dumps("ready"), flush=True)
while not stop.wait(0.01):
    began = time.monotonic()
    price = int(pricing.cost("a/model-0", 1).raw)
    slowest = max(slowest, time.monotonic() - began)
    prices = {int(model.rates.prompt) for model in pricing.catalog().values()}
    # Of two fetches at once, the one that began first may end last.
    settled = [known for when, known in seen if began - when > 1]
    questions, mixed, back = questions + 1, mixed + (len(prices) > 1), back + (price < max(settled, default=0))
    seen = [*seen[-1000:], (began, price)]
    if pricing.stats().backend_errors != failed:
        failed, at = pricing.stats().backend_errors, time.time()
print(json.dumps([questions, mixed, back, slowest, failed, at]), flush=True)
pricing.close()
"""


def test_failover(
    launch: Launch, changing: Changing, guarded: tuple[list[Server], list[Server]], figure: Figure
) -> None:
    """When the primary dies and its replica takes over, four processes go on with right prices and share again."""
    servers, sentinels = guarded
    url = f"valkey+sentinel://{at(*sentinels)}/prices"
    crowd = [launch(ASKING, changing.url, url) for _ in range(4)]
    assert [hear(process) for process in crowd] == ["ready"] * 4
    before = _rate(changing)
    servers[0].kill()
    killed, asked = time.time(), len(changing.requests)
    with servers[1].client() as client:
        until(lambda: client.info("replication")["role"] == "master")
        promoted = time.time() - killed
    alone = []
    while not alone or alone[-1] > 2.5:  # one fetch in `l2_ttl` for all
        alone.append(_rate(changing))
        assert len(alone) < 30, alone
    requests = len(changing.requests) - asked
    seconds = time.time() - killed
    for process in crowd:
        say(process, "stop")
    told = [hear(process) for process in crowd]
    assert [(0, 0)] * 4 == [(mixed, back) for _, mixed, back, *_ in told]
    last = max(max(when for *_, when in told) - killed, 0)
    figure(
        "failover by 3 sentinels, 4 processes asking",
        f"replica promoted after {promoted:.1f} s, last failure after {last:.1f} s; {before:.1f} requests a second "
        f"before, {max(alone):.1f} at most meanwhile ({requests} in {seconds:.0f} s), {alone[-1]:.1f} after",
    )
    figure(
        "answers during that failover",
        f"{sum(each[0] for each in told):,}, 0 of them wrong; the slowest took {max(each[3] for each in told):.2f} s",
    )


def _rate(upstream: Changing, seconds: float = 2.0) -> float:
    """Requests a second."""
    before = len(upstream.requests)
    threading.Event().wait(seconds)
    return (len(upstream.requests) - before) / seconds
