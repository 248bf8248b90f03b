"""Files: the lines of a log, be it plain or compressed, of lines or one array; and which files a name means."""

from __future__ import annotations

import glob
import gzip
import io
import re
import zlib
from codecs import BOM_UTF8
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

from .lines import MOST_BYTES, Block, blocks

_PIECE = 2**17  # bytes that are read at once
_GZIP = b"\x1f\x8b"
_ZSTD = b"\x28\xb5\x2f\xfd"
_LITTLE = 1_024  # compressed bytes that are unpacked at once; they may become 32,768 times as many
_ARRAY = re.compile(rb"\s*\[\s*\{")
#: Up to the next bracket that stands in no string. A string with an end in sight is taken whole, and in one way only.
_BRACKET = re.compile(rb'[^"\[\]{}]*(?:"[^"\\]*(?:\\.[^"\\]*)*"[^"\[\]{}]*)*([\[\]{}])', re.DOTALL)
_BETWEEN = b", \t\r\n"


class FileError(Exception):
    """A file cannot be read.

    Args:
        path: the file.
        reason: why.
    """

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(path, reason)
        self.path = path
        self.reason = reason

    def __str__(self) -> str:
        return f"cannot read {self.path}: {self.reason}"


def find(names: Sequence[str]) -> list[Path]:
    """The files that names mean, each once: those of folders and of patterns in alphabetical order.

    What begins with a dot is left out of folders. ``-`` is the standard input.

    Raises:
        FileNotFoundError: a name means none; it is the error's only argument.
    """
    found: list[Path] = []
    for name in names:
        path = Path(name)
        if path.is_dir():
            inside = (each for each in path.rglob("*") if each.is_file())
            files = sorted(each for each in inside if not _is_hidden(each.relative_to(path)))
        elif name == "-" or path.exists():
            files = [path]
        else:
            files = sorted(each for each in map(Path, glob.glob(name, recursive=True)) if each.is_file())
        if not files:
            raise FileNotFoundError(name)
        found += files
    return list(dict.fromkeys(found))


def _is_hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)


class _Noted(io.RawIOBase):
    """Notes how much was read of a file."""

    def __init__(self, file: io.RawIOBase, note: Callable[[int], None]) -> None:
        self._file = file
        self._note = note

    def readable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0, /) -> int:
        return self._file.seek(offset, whence)

    def readinto(self, buffer: Any) -> int:
        count = self._file.readinto(buffer) or 0
        self._note(count)
        return count


class _Unpacked(io.RawIOBase):
    """What zstd made of a file: one frame after the other, the last one whole."""

    def __init__(self, file: io.BufferedReader[Any], start: Callable[[], Any]) -> None:
        self._file = file
        self._start = start
        self._frame: Any = None
        self._ready: bytes | memoryview = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._ready:
            packed = (self._frame.unused_data if self._frame is not None and self._frame.eof else b"") or (
                self._file.read(_LITTLE)
            )
            if self._frame is None or self._frame.eof:
                if not packed:
                    return 0
                self._frame = self._start()
            elif not packed:
                raise EOFError("it ends within a frame")
            self._ready = memoryview(self._frame.decompress(packed))
        count = min(len(self._ready), len(buffer))
        buffer[:count] = self._ready[:count]
        self._ready = self._ready[count:]
        return count


def _zstd() -> Any:
    """Python's own module from 3.14 on, or the package ``zstandard``.

    Raises:
        ImportError: there is neither.
    """
    try:
        return import_module("compression.zstd")
    except ImportError:
        return import_module("zstandard")


@contextmanager
def opened(path: Path, note: Callable[[int], None], start: int = 0) -> Iterator[io.BufferedReader[Any]]:
    """A log, unpacked where it is compressed, as its first bytes say; every error of reading it is a ``FileError``.

    Args:
        path: the file; ``-`` for the standard input.
        note: told how many more bytes of the file were read.
        start: the byte to begin with, in a file that is not compressed.
    """
    errors: tuple[type[Exception], ...] = (EOFError, zlib.error)
    try:
        with open(0 if str(path) == "-" else path, "rb", buffering=0, closefd=str(path) != "-") as raw:
            if start:
                raw.seek(start)
            file: io.BufferedReader[Any] = io.BufferedReader(_Noted(raw, note), _PIECE)
            head = b"" if start else file.peek(4)
            if head.startswith(_GZIP):
                file = io.BufferedReader(gzip.GzipFile(fileobj=file), _PIECE)
            elif head.startswith(_ZSTD):
                zstd = _zstd()
                errors = (*errors, zstd.ZstdError)
                unpacker = zstd.ZstdDecompressor
                begin = unpacker if hasattr(unpacker, "eof") else lambda: unpacker().decompressobj()
                file = io.BufferedReader(_Unpacked(file, begin), _PIECE)
            if not start and file.peek(3).startswith(BOM_UTF8):
                file.read(3)
            yield file
    except ImportError as error:
        raise FileError(path, "zstd needs a package: pip install zstandard") from error
    except OSError as error:
        raise FileError(path, error.strerror or str(error)) from error
    except errors as error:
        raise FileError(path, str(error)) from error


def entries(file: io.BufferedReader[Any], number: int = 1) -> Iterator[Block]:
    """The lines, or each element of an array with the number of the line that it begins on.

    A file is an array if its first bytes are ``[`` and ``{``; lines may follow it. What is longer than ``MOST_BYTES``
    is None: a line is skipped then, and of an array nothing more is read.

    Args:
        file: open for reading.
        number: that of the first line.
    """
    if _ARRAY.match(file.peek(_PIECE)):
        number = yield from _elements(file, number)
    yield from blocks(file, number)


def _elements(file: io.BufferedReader[Any], number: int) -> Generator[Block, None, int]:
    """The elements of an array; returns the number of the line behind it."""
    buffer = bytearray()
    place = depth = 0
    first: int | None = None
    while line := file.readline(_PIECE):
        done = place if first is None else first
        number += buffer.count(b"\n", 0, done)
        del buffer[:done]
        place, first = place - done, None if first is None else 0
        buffer += line
        if len(buffer) > MOST_BYTES + _PIECE:
            yield Block(number, [None])
            while file.read(_PIECE):
                pass
            return number
        while match := _BRACKET.match(buffer, place):
            before, place = place, match.end()
            if depth == 1:
                first = place - 1
                yield from _stray(buffer, before, first, number)
            depth += 1 if match[1] in b"[{" else -1
            if depth == 1 and first is not None:
                yield Block(number + buffer.count(b"\n", 0, first), [bytes(buffer[first:place])])
                first = None
            elif not depth:
                while not buffer.endswith(b"\n") and (line := file.readline(_PIECE)):
                    buffer += line
                yield from _stray(buffer, place, len(buffer), number)
                return number + buffer.count(b"\n")
    done = place if first is None else first
    yield Block(number + buffer.count(b"\n", 0, done), [bytes(buffer[done:]).strip(_BETWEEN) or b"["])
    return number


def _stray(buffer: bytearray, start: int, end: int, number: int) -> Iterator[Block]:
    """What stands between the elements of an array and is none of its commas."""
    found = bytes(buffer[start:end]).strip(_BETWEEN)
    if found:
        yield Block(number + buffer.count(b"\n", 0, buffer.index(found, start)), [found])


def is_plain(path: Path) -> bool:
    """Whether a log is made of lines that stand in the file as they are, so that it can be read in parts."""
    with opened(path, lambda _: None) as file:
        return isinstance(file.raw, _Noted) and not _ARRAY.match(file.peek(_PIECE))
