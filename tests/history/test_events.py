"""What is said of a new list."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.upstream import row

from openrouter_pricing import Catalog
from openrouter_pricing.history.events import Difference, Watch, differences, event, listed

EVERYTHING = Watch(None, Decimal(0), 0)
CHANGED = Difference("a/one", {"prompt": "1", "completion": "3"}, {"prompt": "1.5", "image": "0.1"})
LISTED = Difference("a/new", None, {"prompt": "1"})
DELISTED = Difference("a/old", {"prompt": "1"}, None)


def said(*told: Difference) -> dict[str, Any]:
    """An event of these."""
    return event("msg_1", "2026-11-01T12:00:00+00:00", "b" * 64, "a" * 64, told)


def test_an_event_says_what_moved() -> None:
    """Money is text, a price that is not there is null, and a ratio is given where there are two prices."""
    data = said(CHANGED)["data"]
    assert data["changes"] == [
        {
            "model_id": "a/one",
            "kind": "changed",
            "moves": [
                {"key": "prompt", "before": "1", "after": "1.5", "ratio": "1.5"},
                {"key": "completion", "before": "3", "after": None, "ratio": None},
                {"key": "image", "before": None, "after": "0.1", "ratio": None},
            ],
        }
    ]
    assert (data["counts"], data["truncated"]) == ({"changed": 1, "listed": 0, "delisted": 0}, False)
    assert (data["as_of"], data["before"], data["after"]) == ("2026-11-01T12:00:00+00:00", "b" * 64, "a" * 64)


@pytest.mark.parametrize(
    ("told", "kind"),
    [
        ([CHANGED], "prices.changed"),
        ([LISTED, LISTED], "model.listed"),
        ([DELISTED], "model.delisted"),
        ([LISTED, DELISTED], "prices.changed"),
        ([LISTED, CHANGED], "prices.changed"),
    ],
)
def test_the_type_is_that_of_all_its_changes(told: list[Difference], kind: str) -> None:
    """A list on which models only came, or only went, says so; any other is one of changed prices."""
    assert said(*told)["type"] == kind


def test_a_ratio_is_for_people() -> None:
    """Six digits of it, without an exponent."""
    moves = Difference("a/one", {"prompt": "3", "image": "3000000"}, {"prompt": "4", "image": "1"}).moves()
    assert [move["ratio"] for move in moves] == ["1.33333", "0.000000333333"]


def test_a_router_moves_too() -> None:
    """The price of a router is -1; when it gets one of its own, that is a change like any other."""
    assert Difference("a/router", {"prompt": "-1"}, {"prompt": "1"}).moves()[0]["ratio"] == "-1"


@given(st.lists(st.tuples(st.text(max_size=200), st.text(max_size=30_000)), max_size=100))
def test_an_event_is_below_twenty_kilobytes(names: list[tuple[str, str]]) -> None:
    """Whatever models and price keys are called, and however many there are; what is left out is counted."""
    told = [Difference(name, None, {key: "1"}) for name, key in names]
    made = said(*told)
    assert len(json.dumps(made)) < 20_000
    assert made["data"]["counts"]["listed"] == len(names)
    assert made["data"]["truncated"] == (len(made["data"]["changes"]) < len(names))


def test_many_changes_are_cut() -> None:
    """Of 500 changes as many are told as have room, in order."""
    made = said(*(Difference(f"a/model-{number}", {"prompt": "1"}, {"prompt": "2"}) for number in range(500)))
    ids = [change["model_id"] for change in made["data"]["changes"]]
    assert ids == [f"a/model-{number}" for number in range(len(ids))]
    assert 100 < len(ids) < 500
    assert made["data"]["truncated"] is True


def test_what_differs_is_what_is_charged() -> None:
    """A key that turns into 0 is no difference; what came stands first, what went stands last."""
    before = listed(Catalog.from_models([row("a/old"), row("a/same", pricing={"prompt": "1"})]))
    now = [row("a/new"), row("a/same", pricing={"prompt": "1.0", "request": "0", "image": "0"})]
    found = differences(before, listed(Catalog.from_models(now)))
    assert [(each.model_id, each.kind) for each in found] == [("a/new", "listed"), ("a/old", "delisted")]


@pytest.mark.parametrize(
    ("watch", "wanted"),
    [
        (EVERYTHING, [True, True, True, True]),
        (EVERYTHING._replace(models=frozenset({"a/new"})), [False, True, False, False]),
        (EVERYTHING._replace(min_change=Decimal("0.1")), [True, True, True, True]),
        (EVERYTHING._replace(min_change=Decimal("0.11")), [True, True, True, False]),
    ],
)
def test_what_is_worth_an_event(watch: Watch, wanted: list[bool]) -> None:
    """Moves by so much or more, either way; what comes or goes is always told."""
    small = Difference("a/small", {"prompt": "1", "image": "1"}, {"prompt": "0.9", "image": "1"})
    assert [watch.wants(each) for each in (CHANGED, LISTED, DELISTED, small)] == wanted
