"""Real databases: many writers, forks, and a server that goes."""

from __future__ import annotations

import json
import lzma
import multiprocessing
import os
import random
import threading
import time
from datetime import datetime, timezone
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from support.databases import Postgres, made
from support.figures import Figure
from support.recorded import SHARED
from support.recordings import DAY, FIRST, listed

from openrouter_pricing import Catalog, Pricing
from openrouter_pricing._history.bundled import BundledHistory
from openrouter_pricing.testing import HistoryCheck, history_checks

store = pytest.importorskip("openrouter_pricing.history.store")
pytestmark = pytest.mark.history

LISTS, WRITERS = 60, 6


def kind(url: str) -> str:
    """What the figures call a database."""
    return "SQLite" if url.startswith("sqlite") else "PostgreSQL"


def write(url: str, results: Any) -> None:
    """What each writer does: record sixty lists, in the order of their days."""
    history = store.SqlHistory(url)
    told = [len(history.record(listed(day, x=str(day), y="1"))) for day in range(LISTS)]
    results.put(sum(told))
    history.close()


@pytest.mark.parametrize("check", history_checks(), ids=lambda check: check.__name__)
def test_it_behaves_as_the_protocol_says(check: HistoryCheck, database: str) -> None:
    """Each check of the suite that anybody can run on theirs."""
    made(database).close()
    assert check.__doc__
    check(lambda: store.SqlHistory(database))


def test_six_writers_write_each_change_once(database: str, figure: Figure) -> None:
    """However they come in between one another: one row for each change, told to one of them."""
    made(database).close()
    context = multiprocessing.get_context("fork")
    results = context.Queue()
    writers = [context.Process(target=write, args=(database, results)) for _ in range(WRITERS)]
    for writer in writers:
        writer.start()
    told = [results.get(timeout=60) for _ in writers]
    for writer in writers:
        writer.join(60)
        assert 0 == writer.exitcode
    history = store.SqlHistory(database)
    periods = history.periods("a/x")
    entries = history.outbox.change(len)
    history.close()
    figure(
        f"six writers, sixty lists, {kind(database)}",
        f"{len(periods) - 1} changes written, {sum(told)} told, {entries} to tell",
    )
    assert len(periods) - 1 == sum(told)
    assert periods[-1].rates.prompt == LISTS - 1
    assert all(one.until == other.since and one.pricing != other.pricing for one, other in pairwise(periods))


def test_children_of_a_process_with_an_open_pool(database: str, figure: Figure) -> None:
    """Thirty forks, each of which asks five times while the parent asks: no answer is another's."""
    history = made(database)
    for day in range(10):
        history.record(listed(day, **{f"m{number}": str(day * 100 + number) for number in range(20)}))
    stop = threading.Event()
    wrong: list[object] = []

    def right(seed: int) -> bool:
        day, number = seed % 10, seed % 20
        found = history.as_of(FIRST + day * DAY)
        return bool(str(day * 100 + number) == json.loads(found.prices[f"a/m{number}"])["prompt"])

    def ask() -> None:
        seed = 0
        while not stop.is_set():
            seed += 1
            wrong.extend([] if right(seed) else [seed])

    threads = [threading.Thread(target=ask) for _ in range(2)]
    for thread in threads:
        thread.start()
    answers = 0
    for number in range(30):
        child = os.fork()
        if not child:
            good = False
            try:
                good = all(right(number + question) for question in range(5))
            finally:
                os._exit(0 if good else 1)
        answers += 5 * (os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0)
    stop.set()
    for thread in threads:
        thread.join()
    history.close()
    figure(
        f"forks with an open pool, {kind(database)}",
        f"{answers} of 150 answers right, {len(wrong)} of the parent's wrong",
    )
    assert (150, []) == (answers, wrong)


def test_a_server_that_goes_costs_a_log_line(
    server: Postgres, database: str, figure: Figure, caplog: pytest.LogCaptureFixture
) -> None:
    """While it is gone every question is answered, within a moment; when it is back, it is asked again."""
    if database.startswith("sqlite"):
        pytest.skip("SQLite is no server")
    history = made(database)
    for day in (0, 5):
        history.record(listed(day, x=str(day + 1)))
    assert "history" == Pricing(catalog=listed(40, x="9"), history=history).cost("a/x", 1, at=FIRST).source
    server.stop()
    pricing = Pricing(catalog=listed(40, x="9"), history=history)
    began = time.monotonic()
    costs = [pricing.cost("a/x", 1, at=FIRST + number * DAY) for number in range(5)]
    took = time.monotonic() - began
    figure("PostgreSQL is gone", f"5 questions answered in {took:.2f} s, {len(caplog.records)} log line")
    assert [("pinned", 9)] * 5 == [(cost.source, cost.computed) for cost in costs]
    assert 1 == len(caplog.records)
    assert "hush" not in caplog.text
    assert took < 2
    server.start()
    ends = time.monotonic() + 30
    while pricing.cost("a/x", 1, at=FIRST).source != "history":
        assert time.monotonic() < ends
        time.sleep(0.1)
    history.close()


def test_a_wrong_password_or_port_is_one_log_line(figure: Figure, caplog: pytest.LogCaptureFixture) -> None:
    """And an answer all the same; the password stands nowhere."""
    pytest.importorskip("psycopg")
    history = store.SqlHistory("postgresql+psycopg://me:hush@127.0.0.1:1/none")
    pricing = Pricing(catalog=listed(40, x="9"), history=history)
    assert "pinned" == pricing.cost("a/x", 1, at=FIRST).source
    figure("nobody listens, PostgreSQL", f"{len(caplog.records)} log line")
    assert 1 == len(caplog.records)
    assert "hush" not in caplog.text


@pytest.mark.skipif(not (SHARED / "price-history.jsonl.xz").is_file(), reason="the recorded data is not at hand")
def test_two_years_of_lists(database: str, figure: Figure) -> None:
    """Recorded list by list, a database says of any day what the recording says."""
    lines = map(json.loads, lzma.decompress((SHARED / "price-history.jsonl.xz").read_bytes()).decode().splitlines())
    prices: dict[str, Any] = {}
    history = made(database)
    stamps: list[str] = []
    pending: dict[str, dict[str, Any]] = {}
    for entry in lines:
        if entry["observed_at"] not in pending:
            pending[entry["observed_at"]] = {}
            stamps.append(entry["observed_at"])
        pending[entry["observed_at"]][entry["id"]] = entry["pricing"]
    draw, wanted = random.Random(4), {}
    sampled = set(draw.sample(stamps[:200], 20))
    began = time.monotonic()
    for stamp in stamps[:200]:
        prices |= pending[stamp]
        at = datetime.strptime(stamp, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc)
        rows = [{"id": name, "pricing": pricing} for name, pricing in prices.items() if pricing is not None]
        history.record(Catalog.from_models(rows, as_of=at))
        if stamp in sampled:
            wanted[at] = {row["id"]: row["pricing"] for row in rows}
    took = time.monotonic() - began
    own = Catalog.from_models([], as_of=FIRST)
    assert len(own) == 0
    wrong = 0
    compared = 0
    for at, expected in wanted.items():
        then = {name: json.loads(text) for name, text in history.as_of(at).prices.items()}
        assert expected.keys() == then.keys()
        for name, pricing in expected.items():
            compared += 1
            wrong += not _charges_alike(pricing, then[name])
    history.close()
    said = f"{compared} prices of 20 days compared, {wrong} wrong; {took / 200 * 1000:.0f} ms a list"
    figure(f"200 recorded lists, {kind(database)}", said)

    assert 0 == wrong
    assert compared > 2_000


def _charges_alike(one: dict[str, Any], other: dict[str, Any]) -> bool:
    from openrouter_pricing import Rates
    from openrouter_pricing._prices.rates import effective_prices

    return effective_prices(Rates.from_dict(one)) == effective_prices(Rates.from_dict(other))


def test_a_database_given_the_bundled_history(database: str, figure: Figure, tmp_path: Path) -> None:
    """It has every list of it."""
    history, bundled = store.SqlHistory(database), BundledHistory()
    began = time.monotonic()
    history.initialise(bundled.periods())
    took = time.monotonic() - began
    draw = random.Random(5)
    times = [datetime.fromtimestamp(draw.choice(bundled._packed.times), timezone.utc) for _ in range(30)]
    assert all(bundled.as_of(at).digest() == history.as_of(at).digest() for at in times)
    history.close()
    figure(f"the bundled two years given to {kind(database)}", f"{took:.1f} s")


def test_a_full_disk_keeps_what_was_there(tmp_path: Path, figure: Figure) -> None:
    """A list for which there is no room is not recorded at all; the lists before still answer."""
    history = made(f"sqlite:///{tmp_path}/prices.db")
    history.record(listed(0, x="1"))
    with history._engines.get().connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
    history._engines.pop().dispose()
    store.sql.event.listen(
        history._engines.get(), "connect", lambda raw, _: raw.execute(f"PRAGMA max_page_count = {pages + 2}")
    )
    with pytest.raises(store.sql.exc.OperationalError, match="full"):
        history.record(listed(1, **{f"m{number}": "1" for number in range(5_000)}))
    assert ["a/x"] == list(history.as_of(FIRST + 9 * DAY).prices)
    assert 1 == len(history.record(listed(2, x="2")))
    history.close()
    figure("a full disk, SQLite", "the list before stays, and the next one is recorded")
