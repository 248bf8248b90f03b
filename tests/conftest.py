"""Fixtures: a loopback upstream, a clock with hands, and the recorded data where it is at hand."""

from __future__ import annotations

import gzip
import json
import os
import threading
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from upstream import Upstream

from openrouter_pricing import Clock, Pricing, Settings
from openrouter_pricing._store import Shelf

_SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"


# How long an example takes is the machine's business.
hypothesis.settings.register_profile(
    "unhurried", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("unhurried")

#: Seconds that what is meant to happen may take. No test waits for so long but one that fails.
PATIENCE = 60.0


def until(condition: Callable[[], object]) -> None:
    """Wait for what another thread is about to do."""
    for _ in range(round(PATIENCE * 100)):
        if condition():
            return
        threading.Event().wait(0.01)
    raise AssertionError("it did not happen")


@pytest.fixture
def real_limits() -> None:
    """Ask for this where a store is meant to be given up: its limits are then those of the package."""


@pytest.fixture(autouse=True)
def _patient_stores(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """No store is given up because the machine is busy; its limits are proved by the tests that ask for them."""
    if "real_limits" in request.fixturenames or request.node.get_closest_marker("faults") is not None:
        return
    ask = Shelf.ask
    monkeypatch.setattr(Shelf, "ask", lambda self, work, otherwise, timeout: ask(self, work, otherwise, PATIENCE))
    for name in ("_BUSY", "_FORK_WAIT"):
        monkeypatch.setattr(f"openrouter_pricing.backends.disk.{name}", PATIENCE)


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No option and no proxy of the machine reaches a test, and no test reaches the user's cache."""
    for name in list(os.environ):
        if name.startswith(("OPENROUTER_", "HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "user-cache"))


class Hands:
    """A clock that stands still until a test turns its hands."""

    def __init__(self) -> None:
        self.seconds = 1_000_000.0
        self.wall = datetime(2026, 11, 1, 12, tzinfo=timezone.utc)
        self.chance = 0.5
        self.clock = Clock(monotonic=lambda: self.seconds, utcnow=lambda: self.wall, random=lambda: self.chance)

    def turn(self, seconds: float) -> None:
        """Let so many seconds pass."""
        self.seconds += seconds
        self.wall += timedelta(seconds=seconds)


@pytest.fixture
def hands() -> Hands:
    """A clock that stands still until it is turned."""
    return Hands()


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    """A server in OpenRouter's place that lists one model."""
    server = Upstream()
    yield server
    server.close()


@pytest.fixture
def make_pricing(upstream: Upstream) -> Iterator[Callable[..., Pricing]]:
    """Makes ``Pricing`` objects that ask the upstream and keep nothing, unless told otherwise; closes them.

    They are patient: a deadline that is meant to pass is set, or turned past, by the test.
    """
    made: list[Pricing] = []
    patient = dict.fromkeys(("connect_timeout", "read_timeout", "deadline"), PATIENCE)

    def make(*, clock: Clock | None = None, backend: Any = None, client: Any = None, **options: Any) -> Pricing:
        settings = Settings(**{"base_url": upstream.url, "backend": "null://", "attempts": 1, **patient, **options})
        made.append(Pricing(settings, clock=clock, backend=backend, client=client))
        return made[-1]

    yield make
    for pricing in made:
        pricing.close()


def recorded_names() -> list[str]:
    """The recorded catalogues, if they are at hand."""
    return sorted(path.name for path in (_SHARED / "catalogs").glob("*.json.gz"))


def recorded(name: str) -> dict[str, Any]:
    """One recorded model list, decoded."""
    document: dict[str, Any] = json.loads(gzip.decompress((_SHARED / "catalogs" / name).read_bytes()))
    return document


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of recorded data; tests that need it are skipped where it is missing."""
    if not _SHARED.is_dir():
        pytest.skip("the recorded data is not at hand")
    return _SHARED


Figure = Callable[[str, str], None]


@pytest.fixture
def figure(request: pytest.FixtureRequest) -> Figure:
    """Writes a row of the fault suite and its figure to the terminal, and to the file that ``FAULTS_FIGURES`` names."""

    def write(row: str, text: str) -> None:
        reporter = request.config.pluginmanager.get_plugin("terminalreporter")
        if reporter is not None:
            reporter.write_line(f"    {row}: {text}")
        if path := os.environ.get("FAULTS_FIGURES"):
            with Path(path).open("a") as file:
                file.write(json.dumps({"row": row, "figure": text}) + "\n")

    return write
