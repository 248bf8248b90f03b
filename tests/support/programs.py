"""Python programs in processes of their own, which talk over their standard streams."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

#: Starts a program with its arguments.
Launch = Callable[..., "subprocess.Popen[str]"]


@contextmanager
def launching(folder: Path) -> Iterator[Launch]:
    """Starts Python programs; none outlives the block."""
    started: list[subprocess.Popen[str]] = []

    def start(program: str, *arguments: object, flags: tuple[str, ...] = ("-W", "ignore")) -> subprocess.Popen[str]:
        path = folder / f"program-{len(started)}.py"
        path.write_text(program)
        command = [sys.executable, *flags, str(path), *map(str, arguments)]
        pipe = subprocess.PIPE
        started.append(subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True, cwd=folder))
        return started[-1]

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate(timeout=30)


def say(process: subprocess.Popen[str], line: object) -> None:
    """Give a program one line."""
    stream: IO[str] | None = process.stdin
    assert stream is not None
    stream.write(f"{line}\n")
    stream.flush()


def hear(process: subprocess.Popen[str], seconds: float = 120) -> Any:
    """The next line of a program, which is JSON; a program that says nothing for too long is ended."""
    stream: IO[str] | None = process.stdout
    assert stream is not None
    patience = threading.Timer(seconds, process.kill)
    patience.start()
    line = stream.readline()
    patience.cancel()
    patience.join()
    if not line:
        raise AssertionError(f"the program ended: {process.communicate(timeout=30)[1]}")
    return json.loads(line)
