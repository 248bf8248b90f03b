"""The examples run without a network and see nothing of the machine that they run on."""

from __future__ import annotations

import itertools
import json
import os
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import openai
import pytest

# The examples import each other by their plain names, as an application's modules do.
sys.path.insert(0, str(Path(__file__).parent / "examples"))

_SAID = {
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


_PRICES = {"prompt": "0.00000015", "completion": "0.0000006", "input_cache_read": "0.000000075"}
_MODELS = {"data": [{"id": "openai/gpt-4o-mini", "pricing": _PRICES}, {"id": "acme/chat", "pricing": _PRICES}]}
_ENDPOINTS = [
    {"provider_name": "Alpha", "tag": "alpha", "pricing": _PRICES},
    {"provider_name": "Beta", "tag": "beta/fp8", "pricing": {"prompt": "0.0000001", "completion": "0.000001"}},
]
_GENERATION = {
    "model": "openai/gpt-4o-mini",
    "created_at": "2026-11-22T00:00:00Z",
    "native_tokens_prompt": 11,
    "native_tokens_completion": 5,
    "total_cost": 0.00000465,
}


class StandIn:
    """Stands in for OpenRouter on this machine, and always says the same, under the ids gen-1, gen-2 and so on.

    Attributes:
        url: what to use as OpenRouter's base URL.
        asked: the paths that were asked for.
    """

    def __init__(self) -> None:
        self.asked: list[str] = []
        stand_in, count = self, itertools.count(1)

        class Answering(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                path = self.path.partition("?")[0].removeprefix("/api/v1")
                stand_in.asked.append(path)
                if path == "/models":
                    self._answer(_MODELS)
                elif path == "/generation":
                    self._answer({"data": _GENERATION})
                else:
                    self._answer({"data": {"id": "acme/chat", "endpoints": _ENDPOINTS}})

            def do_POST(self) -> None:
                request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                stand_in.asked.append(self.path.removeprefix("/api/v1"))
                said = _SAID | {"id": f"gen-{next(count)}"}
                if not request.get("stream"):
                    self._answer(said)
                    return
                body = b": OPENROUTER PROCESSING\n\n"
                for chunk in _chunks(said):
                    body += b"data: " + json.dumps(chunk).encode() + b"\n\n"
                self._send(body + b"data: [DONE]\n\n", "text/event-stream")

            def _answer(self, said: object) -> None:
                self._send(json.dumps(said).encode(), "application/json")

            def _send(self, body: bytes, kind: str) -> None:
                self.send_response(200)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *arguments: object) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
        self.url = f"http://127.0.0.1:{self.server.server_port}/api/v1"


def _chunks(said: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """An answer as a stream: usage comes last, with no choices beside it."""
    head = {name: said[name] for name in ("id", "created", "model")} | {"object": "chat.completion.chunk"}
    for text in ("Hel", "lo", "!"):
        yield head | {"choices": [{"index": 0, "delta": {"role": "assistant", "content": text}}]}
    yield head | {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
    yield head | {"choices": [], "usage": said["usage"]}


@pytest.fixture
def stand_in() -> Iterator[StandIn]:
    """A server on this machine that stands in for OpenRouter."""
    made = StandIn()
    with made.server as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield made
        server.shutdown()


@pytest.fixture
def _answering_client(stand_in: StandIn, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The clients of the openai package ask the stand-in. Pages that need prices from it find it in ``STAND_IN``."""
    made, client, async_client = [], openai.OpenAI, openai.AsyncOpenAI

    def local(*, base_url: str, api_key: str) -> openai.OpenAI:
        assert base_url == "https://openrouter.ai/api/v1"
        made.append(client(base_url=stand_in.url, api_key=api_key))
        return made[-1]

    def local_async(*, base_url: str, api_key: str) -> openai.AsyncOpenAI:
        assert base_url == "https://openrouter.ai/api/v1"
        return async_client(base_url=stand_in.url, api_key=api_key)

    monkeypatch.setenv("STAND_IN", stand_in.url)
    monkeypatch.setenv("OPENROUTER_PRICING_BASE_URL", "https://openrouter.ai/api/v1")
    monkeypatch.setenv("OPENROUTER_API_KEY", "")
    monkeypatch.setattr(openai, "OpenAI", local)
    monkeypatch.setattr(openai, "AsyncOpenAI", local_async)
    yield
    for each in made:
        each.close()
