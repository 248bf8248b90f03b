"""The command compare: what logged usage would have cost at other models."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from support.commands import Ask, lines_of, process, terminal
from support.logs import encoded
from support.upstream import Upstream, row

CALL = {"model": "a/own", "usage": {"prompt_tokens": 10, "completion_tokens": 1}}
PAID = {"model": "a/own", "usage": {"prompt_tokens": 10, "completion_tokens": 1, "cost": 21}}
GONE = {"model": "gone/x", "usage": {"prompt_tokens": 1, "completion_tokens": 0}}
SEARCHED = {"model": "a/own", "usage": {"prompt_tokens": 1, "completion_tokens": 1, "cost": 3}}


@pytest.fixture(autouse=True)
def _rows(_environment: None, upstream: Upstream) -> None:
    """The model of the log, a cheaper one, a dearer one, and one of prompts alone."""
    upstream.say(
        row("a/own", pricing={"prompt": "1", "completion": "10"}),
        row("b/cheap", pricing={"prompt": "0.5", "completion": "5"}),
        row("c/dear", pricing={"prompt": "2", "completion": "20"}),
        row("d/embed", pricing={"prompt": "0.1"}),
    )


def log(*responses: Any) -> str:
    """The name of a file that has these responses, one a line."""
    Path("log.jsonl").write_bytes(encoded(*responses))
    return "log.jsonl"


def test_what_the_log_would_have_cost(ask: Ask) -> None:
    """What it did cost first, reported or computed; then each model, the cheapest first, and the ratio."""
    status, out, err = ask("compare", "c/dear", "b/cheap", "--usage", log(CALL, PAID))
    first, *rest = out.splitlines()

    assert (0, "") == (status, err)
    assert first.startswith("2 of 2 lines did cost 41 USD  (live, prices of 20")
    assert rest == [
        "model    costs USD  vs the log  lines  no price",
        "b/cheap         20      × 0.49      2         0",
        "c/dear          80      × 1.95      2         0",
    ]


def test_what_is_not_in_the_sums_is_told(ask: Ask) -> None:
    """Lines that cannot be read, that have no price at a model, and whose own cost nobody knows, are counted."""
    status, out, err = ask("compare", "d/embed", "b/cheap", "--usage", log(CALL, GONE, {}, []))

    assert 0 == status
    assert err.splitlines() == [
        (
            "note: lines left out: 1, no usage (the first is line 3: response has no usage: neither prompt_tokens nor "
            "input_tokens nor native_tokens_prompt)"
        ),
        "note: lines left out: 1, not an object (the first is line 4: list)",
        "note: lines whose own cost is not known: 1; no ratio counts them",
        (
            "note: d/embed: lines without a price there: 1 (the model lists no completion price "
            "(embedding models price the prompt alone))"
        ),
    ]
    assert [line.split() for line in out.splitlines()[2:]] == [
        ["b/cheap", "10.5", "×", "0.50", "2", "0"],
        ["d/embed", "0.1", "-", "1", "1"],
    ]


def test_json_and_csv(ask: Ask) -> None:
    """Both have every sum, with money as strings and plain decimals."""
    file = log(CALL, PAID)
    answer = json.loads(ask("compare", "b/cheap", "--usage", file, "--json")[1])
    (line,) = csv.DictReader(io.StringIO(ask("compare", "b/cheap", "--usage", file, "--csv")[1]))

    assert ("live", 2, "41", 0) == tuple(answer[name] for name in ("source", "lines", "raw", "bad"))
    assert ["b/cheap"] == [model["model"] for model in answer["models"]]
    assert ("b/cheap", "2", "20.0", "41", "0", "") == tuple(
        line[name] for name in ("model", "lines", "raw_usd", "logged_usd", "unpriced", "reason")
    )


def test_stored_prices_and_the_standard_input() -> None:
    """``-`` is the standard input, and ``--catalog`` takes stored prices."""
    process("snapshot", "--output", "prices")
    command = ("compare", "b/cheap", "--usage", "-", "--catalog", "prices")
    status, out, err = process(*command, stdin=encoded(*[CALL] * 1000))

    assert (0, "") == (status, err)
    assert out.startswith("1000 of 1000 lines did cost 20000 USD  (pinned, prices of 20")


@pytest.mark.parametrize(
    ("args", "status", "said"),
    [
        ("gone/x --usage log.jsonl", 1, "unknown model 'gone/x'"),
        ("b/cheap", 2, "'--usage'"),
        ("--usage log.jsonl", 2, "'MODEL...'"),
        ("b/cheap --usage missing", 2, "'--usage': File 'missing' does not exist"),
        ("b/cheap --usage .", 2, "'--usage': File '.' is a directory"),
        ("b/cheap --usage log.jsonl --json --csv", 2, "--json and --csv"),
        ("b/cheap --usage empty", 1, "not one line could be priced"),
    ],
)
def test_what_is_wrong_is_one_line(ask: Ask, args: str, status: int, said: str) -> None:
    """A model, an option or a log that is wrong is named on one line."""
    log(CALL)
    Path("empty").touch()
    found, _, err = ask("compare", *args.split())

    assert (status, 1) == (found, err.count("\n"))
    assert said in err


@pytest.mark.parametrize("width", [80, 100, 200])
def test_an_id_is_never_broken(upstream: Upstream, width: int) -> None:
    """Counts of lines give way on a narrow terminal; a model stays whole."""
    long = "x" * 50 + "/y"
    upstream.say(row("a/own"), row(long))
    lines = lines_of(terminal("compare", long, "--usage", log(CALL, SEARCHED), width=width))

    assert any(line.startswith(f"{long}  ") for line in lines)
    assert all(len(line) <= width for line in lines if not line.startswith("note: "))
