"""A history in a database."""

from __future__ import annotations

import os
import sqlite3
import stat
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from support.recordings import DAY, FIRST, listed
from support.upstream import Upstream, steady

from openrouter_pricing import Catalog, Pricing, PricingError, Settings, SettingsError
from openrouter_pricing._history.bundled import BundledHistory
from openrouter_pricing._history.periods import EARLIEST, LATEST

store = pytest.importorskip("openrouter_pricing.history.store", reason="needs the extra history")
Open = Callable[[], Any]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where the database is, or will be."""
    return tmp_path / "new" / "prices.db"


@pytest.fixture
def open_history(file: Path) -> Iterator[Open]:
    """Opens views of it; closes them."""
    opened: list[Any] = []

    def open_one() -> Any:
        opened.append(store.SqlHistory(f"sqlite:///{file}"))
        return opened[-1]

    yield open_one
    for history in opened:
        history.close()


def test_a_file_is_its_owners_alone(open_history: Open, file: Path) -> None:
    """The folder and the file that it makes let nobody else in; and looking makes none."""
    history = open_history()
    assert history.as_of(FIRST) is None
    assert not file.parent.exists()
    history.record(listed(0, x="1"))
    assert 0o600 == stat.S_IMODE(file.stat().st_mode)
    assert 0o700 == stat.S_IMODE(file.parent.stat().st_mode)


@pytest.mark.parametrize(
    ("url", "error", "said"),
    [
        ("mysql://me:hush@host/db", SettingsError, "sqlite:///file"),
        ("sqlite://", SettingsError, "sqlite:///file"),
        ("sqlite:///", SettingsError, "sqlite:///file"),
        ("hush", SettingsError, "sqlite:///file"),
        (5, TypeError, "url must be a string, not int"),
    ],
)
def test_urls_that_name_no_database(url: Any, error: type[Exception], said: str) -> None:
    """They are told at once, and nothing of them that may be secret."""
    with pytest.raises(error, match=said) as caught:
        store.SqlHistory(url)
    assert "hush" not in str(caught.value).replace("hush://***", "")


def test_what_a_database_needs_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """PostgreSQL needs a driver beside SQLAlchemy."""
    monkeypatch.setattr(
        "openrouter_pricing._history.opening.find_spec", lambda name: None if name == "psycopg" else name
    )
    with pytest.raises(SettingsError, match=r"it once psycopg is there"):
        store.SqlHistory("postgresql+psycopg://me:hush@host/db")


def test_a_password_is_shown_to_nobody() -> None:
    """Neither the history nor its engine shows it."""
    history = store.SqlHistory("sqlite:///prices.db?password=hush")
    assert "SqlHistory('sqlite:///prices.db" in repr(history)
    url = "postgresql+psycopg://me:hush@127.0.0.1:1/db"
    pytest.importorskip("psycopg")
    history = store.SqlHistory(url)
    assert "hush" not in repr(history) + repr(vars(history)) + repr(history._engines.get())
    history.close()


def test_a_server_is_given_its_tables_by_its_owner(open_history: Open) -> None:
    """A database that is no file of ours is not made by recording: the error names the command."""
    history = open_history()
    history.record(listed(0, x="1"))
    with history._engines.get().begin() as connection:
        for name in ("schema", "head", "prices", "outbox"):
            connection.execute(store.sql.text(f"DROP TABLE openrouter_pricing_{name}"))
    history._file = None
    history._ready.pop()
    for ask in (lambda: history.as_of(FIRST), lambda: history.record(listed(1, x="2"))):
        with pytest.raises(PricingError, match=r"do openrouter-pricing history --init"):
            ask()
    history.initialise()
    assert () == history.record(listed(1, x="2"))


def test_a_list_is_recorded_whole_or_not_at_all(open_history: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    """What fails in the middle leaves the list before, and the next one is recorded as if nothing had been."""
    history = open_history()
    history.record(listed(0, x="1"))
    add = store.SqlOutbox.add

    def fail(*_: Any) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(store.SqlOutbox, "add", fail)
    with pytest.raises(OSError, match="disk full"):
        history.record(listed(1, x="2"))
    monkeypatch.setattr(store.SqlOutbox, "add", add)
    assert 1 == len(history.periods("a/x"))
    assert FIRST == history.as_of(LATEST).until
    assert 1 == len(history.record(listed(2, x="2")))


def test_another_process_that_comes_in_between(open_history: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever read an older head than the one that is there starts anew; for ever, it gives up."""
    history = open_history()
    history.record(listed(0, x="1"))
    differences, turns = store._differences, []

    def another(*lists: Any) -> Any:
        turns.append(1)
        if len(turns) <= most:
            raise_turn()
        return differences(*lists)

    def raise_turn() -> None:
        connection = held[-1]
        connection.execute(store.sql.update(store.head).values(turn=store.head.c.turn + 1))

    held: list[Any] = []
    record = store.SqlHistory._record
    monkeypatch.setattr(
        store.SqlHistory, "_record", lambda self, c, catalog: (held.append(c), record(self, c, catalog))[1]
    )
    monkeypatch.setattr(store, "_differences", another)
    most = 2
    assert 1 == len(history.record(listed(1, x="2")))
    assert 3 == len(turns)
    most = 99
    with pytest.raises(PricingError, match="all the time"):
        history.record(listed(2, x="3"))
    assert 2 == len(history.periods("a/x"))


def test_two_that_record_the_first_list_at_once(open_history: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second one finds the first one's."""
    history = open_history()
    insert, turns = store._insert, []

    def collide(connection: Any, at: int, changed: Any) -> None:
        turns.append(1)
        if len(turns) == 1:
            insert(connection, at, changed)
        insert(connection, at, changed)

    monkeypatch.setattr(store, "_insert", collide)
    assert () == history.record(listed(0, x="1"))
    assert 1 == len(history.periods())


def test_a_new_database_can_be_given_the_bundled_history(open_history: Open) -> None:
    """Then it knows the two years as the package does; once it has lists of its own, it keeps those."""
    history, bundled = open_history(), BundledHistory()
    history.initialise(bundled.periods())
    for at in (EARLIEST, FIRST, LATEST):
        assert bundled.as_of(at).digest() == history.as_of(at).digest()
    name = "openai/gpt-4o-mini"
    assert bundled.periods(name) == history.periods(name)
    history.initialise(list(bundled.periods())[:5])
    assert len(bundled.periods()) == len(history.periods())
    prices = Catalog.from_models([{"id": name, "pricing": {"prompt": "9"}}], as_of=bundled.as_of(LATEST).until + DAY)
    assert name in {change.model_id for change in history.record(prices)}


def test_tables_alone_are_no_history(open_history: Open) -> None:
    """With its tables, and no list yet, it knows nothing."""
    history = open_history()
    history.initialise()
    assert history.as_of(FIRST) is None
    assert () == history.periods()


def test_an_empty_file_is_no_history_yet(open_history: Open, file: Path) -> None:
    """As one that was touched, or that another program made."""
    file.parent.mkdir()
    file.touch()
    assert open_history().as_of(FIRST) is None
    assert () == open_history().periods()


def test_a_child_has_connections_of_its_own(open_history: Open) -> None:
    """An engine is made anew in a forked process, and its parent's stays as it is."""
    history = open_history()
    history.record(listed(0, x="1"))
    child = os.fork()
    if not child:
        os._exit(0 if history.as_of(FIRST).as_of == FIRST and history.record(listed(1, x="2")) else 1)
    assert 0 == os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert 2 == len(history.periods("a/x"))


def test_a_pricing_records_and_looks_back(upstream: Upstream, file: Path) -> None:
    """Named by the settings, it is told of each list, and prices the calls of before."""
    settings = Settings(base_url=upstream.url, backend="null://", history=f"sqlite:///{file}")
    with Pricing(settings) as pricing:
        upstream.say(*_rows("1"))
        pricing.refresh()
        upstream.say(*_rows("2"))
        pricing.refresh()
    with Pricing(settings) as pricing:
        assert [1, 2] == [period.rates.prompt for period in pricing.price_history("openai/gpt-4o-mini")]
        assert 1 == len(pricing.changes())
        assert 0 == pricing.stats().history_errors


def _rows(price: str) -> list[dict[str, Any]]:
    import json

    pricing = {"prompt": price, "completion": "0"}
    rows: list[dict[str, Any]] = json.loads(steady())["data"]
    return [{**row, "pricing": pricing if row["id"] == "openai/gpt-4o-mini" else row["pricing"]} for row in rows]


@pytest.mark.parametrize("damage", ["torn", "foreign", "later", "locked", "a folder"])
def test_a_database_that_is_of_no_use(
    damage: str, open_history: Open, file: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One log line, an answer that says so, and nothing of it is touched."""
    monkeypatch.setattr(store, "_STATEMENT", 0.01)
    file.parent.mkdir()
    locking = None
    if damage == "torn":
        file.write_bytes(b"SQLite format 3\0" + bytes(range(256)) * 20)
    elif damage == "a folder":
        file.mkdir()
    else:
        open_history().record(listed(0, x="1"))
        with closing(sqlite3.connect(file)) as other:
            if damage == "foreign":
                other.execute("DROP TABLE openrouter_pricing_schema")
            if damage == "later":
                other.execute("UPDATE openrouter_pricing_schema SET version = 99")
            other.commit()
        if damage == "locked":
            locking = sqlite3.connect(file, isolation_level=None)
            locking.execute("BEGIN EXCLUSIVE")
    before = file.read_bytes() if file.is_file() else b""
    pricing = Pricing(catalog=listed(40, x="9"), history=open_history())
    cost = pricing.cost("a/x", 1, at=FIRST)
    assert ("pinned", 9, 1) == (cost.source, cost.raw, len(cost.flags))
    assert 1 == pricing.stats().history_errors == len(caplog.records)
    with pytest.raises(Exception, match=r".") as caught:
        open_history().record(listed(1, x="5"))
    assert not isinstance(caught.value, AssertionError)
    if locking is not None:
        locking.close()
    assert before == (file.read_bytes() if file.is_file() else b"")


def test_threads_share_it(open_history: Open) -> None:
    """Eight that record and look at once see whole lists alone."""
    history = open_history()
    history.record(listed(0, x="1", y="1"))
    wrong: list[object] = []

    def run(number: int) -> None:
        for day in range(1, 6):
            history.record(listed(day, x=str(day + 1), y=str(day + 1)))
            found = history.as_of(LATEST)
            wrong.extend([found] if len(set(found.prices.values())) != 1 else [])

    threads = [threading.Thread(target=run, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [] == wrong
    assert 6 == len(history.periods("a/x"))
