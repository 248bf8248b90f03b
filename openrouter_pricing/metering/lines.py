"""Lines: those of a file, one at a time, and the response that each holds."""

from __future__ import annotations

import json
from codecs import BOM_UTF8
from collections.abc import Iterator, Sequence
from io import BufferedReader
from math import inf
from typing import Any, NamedTuple

#: Bytes of the longest line that is read.
MOST_BYTES = 16 * 2**20
#: Digits of a number that Python reads no more; no line that is shorter holds one.
LONG = 4_300
_NOT_DATA = (":", "event:", "id:", "retry:")  # lines of an event stream that bring nothing

_decode = json.JSONDecoder().raw_decode  # json.loads() without its two looks for white space, a fifth of its time


class Block(NamedTuple):
    """Lines of a log that follow each other.

    Args:
        number: that of the first.
        lines: their bytes; None in the place of one that was too long.
        simple: whether they are known to be of ASCII, and none of them longer than ``LONG``.
    """

    number: int
    lines: Sequence[bytes | None]
    simple: bool = False


def blocks(file: BufferedReader[Any], number: int = 1, most: float = inf) -> Iterator[Block]:
    """The lines of a file: at once all that its buffer holds, or else one, which is skipped if it is too long.

    Args:
        file: open for reading bytes.
        number: that of the first line.
        most: bytes; a line that begins behind so many is not read.
    """
    while most > 0 and (ready := file.peek(1)):
        whole = ready.rfind(b"\n") + 1
        if min(whole, most) > 1:  # readlines() ends where it has more bytes than it is told; 0 would be all of them
            lines = file.readlines(int(min(whole, most)) - 1)
            yield Block(number, lines, ready.isascii() and max(map(len, lines)) <= LONG)
            number += len(lines)
            most -= whole
            continue
        line = file.readline(MOST_BYTES + 1)
        most -= len(line)
        known = len(line) <= MOST_BYTES or line.endswith(b"\n")
        yield Block(number, [line if known else None])
        number += 1
        while not known and line and not line.endswith(b"\n"):
            line = file.readline(MOST_BYTES)
            most -= len(line)


class BadLine(Exception):
    """A line of a log that is no response.

    Args:
        kind: what kind of reason that is.
        reason: what is wrong with it, for people.
    """

    def __init__(self, kind: str, reason: object) -> None:
        super().__init__(kind, reason)
        self.kind = kind
        self.reason = reason


def read_line(number: int, line: bytes | None) -> dict[str, Any] | None:
    """The response of a line; None where it holds none, as between the events of a stream.

    Args:
        number: its number, from 1.
        line: its bytes; None if it was too long.

    Raises:
        BadLine: it cannot be read.
    """
    if line is None:
        raise BadLine("too long", f"more than {MOST_BYTES} bytes")
    if number == 1:
        line = line.removeprefix(BOM_UTF8)
    try:
        text = str(line, "utf-8").strip()
        streamed = text[:1] != "{" and text.startswith("data:")
        if streamed:
            text = text[5:].strip()
        if text[:1] != "{" and (not text or text == "[DONE]" or text.startswith(_NOT_DATA)):
            return None
        response, end = _decode(text)
        if end < len(text):
            raise json.JSONDecodeError("Extra data", text, end)
    except (ValueError, RecursionError) as error:
        raise BadLine("not JSON", error) from error
    if not isinstance(response, dict):
        raise BadLine("not an object", type(response).__name__)
    if streamed and response.get("usage") is None and "choices" in response:
        return None  # a chunk before the last
    return response
