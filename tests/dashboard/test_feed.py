"""The feed of changes."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from support.pages import Recorded, at, shown, text
from support.upstream import row

from openrouter_pricing import Rates
from openrouter_pricing._history.periods import RecordedChange
from openrouter_pricing.dashboard import feed

STEP = {"min_prompt_tokens": 200000, "prompt": "0.000004"}
HISTORY = (
    ("a/old", 0, 10, {"prompt": "0.000001", "completion": "0.000002"}),
    ("a/moving", 0, 5, {"prompt": "0.000002", "completion": "0.000002"}),
    ("a/moving", 5, 15, {"prompt": "0.000001", "completion": "0.000002"}),
    ("a/moving", 15, None, {"prompt": "0.000004", "completion": "0.000001"}),
    ("b/new", 12, None, {"prompt": "0.000003"}),
    ("b/free", 12, None, {"prompt": "0"}),
)


def page(query: str = "", status: int = 200) -> str:
    """What the feed says."""
    return text(shown(row(), history=Recorded(*HISTORY)), f"/changes?{query}", status)


def test_the_latest_first() -> None:
    """By day, with what it was and is, and by how much."""
    said = page()
    assert (
        said.index("2026-08-16 1") < said.index("2026-08-13 2") < said.index("2026-08-11 1") < said.index("2026-08-06")
    )
    assert "Changed a/moving prompt 1 → now 4 × 4.0 completion 2 → now 1 −50 %" in said
    assert "Cheaper a/moving prompt 2 → now 1 −50 %" in said
    assert "Gone a/old prompt 1 completion 2" in said
    assert "New b/new prompt 3" in said
    assert "New b/free free" in said
    assert "5 changes" in said


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("kind=listed", "2 changes"),
        ("kind=delisted", "1 change "),
        ("model=MOV+a/", "2 changes"),
        ("since=7d", "1 change "),
        ("since=7d&until=2026-08-13", "3 changes"),
        ("since=all", "5 changes"),
        ("since=all&until=2026-08-10", "1 change "),
        ("until=2030-01-01", "5 changes"),
        ("until=0001-01-01", "0 changes"),
    ],
)
def test_filters(query: str, count: str) -> None:
    """By what happened, to which model, and when."""
    assert count in page(query)


@pytest.mark.parametrize("query", ["kind=moved", "since=7w", "until=soon", f"model={'x' * 300}"])
def test_what_cannot_be_read(query: str) -> None:
    """A page that says so."""
    assert "That cannot be read" in page(query, 400)


def test_nothing_found() -> None:
    """What to do is said, and where the earlier changes are."""
    assert "Nothing of that kind changed from 2026-08-01 to 2026-08-21." in page("model=nobody")
    client = shown(row(), history=Recorded(*HISTORY))
    first = client.get("/changes?since=7d&kind=changed").text
    older = first.partition('class="more" href="')[2].partition('"')[0].replace("&amp;", "&")
    assert "/changes?kind=changed&since=7d&until=2026-08-14T00%3A00%3A00Z" == older
    assert "0 changes" in text(client, older)
    assert "Before that" not in text(client, "/changes?since=all")


def test_no_history() -> None:
    """What to do is said, for a pinned list and for one that is fetched."""
    assert "unless history= hands one in" in text(shown(row()), "/changes")
    assert "Nothing of that kind" not in text(shown(row(), history=Recorded()), "/changes")


def test_more_than_a_page(monkeypatch: pytest.MonkeyPatch) -> None:
    """The latest are shown, and that there are more."""
    monkeypatch.setattr(feed, "MOST", 2)
    said = page()
    assert "5 changes; the latest 2 are shown" in said
    assert "a/old" not in said


def test_a_feed_is_looked_up_once() -> None:
    """Another filter of the same days asks the history for nothing more."""
    history = Recorded(*HISTORY)
    asked: list[Any] = []
    periods = history.periods
    history.periods = lambda *args, **more: asked.append(args) or periods(*args, **more)  # type: ignore[func-returns-value, method-assign]
    client = shown(row(), history=history)
    text(client, "/changes")
    text(client, "/changes?kind=listed")
    assert 1 == len(asked)


def change(before: dict[str, Any], after: dict[str, Any]) -> feed.Item:
    """A change of one model, as a page shows it."""
    rates = Rates.from_dict(before), Rates.from_dict(after)
    return feed.item(RecordedChange("a/b", "changed", *rates, at(1)))


def test_a_conditional_price() -> None:
    """Its condition is said in words, also where it is gone."""
    plain = {"prompt": "0.000002"}
    (move,) = change(plain, {**plain, "overrides": [STEP]}).moves
    assert ("prompt above 200,000 prompt tokens", "nothing", "4", "up") == (
        move.name,
        move.before,
        move.after,
        move.trend,
    )
    (move,) = change({**plain, "overrides": [STEP]}, plain).moves
    assert ("prompt above 200,000 prompt tokens", "4", "nothing", "down") == (
        move.name,
        move.before,
        move.after,
        move.trend,
    )


def test_other_units() -> None:
    """A price per request is one of a request, and a variable one has no trend."""
    (move,) = change({"request": "0.005"}, {"request": "0.01"}).moves
    assert ("0.005", "0.01", "request", "+100 %") == (move.before, move.after, move.unit, move.change)
    item = change({"prompt": "-1"}, {"prompt": "0.000001"})
    assert (("variable", "1", ""), "Changed", "changed") == (
        (item.moves[0].before, item.moves[0].after, item.moves[0].trend),
        item.word,
        item.look,
    )


@pytest.mark.parametrize(
    ("ratio", "said"),
    [
        ("0.5", "\u221250 %"),
        ("1.004", "+0.4 %"),
        ("0.996", "\u22120.4 %"),
        ("2.999", "+200 %"),
        ("3", "\u00d7 3.0"),
        ("12.34", "\u00d7 12.3"),
    ],
)
def test_by_how_much(ratio: str, said: str) -> None:
    """In per cent, or how many times."""
    assert said == feed._change(Decimal(ratio))
    assert "" == feed._change(None)


def test_what_goes_the_same_way_is_called_so() -> None:
    """Dearer or cheaper, where all that moved moved one way."""
    both = {"prompt": "0.000002", "completion": "0.000002"}
    assert ("Dearer", "up") == ((item := change(both, {**both, "prompt": "0.000003"})).word, item.look)
    assert ("Cheaper", "down") == ((item := change(both, {**both, "prompt": "0.000001"})).word, item.look)
    item = change(both, {"prompt": "0.000003", "completion": "0.000001"})
    assert ("Changed", "changed") == (item.word, item.look)
