"""Killed in the middle of a disk write, and disks that are locked, full, read-only, broken or somebody else's."""

from __future__ import annotations

import json
import os
import pickle
import shutil
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from support.figures import Figure
from support.told import kinds_told
from support.upstream import Answer, Upstream, models, row

from openrouter_pricing import Pricing, Settings

pytestmark = pytest.mark.faults

MODEL = "openai/gpt-4o-mini"


def run(program: str, *arguments: object, before: tuple[str, ...] = (), cwd: Path) -> Any:
    """What a Python program prints, which is JSON; nothing on its standard error."""
    command = [*before, sys.executable, "-W", "ignore", "-c", program, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=cwd, timeout=300, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return json.loads(done.stdout)


def until(condition: Callable[[], Any], seconds: float = 10.0) -> None:
    """Wait for something that a thread or a process brings about."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        threading.Event().wait(0.005)


# -- killed in the middle of a write -----------------------------------------------------------------------------------

KILLS = """
import json, os, random, select, signal, sys, time
from openrouter_pricing import Fetched, Pricing, PricingError, Settings
import diskcache, openrouter_pricing.backends.disk, requests, stamina
directory, rounds = sys.argv[1], int(sys.argv[2])
chance = random.Random(7)

class Feed:
    def __init__(self, price):
        self.price = price
    def fetch(self, *, etag, deadline):
        self.price += 1
        pricing = {"prompt": str(self.price), "completion": "0"}
        rows = [{"id": f"a/model-{n}", "name": "n" * 300, "pricing": pricing} for n in range(200)]
        return Fetched(200, {}, json.dumps({"data": rows}).encode())
    def close(self):
        pass

def write(price, pipe):
    feed = Feed(price)
    pricing = Pricing(Settings(backend="disk://" + directory, deadline=0.2, breaker_threshold=10**6), client=feed)
    while True:
        try:
            pricing.refresh()
        except PricingError:
            continue  # the lease of the one who was killed has not run out yet
        os.write(pipe, b"%d\\n" % feed.price)

def read(pipe):
    with Pricing(Settings(backend="disk://" + directory, offline=True)) as pricing:
        catalog = pricing.catalog()
        prices = sorted({str(model.rates.prompt) for model in catalog.values()})
        stats = pricing.stats()
    os.write(pipe, json.dumps([stats.source, len(catalog), prices[:3], stats.backend_errors]).encode())

def child(work, *arguments):
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            work(*arguments, writer)
        except BaseException as error:
            os.write(2, repr(error).encode())
        os._exit(1)
    os.close(writer)
    return pid, reader

told, price = [], 0
for _ in range(rounds):
    pid, reader = child(write, price)
    text = os.read(reader, 100)  # it is at work
    time.sleep(chance.random() * 0.03)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    while part := os.read(reader, 65536):
        text += part
    os.close(reader)
    price = int(text.split()[-1])
    pid, reader = child(read)
    answer = os.read(reader, 65536)
    os.close(reader)
    os.waitpid(pid, 0)
    told.append([price, json.loads(answer or "null")])
    if answer:
        price = max(price, int(json.loads(answer)[2][0]))
print(json.dumps(told))
"""


def test_killed_in_the_middle_of_a_write(tmp_path: Path, figure: Figure) -> None:
    """A writer killed 200 times at any moment leaves a whole catalogue, never an older one.

    Guard: the order of ``Store.save``, body, head, body before; the digest that ``Catalog.from_body`` verifies.
    """
    told = run(KILLS, tmp_path / "store", 200, cwd=tmp_path)
    assert len(told) == 200
    assert None not in [answer for _, answer in told], "a reader crashed"
    in_flight = last = 0
    for price, (source, count, prices, errors) in told:
        assert (source, count, len(prices), errors) == ("live", 200, 1, 0)
        assert last <= int(prices[0]) <= price + 1  # a price is told before it is stored, or killed in between
        last = int(prices[0])
        in_flight += last != price
    connection = sqlite3.connect(tmp_path / "store" / "cache.db")
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()
    left = sum(path.stat().st_size for path in (tmp_path / "store").rglob("*.val")) // 1024
    figure("SIGKILL in the middle of a disk write, 200 times", f"0 crashes, 0 wrong prices, 0 misses; {left} KiB left")


def test_truncated_value_file(upstream: Upstream, tmp_path: Path, figure: Figure) -> None:
    """A value file cut off anywhere is a miss, never a wrong price, and the next refresh mends it.

    Guard: the digest that ``Catalog.from_body`` verifies.
    """
    rows = [
        row(f"a/model-{number}", name="n" * 300, pricing={"prompt": "7", "completion": "0"}) for number in range(400)
    ]
    upstream.answer = Answer(models(*rows))
    settings = Settings(backend=f"disk://{tmp_path}/store", base_url=upstream.url)
    offline = Settings(backend=settings.backend, base_url=upstream.url, offline=True)
    with Pricing(settings) as pricing:
        pricing.refresh()
    (path,) = (tmp_path / "store").rglob("*.val")
    whole = path.read_bytes()
    sources: Counter[str | None] = Counter()
    for size in range(0, len(whole), 4096):
        path.write_bytes(whole[:size])
        with Pricing(offline) as reader:
            assert "a/model-0" not in reader.catalog()
            stats = reader.stats()
        assert stats.backend_errors == 1, f"cut off at {size}"
        sources[stats.source] += 1
    assert set(sources) == {"bundled"}
    with Pricing(settings) as pricing:
        pricing.refresh()
    with Pricing(offline) as reader:
        assert (reader.cost("a/model-0", 1).raw, reader.cost("a/model-0", 1).source) == (7, "live")
    figure("value file truncated at every 4 KiB", f"{sources.total()} misses, 0 wrong prices, 0 crashes; mended")


# -- disk trouble ------------------------------------------------------------------------------------------------------

LOCK = """
import sqlite3, sys
db = sqlite3.connect(sys.argv[1], isolation_level=None)
if sys.argv[2] == "all":
    db.execute("PRAGMA locking_mode = EXCLUSIVE")  # keeps readers out, too
db.execute("BEGIN EXCLUSIVE")
print("locked", flush=True)
sys.stdin.readline()
db.execute("ROLLBACK")
db.close()
"""


@contextmanager
def locked(database: Path, what: str = "all") -> Iterator[None]:
    """Another process holds the whole database, or keeps writers out."""
    command = [sys.executable, "-c", LOCK, str(database), what]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "locked\n"
        try:
            yield
        finally:
            holder.communicate("\n", timeout=30)


def make_store(store: Path, upstream: Upstream) -> None:
    """A store in which a catalogue lies that costs 3."""
    upstream.say(row(pricing={"prompt": "3", "completion": "0"}))
    with Pricing(Settings(backend=f"disk://{store}", base_url=upstream.url)) as pricing:
        pricing.refresh()


def break_store(kind: str, store: Path, stack: ExitStack) -> None:
    """Bring a store into trouble."""
    database = store / "cache.db"
    if kind.startswith("locked"):
        stack.enter_context(locked(database, "all" if kind == "locked" else "writers"))
    elif kind == "corrupt":
        database.write_bytes(os.urandom(database.stat().st_size))
    elif kind == "corrupt inside":
        data = bytearray(database.read_bytes())
        data[4096:] = os.urandom(len(data) - 4096)
        database.write_bytes(data)
    elif kind == "truncated":
        os.truncate(database, database.stat().st_size // 2)
    elif kind == "empty":
        os.truncate(database, 0)
    elif kind == "foreign":
        database.write_text("Dear diary, this is no database.\n" * 200)
    elif kind == "a directory in its place":
        database.unlink()
        database.mkdir()
    elif kind == "a file in its directory's place":
        shutil.rmtree(store)
        store.write_text("not a directory")
    elif kind == "another program's database":
        database.unlink()
        connection = sqlite3.connect(database)
        connection.execute("CREATE TABLE Cache (name TEXT)")
        connection.execute("CREATE TABLE Settings (name TEXT)")
        connection.commit()
        connection.close()
    elif kind in ("pickled content", "content of another type", "not a head"):
        value: object = pickle.dumps(print)
        mode = {"pickled content": 4, "content of another type": 1, "not a head": 1}[kind]
        if kind == "content of another type":
            value = 3.5
        elif kind == "not a head":
            value = b'["2026", 7, {}]'
        connection = sqlite3.connect(database)
        connection.execute("UPDATE Cache SET mode = ?, value = ?, filename = NULL", (mode, value))
        connection.commit()
        connection.close()
    elif kind == "another user's":
        if os.geteuid() != 0:
            pytest.skip("only root can give a directory away")
        os.chown(store, 12345, 12345)
    else:
        raise AssertionError(kind)


KINDS = [
    "locked",
    "locked for writers",
    "corrupt",
    "corrupt inside",
    "truncated",
    "foreign",
    "a directory in its place",
    "a file in its directory's place",
    "another program's database",
    "pickled content",
    "content of another type",
    "not a head",
    "another user's",
]


@pytest.mark.parametrize("kind", KINDS)
def test_disk_trouble(
    kind: str, upstream: Upstream, tmp_path: Path, figure: Figure, caplog: pytest.LogCaptureFixture
) -> None:
    """A store in trouble costs a counter and one log line, never an answer, and holds up nobody for a second.

    Guard: ``Store._ask``, which asks the store in a thread of its own with a time limit and catches what it raises.
    """
    store = tmp_path / "store"
    make_store(store, upstream)
    upstream.say(row(pricing={"prompt": "5", "completion": "0"}))
    settings = Settings(backend=f"disk://{store}", base_url=upstream.url, l1_ttl=0)
    with ExitStack() as stack, Pricing(settings) as pricing:
        if kind == "locked for writers":  # the store is open already when it happens
            assert pricing.cost(MODEL, 1).raw == 3
        break_store(kind, store, stack)
        seconds, costs = [], []
        for _ in range(5):
            began = time.monotonic()
            costs.append(pricing.cost(MODEL, 1))
            seconds.append(time.monotonic() - began)
        pricing.refresh()
        last = pricing.cost(MODEL, 1)
        stats = pricing.stats()
    assert {"live"} == {cost.source for cost in costs}
    assert {3 if kind == "locked for writers" else 5} == {cost.raw for cost in costs}
    assert (last.raw, last.source) == (5, "live")
    assert max(seconds) < 1
    assert stats.backend_errors >= 1
    told = len(kinds_told(caplog.records))
    assert told, "nobody was told"
    figure(f"disk trouble: {kind}", f"answered within {max(seconds):.2f} s; {told} log line{'s' * (told > 1)}")


@pytest.mark.parametrize("kind", ["corrupt", "corrupt inside", "truncated", "empty", "foreign", "pickled content"])
def test_a_broken_store_is_replaced(kind: str, upstream: Upstream, tmp_path: Path) -> None:
    """A store that is broken beyond use is replaced: a later process finds prices in it again.

    Guard: ``DiskBackend._mend``; the digest in ``Store._catalog``.
    """
    store = tmp_path / "store"
    make_store(store, upstream)
    upstream.say(row(pricing={"prompt": "5", "completion": "0"}))
    settings = Settings(backend=f"disk://{store}", base_url=upstream.url)
    with ExitStack() as stack:
        break_store(kind, store, stack)
    with Pricing(settings) as pricing:
        assert pricing.cost(MODEL, 1).raw == 5
    asked = len(upstream.requests)
    with Pricing(settings) as pricing:
        assert (pricing.cost(MODEL, 1).raw, pricing.stats().l2_reads) == (5, 1)
    assert len(upstream.requests) == asked


def test_a_store_that_was_locked_is_used_again(upstream: Upstream, tmp_path: Path) -> None:
    """When the lock is gone, the same process reads and writes its store again.

    Guard: ``Worker`` goes on after an operation that came too late.
    """
    store = tmp_path / "store"
    make_store(store, upstream)
    upstream.say(row(pricing={"prompt": "5", "completion": "0"}))
    settings = Settings(backend=f"disk://{store}", base_url=upstream.url, l1_ttl=0)
    with Pricing(settings) as pricing, Pricing(settings) as other:
        with locked(store / "cache.db"):
            assert pricing.cost(MODEL, 1).raw == 5
        upstream.say(row(pricing={"prompt": "6", "completion": "0"}))

        def stored() -> bool:
            pricing.refresh()
            return other.cost(MODEL, 1).raw == 6

        until(stored, 5)


def test_a_fork_is_not_held_up_by_a_locked_store(upstream: Upstream, tmp_path: Path, figure: Figure) -> None:
    """While a refresh waits for a store that another process has locked, a fork of the host goes on within a second.

    Guard: the time limit of each operation of ``DiskBackend``, which a fork waits for.
    """
    store = tmp_path / "store"
    make_store(store, upstream)
    seconds = []
    settings = Settings(backend=f"disk://{store}", base_url=upstream.url)
    with Pricing(settings) as pricing:
        pricing.warm()
        with locked(store / "cache.db", "writers"):
            refresh = threading.Thread(target=pricing.refresh)
            refresh.start()
            while refresh.is_alive():
                began = time.monotonic()
                pid = os.fork()
                if pid == 0:
                    os._exit(0)
                seconds.append(time.monotonic() - began)
                os.waitpid(pid, 0)
            refresh.join()
    assert max(seconds) < 1
    figure("fork while the store is locked", f"{len(seconds)} forks, the slowest {max(seconds):.2f} s")


ASK = """
import json, logging, os, resource, sys, time
from openrouter_pricing import Pricing, Settings
directory, url, limit = sys.argv[1:]
lines = []
handler = logging.Handler()
handler.emit = lambda record: lines.append([getattr(record, "error", None), record.getMessage()])
logging.getLogger("openrouter_pricing").addHandler(handler)
with Pricing(Settings(base_url=url, backend="disk://" + directory + "/other", offline=not limit)) as pricing:
    pass
import diskcache, requests, stamina, openrouter_pricing._http.client, openrouter_pricing.backends.disk
if limit == "file size":
    resource.setrlimit(resource.RLIMIT_FSIZE, (16384, 16384))
elif limit == "full":
    with open(directory + "/ballast", "wb", buffering=0) as file:
        try:
            while True:
                file.write(b"x" * 4096)
        except OSError:
            pass
pricing = Pricing(Settings(base_url=url, backend="disk://" + directory + "/store", l1_ttl=0))
seconds, answers = [], []
for _ in range(5):
    began = time.monotonic()
    cost = pricing.cost("a/model-0", 1)
    seconds.append(time.monotonic() - began)
    answers.append([cost.source, str(cost.raw)])
pricing.refresh()
errors = pricing.stats().backend_errors
pricing.close()
print(json.dumps([max(seconds), answers, errors, lines]))
"""
MOUNT = 'mount -t tmpfs -o size=512k none "$0" && exec "$@"'
MOUNT_READ_ONLY = 'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && exec "$@"'


@pytest.mark.parametrize("kind", ["full", "file size limit", "read-only", "read-only, nothing there"])
def test_disk_that_takes_nothing(kind: str, upstream: Upstream, tmp_path: Path, figure: Figure) -> None:
    """On a disk that is full or read-only questions are answered live, from memory, with one log line a kind.

    Guard: ``Store._ask``, which catches what the store raises.
    """
    pricing = {"prompt": "7", "completion": "0"}
    upstream.answer = Answer(models(*(row(f"a/model-{number}", pricing=pricing) for number in range(500))))
    disk = tmp_path / "disk"
    disk.mkdir()
    before: tuple[str, ...] = ()
    if kind != "file size limit":
        if subprocess.run(["unshare", "-rm", "true"], capture_output=True, check=False).returncode:
            pytest.skip("this machine allows no mounts")
        before = ("unshare", "-rm", "sh", "-c", MOUNT if kind == "full" else MOUNT_READ_ONLY, str(disk))
    if kind == "read-only":
        with Pricing(Settings(backend=f"disk://{disk}/store", base_url=upstream.url)) as other:
            other.refresh()
    limit = {"full": "full", "file size limit": "file size"}.get(kind, "none")
    seconds, answers, errors, lines = run(ASK, disk, upstream.url, limit, before=before, cwd=tmp_path)
    assert Counter({("live", "7"): 5}) == Counter(map(tuple, answers))
    assert seconds < 1
    assert errors >= 1
    assert lines
    assert max(Counter(error for error, _ in lines).values()) == 1, lines
    figure(f"disk trouble: {kind}", f"answered within {seconds:.2f} s; {len(lines)} log line{'s' * (len(lines) > 1)}")
