"""Clients of the test's own, and fetches in threads."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from typing import Any

from openrouter_pricing import Client, Settings, TransportError
from support.waiting import PATIENCE

NOW = datetime(2026, 11, 1, 12, tzinfo=timezone.utc)
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


def quick(url: str, **options: Any) -> Client:
    """A client that tries once, and is in no hurry."""
    patient = dict.fromkeys(("connect_timeout", "read_timeout", "deadline"), PATIENCE)
    return Client(Settings(**{"base_url": url, "attempts": 1, **patient, **options}), utcnow=lambda: NOW)


@contextmanager
def failing(client: Client, times: int = 1) -> Iterator[list[str]]:
    """So many fetches, each in a thread of its own; gives what went wrong in them, complete once they have ended."""
    failures: list[str] = []

    def fetch() -> None:
        try:
            client.fetch()
        except TransportError as error:
            failures.append(str(error))

    threads = [threading.Thread(target=fetch) for _ in range(times)]
    for thread in threads:
        thread.start()
    yield failures
    for thread in threads:
        thread.join(PATIENCE)
        assert not thread.is_alive()
