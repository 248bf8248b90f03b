"""Files of a log: found by name, unpacked, and taken apart to lines and elements."""

from __future__ import annotations

import gzip
import io
import json
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from openrouter_pricing.metering import files
from openrouter_pricing.metering.files import FileError, entries, find, is_plain, opened
from openrouter_pricing.metering.lines import Block

RESPONSE = {"model": "a/plain", "choices": [{"text": 'a "quoted" ] brace } \\ \u00e9'}], "usage": {"prompt_tokens": 3}}
TWO_FRAMES = zstandard.compress(b"one\ntw") + zstandard.compress(b"o\n")


def listed(data: bytes, number: int = 1) -> list[tuple[int, bytes | None]]:
    """What a file of these bytes holds."""
    return numbered(entries(io.BufferedReader(io.BytesIO(data)), number))  # type: ignore[type-var]


def numbered(found: Iterable[Block]) -> list[tuple[int, bytes | None]]:
    """Lines with their numbers."""
    return [entry for block in found for entry in enumerate(block.lines, block.number)]


def read(path: Path) -> list[tuple[int, bytes | None]]:
    """What a file holds."""
    with opened(path, lambda _: None) as file:
        return numbered(entries(file))


# -- names -----------------------------------------------------------------------------------------------------------


def test_files_that_names_mean(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file, everything in a folder that is not hidden, what a pattern meets: in order, and each once."""
    for name in ("b.jsonl", "a.jsonl", "logs/2/y.gz", "logs/x.gz", "logs/.hidden/z", "logs/.z", ".cache"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    monkeypatch.chdir(tmp_path)

    assert ["b.jsonl", "logs/2/y.gz", "logs/x.gz", "a.jsonl", "-"] == list(
        map(str, find(["b.jsonl", "logs", "logs/*.gz", "*.jsonl", "-"]))
    )
    assert ["logs/2/y.gz", "logs/x.gz"] == list(map(str, find(["logs/**/*.gz"])))


@pytest.mark.parametrize("name", ["gone", "*.gone", "empty", ""])
def test_names_that_mean_no_file(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A missing file, a pattern that meets none and an empty folder are told by their names."""
    monkeypatch.chdir(tmp_path)
    Path("empty/.git").mkdir(parents=True)

    with pytest.raises(FileNotFoundError) as error:
        find([name])
    assert (name,) == error.value.args


# -- packed ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "data",
    [
        b"one\ntwo\n",
        b"\xef\xbb\xbfone\ntwo\n",
        gzip.compress(b"one\n") + gzip.compress(b"two\n"),
        gzip.compress(b"\xef\xbb\xbfone\ntwo\n"),
        zstandard.compress(b"one\ntwo\n"),
        TWO_FRAMES,
    ],
    ids=range(6),
)
def test_what_is_packed_is_unpacked(data: bytes, tmp_path: Path) -> None:
    """By its first bytes and whatever its name, in one part or in several; all of its bytes are noted."""
    path = tmp_path / "log"
    path.write_bytes(data)
    noted: list[int] = []
    with opened(path, noted.append) as file:
        found = numbered(entries(file))

    assert [(1, b"one\n"), (2, b"two\n")] == found
    assert len(data) == sum(noted)
    assert (data[:1] in b"o\xef") == is_plain(path)


def test_much_that_is_packed(tmp_path: Path) -> None:
    """What is unpacked is handed on in pieces, whatever their size."""
    data = b"".join(b"%d %s\n" % (number, b"x" * (number % 5000)) for number in range(3000))
    (tmp_path / "log").write_bytes(zstandard.compress(data))

    assert data.splitlines(keepends=True) == [line for _, line in read(tmp_path / "log")]


class Decompressor:
    """As Python's own module has it from 3.14 on."""

    def __init__(self) -> None:
        self._frame = zstandard.ZstdDecompressor().decompressobj()

    def decompress(self, data: bytes) -> bytes:
        """What some bytes become."""
        return self._frame.decompress(data)

    @property
    def eof(self) -> bool:
        """Whether the frame is at its end."""
        return self._frame.eof

    @property
    def unused_data(self) -> bytes:
        """What stands behind it."""
        return self._frame.unused_data


def test_the_module_of_python_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where Python can unpack zstd, nothing has to be installed for it."""
    module: Any = ModuleType("compression.zstd")
    module.ZstdDecompressor, module.ZstdError = Decompressor, zstandard.ZstdError
    monkeypatch.setitem(sys.modules, "compression", ModuleType("compression"))
    monkeypatch.setitem(sys.modules, "compression.zstd", module)
    (tmp_path / "log").write_bytes(TWO_FRAMES)

    assert [(1, b"one\n"), (2, b"two\n")] == read(tmp_path / "log")


def test_what_zstd_needs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nothing can unpack it, what to install is said."""
    for name in ("compression.zstd", "zstandard"):
        monkeypatch.setitem(sys.modules, name, None)
    (tmp_path / "log").write_bytes(TWO_FRAMES)

    with pytest.raises(FileError, match=r"zstd needs a package: pip install zstandard$"):
        read(tmp_path / "log")


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (gzip.compress(b"one\n")[:-5], "Compressed file ended"),
        (gzip.compress(b"one\n" * 99)[:-20] + b"x" * 20, "Error -3 while decompressing"),
        (b"\x1f\x8bnonsense", "Unknown compression method"),
        (TWO_FRAMES[:-3], "it ends within a frame"),
        (TWO_FRAMES + b"nonsense", "nknown frame descriptor"),
    ],
    ids=range(5),
)
def test_what_is_torn_is_an_error(data: bytes, said: str, tmp_path: Path) -> None:
    """A packed log that ends before its end, or holds something else, is no shorter log."""
    path = tmp_path / "log"
    path.write_bytes(data)

    with pytest.raises(FileError) as error:
        read(path)
    assert str(error.value).startswith(f"cannot read {path}: ")
    assert said in str(error.value)


# -- arrays ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("indent", [None, 1, 2])
@pytest.mark.parametrize("tail", [b"", b"\n", b" \r\n\n"])
def test_an_array(indent: int | None, tail: bytes) -> None:
    """Each element stands with the line that it begins on, however the array is written."""
    responses = [{**RESPONSE, "id": number} for number in range(50)]
    text = json.dumps(responses, indent=indent, ensure_ascii=False)
    found = [(number, json.loads(line)) for number, line in listed(text.encode() + tail)[:50] if line is not None]
    lines = [number for number, line in enumerate(text.split("\n"), 1) if line in (" {", "  {")] or [1] * 50

    assert list(zip(lines, responses, strict=True)) == found


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b'[{"a": 1}]\n{"b": 2}\n[{}]\n', [(1, b'{"a": 1}'), (2, b'{"b": 2}\n'), (3, b"[{}]\n")]),
        (b'\n\n [\n{"a":\n1}\n,\n5 , "x", {}\n]', [(4, b'{"a":\n1}'), (7, b'5 , "x"'), (7, b"{}")]),
        (b"[{},\n[[]]]", [(1, b"{}"), (2, b"[[]]")]),
        (b"[{}] x\ny", [(1, b"{}"), (1, b"x"), (2, b"y")]),
        (b"[{}, x]", [(1, b"{}"), (1, b"x")]),
        (b'[{}, {"a": "]', [(1, b"{}"), (1, b'{"a": "]')]),
        (b"[{},", [(1, b"{}"), (1, b"[")]),
        (b"[{", [(1, b"{")]),
        (b"[1, {}]\n", [(1, b"[1, {}]\n")]),
        (b"[]", [(1, b"[]")]),
        (b"", []),
    ],
)
def test_what_is_in_and_around_an_array(data: bytes, expected: list[tuple[int, bytes]]) -> None:
    """Lines behind it are lines; what is no element is told as what it is; one that does not end is not taken."""
    assert expected == listed(data)
    assert [(number + 7, line) for number, line in expected] == listed(data, 8)


@given(st.lists(st.dictionaries(st.text(max_size=3), st.text() | st.lists(st.none())), min_size=1), st.integers(1, 40))
def test_any_array(elements: list[dict[str, Any]], piece: int) -> None:
    """However the pieces are cut that are read at once, the elements are the same."""
    text = json.dumps(elements, ensure_ascii=False).encode()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(files, "_PIECE", piece)
        raw: Any = io.BytesIO(text)
        found = numbered(files._elements(io.BufferedReader(raw), 1))

    assert elements == [json.loads(line) for _, line in found if line is not None]


def test_an_endless_element(monkeypatch: pytest.MonkeyPatch) -> None:
    """An element of more than the most bytes is one that is too long, and nothing is read behind it."""
    monkeypatch.setattr(files, "MOST_BYTES", 10)
    monkeypatch.setattr(files, "_PIECE", 8)

    assert [(1, b"{}"), (1, b"%s" % (b"z" * 15)), (2, b"{}")] == listed(b"[{}]" + b"z" * 15 + b"\n{}")
    assert [(1, b"{}"), (2, None)] == listed(b'[{},\n{"a": "' + b"x" * 100 + b'"}, {}]\n{}\n')


# -- what the system refuses -----------------------------------------------------------------------------------------


def test_what_cannot_be_opened(tmp_path: Path) -> None:
    """A file that is gone is an error that names it."""
    with pytest.raises(FileError, match=r"cannot read .*gone: No such file"):
        is_plain(tmp_path / "gone")


def test_the_bytes_to_begin_with(tmp_path: Path) -> None:
    """A file may be read from the middle."""
    (tmp_path / "log").write_bytes(b"one\ntwo\n")
    noted: list[int] = []
    note: Callable[[int], None] = noted.append
    with opened(tmp_path / "log", note, 3) as file:
        assert (3, b"\ntwo\n", 8) == (file.tell(), file.read(), file.tell())
    assert 5 == sum(noted)
