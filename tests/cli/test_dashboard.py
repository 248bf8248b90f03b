"""The command dashboard."""

from __future__ import annotations

import http.client
import os
import re
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from support.commands import MAIN, Ask, blocked, process
from support.upstream import Upstream
from support.waiting import PATIENCE

from openrouter_pricing.cli import dashboard as command


@contextmanager
def running(*args: str, url: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The command in a process of its own, with the address that it printed."""
    env = {**os.environ, "OPENROUTER_PRICING_BASE_URL": url, "OPENROUTER_PRICING_BACKEND": "memory://"}
    pipe, hears = subprocess.PIPE, "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"
    words = (sys.executable, "-c", f"{hears}; {MAIN}", "dashboard", *args)  # what runs in the background may ignore it
    started = subprocess.Popen(words, stdout=pipe, stderr=pipe, text=True, env=env)
    try:
        assert started.stdout is not None
        assert select.select([started.stdout], [], [], 10 * PATIENCE)[0], "it printed nothing"
        yield started, started.stdout.readline().strip()
    finally:
        if started.poll() is None:
            started.kill()
        started.communicate()


def get(port: int, path: str, host: str, **headers: str) -> http.client.HTTPResponse:
    """One answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    connection.request("GET", path, headers={"Host": host, **headers})
    answer = connection.getresponse()
    answer.body = answer.read().decode()  # type: ignore[attr-defined]
    connection.close()
    return answer


def test_the_whole_way(upstream: Upstream) -> None:
    """It prints an address whose token lets in once and leaves a cookie; prices are there; Ctrl-C ends it in peace."""
    with running("--port", "0", url=upstream.url) as (started, address):
        found = re.fullmatch(r"http://127\.0\.0\.1:(\d+)(/\?token=([\w-]{43}))", address)
        assert found is not None, address
        port = int(found[1])
        here = f"127.0.0.1:{port}"
        assert 401 == get(port, "/models", here).status
        assert 400 == get(port, found[2], "evil.example").status
        welcome = get(port, found[2], f"localhost:{port}")
        assert (303, "/") == (welcome.status, welcome.headers["Location"])
        page = get(port, "/models", f"[::1]:{port}", Cookie=welcome.headers["Set-Cookie"].partition(";")[0])
        assert (200, True) == (page.status, "OpenAI: GPT-4o-mini" in page.body)  # type: ignore[attr-defined]
        assert "Fresh" in page.body  # type: ignore[attr-defined]
        started.send_signal(signal.SIGINT)
        out, err = started.communicate(timeout=10 * PATIENCE)
    assert ("", 0) == (out, started.returncode)
    assert found[3] not in err
    lines = err.splitlines()
    assert lines[0].startswith("note: it is for one person on this machine")
    assert "127.0.0.1 GET / 303" in lines
    assert "Traceback" not in err


def test_a_port_that_is_taken(ask: Ask) -> None:
    """One line that says so."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        status, out, err = ask("dashboard", "--port", str(taken.getsockname()[1]))
    assert (1, "") == (status, out)
    assert "cannot listen at 127.0.0.1, port" in err


@pytest.mark.parametrize(
    ("host", "shown", "warned"),
    [
        ("127.0.0.1", "127.0.0.1", False),
        ("localhost", "localhost", False),
        ("::1", "[::1]", False),
        ("[::1]", "[::1]", False),
        ("0.0.0.0", "127.0.0.1", True),
    ],
)
def test_where_it_listens(
    ask: Ask, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, host: str, shown: str, warned: bool
) -> None:
    """The address is one that a browser can open; whether others can reach it is said."""
    served: list[Any] = []

    def serve(server: Any) -> None:
        served.append(server.server_address)
        raise KeyboardInterrupt

    monkeypatch.setattr("openrouter_pricing.dashboard.server.OnePerson.serve_forever", serve)
    status, out, err = ask("dashboard", "--host", host, "--port", "0")
    assert 0 == status, err
    assert out.startswith(f"http://{shown}:{served[0][1]}/?token=")
    assert warned == ("can be reached from other machines" in err)


def test_what_is_not_installed() -> None:
    """The extra is named; anything else that cannot be imported is an error of its own."""
    for module in ("jinja2", "werkzeug", "markupsafe"):
        status, out, err = process("dashboard", start=blocked(module, f"ModuleNotFoundError('no', name={module!r})"))
        assert (1, "") == (status, out)
        assert "pip install 'openrouter-pricing[dashboard]'" in err
    status, _, err = process("dashboard", start=blocked("wsgiref.simple_server", "ImportError('no', name='wsgiref')"))
    assert (1, True) == (status, "ImportError: no" in err)
    assert "dashboard" == command.dashboard.name
