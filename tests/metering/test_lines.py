"""The lines of a file, and what each holds."""

from __future__ import annotations

import io
import json
import tracemalloc
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.logs import CATALOG, EXACT, encoded, numbered

from openrouter_pricing.metering import lines as rooms
from openrouter_pricing.metering.audit import Audit
from openrouter_pricing.metering.lines import MOST_BYTES, BadLine, blocks, read_line


class Endless(io.RawIOBase):
    """A file of one line that does not end for long; it notes how much was read of it."""

    def __init__(self, parts: int) -> None:
        self.given = 0
        self._left = parts * 2**20
        self._rest = io.BytesIO(b"\n" + encoded(EXACT))

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer with the next part."""
        count = min(len(buffer), self._left)
        self._left -= count
        buffer[:count] = b"x" * count
        count = count or self._rest.readinto(buffer)
        self.given += count
        return count


def test_an_endless_line_is_read_in_parts_and_skipped() -> None:
    """A line without an end is one bad line, never held whole, and the line after it counts."""
    file = Endless(400)
    audit = Audit(CATALOG)
    tracemalloc.start()
    try:
        assert 2 == audit.add_all(blocks(io.BufferedReader(file, 2**17)))
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    report = audit.report()
    assert (2, 1, 1) == (report["lines"], report["exact"], report["bad"])
    assert 400 * 2**20 < file.given
    assert most < 4 * MOST_BYTES
    assert {"line": 1, "reason": "more than 16777216 bytes"} == report["bad_lines"][0]["first"][0]


@pytest.mark.parametrize("buffer", [1, 5, 10])
@pytest.mark.parametrize("spare", [0, 1])
@pytest.mark.parametrize("end", [b"", b"\n"])
def test_the_longest_line(monkeypatch: pytest.MonkeyPatch, buffer: int, spare: int, end: bytes) -> None:
    """A line of just the most bytes is read, with and without its end; one byte more is too long."""
    monkeypatch.setattr(rooms, "MOST_BYTES", 10)
    line = b"x" * (10 + spare)
    found = [line for _, line in numbered(b"1\n" + line + b"\n2\n" + line + end, buffer)]
    read = None if spare else line

    assert [b"1\n", None if spare else line + b"\n", b"2\n", read if read is None else read + end] == found


@pytest.mark.parametrize("buffer", [1, 3, 4, 7, 99])
def test_the_lines_of_a_part(buffer: int) -> None:
    """A line that begins behind the last byte of a part is none of it; one that begins before is read to its end."""
    text = b"one\ntwo\nthree\n"

    assert [[], [b"one\n"], [b"one\n"], [b"one\n", b"two\n"]] == [
        [line for _, line in numbered(text, buffer, most)] for most in (0, 1, 4, 5)
    ]


@given(st.lists(st.sampled_from([b"", b"a", b"bc\r", b"d" * 30])), st.integers(1, 40), st.booleans())
def test_lines_through_any_buffer(lines: list[bytes], buffer: int, ended: bool) -> None:
    """They are the lines of the file, with their numbers, however many of them the buffer holds."""
    data = b"\n".join(lines) + b"\n" * ended

    assert list(enumerate(data.split(b"\n"), 1)) == [
        (number, line.removesuffix(b"\n")) for number, line in numbered(data, buffer) if line is not None
    ] + [(data.count(b"\n") + 1, b"")] * (data[-1:] in b"\n")


@pytest.mark.parametrize(
    ("line", "simple"), [(b"{}", True), (b"x" * 4299, True), (b"x" * 4300, False), ("\u00e9".encode(), False)]
)
def test_simple_lines(line: bytes, simple: bool) -> None:
    """Lines that are read at once are known to be simple if all of them are short, and of ASCII."""
    (block,) = blocks(io.BufferedReader(io.BytesIO(b"{}\n" + line + b"\n{}\n"), 2**14))  # type: ignore[type-var]

    assert simple == block.simple


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
