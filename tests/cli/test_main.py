"""One command, run, in real processes where that matters: pipes, signals, missing extras, wrong usage."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from support.commands import HOSTILE, MAIN, MODULE, Ask, blocked, process
from support.upstream import Answer, Upstream, models, raw_peer, read_request, row
from support.waiting import PATIENCE

COMMANDS = (
    "cost",
    "range",
    "endpoints",
    "models",
    "model",
    "compare",
    "audit",
    "refresh",
    "snapshot",
    "settings",
    "doctor",
)


def test_the_installed_command_is_the_same_as_the_module() -> None:
    """The console script answers what ``python -m openrouter_pricing`` answers."""
    script = Path(sys.executable).with_name("openrouter-pricing")

    assert process("--version") == process("--version", start=(str(script),))


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("cost", "m", "-5", "1"), "PROMPT and COMPLETION must not be negative"),
        (("cost", "m", "1", "-1"), "PROMPT and COMPLETION must not be negative"),
        (("cost", "m", "1.5", "1"), "'PROMPT': '1.5'"),
        (("cost", "m", "1", "1", "--cached", "-1"), "'--cached': -1"),
        (("cost", "m", "1", "1", "--cache-write", "1" + 19 * "0"), "'--cache-write'"),
        (("cost", "m", "1", "1", "--markup", "-1"), "'--markup': '-1' is negative"),
        (("cost", "m", "1", "1", "--markup", "nan"), "'--markup': 'nan' is not a readable decimal number"),
        (("cost", "m", "1", "1", "--at", "yesterday"), "'--at': 'yesterday' is no ISO 8601 time"),
        (("cost", "m", "1", "1", "--at", "2026-11-22T20:00"), "'--at': '2026-11-22T20:00' has no time zone"),
        (("cost", "m", "1", "1", "--at", "0001-01-01T00:00+14:00"), "'--at': '0001-01-01T00:00+14:00' is no"),
        (("cost", "m", "1", "1", "--frobnicate"), "--frobnicate"),
        (("cost", "m"), "'PROMPT'"),
        (("models", "--category", "cheap"), "'--category'"),
        (("models", "--max-prompt-price", "x"), "'--max-prompt-price'"),
        (("models", "--max-prompt-price", "1e-58"), "'--max-prompt-price'"),
        (("models", "--limit", "0"), "'--limit'"),
        (("snapshot", "--json"), "'--output'"),
        (("snapshot", "--output", "/"), "'--output'"),
        (("frobnicate",), "'frobnicate'"),
        (("--frobnicate",), "--frobnicate"),
    ],
)
def test_wrong_usage_is_one_line_and_status_2(ask: Ask, upstream: Upstream, args: tuple[str, ...], said: str) -> None:
    """What was typed wrong is named on one line of stderr, the status is 2, and nothing is asked."""
    status, out, err = ask(*args)

    assert (status, out, err.count("\n")) == (2, "", 1)
    assert said in err
    assert "--help" in err
    assert upstream.requests == []


def test_a_setting_that_cannot_be_read_is_one_line() -> None:
    """A bad environment variable is named on one line, and status 1."""
    status, out, err = process("cost", "openai/gpt-4o-mini", "1", "1", OPENROUTER_PRICING_MARKUP_RATE="much")

    assert (status, out, err.count("\n")) == (1, "", 1)
    assert err.startswith("openrouter-pricing: OPENROUTER_PRICING_MARKUP_RATE: cannot read 'much'")


def test_hostile_arguments_are_escaped_in_errors() -> None:
    """What was typed comes back in one printable line."""
    for args in (("cost", "\x1b[31m\nx\u202e", "1", "1"), ("cost", "m", "\x1b[31m\nx\u202e", "1")):
        _, _, err = process(*args)

        assert err.count("\n") == 1
        assert err[:-1].isprintable()


def test_a_reader_that_goes_away_is_no_news() -> None:
    """A closed pipe ends the command without a word."""
    running = subprocess.Popen((*MODULE, "models"), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert running.stdout is not None
    assert running.stderr is not None
    running.stdout.close()
    with running.stderr:
        assert running.stderr.read() == b""
    assert running.wait(10 * PATIENCE) == 1


def test_no_stdout_at_all_is_no_error() -> None:
    """With stdout closed from the start there is nobody to tell, and nothing goes wrong."""
    assert process(start=("sh", "-c", f"exec {sys.executable} -m openrouter_pricing refresh >&-")) == (0, "", "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no full device here")
def test_a_full_disk_under_stdout_is_one_line() -> None:
    """Output that cannot be written is an error of one line."""
    status, _, err = process(start=("sh", "-c", f"exec {sys.executable} -m openrouter_pricing models >/dev/full"))

    assert (status, err) == (1, "openrouter-pricing: [Errno 28] No space left on device\n")


def test_an_interrupt_ends_it_with_status_130() -> None:
    """Ctrl-C while it waits ends it without a traceback."""
    started = threading.Event()
    running: list[subprocess.Popen[bytes]] = []

    def interrupt(conn: socket.socket) -> None:
        read_request(conn)
        started.wait(PATIENCE)
        running[0].send_signal(signal.SIGINT)
        conn.recv(1)

    with raw_peer(interrupt) as url:
        code = f"import signal; signal.signal(signal.SIGINT, signal.default_int_handler); {MAIN}"
        running.append(
            subprocess.Popen(
                (sys.executable, "-c", code, "refresh"),
                env={**os.environ, "OPENROUTER_PRICING_BASE_URL": url},
                stderr=subprocess.PIPE,
            )
        )
        started.set()
        _, err = running[0].communicate(timeout=10 * PATIENCE)

    assert (running[0].returncode, err.strip()) == (130, b"")


def test_an_interrupt_while_it_starts_ends_it_with_status_130() -> None:
    """Ctrl-C during the imports ends it without a traceback too."""
    assert process("refresh", start=blocked("click", "KeyboardInterrupt")) == (130, "", "")


@pytest.mark.parametrize("module", ["click", "msgspec", "rich"])
@pytest.mark.parametrize("error", ["ModuleNotFoundError(f'No module named {name!r}', name=name)", "ImportError('no')"])
def test_without_the_extra_it_says_how_to_get_it(module: str, error: str) -> None:
    """Where click, msgspec or rich is missing, one line tells what to install, and the status is 1."""
    status, out, err = process("audit", __file__, start=blocked(module, error))

    assert (status, out, err.count("\n")) == (1, "", 1)
    assert "pip install 'openrouter-pricing[cli]'" in err


def test_another_broken_import_is_not_taken_for_a_missing_extra() -> None:
    """A fault of the installation is not hidden behind a wrong hint."""
    _, _, err = process("refresh", start=blocked("attrs", "ImportError('no', name=name)"))

    assert "ImportError: no" in err
    assert "pip install" not in err


def test_help_and_version_are_answers() -> None:
    """``--help`` lists every command, ``--version`` the release; both are status 0."""
    status, out, err = process("--help")

    assert (status, err) == (0, "")
    for command in COMMANDS:
        assert f"\n  {command} " in out
    assert "..." not in out.partition("Commands:")[2]
    assert process("--version")[1].startswith("openrouter-pricing, version ")


def test_rows_that_cannot_be_read_are_not_news_here(upstream: Upstream) -> None:
    """A hostile row is left out, without a line on stderr."""
    upstream.answer = Answer(models(row(), {"id": HOSTILE}))
    status, out, err = process("models")

    assert (status, out.count("\n"), err) == (0, 2, "")


@pytest.mark.parametrize(
    "command", [(), ("cost",), ("range",), ("endpoints",), ("model",), ("compare",), ("audit",), ("snapshot",)]
)
def test_a_bare_command_prints_help(ask: Ask, upstream: Upstream, command: tuple[str, ...]) -> None:
    """Without the arguments that it needs a command prints what ``--help`` prints; that is an answer."""
    bare = ask(*command)

    assert bare == ask(*command, "--help")
    assert (0, "", []) == (bare[0], bare[2], upstream.requests)
    assert bare[1].startswith(f"Usage: {' '.join(('openrouter-pricing', *command))} [OPTIONS]")


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("columns", ["80", "200"])
def test_help_is_for_people(monkeypatch: pytest.MonkeyPatch, ask: Ask, command: str, columns: str) -> None:
    """No help shows the bounds of a number as an interval, nor a line of more than 100 columns."""
    monkeypatch.setenv("COLUMNS", columns)
    status, out, err = ask(command, "-h")

    assert (0, "") == (status, err)
    assert not re.search(r"<=|>=|10\^|RANGE", out)
    assert max(map(len, out.splitlines())) <= 100


def test_the_exit_statuses_are_one_table(ask: Ask) -> None:
    """The help of the whole says what each status means."""
    table = ask()[1].partition("Exit status:\n")[2]

    assert ["0", "1", "2", "130"] == [line.split()[0] for line in table.splitlines()]


def test_every_command_is_imported_when_it_is_asked_for() -> None:
    """A price needs neither the audit nor a terminal's colours: both are left where they are."""
    code = (
        "import sys; from openrouter_pricing.cli import run; "
        "status = run(['cost', 'openai/gpt-4o-mini', '1', '1']); "
        "print(status, [name for name in ('rich.console', 'openrouter_pricing.metering.audit') if name in sys.modules])"
    )

    assert process(start=(sys.executable, "-c", code))[1].endswith("\n0 []\n")
