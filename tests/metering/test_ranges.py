"""However many processes read a log, and wherever it is cut, it is counted as one would count it alone."""

from __future__ import annotations

import gzip
import os
import random
import signal
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psutil
import pytest
from support.logs import CATALOG, EXACT, GONE, OFF, REFUND, SILENT, encoded
from support.waiting import PATIENCE, until

from openrouter_pricing import Settings
from openrouter_pricing.metering import ranges
from openrouter_pricing.metering.audit import Audit
from openrouter_pricing.metering.files import FileError
from openrouter_pricing.metering.naming import By
from openrouter_pricing.metering.ranges import How, Range, audited, count_range, ranges_of
from openrouter_pricing.metering.report import Places

LINES = [EXACT, OFF, REFUND, SILENT, GONE, {}, [], {"model": "a/nightly", "usage": {"prompt_tokens": 1, "cost": 5}}]


ODD = [b"\n", b"\xff\n", b"data: [DONE]\n", b"\xef\xbb\xbf{}\n"]


def a_log(seed: int, lines: int) -> bytes:
    """Lines of all kinds, some twice, some empty, some too odd for words."""
    chance = random.Random(seed)
    parts = []
    for _ in range(lines):
        response = chance.choice(LINES)
        if isinstance(response, dict) and chance.random() < 0.8:
            response = {**response, "id": f"gen-{chance.randrange(lines * 5)}", "created": chance.randrange(10**9)}
        parts.append(
            chance.choice([encoded(response)] * 9 + [b"\n", b"\xff\n", b"data: [DONE]\n", b"\xef\xbb\xbf{}\n"])
        )
    return b"".join(parts)


def how(by: By | None = None, settings: Settings | None = None) -> How:
    """How the audits are made."""
    return How(CATALOG.dumps(), 5, by, settings)


def report(paths: Sequence[Path], jobs: int, size: int = ranges.RANGE, by: By | None = None) -> dict[str, Any]:
    """What is found in files; as many bytes as they have are told."""
    places, noted = Places(), [0]
    audit = audited(how(by), paths, jobs, noted.append, places, size)
    assert sum(path.stat().st_size for path in paths) == sum(noted)
    return audit.report(places)


@pytest.mark.parametrize(("jobs", "size"), [(2, 1000), (3, 4999)])
def test_any_cut(jobs: int, size: int, tmp_path: Path) -> None:
    """Several files, plain and packed, cut anywhere: every figure, number and reason is that of one process."""
    paths = [tmp_path / name for name in ("a", "b.gz", "empty", "c")]
    paths[0].write_bytes(b"\xef\xbb\xbf" + a_log(1, 60))
    paths[1].write_bytes(gzip.compress(b"\xef\xbb\xbf" + a_log(2, 40)))
    paths[2].touch()
    paths[3].write_bytes(a_log(3, 40)[:-1])
    alone = report(paths, 1, by="day")

    assert alone == report(paths, jobs, size, by="day")
    assert alone["duplicates"] > 0 < alone["bad"]


@pytest.mark.parametrize("size", [1, 2, 7, 30, 100, 10_000])
def test_ranges_are_the_lines_that_begin_in_them(size: int, tmp_path: Path) -> None:
    """Wherever the ranges end, each line is in one of them, whole, and in order."""
    for data in (
        b"",
        b"\n",
        b"\n\n",
        b"a",
        b"ab\ncde\n\nf\n" * 5,
        b"\xef\xbb\xbfab\ncd" * (size > 2),
        b"x" * 50 + b"\ny\n",
    ):
        (tmp_path / "log").write_bytes(data)
        parts = ranges_of(tmp_path / "log", size)
        found = [line for part in parts for block in part.entries(2, lambda _: None) for line in block.lines]
        assert data.removeprefix(b"\xef\xbb\xbf").splitlines(keepends=True) == found


def test_what_is_not_read_in_parts(tmp_path: Path) -> None:
    """What is packed, an array and the standard input are one range."""
    (tmp_path / "packed").write_bytes(gzip.compress(b"x" * 100))
    (tmp_path / "array").write_bytes(b'[{"a": 1}, {"b": 2}]')
    for path in (tmp_path / "packed", tmp_path / "array", Path("-")):
        assert [Range(path)] == ranges_of(path, 5)


def test_a_range_by_itself(tmp_path: Path) -> None:
    """A process counts one range after the other, and each by itself; only the log's first line is a first one."""
    (tmp_path / "log").write_bytes(encoded({**EXACT, "id": "gen-1"}, {}, {**EXACT, "id": "gen-2"}))
    for _ in range(2):
        (part,) = count_range(how(), Range(tmp_path / "log"), True, 5)
        assert (3, 0, 2, 2) == (part.lines, part.before, part.counted.exact.lines, len(part.digests))
        assert [2] == [number for number, _ in part.counted.bad["no usage"].reasons]
    (part,) = count_range(how(), Range(tmp_path / "log"), False, 5)
    assert (3, 1, [3]) == (part.lines, part.before, [number for number, _ in part.counted.bad["no usage"].reasons])


def test_pieces_of_a_range(tmp_path: Path) -> None:
    """Each piece is counted by itself, and an id is new in the first of them that has it."""
    names = ["gen-1", "gen-2", "gen-1", "gen-3"]
    lines = [encoded({**EXACT, "id": name}) for name in names]
    (tmp_path / "log").write_bytes(b"".join(lines))
    whole = Range(tmp_path / "log", 0, sum(map(len, lines)))
    found = count_range(how(), whole, True, len(lines[0]) + 1)

    assert [(2, 1), (1, 1), (1, 1), (0, 1)] == [(part.lines, part.before or 1) for part in found]
    assert [2, 0, 1, 0] == [part.counted.exact.lines for part in found]
    assert [0, 1, 0, 0] == [part.counted.duplicates.lines for part in found]
    assert [2, 0, 1, 0] == [len(part.digests) for part in found]
    assert (0, whole.end) == (found[0].range.start, found[-1].range.end)


@pytest.mark.parametrize(("every", "apart", "again"), [(200, 2, 2), (50, 10, 2), (100, 300, 3)])
def test_only_pieces_are_counted_again(
    every: int, apart: int, again: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An id that is in a range before makes its piece be read again, a sixteenth of a range, and nothing else."""
    names = [number - apart if number >= apart and not number % every else number for number in range(600)]
    lines = [encoded({**EXACT, "id": f"gen-{name:05d}"}) for name in names]
    log = tmp_path / "log"
    log.write_bytes(b"".join(lines))
    alone = report([log], 1)
    read, pieces = ranges._read, []

    def noted(audit: Audit, part: Range, *args: Any) -> int:
        """Read, and note what."""
        pieces.append(part)
        return read(audit, part, *args)

    monkeypatch.setattr(ranges, "_read", noted)
    size = len(lines[0]) * 200

    assert alone == report([log], 2, size)
    assert alone["duplicates"] == 600 - len(set(names))
    assert again == len(pieces)
    assert all((part.end or 0) - part.start <= size / 16 for part in pieces)


def test_more_names_than_are_kept(tmp_path: Path) -> None:
    """A range with more names than are kept is read again behind the others: those kept are the first of the log."""
    gone = [{"model": f"gone/{number}", "usage": {"prompt_tokens": 1, "cost": 1}} for number in range(1010)]
    (tmp_path / "log").write_bytes(encoded(*gone, *gone, *gone[:1]))
    size = len(encoded(*gone)) + 100

    assert report([tmp_path / "log"], 1) == report([tmp_path / "log"], 2, size)


def test_prices_of_then(tmp_path: Path) -> None:
    """Each process knows the history."""
    old = {
        "model": "openai/gpt-4o-mini",
        "created": 1_750_000_000,
        "usage": {"prompt_tokens": 1, "completion_tokens": 1},
    }
    (tmp_path / "log").write_bytes(encoded(old) * 20)
    catalog = CATALOG.dumps().replace(b"1970-01-01", b"2026-08-20")
    found = [
        audited(How(catalog, 5, None, settings), [tmp_path / "log"], jobs, str, Places(), 500).report()
        for settings in (None, Settings()) for jobs in (1, 2)
    ]  # fmt: skip

    assert found[0] == found[1]
    assert found[2] == found[3]
    assert (0, 20) == (found[0]["priced"], found[2]["priced"])


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_file_that_cannot_be_read(jobs: int, tmp_path: Path) -> None:
    """Is an error that names it, and no half a report."""
    (tmp_path / "good").write_bytes(a_log(1, 100))
    (tmp_path / "torn").write_bytes(gzip.compress(a_log(1, 100))[:-9])

    with pytest.raises(FileError, match="torn: Compressed file ended"):
        report([tmp_path / "good", tmp_path / "torn"], jobs, 1000)


def test_the_standard_input_is_read_here(tmp_path: Path) -> None:
    """No other process has it."""
    (tmp_path / "log").write_bytes(encoded(EXACT))
    (tmp_path / "input").write_bytes(encoded(OFF, OFF))
    before = os.dup(0)
    try:
        with (tmp_path / "input").open("rb") as file:
            os.dup2(file.fileno(), 0)
        places = Places()
        audit = audited(how(), [tmp_path / "log", Path("-")], 2, str, places)
    finally:
        os.dup2(before, 0)
        os.close(before)

    assert (1, 2, ["-:1", "-:2"]) == (
        audit.exact.lines, audit.residual.lines, [places.show(found.line) for found in audit.worst()]
    )  # fmt: skip


def test_a_process_that_dies(tmp_path: Path) -> None:
    """Is an error that names the file it was reading, and no half a report."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    (tmp_path / "log").write_bytes(encoded(EXACT))

    def kill() -> None:
        """End the process that waits for the pipe."""
        until(lambda: any("spawn_main" in " ".join(child.cmdline()) for child in psutil.Process().children()))
        for child in psutil.Process().children():
            if "spawn_main" in " ".join(child.cmdline()):
                child.send_signal(signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ranges, "ranges_of", lambda path, size: [Range(path)])
        with pytest.raises(FileError, match="pipe: a process that was reading it died"):
            audited(how(), [pipe], 2, str, Places())
    killer.join(PATIENCE)
    assert not killer.is_alive()
