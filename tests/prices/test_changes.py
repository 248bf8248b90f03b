"""What differs between two price lists, and how far prices moved."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from support.upstream import row

from openrouter_pricing import Catalog
from openrouter_pricing._prices.changes import differences, moves_between


def listed(*rows: dict[str, Any]) -> Catalog:
    """A price list."""
    return Catalog.from_models(list(rows))


def at(prompt: str, completion: str = "0", model_id: str = "a/one", **pricing: Any) -> dict[str, Any]:
    """A model at these prices."""
    return row(model_id, pricing={"prompt": prompt, "completion": completion, **pricing})


def test_what_is_listed_delisted_and_changed() -> None:
    """Each model is named once, in the order of the new list, then what is gone."""
    before = listed(at("1", model_id="a/gone"), at("1", model_id="a/same"), at("1", model_id="a/dearer"))
    after = listed(at("2", model_id="a/dearer"), at("3", model_id="a/new"), at("1", model_id="a/same"))
    changes = differences(before, after)
    assert [(change.model_id, change.kind) for change in changes] == [
        ("a/dearer", "changed"),
        ("a/new", "listed"),
        ("a/gone", "delisted"),
    ]
    dearer, new, gone = changes
    assert dearer.before is not None
    assert dearer.after is not None
    assert (dearer.before.prompt, dearer.after.prompt) == (1, 2)
    assert (new.before, gone.after) == (None, None)
    assert differences(after, after) == ()


@pytest.mark.parametrize(
    "after",
    [
        {"name": "another name", "description": "another text"},
        {"pricing": {"prompt": "1", "completion": "2", "request": "0", "image": "0"}},
        {"pricing": {"completion": "2.0", "prompt": "1.00"}},
        {"context_length": 5},
    ],
    ids=["words", "a missing key turned 0", "written in another way", "another length"],
)
def test_what_charges_the_same_is_no_change(after: dict[str, Any]) -> None:
    """Only effective prices count, for the changes and for ``prices_digest``, which knows ids and prices alone."""
    old = listed(row("a/one", pricing={"prompt": "1", "completion": "2"}))
    new = listed({**row("a/one", pricing={"prompt": "1", "completion": "2"}), **after})
    assert differences(old, new) == ()
    assert old.prices_digest == new.prices_digest
    assert old.digest != new.digest


@pytest.mark.parametrize(
    "other",
    [
        listed(at("1.01")),
        listed(at("1", model_id="a/two")),
        listed(at("1"), at("1", model_id="a/two")),
        listed(at("1", request="1")),
        listed(at("1", overrides=[{"min_prompt_tokens": 10, "prompt": "2"}])),
    ],
    ids=["a price", "an id", "a model more", "a key more", "a condition"],
)
def test_a_price_or_an_id_is_another_digest(other: Catalog) -> None:
    """Whatever changes a bill changes ``prices_digest``, whose order of rows does not matter."""
    one = listed(at("1"))
    assert one.prices_digest != other.prices_digest
    two = [at("1"), at("2", model_id="a/two")]
    assert listed(*two).prices_digest == listed(*reversed(two)).prices_digest


def test_the_moves_of_a_change() -> None:
    """Every key that moved, with before, after and ratio; what is missing or 0 on one side has no ratio."""
    [change] = differences(
        listed(at("3", "2", request="5", image="0")), listed(at("1", "2", image="7", web_search="0", audio="0"))
    )
    assert [tuple(move) for move in change.moves] == [
        ("prompt", 3, 1, Decimal("0.3333333333333333333333333333")),
        ("request", 5, None, None),
        ("image", None, 7, None),
    ]
    [gone] = differences(listed(at("3"), at("1", model_id="a/two")), listed(at("1", model_id="a/two")))
    assert [tuple(move) for move in gone.moves] == [("prompt", 3, None, None)]


def test_a_conditional_price_moves_under_its_condition() -> None:
    """A price that holds above so many tokens is told apart from the flat one."""
    [change] = differences(
        listed(at("1", overrides=[{"min_prompt_tokens": 10, "prompt": "2"}])),
        listed(at("1", overrides=[{"min_prompt_tokens": 10, "prompt": "4"}])),
    )
    [move] = change.moves
    assert (move.before, move.after, move.ratio) == (2, 4, 2)
    assert move.key == 'prompt of override 0 {"min_prompt_tokens": 10}'


@pytest.mark.parametrize(
    ("before", "after", "wild"),
    [
        (("1", "1"), ("4", "1"), False),
        (("1", "1"), ("4.0000001", "1"), True),
        (("4", "1"), ("1", "1"), False),
        (("4", "1"), ("0.999", "1"), True),
        (("1", "1"), ("1", "0"), True),
        (("1", "1"), ("-1", "-1"), True),
        (("1", "0"), ("1", "9"), False),
        (("1", "3"), ("3", "1"), True),
        (("2", "2"), ("2", "2.5"), False),
    ],
    ids=["4x", "more", "a quarter", "less", "lost", "turned variable", "a new price", "exchanged", "moved a bit"],
)
def test_what_moves_wildly(before: tuple[str, str], after: tuple[str, str], wild: bool) -> None:
    """By more than four times either way, lost, or under the other key."""
    moves = moves_between(listed(at(*before)), listed(at(*after)))
    assert moves.wild == ["a/one"] * wild
    assert moves.priced == wild, "they are counted where it matters"


def test_who_has_no_price_does_not_move() -> None:
    """Routers, free models and models of one list alone are neither counted nor wild."""
    before = listed(at("-1", "-1", "a/router"), at("0", "0", "a/free"), at("1", "1", "a/gone"), at("1", "1", "a/wild"))
    after = listed(at("9", "9", "a/router"), at("9", "9", "a/free"), at("1", "1", "a/new"), at("9", "9", "a/wild"))
    assert moves_between(before, after)[:2] == (1, ["a/wild"])


def test_jumps_are_named_with_their_prices() -> None:
    """More than tenfold, either way, with prompt and completion before and after; exactly tenfold is none."""
    before = listed(
        at("1", "1", "a/up"), at("0.00000015", "1", "a/down"), at("1", "1", "a/ten"), at("1", "1", "a/lost")
    )
    after = listed(
        at("10.1", "1", "a/up"), at("0.00000001", "1", "a/down"), at("10", "1", "a/ten"), at("0", "1", "a/lost")
    )
    assert moves_between(before, after).jumps == [("a/up", "1/1", "10.1/1"), ("a/down", "0.00000015/1", "0.00000001/1")]
