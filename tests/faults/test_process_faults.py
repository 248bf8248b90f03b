"""Many threads, many processes, forks, and processes that are killed or told to go: real ones, with a real store."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from support.changing import Changing
from support.figures import Figure
from support.processes import CROWD, FORKS, ask_at_once
from support.programs import Launch, hear, launching, say
from support.upstream import Answer, Upstream, models, raw_peer, row

from openrouter_pricing import Pricing, Settings, SettingsError

pytestmark = pytest.mark.faults

MODEL = "openai/gpt-4o-mini"
Make = Callable[..., Pricing]


@pytest.fixture
def launch(tmp_path: Path) -> Iterator[Launch]:
    """Starts Python programs that talk over their standard streams; none outlives the test."""
    with launching(tmp_path) as start:
        yield start


def until(condition: Callable[[], Any], seconds: float = 10.0) -> None:
    """Wait for something that a thread or a process brings about."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        threading.Event().wait(0.005)


# -- never twice -------------------------------------------------------------------------------------------------------


def test_two_hundred_threads(make_pricing: Make, upstream: Upstream, figure: Figure) -> None:
    """200 threads, cold, half of them refreshing, make one request.

    Guard: the slot in ``SingleFlight.start``; for questions also the look lock in ``CatalogCache.current``.
    """
    hold = threading.Event()
    upstream.answer = Answer(models(), hold=hold)
    pricing = make_pricing()
    start = threading.Barrier(200)
    sources: list[str] = []

    def ask(number: int) -> None:
        start.wait(30)
        if number % 2:
            pricing.refresh()
        sources.append(pricing.cost(MODEL, 1).source)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(200)]
    for thread in threads:
        thread.start()
    until(lambda: sum(_waits(thread) for thread in threads) == 200)
    hold.set()
    for thread in threads:
        thread.join(30)
    assert Counter({"live": 200}) == Counter(sources)
    assert len(upstream.requests) == 1
    figure("200 threads, cold", f"{len(upstream.requests)} request")


def _waits(thread: threading.Thread) -> bool:
    """Whether a thread waits for a refresh, or for the one that does."""
    frame = sys._current_frames().get(thread.ident or 0)
    while frame is not None:
        code = frame.f_code
        if (Path(code.co_filename).name, code.co_name) in (("flight.py", "wait"), ("cache.py", "current")):
            return True
        frame = frame.f_back
    return False


def test_eight_processes(launch: Launch, upstream: Upstream, tmp_path: Path, figure: Figure) -> None:
    """8 processes of 8 threads, cold, with one disk store make one request; ten times over.

    Guard: the lease in ``Refresher.run``.
    """
    crowd = [launch(CROWD) for _ in range(8)]
    counts: list[int] = []
    errors: list[str] = []
    for number in range(10):
        errors += ask_at_once(crowd, f"{upstream.url}/{number} disk://{tmp_path}/store-{number}")
        counts.append(len([r for r in upstream.requests if r.path.startswith(f"/api/v1/{number}/")]))
    assert counts == [1] * 10, errors
    figure("8 processes × 8 threads, cold, one disk backend", f"{max(counts)} request, in each of {len(counts)} runs")


SURVIVOR = """
import json, sys, threading, time
from openrouter_pricing import Pricing, Settings
url, directory = sys.argv[1:]
pricing = Pricing(Settings(base_url=url, backend="disk://" + directory, deadline=2, attempts=1, l1_ttl=0.05))
with Pricing(Settings(base_url=url, backend="disk://" + directory, offline=True)) as other:
    other.warm()  # everything is imported
print(json.dumps("ready"), flush=True)
sys.stdin.readline()
def tell():
    while not pricing.stats().lease_waits:
        time.sleep(0.01)
    print(json.dumps("waits"), flush=True)
threading.Thread(target=tell, daemon=True).start()
while pricing.cost("openai/gpt-4o-mini", 1).source != "live":
    time.sleep(0.05)
print(json.dumps("live"), flush=True)
pricing.close()
"""


@pytest.mark.parametrize("together", [False, True], ids=["one after another", "all at once"])
def test_killed_holder_of_the_lease(
    launch: Launch, upstream: Upstream, tmp_path: Path, figure: Figure, together: bool
) -> None:
    """When the process that fetches for all is killed, another one refreshes within the lease and a second.

    Guard: the expiry of the lease in ``Store.lease``, and taking it over in ``Refresher.run``.
    """
    hold = threading.Event()
    upstream.script = [Answer(models(), hold=hold)]
    processes = [launch(SURVIVOR, upstream.url, tmp_path / "store") for _ in range(4)]
    assert [hear(process) for process in processes] == ["ready"] * 4
    if together:
        for process in processes:
            say(process, "go")
        until(lambda: upstream.requests)
        holder = _the_one_that_is_connected(processes, upstream.port)
    else:
        holder = processes[0]
        say(holder, "go")
        until(lambda: upstream.requests)
        for process in processes[1:]:
            say(process, "go")
    survivors = [process for process in processes if process is not holder]
    assert [hear(process) for process in survivors] == ["waits"] * 3
    holder.kill()
    began = time.monotonic()
    assert [hear(process) for process in survivors] == ["live"] * 3
    seconds = time.monotonic() - began
    hold.set()
    assert seconds <= 2 + 1
    assert len(upstream.requests) == 2
    row_name = "SIGKILL of the lease holder mid-fetch" + (", all started at once" if together else "")
    figure(row_name, f"every survivor refreshed after {seconds:.2f} s (lease 2 s)")


def _the_one_that_is_connected(processes: list[subprocess.Popen[str]], port: int) -> subprocess.Popen[str]:
    """Which process has a connection to a port."""
    inodes = set()
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        if int(fields[2].rpartition(":")[2], 16) == port and fields[3] == "01":
            inodes.add(f"socket:[{fields[9]}]")
    for process in processes:
        for descriptor in Path(f"/proc/{process.pid}/fd").iterdir():
            try:
                if str(descriptor.readlink()) in inodes:
                    return process
            except FileNotFoundError:
                continue
    raise AssertionError("nobody is connected")


# -- forks -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("forks", "how"), [(1000, "hooks"), (200, "raw")])
def test_forks(launch: Launch, tmp_path: Path, figure: Figure, forks: int, how: str) -> None:
    """Children forked in the middle of fetches and disk writes all answer, within a second, and the store is intact.

    Guard: the process id compared in ``CatalogCache._process``; the fork hook of ``DiskBackend``; with a raw fork, as
    uWSGI does it, the time limits of ``Store``.
    """
    server = Changing()
    parent = launch(FORKS, server.url, f"disk://{tmp_path}/store", forks, how)
    answers, hung, refreshes, _ = hear(parent, 500)
    stderr = parent.communicate(timeout=30)[1]
    server.close()
    assert (hung, stderr, parent.returncode) == (0, "", 0)
    assert None not in answers, "a child crashed"
    assert {"live"} == {source for _, source, *_ in answers}
    assert {1} == {prices for _, _, prices, _ in answers}, "a child saw a mixture of two catalogues"
    assert refreshes > forks / 100
    seconds = sorted(seconds for seconds, *_ in answers)
    assert _integrity(tmp_path / "store") == "ok"
    with Pricing(Settings(backend=f"disk://{tmp_path}/store", base_url=server.url, offline=True)) as reader:
        catalog = reader.catalog()
        assert len({model.rates.prompt for model in catalog.values()}) == 1
        assert len(catalog) == 100
    errors = sum(1 for *_, backend_errors in answers if backend_errors)
    figure(
        f"{forks:,} forks during fetches and disk writes" + (", no fork hooks" if how == "raw" else ""),
        f"0 hung; slowest answer {seconds[-1]:.2f} s, median {seconds[len(seconds) // 2] * 1000:.0f} ms; "
        f"{errors} did without the store; store intact",
    )
    assert seconds[-1] < (1 if how == "hooks" else 1.5)


def _integrity(store: Path) -> str:
    import sqlite3

    connection = sqlite3.connect(store / "cache.db")
    try:
        return str(connection.execute("PRAGMA integrity_check").fetchone()[0])
    finally:
        connection.close()


LEFT_ALONE = """
import json, os, sys
from openrouter_pricing import Pricing, Settings
url, directory, how = sys.argv[1:]
pricing = Pricing(Settings(base_url=url, backend="disk://" + directory, l1_ttl=0))
pricing.warm()
if os.fork():
    if how == "close":
        pricing.close()
    os._exit(0)
def tell():
    print(json.dumps([pricing.cost("a/model-0", 1).raw.to_integral_value().__int__(), os.getppid()]), flush=True)
tell()
for line in sys.stdin:
    if line.strip() == "refresh":
        pricing.refresh()
    tell()
"""


@pytest.mark.parametrize("how", ["close", "exit"])
def test_the_parent_leaves(launch: Launch, tmp_path: Path, figure: Figure, how: str) -> None:
    """A child whose parent has asked, forked and gone, as daemons do, still shares its store with every other process.

    Guard: no SQLite connection is open across a fork (``DiskBackend``): a child would believe that it holds the file
    locks which went away with its parent.
    """
    server = Changing()
    child = launch(LEFT_ALONE, server.url, tmp_path / "store", how)
    price, _ = hear(child)
    assert price == 1
    child.wait(30)  # the parent; the child keeps the pipes
    settings = Settings(backend=f"disk://{tmp_path}/store", base_url=server.url, l1_ttl=0)
    for _ in range(3):
        with Pricing(settings) as other:
            other.refresh()
        seen = 0
        for _ in range(100):  # a look runs behind: a later question has what it found
            say(child, "ask")
            if (seen := hear(child)[0]) == server.price:
                break
        assert seen == server.price, "the child does not see what another process stored"
        say(child, "refresh")
        assert hear(child)[0] == server.price
        with Pricing(settings) as other:  # the child tells before it has stored
            until(lambda other=other: server.price == other.cost("a/model-0", 1).raw)
    server.close()
    assert _integrity(tmp_path / "store") == "ok"
    figure(f"parent gone after the fork ({how})", "one store for all, intact")


MID_REFRESH = """
import json, os, sys, threading, time
from openrouter_pricing import Pricing, Settings
url, directory = sys.argv[1:]
pricing = Pricing(Settings(base_url=url, backend="disk://" + directory, deadline=10))
asker = threading.Thread(target=pricing.warm)
asker.start()
sys.stdin.readline()
pid = os.fork()
if pid == 0:
    def tell():
        while not pricing.stats().lease_waits:
            time.sleep(0.01)
        os.write(1, b'"waits"\\n')
    threading.Thread(target=tell, daemon=True).start()
    os.write(1, json.dumps(pricing.cost("openai/gpt-4o-mini", 1).source).encode() + b"\\n")
    os._exit(0)
asker.join()
os.waitpid(pid, 0)
os.write(1, json.dumps(pricing.cost("openai/gpt-4o-mini", 1).source).encode() + b"\\n")
pricing.close()
"""


def test_fork_in_the_middle_of_a_refresh(launch: Launch, upstream: Upstream, tmp_path: Path, figure: Figure) -> None:
    """A child forked while its parent fetches waits for the parent's answer and finds it in the store.

    Guard: the process id compared in ``CatalogCache._process``; the lease in ``Refresher.run``.
    """
    hold = threading.Event()
    upstream.answer = Answer(models(), hold=hold)
    parent = launch(MID_REFRESH, upstream.url, tmp_path / "store")
    until(lambda: upstream.requests)
    say(parent, "fork")
    assert hear(parent) == "waits"
    hold.set()
    assert [hear(parent), hear(parent)] == ["live", "live"]
    assert parent.wait(30) == 0
    assert len(upstream.requests) == 1
    figure("fork in the middle of a refresh", "parent and child live with 1 request")


PREFORK = """
import json, os, sys, threading, time
from openrouter_pricing import Pricing, Settings
def make(url, directory):
    return Pricing(Settings(base_url=url, backend="disk://" + directory, l1_ttl=0.3, warm_interval=0.5, warm=True))
def tell(*what):
    os.write(1, json.dumps(what).encode() + b"\\n")
def warmers():
    return len([t for t in threading.enumerate() if t.name == "openrouter-pricing-warmer" and t.is_alive()])
def wait_for(price):
    end = time.monotonic() + 30
    while pricing.cost("openai/gpt-4o-mini", 1).raw != price and time.monotonic() < end:
        time.sleep(0.01)
def work():
    before = warmers()
    wait_for(1)
    until = time.monotonic() + 0.4
    while time.monotonic() < until:  # L1 runs out once
        pricing.cost("openai/gpt-4o-mini", 1)
        time.sleep(0.01)
    tell("ready", before)
    wait_for(2)
    tell("done", warmers(), pricing.stats().warmer_alive, str(pricing.cost("openai/gpt-4o-mini", 1).raw))
def spawned(url, directory):
    global pricing
    pricing = make(url, directory)
    with pricing:
        work()
if __name__ == "__main__":
    url, directory, how = sys.argv[1:]
    pricing = make(url, directory)
    pricing.cost("openai/gpt-4o-mini", 1)
    if how == "prefork":
        pids = []
        for _ in range(4):
            pid = os.fork()
            if pid == 0:
                work()
                pricing.close()  # or what it stores, and its lease, would go with it
                os._exit(0)
            pids.append(pid)
        for pid in pids:
            os.waitpid(pid, 0)
    else:
        import multiprocessing
        context = multiprocessing.get_context(how)
        target, arguments = (work, ()) if how == "fork" else (spawned, (url, directory))
        workers = [context.Process(target=target, args=arguments) for _ in range(4)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
    tell("parent", warmers())
    pricing.close()
"""


@pytest.mark.parametrize("how", ["prefork", "fork", "spawn"])
def test_worker_processes(launch: Launch, upstream: Upstream, tmp_path: Path, figure: Figure, how: str) -> None:
    """Workers of a parent that has asked and warms have a warmer of their own, and a price change reaches them all.

    Guard: the process id compared in ``Warmer``.
    """
    upstream.say(row(pricing={"prompt": "1", "completion": "0"}))
    parent = launch(PREFORK, upstream.url, tmp_path / "store", how)
    told = [hear(parent) for _ in range(4)]
    assert told == [["ready", 0]] * 4, "a worker had its parent's warmer, or one before it asked"
    upstream.say(row(pricing={"prompt": "2", "completion": "0"}))
    began = time.monotonic()
    told = [hear(parent) for _ in range(4)]
    seconds = time.monotonic() - began
    assert told == [["done", 1, True, "2"]] * 4
    assert hear(parent) == ["parent", 1]
    assert parent.wait(30) == 0
    name = {"prefork": "Celery-style prefork"}.get(how, f"multiprocessing {how}")
    figure(f"{name}, 4 workers", f"price change in every worker after {seconds:.2f} s; 1 warmer a process")
    assert seconds <= 0.5 * 1.1 + 2


# -- going -------------------------------------------------------------------------------------------------------------

CLOSE = """
import json, sys, threading, time
from openrouter_pricing import Pricing, Settings
url, directory = sys.argv[1:]
options = dict(base_url=url, backend="disk://" + directory, deadline=60, connect_timeout=60, read_timeout=60, warm=True)
pricing = Pricing(Settings(**options))
sources = []
asker = threading.Thread(target=lambda: sources.append(pricing.cost("openai/gpt-4o-mini", 1).source))
asker.start()
print(json.dumps("asking"), flush=True)
sys.stdin.readline()
seconds = []
for _ in range(3):
    began = time.monotonic()
    pricing.close()
    seconds.append(time.monotonic() - began)
asker.join(10)
sources.append(pricing.cost("openai/gpt-4o-mini", 1).source)
print(json.dumps([seconds, sources]), flush=True)
"""
TERM = """
import json, signal, sys
from openrouter_pricing import Pricing, Settings
url, directory = sys.argv[1:]
options = dict(base_url=url, backend="disk://" + directory, deadline=60, connect_timeout=60, read_timeout=60, warm=True)
signal.signal(signal.SIGTERM, lambda *_: sys.exit(3))
with Pricing(Settings(**options)) as pricing:
    print(json.dumps("asking"), flush=True)
    pricing.cost("openai/gpt-4o-mini", 1)
"""


@pytest.fixture(params=["silent", "unreachable", "dripping"])
def black_hole(request: pytest.FixtureRequest) -> Iterator[tuple[str, Callable[[], bool]]]:
    """An upstream that takes the question and never answers, one that nobody reaches, one that drips."""
    asked = threading.Event()
    end = threading.Event()

    def talk(conn: socket.socket) -> None:
        conn.recv(65536)
        asked.set()
        if request.param == "dripping":
            conn.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n{")
            while not end.wait(0.05):
                conn.sendall(b" ")
        end.wait(60)

    if request.param != "unreachable":
        with raw_peer(talk) as url:
            yield url, asked.is_set
            end.set()
        return
    listener = socket.create_server(("127.0.0.1", 0), backlog=0)  # once its queue is full, nobody gets in
    port = listener.getsockname()[1]
    queue = []
    for _ in range(4):
        conn = socket.socket()
        conn.setblocking(False)
        conn.connect_ex(("127.0.0.1", port))
        queue.append(conn)
    state = f" 0100007F:{port:04X} 02 "  # SYN_SENT
    mine = Path("/proc/net/tcp").read_text().count(state)
    yield f"http://127.0.0.1:{port}/api/v1", lambda: Path("/proc/net/tcp").read_text().count(state) > mine
    for conn in (listener, *queue):
        conn.close()


def test_close_in_the_middle_of_a_fetch(
    launch: Launch, black_hole: tuple[str, Callable[[], bool]], tmp_path: Path, figure: Figure, request: Any
) -> None:
    """``close`` returns while the network hangs, lets those who wait go, may be called again, and the program ends.

    Guard: ``SingleFlight.close`` settles the flight; fetches run in daemon threads.
    """
    url, asked = black_hole
    process = launch(CLOSE, url, tmp_path / "store", flags=("-X", "dev"))
    assert hear(process) == "asking"
    until(asked)
    began = time.monotonic()
    say(process, "close")
    seconds, sources = hear(process)
    assert process.wait(30) == 0
    whole = time.monotonic() - began
    assert sources == ["bundled", "bundled"]
    assert process.communicate(timeout=10)[1] == ""
    assert seconds[0] < 2
    assert max(seconds[1:]) < 0.1
    assert whole < 2
    figure(f"close() mid-fetch ({request.node.callspec.id})", f"returned after {seconds[0]:.3f} s, nothing on stderr")


def test_sigterm_in_the_middle_of_a_fetch(
    launch: Launch, black_hole: tuple[str, Callable[[], bool]], tmp_path: Path, figure: Figure, request: Any
) -> None:
    """A program that leaves on SIGTERM is gone within two seconds while the network hangs, without a traceback.

    Guard: fetches run in daemon threads; callers wait on an event, never on a socket.
    """
    url, asked = black_hole
    process = launch(TERM, url, tmp_path / "store", flags=("-X", "dev"))
    assert hear(process) == "asking"
    until(asked)
    began = time.monotonic()
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 3
    seconds = time.monotonic() - began
    assert process.communicate(timeout=10)[1] == ""
    assert seconds < 2
    figure(f"SIGTERM mid-fetch ({request.node.callspec.id})", f"gone after {seconds:.3f} s, nothing on stderr")


def test_failed_constructor(
    upstream: Upstream, tmp_path: Path, figure: Figure, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A constructor that fails leaves no thread and no descriptor behind.

    Guard: ``Pricing`` checks everything before it makes anything, and opens nothing until it is asked.
    """
    good = Settings(base_url=upstream.url, backend=f"disk://{tmp_path}/store")
    with Pricing(good) as pricing:
        pricing.warm()  # everything is imported
        catalog = pricing.catalog()
    attempts: list[tuple[type[Exception], Callable[[], object]]] = [
        (SettingsError, lambda: Pricing(Settings(backend="nosuch://x"))),
        (SettingsError, lambda: Settings(deadline=-1)),
        (SettingsError, lambda: Pricing(Settings(base_url="ftp://x"))),
        (TypeError, lambda: Pricing("settings")),  # type: ignore[arg-type]
        (TypeError, lambda: Pricing(good, backend=object())),  # type: ignore[arg-type]
        (TypeError, lambda: Pricing(good, client=object())),  # type: ignore[arg-type]
        (TypeError, lambda: Pricing(good, clock=1)),  # type: ignore[arg-type]
        (TypeError, lambda: Pricing(good, catalog={})),  # type: ignore[arg-type]
        (TypeError, lambda: Pricing(good, catalog=catalog, backend=object())),  # type: ignore[arg-type]
        (TypeError, lambda: Pricing(good, nosuch=1)),  # type: ignore[call-arg]
        (SettingsError, Pricing),
    ]
    monkeypatch.setenv("OPENROUTER_PRICING_DEADLINE", "soon")
    until(lambda: not [t for t in threading.enumerate() if t.name.startswith("openrouter-pricing")])
    before = _descriptors(), threading.active_count()
    for _ in range(20):
        for kind, attempt in attempts:
            with pytest.raises(kind):
                attempt()
    assert (_descriptors(), threading.active_count()) == before
    figure("failed constructor", f"{20 * len(attempts)} failures leave 0 threads and 0 descriptors")


def _descriptors() -> list[str]:
    return sorted(os.listdir("/proc/self/fd"))
