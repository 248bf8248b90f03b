"""MODEL... PROMPT COMPLETION, and the options that say what else a call consumes."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from support.commands import Ask
from support.upstream import Upstream, row

MODEL = "openai/gpt-4o-mini"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("cost a/b", "Missing arguments 'PROMPT', 'COMPLETION'."),
        ("cost gpt-4o", "Missing arguments 'PROMPT', 'COMPLETION'."),
        ("cost a/b c/d", "Missing arguments 'PROMPT', 'COMPLETION'."),
        ("cost a/b c/d e/f", "Missing arguments 'PROMPT', 'COMPLETION'."),
        ("cost a/b 1000", "Missing argument 'COMPLETION'."),
        ("cost a/b c/d 1000", "Missing argument 'COMPLETION'."),
        ("cost 1000 500", "Missing argument 'MODEL'."),
        ("cost 1000", "Missing arguments 'MODEL', 'COMPLETION'."),
        ("cost --json", "Missing arguments 'MODEL', 'PROMPT', 'COMPLETION'."),
        ("range a/b 1", "Missing argument 'COMPLETION'."),
        ("range a/b c/d 1 1", "'MODEL' must be one model, not 2: a/b, c/d."),
        ("cost a/b 1.5 1", "'PROMPT': '1.5' is no whole number"),
        ("cost a/b 1 x", "'COMPLETION': 'x' is no whole number"),
        ("cost a/b 1 c/d", "'COMPLETION': 'c/d' is no whole number"),
        ("cost a/b 1 0.0005k", "'COMPLETION': '0.0005k' is no whole number."),
        ("cost a/b 1000000000000000001 1", "'PROMPT': 1000000000000000001 is above 10**18."),
        ("cost a/b -5 1", "PROMPT and COMPLETION must not be negative: '-5'."),
        ("cost a/b 1 -1.5k", "PROMPT and COMPLETION must not be negative: '-1.5k'."),
        ("cost a/b 1 -.5", "PROMPT and COMPLETION must not be negative: '-.5'."),
        ("cost a/b -- -5 1", "'PROMPT': -5 is negative."),
        ("cost a/b 1 1 -x", "-x"),
        *(
            (f"{command} a/b 1 1 --{option} {value}", f"'--{option}': {said}")
            for command in ("cost", "range")
            for option in ("cached", "cache-write", "audio", "reasoning", "images", "searches")
            for value, said in (("-1", "-1 is negative"), ("1,5", "'1,5' is no whole number"))
        ),
        ("cost a/b 1 1 --calls 0", "'--calls': 0 is below 1"),
        ("cost a/b 1 1 --calls 5 --per year", "'--per'"),
        ("cost a/b 1 1 --per day", "--per needs --calls N"),
        ("cost a/b 1 1 --json --csv", "--json and --csv"),
        ("range a/b 1 1 --json --csv", "--json and --csv"),
        ("range a/b 1 1 --at noon", "'--at': 'noon' is no ISO 8601 time"),
        ("range a/b 1 1 --markup x", "'--markup': 'x' is not a readable"),
    ],
)
def test_a_bad_question_is_one_line_that_names_what_is_wrong(
    ask: Ask, upstream: Upstream, words: str, said: str
) -> None:
    """What is missing or cannot be read is named on one line, the status is 2, and nobody is asked."""
    status, out, err = ask(*words.split())

    assert (2, "", 1, []) == (status, out, err.count("\n"), upstream.requests)
    assert said in err


def test_every_option_is_a_count_of_the_usage(ask: Ask, upstream: Upstream) -> None:
    """Each option is its own field of ``Usage``, priced at its own price."""
    prices = {
        "prompt": "1",
        "completion": "1",
        "input_cache_read": "2",
        "input_cache_write": "3",
        "audio": "5",
        "internal_reasoning": "7",
        "image": "11",
        "web_search": "13",
    }
    upstream.say(row(pricing=prices))
    counts = {"cached": "1", "cache-write": "2", "audio": "3", "reasoning": "4", "images": "5", "searches": "6"}
    options = [word for name, count in counts.items() for word in (f"--{name}", count)]
    answer = json.loads(ask("cost", MODEL, "10", "10", *options, "--json")[1])

    assert answer["usage"] == {
        "prompt_tokens": 10,
        "completion_tokens": 10,
        "cached_tokens": 1,
        "cache_write_tokens": 2,
        "audio_tokens": 3,
        "reasoning_tokens": 4,
        "images": 5,
        "web_searches": 6,
        "requests": 1,
    }
    assert Decimal(4 + 2 + 6 + 15 + 6 + 28 + 55 + 78) == Decimal(answer["raw"])


@pytest.mark.parametrize(
    ("options", "notes"),
    [
        ("--cached 10", []),
        ("--cached 11", ["11 cached tokens are more than the 10 prompt tokens: no more than these are charged"]),
        (
            "--reasoning 1k",
            ["1,000 reasoning tokens are more than the 10 completion tokens: no more than these are charged"],
        ),
        (
            "--cached 8 --cache-write 5",
            ["of 5 cache writes 2 are charged: no more is left of the 10 prompt tokens"],
        ),
    ],
)
@pytest.mark.parametrize("form", [[], ["--json"], ["--csv"]])
def test_clamped_counts_are_notes(
    ask: Ask, upstream: Upstream, options: str, notes: list[str], form: list[str]
) -> None:
    """More cached or reasoning tokens than there are tokens is told on stderr, in every form."""
    upstream.say(row(pricing={"prompt": "1", "completion": "1", "input_cache_read": "2", "input_cache_write": "3"}))
    status, _, err = ask("cost", MODEL, "10", "10", *options.split(), *form)

    assert (0, [f"note: {text}" for text in notes]) == (status, err.splitlines())


def test_a_note_about_one_of_several_models_names_it(ask: Ask, upstream: Upstream) -> None:
    """With several models each note says whose it is."""
    upstream.say(row("a/b"), row("c/d"))
    err = ask("cost", "a/b", "c/d", "10", "10", "--cached", "11")[2]
    told = "11 cached tokens are more than the 10 prompt tokens: no more than these are charged"

    assert [f"note: a/b: {told}", f"note: c/d: {told}"] == err.splitlines()
