"""The command line in processes of its own: piped, on a terminal, in an interpreter that lacks a module."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
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


def terminal(*args: str) -> str:
    """Everything that a command shows on a terminal."""
    screen, inside = pty.openpty()
    running = subprocess.Popen((*MODULE, *args), stdin=inside, stdout=inside, stderr=inside)
    os.close(inside)
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
    running.wait(10 * PATIENCE)
    return shown.decode()


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
