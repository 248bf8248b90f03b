"""The commands history and changes, and the file of a history."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from support.commands import Ask
from support.recordings import DAY, FIRST, listed
from support.upstream import row

from openrouter_pricing._history.bundled import BundledHistory
from openrouter_pricing._history.packing import unpack

store = pytest.importorskip("openrouter_pricing.history.store", reason="needs the extra history")
STEP = {"prompt": "0.000002", "completion": "0", "overrides": [{"min_prompt_tokens": 1000, "prompt": "0.000004"}]}


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A database that the settings name, with three lists."""
    url = f"sqlite:///{tmp_path}/lists.db"
    monkeypatch.setenv("OPENROUTER_PRICING_HISTORY", url)
    history = store.SqlHistory(url)
    history.record(listed(0, x="0.000001", free="0"))
    history.record(listed(1, x=row("a/x", pricing=STEP), free="0"))
    history.record(listed(2, x=row("a/x", pricing={**STEP, "overrides": []}), y="0.000003"))
    yield history
    history.close()


def test_the_periods_of_a_model(ask: Ask, database: Any) -> None:
    """In a table, USD per million tokens; columns for what it ever listed."""
    status, out, err = ask("history", "a/x")
    assert (0, "") == (status, err)
    assert out.splitlines() == [
        "a/x  USD per million tokens, or per request, image or search",
        "since       until       prompt  conditional",
        "2026-03-01  2026-03-02       1            -",
        "2026-03-02  2026-03-03       2            1",
        "2026-03-03  -                2            -",
    ]


def test_the_periods_of_a_model_for_programs(ask: Ask, database: Any) -> None:
    """As JSON with whole price lists, as CSV with plain decimals."""
    found = json.loads(ask("history", "a/x", "--json")[1])
    assert [FIRST.isoformat(), (FIRST + DAY).isoformat()] == [found[0]["since"], found[0]["until"]]
    assert STEP["overrides"][0]["prompt"] == found[1]["pricing"]["overrides"][0]["prompt"]  # type: ignore[index]
    assert found[2]["until"] is None
    rows = list(csv.DictReader(io.StringIO(ask("history", "a/x", "--csv")[1])))
    assert [("1", (FIRST + DAY).isoformat()), ("2", (FIRST + 2 * DAY).isoformat()), ("2", "")] == [
        (each["prompt"], each["until"]) for each in rows
    ]


def test_a_model_without_a_past(ask: Ask, database: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that is listed and was never recorded is a note; one that is neither is an error. No snapshot is recorded."""
    monkeypatch.setenv("OPENROUTER_PRICING_OFFLINE", "1")
    assert (0, "", "note: nothing is recorded of openai/gpt-4o-mini\n") == ask("history", "openai/gpt-4o-mini")
    assert "[]\n" == ask("history", "openai/gpt-4o-mini", "--json")[1]
    status, out, err = ask("history", "nobody/nothing")
    assert (1, "") == (status, out)
    assert "unknown model 'nobody/nothing'" in err


def test_what_changed(ask: Ask, database: Any) -> None:
    """The newest first, prices per million, conditional ones marked; what came and went."""
    status, out, _ = ask("changes", "--since", "2026-03-01T12:00Z")
    assert 0 == status
    assert out.splitlines() == [
        "when              model   kind      USD per million, or per unit",
        "2026-03-03 00:00  a/y     listed    prompt 3",
        "2026-03-03 00:00  a/x     changed   prompt 4 to - (conditional)",
        "2026-03-03 00:00  a/free  delisted  free",
        "2026-03-02 00:00  a/x     changed   prompt 1 to 2 (\u00d7 2), prompt 4 (conditional)",
    ]


def test_what_changed_of_one_model_for_programs(ask: Ask, database: Any) -> None:
    """As JSON, and as CSV with a row for each price."""
    question = ("changes", "--since", "2026-03-01T00:00Z", "--until", "2026-03-02T00:00Z", "--model", "a/x")
    (found,) = json.loads(ask(*question, "--json")[1])
    assert ("a/x", "changed", (FIRST + DAY).isoformat()) == (found["model_id"], found["kind"], found["at"])
    assert {"key": "prompt", "before": "0.000001", "after": "0.000002", "ratio": "2"} == found["moves"][0]
    rows = list(csv.DictReader(io.StringIO(ask(*question, "--csv")[1])))
    assert [("prompt", "0.000001", "2"), ("", "")] == [
        (rows[0]["key"], rows[0]["before"], rows[0]["ratio"]),
        (rows[1]["before"], rows[1]["ratio"]),
    ]


@pytest.mark.parametrize(("since", "said"), [((), "2026"), (("--since", "12h"), "20"), (("--since", "2w"), "20")])
def test_nothing_changed(ask: Ask, database: Any, since: tuple[str, ...], said: str) -> None:
    """It says until when the history reaches; without a time the last 30 days are asked for."""
    status, out, err = ask("changes", *since)
    assert (0, "") == (status, out)
    assert err.startswith(f"note: nothing changed since {said}")
    assert err.endswith("; the last list seen is of 2026-03-03 00:00 UTC\n")
    assert "[]\n" == ask("changes", "--json")[1]


def test_no_history_at_all(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is recorded, and it says so."""
    monkeypatch.setenv("OPENROUTER_PRICING_HISTORY", "none")
    assert ask("changes")[2].endswith("; nothing is recorded\n")


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (("history", "a/x", "--init"), 2, "Give either the ID of a model, or --init"),
        (("history", "--json"), 2, "Give either the ID of a model, or --init"),
        (("history", "a/x", "--bundled"), 2, "Give either the ID of a model, or --init"),
        (("history", "a/x", "--json", "--csv"), 2, "give one of them"),
        (("history", "--init"), 1, "accepted: a database here, such as sqlite:///prices.db"),
        (("changes", "--since", "999999w"), 2, "is longer ago than any calendar goes"),
        (("changes", "--since", "soon"), 2, "is no ISO 8601 time"),
        (("changes", "--json", "--csv"), 2, "give one of them"),
    ],
)
def test_wrong_usage(ask: Ask, arguments: tuple[str, ...], status: int, said: str) -> None:
    """One line, and the status for it."""
    found = ask(*arguments)
    assert (status, "") == found[:2]
    assert said in found[2]


def test_a_database_is_made(ask: Ask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Empty, or with the two years of the package; as often as one likes."""
    monkeypatch.setenv("OPENROUTER_PRICING_HISTORY", f"sqlite:///{tmp_path}/made.db")
    assert (0, "the database is ready\n", "") == ask("history", "--init")
    assert (0, "the database is ready\n", "") == ask("history", "--init", "--bundled")
    database = ask("history", "openai/gpt-4o")[1]
    monkeypatch.delenv("OPENROUTER_PRICING_HISTORY")
    assert 5 < len(database.splitlines())
    assert database == ask("history", "openai/gpt-4o")[1]


def test_a_history_is_written(ask: Ask, database: Any, tmp_path: Path) -> None:
    """The package's own, brought up to date by the database; nothing is fetched."""
    status, out, err = ask("snapshot", "--history", "--output", "history.gz", "--json")
    about = json.loads(out)
    assert (0, "", FIRST.replace(day=3).isoformat()) == (status, err, about["until"])
    written = BundledHistory()
    written._unpacked = unpack((tmp_path / "history.gz").read_bytes())
    assert ["a/x", "a/y"] == sorted(written.as_of(FIRST + 2 * DAY).prices)
    early = FIRST.replace(year=2025)
    assert BundledHistory().as_of(early).digest() == written.as_of(early).digest()


def test_the_history_of_the_package_is_written_as_it_is(ask: Ask, tmp_path: Path) -> None:
    """Without a database there is nothing to bring up to date."""
    status, out, _ = ask("snapshot", "--history", "--output", "history.gz")
    assert 0 == status
    assert out.startswith("wrote 5550 changes up to 2026-08-22 12:08 UTC to")
    assert unpack((tmp_path / "history.gz").read_bytes()).times == BundledHistory()._packed.times
    assert 1 == ask("snapshot", "--history", "--output", "missing/history.gz")[0]
