"""Real web servers that fork, with several workers that a test asks until each has answered."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from support.upstream import Upstream

INTERVAL = 1.0  # seconds between two rounds of a warmer, ±10 %
SLACK = 2.0
WORKERS = 4


def ask(port: int, path: str = "/") -> dict[str, Any] | None:
    """What one worker says; None where nobody answers yet."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as response:
            said: dict[str, Any] = json.loads(response.read())
            return said
    except (OSError, ValueError):
        return None


def seen(port: int, good: Callable[[dict[str, Any]], bool], seconds: float, count: int = WORKERS) -> dict[int, Any]:
    """Ask, several at a time so that every worker gets some, until so many workers have given a good answer."""
    found: dict[int, Any] = {}
    until = time.monotonic() + seconds
    with ThreadPoolExecutor(2 * WORKERS) as askers:
        while len(found) < count:
            assert time.monotonic() < until, f"only {found} within {seconds} s"
            for said in askers.map(ask, [port] * 2 * WORKERS):
                if said is not None and good(said):
                    found[said["pid"]] = said
    return found


@contextmanager
def serving(command: list[str], port: int, folder: Path, upstream: Upstream, **environ: str) -> Iterator[int]:
    """Run a server until the end of the block; gives the process id of its master."""
    environment = {
        **os.environ,
        "PYTHONPATH": str(folder),
        "OPENROUTER_PRICING_BASE_URL": upstream.url,
        "OPENROUTER_PRICING_BACKEND": f"disk://{folder}/store",
        "OPENROUTER_PRICING_WARM": "true",
        "OPENROUTER_PRICING_WARM_INTERVAL": str(INTERVAL),
        "OPENROUTER_PRICING_DEADLINE": "3",
        **environ,
    }
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log, start_new_session=True)
    try:
        yield server.pid
        assert server.poll() is None, (folder / "log").read_text()[-2000:]
    finally:
        server.terminate()
        try:
            server.wait(15)
        except subprocess.TimeoutExpired:
            os.killpg(server.pid, signal.SIGKILL)
            server.wait(5)
            raise
    log_of_all = (folder / "log").read_text()
    assert [word for word in ("Traceback", "Exception ignored", "ResourceWarning") if word in log_of_all] == []


def gunicorn(port: int, *options: str) -> list[str]:
    """A gunicorn of four workers."""
    return [sys.executable, "-m", "gunicorn", "-w", str(WORKERS), "-b", f"127.0.0.1:{port}", *options, "app:app"]


def uwsgi(port: int, *options: str) -> list[str]:
    """A uWSGI of four workers."""
    program = Path(sys.executable).with_name("uwsgi")
    found = str(program) if program.exists() else shutil.which("uwsgi")
    if found is None:
        pytest.skip("uWSGI is not installed")
    home = ["--virtualenv", sys.prefix] if sys.prefix != sys.base_prefix else []
    return [
        *[found, "--http-socket", f"127.0.0.1:{port}", "--master", "--processes", str(WORKERS), "--die-on-term"],
        *[*home, "--need-app", "--module", "app:app", "--thunder-lock", *options],
    ]
