"""The command line in processes of its own: piped, on a terminal, in an interpreter that lacks a module."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from collections.abc import Callable

from support.waiting import PATIENCE

#: Runs a command in this process: status, stdout, stderr.
Ask = Callable[..., tuple[int, str, str]]

MODULE = (sys.executable, "-m", "openrouter_pricing")
MAIN = "import sys; from openrouter_pricing.__main__ import main; sys.exit(main())"
HOSTILE = "\x1b[31mevil\x9b2J\u202e\x07[bold]x[/bold]:smile:\n"
ESCAPED = "\\x1b[31mevil\\x9b2J\\u202e\\x07[bold]x[/bold]:smile:\\x0a"


def process(
    *args: str, stdin: bytes | None = None, start: tuple[str, ...] = MODULE, **env: str
) -> tuple[int, str, str]:
    """Runs a command in a process of its own, piped: status, stdout, stderr."""
    done = subprocess.run(
        (*start, *args), capture_output=True, input=stdin, env={**os.environ, **env}, timeout=10 * PATIENCE, check=False
    )
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def terminal(*args: str, width: int | None = None, **env: str) -> str:
    """Everything that a command shows on a terminal.

    Args:
        *args: the arguments.
        width: columns of the terminal itself; what COLUMNS says when left out.
        **env: added to the environment.
    """
    screen, inside = pty.openpty()
    environment = {**os.environ, **env}
    if width is not None:
        environment.pop("COLUMNS", None)
        fcntl.ioctl(inside, termios.TIOCSWINSZ, struct.pack("HHHH", 24, width, 0, 0))
    running = subprocess.Popen((*MODULE, *args), stdin=inside, stdout=inside, stderr=inside, env=environment)
    os.close(inside)
    shown = read_screen(screen)
    running.wait(10 * PATIENCE)
    return shown


def read_screen(screen: int) -> str:
    """Everything that comes out of a terminal until nobody holds its other end any more."""
    shown = b""
    while True:
        try:
            part = os.read(screen, 65536)
        except OSError:  # how Linux says that the other end is closed
            part = b""
        if not part:
            break
        shown += part
    os.close(screen)
    return shown.decode()


def lines_of(shown: str) -> list[str]:
    """What stood on a terminal in the end, line by line: without colours, and without what was wiped away again."""
    lines: list[str] = []
    for text in shown.split("\n"):
        for _ in range(min(text.count("\x1b[1A"), len(lines))):
            lines.pop()
        left = text.rpartition("\x1b[2K")[2]
        lines.append(re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", left).rstrip("\r").rpartition("\r")[2])
    return lines


def blocked(module: str, error: str) -> tuple[str, ...]:
    """The command line in an interpreter where importing ``module`` raises ``error``."""
    finder = f"""
import sys
class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name == {module!r}:
            raise {error}
sys.meta_path.insert(0, Blocked())
"""
    return sys.executable, "-c", finder + MAIN
