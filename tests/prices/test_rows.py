"""Rows in the form in which they are stored: which of them stand there, and what shared slugs mean."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from support.upstream import row

from openrouter_pricing._prices.rows import stored

CHEAP, DEAR = {"prompt": "1", "completion": "1"}, {"prompt": "2", "completion": "2"}


def read(*rows: Any, last: Mapping[str, bytes] | None = None) -> tuple[dict[str, Any], dict[str, str], list[str]]:
    """Prices by id, in order; what the slugs mean; and what was said of rows that were left out."""
    problems: list[str] = []
    body, skipped = stored(rows, problems.append, last or {})
    head, *texts, end = body.split(b"\n")
    places, slugs = json.loads(head)
    listed = [json.loads(text) for text in texts]
    assert (len(problems), b"", list(places)) == (skipped, end, [model["id"] for model in listed])
    return {model["id"]: model["pricing"] for model in listed}, slugs, problems


def test_each_row_is_where_the_head_says() -> None:
    """The head gives each row's place among the rows, which follow in the order of the list."""
    body, _ = stored([row("b/one"), row("a/two")], print, {})
    head, _, rows = body.partition(b"\n")
    places, _ = json.loads(head)
    assert ["b/one", "a/two"] == list(places)
    assert ["b/one", "a/two"] == [json.loads(rows[place:].partition(b"\n")[0])["id"] for place in places.values()]


def test_a_row_that_cannot_be_read_is_left_out_alone() -> None:
    """What is wrong with it is said with its number; the others stand."""
    prices, _, problems = read(row("a/one", pricing=CHEAP), {"id": 7}, row("a/two", pricing=DEAR))
    assert {"a/one": CHEAP, "a/two": DEAR} == prices
    assert ["models[1]"] == [problem.partition(":")[0] for problem in problems]


@pytest.mark.parametrize("rows", [(CHEAP, CHEAP), (CHEAP, CHEAP, CHEAP)])
def test_twins_that_agree_are_one(rows: tuple[Any, ...]) -> None:
    """Rows of one id with the same prices are the first of them."""
    prices, _, problems = read(*(row("a/one", pricing=pricing) for pricing in rows))
    assert ({"a/one": CHEAP}, len(rows) - 1) == (prices, len(problems))


def test_twins_that_disagree_are_none() -> None:
    """Rows of one id with different prices are left out, or stay as the list before had them."""
    twins = row("a/one", pricing=CHEAP), row("a/one", pricing=DEAR)
    before = json.dumps(row("a/one", pricing={"prompt": "3"})).encode()
    assert {} == read(*twins)[0]
    assert {"a/one": {"prompt": "3"}} == read(*twins, last={"a/one": before})[0]


@pytest.mark.parametrize(
    ("ids", "meant"),
    [
        (("a/x", "a/x:free"), "a/x"),
        (("a/x:free", "a/x"), "a/x"),
        (("a/x:free", "a/x:batch"), ""),
        (("a/x:free", "a/x:batch", "a/x"), "a/x"),
        (("a/x", "a/y"), "a/x"),
    ],
)
def test_a_shared_slug_means_the_row_without_suffix(ids: tuple[str, ...], meant: str) -> None:
    """Of rows that share a slug the first one without a suffix has it; suffixed ones alone leave it to nobody."""
    slugs = read(*({**row(name), "canonical_slug": "a/slug"} for name in ids))[1]
    assert {"a/slug": meant} == slugs
