"""The lines of a file, and what each holds."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from support.logs import CATALOG, EXACT, encoded

from openrouter_pricing.metering import lines as rooms
from openrouter_pricing.metering.audit import Audit
from openrouter_pricing.metering.lines import MOST_BYTES, BadLine, Lines, read_line


class Endless:
    """A file of one line that does not end for long; it notes how much it was asked for at most."""

    def __init__(self, parts: int) -> None:
        self.most = self.given = 0
        self._parts = parts
        self._rest = io.BytesIO(b"\n" + encoded(EXACT))

    def readline(self, size: int) -> bytes:
        """The next part."""
        self.most = max(size, self.most)
        self._parts -= 1
        self.given += size
        return b"x" * size if self._parts >= 0 else self._rest.readline(size)


def test_an_endless_line_is_read_in_parts_and_skipped() -> None:
    """A line without an end is one bad line, never held whole, and the line after it counts."""
    file: Any = Endless(10)
    audit = Audit(CATALOG)
    for number, line in enumerate(Lines(file), 1):
        audit.add(number, line)

    report = audit.report()
    assert (2, 1, 1) == (report["lines"], report["exact"], report["bad"])
    assert MOST_BYTES < file.most <= 2**24 + 1
    assert {"line": 1, "reason": "more than 16777216 bytes"} == report["bad_lines"][0]["first"][0]
    assert 10 * 2**24 < file.given


@pytest.mark.parametrize("spare", [0, 1])
@pytest.mark.parametrize("end", [b"", b"\n"])
def test_the_longest_line(monkeypatch: pytest.MonkeyPatch, spare: int, end: bytes) -> None:
    """A line of just the most bytes is read, with and without its end; one byte more is too long."""
    monkeypatch.setattr(rooms, "MOST_BYTES", 10)
    line = b"x" * (10 + spare)
    found = list(Lines(io.BytesIO(b"1\n" + line + b"\n2\n" + line + end)))
    read = None if spare else line

    assert [b"1\n", None if spare else line + b"\n", b"2\n", read if read is None else read + end] == found


def test_the_lines_of_a_part() -> None:
    """A line that begins behind the last byte of a part is none of it; one that begins before is read to its end."""
    text = b"one\ntwo\nthree\n"

    assert [[], [b"one\n"], [b"one\n"], [b"one\n", b"two\n"]] == [
        list(Lines(io.BytesIO(text), most)) for most in (0, 1, 4, 5)
    ]


@pytest.mark.parametrize("line", [b"", b" \r\n", b": ping", b"event: message", b"data: [DONE]", b"data:", b"retry: 3"])
def test_what_holds_no_response(line: bytes) -> None:
    """Blank lines, and those of an event stream that bring nothing, are none."""
    assert read_line(2, line) is None


@pytest.mark.parametrize(
    ("line", "kind"),
    [(None, "too long"), (b"{", "not JSON"), (b"{} {}", "not JSON"), (b"\xff", "not JSON"), (b"[1]", "not an object")],
)
def test_what_is_bad(line: bytes | None, kind: str) -> None:
    """Everything else that is no object is told by its kind."""
    with pytest.raises(BadLine) as caught:
        read_line(2, line)

    assert kind == caught.value.kind


def test_what_holds_one() -> None:
    """A response may follow a byte order mark in the first line, or ``data:``; chunks before the last have no usage."""
    said = {"usage": {"cost": 1}}
    text = json.dumps(said).encode()

    assert [said, said, said] == [
        read_line(1, b"\xef\xbb\xbf" + text),
        read_line(2, text),
        read_line(3, b"data:" + text),
    ]
    assert read_line(2, b'data: {"choices": [], "usage": null}') is None
