"""Lines: those of a file, one at a time, and the response that each holds."""

from __future__ import annotations

import json
from codecs import BOM_UTF8
from collections.abc import Iterator
from math import inf
from typing import Any, BinaryIO

#: Bytes of the longest line that is read.
MOST_BYTES = 16 * 2**20
_NOT_DATA = (":", "event:", "id:", "retry:")  # lines of an event stream that bring nothing

_decode = json.JSONDecoder().raw_decode  # json.loads() without its two looks for white space, a fifth of its time


class Lines:
    """The lines of a file, one at a time.

    Args:
        file: open for reading bytes.
        most: bytes; a line that begins behind so many is not read.
    """

    def __init__(self, file: BinaryIO, most: float = inf) -> None:
        self._file = file
        self._most = most

    def __iter__(self) -> Iterator[bytes | None]:
        """Each line; None in the place of one of more than ``MOST_BYTES``, which is skipped to its end."""
        readline, most, read = self._file.readline, self._most, 0
        while read < most and (line := readline(MOST_BYTES + 1)):
            read += len(line)
            if len(line) <= MOST_BYTES or line.endswith(b"\n"):
                yield line
                continue
            yield None
            while line and not line.endswith(b"\n"):
                line = readline(MOST_BYTES)
                read += len(line)


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
