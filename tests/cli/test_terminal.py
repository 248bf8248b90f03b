"""What reaches a terminal and a pipe: spinners, colours, and nothing that a terminal would obey."""

from __future__ import annotations

import json

import pytest
from support.commands import ESCAPED, HOSTILE, process, terminal
from support.upstream import Upstream, row


def test_a_terminal_gets_a_spinner_and_colours() -> None:
    """On a terminal it shows that it waits, draws a table, and colours categories."""
    shown = terminal("models")

    assert "asking for prices" in shown
    assert "─────" in shown
    assert "\x1b[32mBudget" in shown
    assert "\x1b[1;32m0.000585 USD\x1b[0m" in terminal("cost", "openai/gpt-4o-mini", "1000", "500")


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
