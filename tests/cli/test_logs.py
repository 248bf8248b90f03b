"""Files that commands read: logs, with a bar that shows how far it is, and stored prices."""

from __future__ import annotations

import gzip
import json
import os
import pty
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.commands import MODULE, Ask, process, read_screen
from support.logs import CATALOG, EXACT, ROWS, encoded, log
from support.waiting import PATIENCE

from openrouter_pricing.cli import run

pytestmark = pytest.mark.usefixtures("stored_prices")


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "data is not a catalogue that dumps() wrote"),
        (b'{"data": []}', "data is not a catalogue that dumps() wrote"),
        (CATALOG.dumps()[:-1], "a stored catalogue does not match its digest"),
        (gzip.compress(b"{}"), "data is not a catalogue that dumps() wrote"),
        (gzip.compress(CATALOG.dumps())[:-9], "Compressed file ended before the end-of-stream marker was reached"),
        (b"\x1f\x8bnonsense", "Unknown compression method"),
        (gzip.compress(b"")[:10] + b"\xff" * 20, "Error -3 while decompressing data"),
        (CATALOG.dumps().replace(b'"format": 4', b'"format": 3'), "format 3 is not the format 4"),
    ],
    ids=range(8),
)
def test_prices_that_cannot_be_read(audit: Ask, data: bytes, said: str) -> None:
    """Stored prices that are torn or foreign are one line that names the file, and status 1."""
    Path("prices").write_bytes(data)
    status, out, err = audit(log(EXACT))

    assert (1, "", 1) == (status, out, err.count("\n"))
    assert err.startswith("openrouter-pricing: cannot read prices: ")
    assert said in err


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
@pytest.mark.parametrize("odd", [[], [{"id": "a/odd", "pricing": {"prompt": "much"}}]])
def test_a_recorded_answer_is_a_catalogue(audit: Ask, odd: list[Any], pack: Callable[[bytes], bytes]) -> None:
    """What ``/models`` answered is as good as what ``snapshot`` wrote; it has no date, and unreadable rows are told."""
    Path("prices").write_bytes(pack(json.dumps({"data": [*ROWS, *odd]}).encode()))
    status, out, err = audit(log(EXACT))

    assert (0, "1 lines, 1 priced  (pinned, prices of 1970-01-01 00:00 UTC)") == (status, out.splitlines()[0])
    assert bool(odd) == ("note: rows that cannot be read were left out: 1 (" in err)


def test_a_recorded_answer_of_openrouter(audit: Ask, shared: Path) -> None:
    """Real ones are read as they were recorded."""
    for answer in sorted((shared / "catalogs").glob("*.json.gz")):
        Path("prices").write_bytes(answer.read_bytes())
        usage = {"prompt_tokens": 1, "completion_tokens": 1}
        assert (0, "1 lines, 1 priced") == (
            (found := audit(log({"model": "openai/gpt-4o-mini", "usage": usage})))[0], found[1][:17]
        )  # fmt: skip


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="there is no such file here")
def test_what_the_disk_refuses_is_one_line(audit: Ask) -> None:
    """A file that opens and cannot be read is one line that names it, and status 1."""
    name = "/proc/self/mem"

    assert audit(name) == (1, "", f"openrouter-pricing: cannot read {name}: Input/output error\n")
    assert run(("audit", log(EXACT), "--catalog", name)) == 1


def test_the_standard_input_can_be_a_log() -> None:
    """``-`` reads the standard input, and a pipe gets neither progress bar nor colour."""
    status, out, err = process("audit", "-", "--catalog", "prices", stdin=encoded(*[EXACT] * 20_000))

    assert (0, "") == (status, err)
    assert out.startswith("20000 lines, 20000 priced  ")
    assert out.replace("\n", "").isprintable()


def test_no_standard_input_at_all() -> None:
    """With stdin closed from the start there is nothing to read, and that is one line."""
    start = ("sh", "-c", f"exec {sys.executable} -m openrouter_pricing audit - --catalog prices <&-")

    assert process(start=start) == (1, "", "openrouter-pricing: there is no standard input to read\n")


@pytest.mark.parametrize("piped", [False, True])
def test_a_terminal_gets_a_progress_bar(piped: bool) -> None:
    """On a terminal the bytes that were read are shown while it works, of a pipe too, and the answer comes after."""
    data = encoded({**EXACT, "text": "x" * 1000}) * 4000
    Path("log.jsonl").write_bytes(data)
    screen, inside = pty.openpty()
    command = (*MODULE, "audit", "-" if piped else "log.jsonl", "--catalog", "prices")
    running = subprocess.Popen(command, stdin=subprocess.PIPE if piped else inside, stdout=inside, stderr=inside)
    os.close(inside)
    if running.stdin is not None:
        with running.stdin:
            running.stdin.write(data)
    text = read_screen(screen)

    assert 0 == running.wait(10 * PATIENCE)
    assert "auditing" in text
    assert "MB" in text
    assert "4000 lines, 4000 priced" in text.rpartition("auditing")[2]
