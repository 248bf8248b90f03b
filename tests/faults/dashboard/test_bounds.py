"""How long a page takes, and how many may press at the door."""

from __future__ import annotations

import http.client
import json
import os
import re
import resource
import select
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.commands import MODULE
from support.figures import Figure
from support.pages import reader
from support.waiting import PATIENCE

from openrouter_pricing import Catalog, Pricing
from openrouter_pricing.dashboard import server
from openrouter_pricing.data import load_bundled

pytestmark = pytest.mark.dashboard

MANY = 10_000  # connections
OTHERS = 500  # descriptors of this process beside them


def fastest(work: Callable[[], Any]) -> float:
    """Seconds, the least of several tries."""
    times = []
    for _ in range(15):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return min(times)


def test_a_page_of_400_models(figure: Figure) -> None:
    """It takes no more than ten times as long as ``json.dumps`` of the same rows."""
    models = load_bundled().find()[:400]
    client = reader(Pricing(catalog=Catalog.from_models([model.raw for model in models])))
    rows = [model.to_dict() for model in models]
    assert 400 == client.get("/models").text.count('<th scope="row">')
    page, floor = fastest(lambda: client.get("/models")), fastest(lambda: json.dumps(rows))
    ratio = page / floor
    figure("a page of 400 models", f"{ratio:.1f} times `json.dumps` of the same rows")
    assert ratio <= 10


def test_slow_clients_at_the_door(figure: Figure, tmp_path: Path) -> None:
    """Thousands that say nothing hold 16 places and no more; when these have gone, the one person is served again."""
    highest, wanted = resource.getrlimit(resource.RLIMIT_NOFILE)[1], MANY + OTHERS
    limit = wanted if highest == resource.RLIM_INFINITY else min(highest, wanted)
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, highest))
    many = limit - OTHERS
    env = {**os.environ, "OPENROUTER_PRICING_OFFLINE": "true", "OPENROUTER_PRICING_BACKEND": "memory://"}
    pipe = subprocess.PIPE
    crowd: list[socket.socket] = []
    with subprocess.Popen(
        (*MODULE, "dashboard", "--port", "0"), stdout=pipe, stderr=subprocess.DEVNULL, env=env, cwd=tmp_path
    ) as started:
        try:
            assert started.stdout is not None
            assert select.select([started.stdout], [], [], 10 * PATIENCE)[0]
            found = re.search(rb":(\d+)/\?token=(\S+)", started.stdout.readline())
            assert found is not None
            port = int(found[1])
            crowd += (socket.create_connection(("127.0.0.1", port), PATIENCE) for _ in range(many))
            threads = len(os.listdir(f"/proc/{started.pid}/task"))
            refused = sum(b"503" in _answer(each) for each in crowd[server.MOST :])
            began = time.monotonic()
            status = _status(port, found[2].decode())
            while status != 200 and time.monotonic() - began < PATIENCE:
                for each in crowd:
                    each.close()
                status = _status(port, found[2].decode())
        finally:
            started.kill()
            for each in crowd:
                each.close()
    figure(
        f"{many:,} slow clients", f"{refused:,} refused at once, {threads} threads; served again after they had gone"
    )
    assert 200 == status
    assert 0.9 * many < refused <= many - server.MOST  # who holds a place loses it after ten seconds to the next
    assert threads <= 24


def _answer(connection: socket.socket) -> bytes:
    try:
        return connection.recv(65536)
    except OSError:
        return b""


def _status(port: int, token: str) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    try:
        connection.request("GET", "/healthz", headers={"Authorization": f"Bearer {token}"})
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return 0
    finally:
        connection.close()
