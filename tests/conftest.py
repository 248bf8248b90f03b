"""Fixtures: a loopback upstream, a clock with hands, and the recorded data where it is at hand."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from support.figures import Figure
from support.hands import Hands
from support.pinned import AS_OF, ROWS
from support.recorded import SHARED
from support.upstream import Upstream
from support.waiting import PATIENCE

from openrouter_pricing import Catalog, Clock, Pricing, Settings
from openrouter_pricing._freshness.guard import GuardedBackend

# How long an example takes is the machine's business.
hypothesis.settings.register_profile(
    "unhurried", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("unhurried")


@pytest.fixture
def real_limits() -> None:
    """Ask for this where a store is meant to be given up: its limits are then those of the package."""


@pytest.fixture(autouse=True)
def _patient_stores(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """No store is given up because the machine is busy; its limits are proved by the tests that ask for them."""
    marked = any(request.node.get_closest_marker(name) is not None for name in ("faults", "fleet", "history"))
    if "real_limits" in request.fixturenames or marked:
        return
    ask, close = GuardedBackend.ask, GuardedBackend.close
    monkeypatch.setattr(
        GuardedBackend, "ask", lambda self, work, otherwise, timeout: ask(self, work, otherwise, PATIENCE)
    )
    monkeypatch.setattr(GuardedBackend, "close", lambda self, timeout=PATIENCE: close(self, PATIENCE))
    monkeypatch.setattr("openrouter_pricing._freshness.guard.READ", PATIENCE)
    for name in ("_BUSY", "_FORK_WAIT"):
        monkeypatch.setattr(f"openrouter_pricing.backends.disk.{name}", PATIENCE)


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No option and no proxy of the machine reaches a test, and no test reaches the user's cache."""
    monkeypatch.setattr(sys, "path", [*sys.path])  # the commands of frameworks put their folder there
    for name in list(os.environ):
        if name.startswith(("OPENROUTER_", "HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "user-cache"))


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
def pinned() -> Pricing:
    """Prices that never change."""
    return Pricing(Settings(), catalog=Catalog.from_models(ROWS, as_of=AS_OF))


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


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of recorded data; tests that need it are skipped where it is missing."""
    if not SHARED.is_dir():
        pytest.skip("the recorded data is not at hand")
    return SHARED


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
