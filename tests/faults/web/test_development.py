"""What a developer does: the server that reloads, the checks of a project, and programs that end."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from support.figures import Figure
from support.servers import free_port
from support.upstream import Upstream
from support.waiting import until
from support.webapps import FRAMEWORKS, lay
from support.webservers import ask

pytestmark = pytest.mark.web

#: Each process that has the application says on a signal which threads of ours it runs.
SPY = """
import json, os, pathlib, signal, threading

def _say(*_):
    names = [thread.name for thread in threading.enumerate() if thread.name.startswith("openrouter")]
    path = pathlib.Path(__file__).with_name(f"threads-{os.getpid()}")
    path.with_suffix(".part").write_text(json.dumps(names))
    path.with_suffix(".part").rename(path)

signal.signal(signal.SIGUSR1, _say)
"""


def _hear() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # what runs in the background may ignore Ctrl-C


@contextmanager
def developing(framework: str, folder: Path, upstream: Upstream) -> Iterator[tuple[int, int]]:
    """The framework's own server, which reloads; gives its port, and the process that watches."""
    port = free_port()
    if framework == "Flask":
        command = ["-m", "flask", "--app", "app:shop", "run", "--debug", "--port", str(port)]
        spied = folder / "app.py"
    else:
        command = ["manage.py", "runserver", f"127.0.0.1:{port}"]
        spied = folder / "settings.py"
    spied.write_text(SPY + spied.read_text())
    environ = {
        **os.environ,
        "PYTHONPATH": str(folder),
        "OPENROUTER_PRICING_BASE_URL": upstream.url,
        "OPENROUTER_PRICING_BACKEND": f"disk://{folder}/store",
        "OPENROUTER_PRICING_WARM": "true",
    }
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(
            [sys.executable, *command],
            cwd=folder,
            env=environ,
            stdout=log,
            stderr=log,
            start_new_session=True,
            preexec_fn=_hear,  # noqa: PLW1509  # of threads that hold a lock there are none
        )
    try:
        until(lambda: ask(port))
        yield port, server.pid
    finally:
        os.killpg(server.pid, signal.SIGINT)
        try:
            server.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(server.pid, signal.SIGKILL)
            raise
    said = (folder / "log").read_text()
    assert [word for word in ("Traceback", "Exception ignored", "Warning:") if word in said] == []


def threads_of(folder: Path, pid: int) -> list[str]:
    """The threads of ours in a process."""
    path = folder / f"threads-{pid}"
    path.unlink(missing_ok=True)
    os.kill(pid, signal.SIGUSR1)
    until(path.exists)
    names: list[str] = json.loads(path.read_text())
    return names


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_the_reloader(framework: str, tmp_path: Path, upstream: Upstream, figure: Figure) -> None:
    """It starts no thread of ours: one warmer in the process that serves, none in the one that watches."""
    lay(tmp_path, framework)
    with developing(framework, tmp_path, upstream) as (port, watching):
        serving: int = (ask(port) or {})["pid"]
        assert serving != watching
        assert threads_of(tmp_path, serving).count("openrouter-pricing-warmer") == 1
        assert threads_of(tmp_path, watching) == []
        fetched = len(upstream.requests)
        told = tmp_path / "told.py"
        told.write_text(told.read_text() + "\n# changed\n")
        os.utime(told, (time.time() + 5, time.time() + 5))  # a file system may count whole seconds

        def reloaded() -> Any:
            said = ask(port)
            return said is not None and said["pid"] != serving

        until(reloaded)
        again: int = (ask(port) or {})["pid"]
        assert threads_of(tmp_path, again).count("openrouter-pricing-warmer") == 1
        assert fetched == 1
    figure(f"{framework}: the server that reloads", "0 threads of ours in the watcher, 1 warmer in each server")


def manage(folder: Path, *arguments: str, flags: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    """Runs ``manage.py``."""
    return subprocess.run(
        [sys.executable, *flags, "manage.py", *arguments], cwd=folder, capture_output=True, text=True, check=False
    )


def test_broken_settings(tmp_path: Path, figure: Figure) -> None:
    """``manage.py check`` fails with one message, which names the option and no secret, and so does each command."""
    lay(tmp_path, "Django", MARKUP_RAET=2, API_KEY="sk-or-v1-hush", L1_TTL="soon")
    for command in (["check"], ["check", "--deploy"], ["migrate"], ["pricing", "cost", "a/b", "1", "1"]):
        done = manage(tmp_path, *command)
        assert (1, 1) == (done.returncode, done.stderr.count("(openrouter_pricing."))
        assert "(openrouter_pricing.E001) MARKUP_RAET is no option; did you mean MARKUP_RATE" in done.stderr
        assert "hush" not in done.stdout + done.stderr
        assert "Traceback" not in done.stderr
    figure("Django: manage.py check, three options of which two are broken", "1 message, exit status 1")


def test_no_setting_makes_a_migration(tmp_path: Path) -> None:
    """A project with a key of its own for models has nothing to migrate that the app does not bring along."""
    lay(tmp_path, "Django", settings='DEFAULT_AUTO_FIELD = "django.db.models.SmallAutoField"\nUSE_TZ = False')
    done = manage(tmp_path, "makemigrations", "--check", "--dry-run")
    assert (0, "No changes detected\n") == (done.returncode, done.stdout)


ENDS = {
    "Flask": """
from app import shop, other
from openrouter_pricing.flask import current_pricing
for app in (shop, other):
    with app.app_context():
        current_pricing.cost("openai/gpt-4o-mini", 1)
        current_pricing.start_warmer()
""",
    "Django": """
import app
from openrouter_pricing.django import pricing
pricing.cost("openai/gpt-4o-mini", 1)
pricing.start_warmer()
""",
}


@pytest.mark.parametrize("flags", [(), ("-X", "dev"), ("-W", "error")], ids=" ".join)
@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_a_program_that_ends(
    framework: str, flags: tuple[str, ...], tmp_path: Path, upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that asked, and closes nothing, ends without a word, whatever its warning filters."""
    lay(tmp_path, framework, BASE_URL=upstream.url)
    monkeypatch.setenv("OPENROUTER_PRICING_BASE_URL", upstream.url)
    for place in ("memory://", f"disk://{tmp_path}/store"):
        monkeypatch.setenv("OPENROUTER_PRICING_BACKEND", place)
        command = [sys.executable, *flags, "-c", ENDS[framework]]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60)
        assert (0, "", "") == (done.returncode, done.stdout, done.stderr)
    assert upstream.requests


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_commands_end_without_a_word(
    framework: str, tmp_path: Path, upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A command says its answer and nothing else, and prices as the application does."""
    lay(tmp_path, framework)
    monkeypatch.setenv("OPENROUTER_PRICING_BASE_URL", upstream.url)
    monkeypatch.setenv("OPENROUTER_PRICING_BACKEND", "memory://")
    host = ["-m", "flask", "--app", "app:shop"] if framework == "Flask" else ["manage.py"]
    command = [*host, "pricing", "cost", "openai/gpt-4o-mini", "1000", "500", "--json"]
    done = subprocess.run([sys.executable, *command], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (0, "") == (done.returncode, done.stderr)
    assert ("2", "live") == (json.loads(done.stdout)["markup_rate"], json.loads(done.stdout)["source"])
