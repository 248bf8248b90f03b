"""Rows in the form in which they are stored: which of them stand there, and what shared slugs mean."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from support.upstream import row

from openrouter_pricing._prices.rows import read_index, stored, text_of

CHEAP, DEAR = {"prompt": "1", "completion": "1"}, {"prompt": "2", "completion": "2"}


def read(*rows: Any, last: Mapping[str, bytes] | None = None) -> tuple[dict[str, Any], dict[str, str], list[str]]:
    """Prices by id, in order; what the slugs mean; and what was said of rows that were left out."""
    problems: list[str] = []
    body, skipped = stored(rows, problems.append, last or {})
    places, slugs = read_index(body)
    listed = [json.loads(text_of(name, body[place:].partition(b"\n")[0])) for name, place in places.items()]
    assert (len(problems), body.count(b"\n"), list(places)) == (
        skipped,
        len(listed) + 1,
        [each["id"] for each in listed],
    )
    return {each["id"]: each["pricing"] for each in listed}, slugs, problems


def test_each_row_is_where_the_index_says() -> None:
    """Rows stand in the order of the list, each with its own id, wherever that stood in what was sent."""
    rows = [row('b/"one"\\'), row("a/two"), dict(reversed(row("a/three").items()))]
    body, _ = stored(rows, print, {})
    assert [each["id"] for each in rows] == list(read_index(body)[0])
    assert rows == [
        json.loads(text_of(name, body[place : body.index(b"\n", place)])) for name, place in read_index(body)[0].items()
    ]


NO_BODIES = (
    *(b"", b"\n", b"7\n", b"[[],{}]", b"[[7],{}]\n{}\n", b'["a",{}]\n{}\n', b'[["a"],[]]\n{}\n'),
    *(b'[["a"],{"b":7}]\n{}\n', b'[["a"],{}]\n', b"[[],{}]\n{}\n", b'[["a","b"],{}]\n{}\n'),
)


@pytest.mark.parametrize("body", NO_BODIES)
def test_what_is_no_body(body: bytes) -> None:
    """Ids that are not texts, or not as many as rows, are no index."""
    with pytest.raises((ValueError, TypeError)):
        read_index(body)


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
    before = json.dumps(row("a/one", pricing={"prompt": "3"}), separators=(",", ":")).encode()
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
