"""Starts each application of the examples for real, and asks it over HTTP."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

EXAMPLES = Path(__file__).resolve().parent / "examples"
PATIENCE = 60  # seconds


class App:
    """A running application.

    Args:
        port: where it listens.
    """

    def __init__(self, port: int) -> None:
        self._url = f"http://127.0.0.1:{port}"

    def ask(self, path: str, body: Any = None, **headers: str) -> tuple[int, Any, Any]:
        """Status, headers, and what it says: JSON, or a page."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self._url + path, data, {"Content-Type": "application/json", **headers})
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
                return answer.status, answer.headers, _read(answer)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.headers, _read(error)

    def is_up(self) -> bool:
        """Whether somebody answers."""
        try:
            self.ask("/")
        except OSError:
            return False
        return True


def _read(answer: Any) -> Any:
    text = answer.read().decode()
    return json.loads(text) if "json" in answer.headers.get("Content-Type", "") else text


@contextmanager
def running(folder: Path, upstream: str, command: Callable[[int], list[str]], **environ: str) -> Iterator[App]:
    """An application while the block runs; it ends without a word of anything that went wrong."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
    environment = {
        **os.environ,
        "PYTHONPATH": str(EXAMPLES),
        "OPENROUTER_PRICING_OFFLINE": "false",
        "OPENROUTER_PRICING_BASE_URL": upstream,
        "OPENROUTER_URL": upstream,
        "OPENROUTER_API_KEY": "sk-or-v1-example",
        **environ,
    }
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen([sys.executable, *command(port)], cwd=folder, env=environment, stdout=log, stderr=log)
    app = App(port)
    try:
        for _ in range(PATIENCE * 20):
            if app.is_up():
                break
            assert server.poll() is None, (folder / "log").read_text()
            threading.Event().wait(0.05)
        yield app
    finally:
        server.terminate()
        server.wait(PATIENCE)
    said = (folder / "log").read_text()
    assert [word for word in ("Traceback", "Exception ignored", "Warning:") if word in said] == [], said


def gunicorn(name: str) -> Callable[[int], list[str]]:
    """The command that serves an application by gunicorn."""
    return lambda port: ["-m", "gunicorn", "-b", f"127.0.0.1:{port}", "-w", "2", name]


def test_flask(tmp_path: Path, stand_in: Any) -> None:
    """It estimates at prices that it fetched, meters what a request called for, and turns errors into answers."""
    with running(tmp_path, stand_in.url, gunicorn("flask_app:create_app()")) as app:
        status, headers, said = app.ask("/estimate?model=openai/gpt-4o-mini&prompt=1000&completion=500")
        assert (status, said["cost"]["total"], said["cost"]["source"]) == (200, "0.000675000", "live")
        assert headers["X-Charged-USD"] is None
        status, headers, said = app.ask("/ask", {"text": "Say hello."})
        assert (status, said["charged"], said["receipt"]["raw"]) == (200, "0.000010575", "0.00000705")
        assert headers["X-Charged-USD"] == said["charged"]
        assert app.ask("/estimate?model=openai/gpt-4o-mino&prompt=1&completion=1")[::2] == (
            404,
            {
                "error": "unknown model 'openai/gpt-4o-mino'; did you mean 'openai/gpt-4o-mini'?",
                "suggestions": ["openai/gpt-4o-mini"],
            },
        )
    assert "/chat/completions" in stand_in.asked


@pytest.mark.parametrize("name", ["starlette_app:app", "fastapi_app:app"])
def test_asgi(name: str, tmp_path: Path, stand_in: Any) -> None:
    """It has fetched its prices before the first request, and answers on the event loop."""

    def uvicorn(port: int) -> list[str]:
        return ["-m", "uvicorn", name, "--port", str(port), "--log-level", "warning"]

    with running(tmp_path, stand_in.url, uvicorn) as app:
        assert stand_in.asked == ["/models"]
        status, _, said = app.ask("/estimate?model=openai/gpt-4o-mini&prompt=1000&completion=500")
        assert (status, said["total"], said["source"]) == (200, "0.000585000", "live")
        assert app.ask("/estimate?model=openai/gpt-4o-mino")[0] == 404
        assert app.ask("/estimate?model=openai/gpt-4o-mini&prompt=-1")[0] in (400, 422)
    assert stand_in.asked == ["/models"]


def test_django(tmp_path: Path, stand_in: Any) -> None:
    """It has its tables, passes its checks and its tests, and charges the customer whose key was sent once."""
    folder = tmp_path / "project"
    shutil.copytree(EXAMPLES / "django_project", folder)

    def manage(*command: str) -> str:
        done = subprocess.run(
            [sys.executable, "manage.py", *command], cwd=folder, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert manage("check") == "System check identified no issues (0 silenced).\n"
    assert manage("makemigrations", "--check", "--dry-run") == "No changes detected\n"
    manage("migrate", "-v0")
    manage("test", "-v0")
    manage("shell", "-c", "from billed.models import Customer; Customer.objects.create(name='Ann', key='k-1')")
    with running(folder, stand_in.url, gunicorn("wsgi"), PYTHONPATH=str(folder)) as app:
        status, _, said = app.ask("/estimate?model=openai/gpt-4o-mini&prompt=1000&completion=500")
        assert (status, said["total"], said["source"]) == (200, "0.000675000", "live")
        assert app.ask("/ask", {"text": "Say hello."})[0] == 401
        status, _, said = app.ask("/ask", {"text": "Say hello."}, Authorization="Bearer k-1")
        assert (status, said) == (200, {"said": "Hello!", "charged": "0.000010575000"})
        assert "/admin/login/" in str(app.ask("/prices/")[2])
    told = "from billed.models import Charge; charge = Charge.objects.get(); print(charge.total, charge.receipt['raw'])"
    assert manage("shell", "-c", told).splitlines()[-1] == "0.000010575000 0.00000705"
    assert "openai/gpt-4o-mini" in manage("pricing", "history", "openai/gpt-4o-mini")
