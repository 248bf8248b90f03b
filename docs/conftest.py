"""The examples run without a network and see nothing of the machine that they run on."""

from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import openai
import pytest

# The examples import each other by their plain names, as an application's modules do.
sys.path.insert(0, str(Path(__file__).parent / "examples"))

_SAID = {
    "id": "gen-1",
    "object": "chat.completion",
    "created": 1795305600,
    "model": "openai/gpt-4o-mini",
    "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "Hello!"}}],
    "usage": {"prompt_tokens": 11, "completion_tokens": 9, "total_tokens": 20, "cost": 0.00000705},
}


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """``Pricing()`` answers from the bundled snapshot and keeps nothing."""
    for name in list(os.environ):
        if name.startswith("OPENROUTER_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("OPENROUTER_PRICING_OFFLINE", "true")
    monkeypatch.setenv("OPENROUTER_PRICING_BACKEND", "memory://")
    monkeypatch.setenv("COLUMNS", "160")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)


class _Answering(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        body = json.dumps(_SAID).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments: object) -> None:
        """Say nothing."""


@pytest.fixture
def _answering_client(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The client of the openai package asks a server on this machine, which always says the same."""
    made, client = [], openai.OpenAI

    def local(*, base_url: str, api_key: str) -> openai.OpenAI:
        assert base_url == "https://openrouter.ai/api/v1"
        made.append(client(base_url=f"http://127.0.0.1:{server.server_port}/api/v1", api_key=api_key))
        return made[-1]

    with ThreadingHTTPServer(("127.0.0.1", 0), _Answering) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        monkeypatch.setattr(openai, "OpenAI", local)
        yield
        for each in made:
            each.close()
        server.shutdown()
