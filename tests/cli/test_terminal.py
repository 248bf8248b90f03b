"""What reaches a terminal and a pipe: spinners, colours, and nothing that a terminal would obey."""

from __future__ import annotations

import json
import re
from decimal import Decimal

import pytest
from support.commands import ESCAPED, HOSTILE, lines_of, process, terminal
from support.upstream import Upstream, row

from openrouter_pricing.cli.terminal import show_csv


def test_a_terminal_gets_a_spinner_and_colours() -> None:
    """On a terminal it shows that it waits, draws a table, and colours categories."""
    shown = terminal("models")

    assert "asking for prices" in shown
    assert "─────" in shown
    assert "\x1b[32mBudget" in shown
    assert "\x1b[1;32mcosts 0.00045 USD; charge 0.000585 USD (× 1.3)\x1b[0m" in (
        terminal("cost", "openai/gpt-4o-mini", "1000", "500")
    )


@pytest.mark.parametrize("command", [("models",), ("cost", "openai/gpt-4o-mini", "1", "1"), ("refresh",), ("doctor",)])
def test_a_pipe_gets_no_spinner_and_no_colours(command: tuple[str, ...]) -> None:
    """Piped, there is the answer alone, without one control sequence, and nothing on stderr."""
    status, out, err = process(*command)

    assert (status, err) == (0, "")
    assert out.replace("\n", "").isprintable()


@pytest.mark.parametrize("command", [("models",), ("model", "openai/gpt-4o-mini")])
def test_hostile_names_are_escaped(upstream: Upstream, command: tuple[str, ...]) -> None:
    """Control characters, C1 and bidi overrides are spelt out, and markup is not obeyed, in a pipe and a terminal."""
    upstream.say(row(name=HOSTILE))

    assert ESCAPED in process(*command)[1]
    assert ESCAPED in terminal(*command)


def test_json_is_printable_ascii(upstream: Upstream) -> None:
    """A hostile name in JSON output is escaped too, and reads back as it was."""
    upstream.say(row(name=HOSTILE + "\x7f"))
    _, out, _ = process("model", "openai/gpt-4o-mini", "--json")

    assert out.isascii()
    assert out.replace("\n", "").isprintable()
    assert json.loads(out)["name"] == HOSTILE + "\x7f"


def test_a_terminal_that_cannot_show_a_letter_gets_its_number(upstream: Upstream) -> None:
    """An encoding without a letter is no reason to fail."""
    upstream.say(row(name="Ümlaut"))

    assert "\\xdcmlaut" in process("models", PYTHONIOENCODING="ascii")[1]


COMMANDS = [
    ("models",),
    ("model", "openai/gpt-4o-mini"),
    ("cost", "openai/gpt-4o-mini", "1", "1"),
    ("settings",),
    ("doctor",),
]


@pytest.mark.parametrize("width", [80, 100, 200])
@pytest.mark.parametrize("command", COMMANDS)
def test_without_colours(command: tuple[str, ...], width: int) -> None:
    """NO_COLOR leaves no code of a colour on a terminal; the words are the same."""
    colours = re.compile(r"\x1b\[[0-9;]*(?:3[0-7]|38|9[0-7])[0-9;]*m")
    process("refresh")
    plain, coloured = terminal(*command, width=width, NO_COLOR="1"), terminal(*command, width=width)
    stamped = re.compile(r"20\d\d-\d\d-\d\d \d\d:\d\d|\d+\.\d+ s|\d+ seconds")

    assert not colours.search(plain)
    assert colours.search(coloured) or command == ("settings",)
    assert [stamped.sub("", line) for line in lines_of(plain)] == [stamped.sub("", line) for line in lines_of(coloured)]


def test_a_dumb_terminal_is_a_terminal() -> None:
    """TERM=dumb gets the table without one code."""
    assert "\x1b" not in terminal("models", width=100, TERM="dumb")


@pytest.mark.parametrize(("name", "value"), [("FORCE_COLOR", "1"), ("TTY_COMPATIBLE", "1")])
def test_a_pipe_that_is_said_to_be_a_terminal(name: str, value: str) -> None:
    """Who says so gets colours through a pipe."""
    assert "\x1b[" in process("models", **{name: value})[1]
    assert "\x1b" not in process("models", TTY_COMPATIBLE="0")[1]


def test_the_first_line_of_a_cost_is_broken_between_its_parts() -> None:
    """At 80 columns amounts and model stay together, and where the prices come from stands below."""
    lines = lines_of(terminal("cost", "openai/gpt-4o-mini", "1000", "500", width=80))

    assert "costs 0.00045 USD; charge 0.000585 USD (× 1.3)  openai/gpt-4o-mini" == lines[0]
    assert lines[1].startswith("(live, prices of 20")


def test_the_sign_of_times_where_it_cannot_be_shown() -> None:
    """An encoding without the sign gets a letter."""
    assert "(x 1.3)" in process("cost", "openai/gpt-4o-mini", "1", "1", PYTHONIOENCODING="ascii")[1]
    assert "(× 1.3)" in process("cost", "openai/gpt-4o-mini", "1", "1", PYTHONIOENCODING="utf-8")[1]


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("plain", "plain"),
        (Decimal("1E-7"), "0.0000001"),
        (Decimal("-0.5"), "-0.5"),
        (-1, "-1"),
        (None, '""'),
        ("a,b", '"a,b"'),
        ('say "a"', '"say ""a"""'),
        ("=1+1", "'=1+1"),
        ("-1+1", "'-1+1"),
        ("@x", "'@x"),
        ("\uff1dx", "'\uff1dx"),
        ("\n=x", "\\x0a=x"),
        ("\x1b[31m\u202e", "\\x1b[31m\\u202e"),
    ],
)
def test_a_value_of_csv(capsys: pytest.CaptureFixture[str], value: object, shown: str) -> None:
    """Amounts are plain decimals, texts are quoted where they must be, escaped, and never a formula."""
    show_csv(["head"], [[value]])

    assert f"head\n{shown}\n" == capsys.readouterr().out


def test_wide_letters_are_aligned(upstream: Upstream) -> None:
    """A name of letters that take two columns is as wide as it looks."""
    upstream.say(row("a/b", name="\u6a21\u578b"), row("c/d", name="ab"))
    header, *rows = process("models", "--columns", "name,prompt")[1].splitlines()

    assert ["name  prompt", "\u6a21\u578b    0.15", "ab      0.15"] == [header, *rows]


@pytest.mark.parametrize("width", [80, 100, 200])
def test_offline_on_a_terminal(upstream: Upstream, width: int) -> None:
    """Without a network the snapshot answers on a terminal too: it says so, and each id stands whole."""
    ids = ("openai/gpt-4o-mini", "cognitivecomputations/dolphin-mistral-24b-venice-edition")
    command = ("cost", *ids, "1k", "500", "--calls", "10", "--per", "day")
    lines = lines_of(terminal(*command, width=width, OPENROUTER_PRICING_OFFLINE="true"))

    assert lines[0].startswith("note: no fresh prices are at hand; these are the bundled snapshot, of 20")
    assert lines[1].startswith("costs 0.00045 USD; charge 0.000585 USD (× 1.3)")
    assert set(ids) <= {line.split()[0] for line in lines if line}
    assert [] == upstream.requests
