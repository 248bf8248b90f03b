"""A backend that fails or hangs, and costs nobody more than a moment."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from openrouter_pricing.backends.memory import MemoryBackend
from support.freshness import MODEL, Broken, Make, look, priced, settle, source
from support.hands import Hands
from support.upstream import Upstream
from support.waiting import PATIENCE, until

from openrouter_pricing import (
    Pricing,
    Settings,
    open_backend,
)


@pytest.mark.parametrize("method", ["get", "set", "add", "delete"])
def test_a_backend_that_fails_costs_a_counter(
    make_pricing: Make, upstream: Upstream, hands: Hands, method: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A backend that raises is counted each time, logged once, and every question is answered."""
    pricing = make_pricing(backend=Broken(method), clock=hands.clock)
    assert source(pricing) == "live"
    upstream.say(priced("2"))
    pricing.refresh()
    settle()
    hands.turn(61)
    look(pricing)
    assert pricing.cost(MODEL, 1).raw == 2
    assert pricing.stats().backend_errors > 0
    assert caplog.text.count("disk full") == 1


def test_a_backend_that_cannot_be_opened(make_pricing: Make, tmp_path: Path) -> None:
    """A directory that cannot be made is a counter too."""
    (tmp_path / "file").write_text("not a directory")
    pricing = make_pricing(backend=open_backend(f"disk://{tmp_path}/file/store"))
    assert source(pricing) == "live"
    assert pricing.stats().backend_errors > 0


def test_a_backend_whose_opening_fails(upstream: Upstream, monkeypatch: pytest.MonkeyPatch) -> None:
    """A registered backend that raises when it is made costs no question."""
    pricing = Pricing(Settings(base_url=upstream.url, backend="memory://"))
    monkeypatch.setattr("openrouter_pricing.backends.open_backend", lambda url: 1 / 0)
    assert source(pricing) == "live"
    assert pricing.stats().backend_errors > 0
    pricing.close()


@pytest.mark.usefixtures("real_limits")
def test_a_backend_that_hangs(make_pricing: Make, upstream: Upstream, hands: Hands) -> None:
    """A backend that does not come back holds a question up for a second, once, and the later ones not at all; it is
    left alone, and asked again later."""
    release = threading.Event()

    class Hanging(MemoryBackend):
        def get(self, key: str) -> bytes | None:
            asked.append(key)
            release.wait(PATIENCE)
            return super().get(key)

    asked: list[str] = []
    pricing = make_pricing(backend=Hanging(), clock=hands.clock)
    assert source(pricing) == "live"
    assert (len(asked), pricing.stats().backend_errors) == (1, 1)
    release.set()

    def well() -> bool:
        hands.turn(61)
        pricing.cost(MODEL)
        return len(asked) > 1

    until(well)
    errors = pricing.stats().backend_errors
    hands.turn(61)
    look(pricing)
    assert pricing.stats().backend_errors == errors
