"""The command line asks the stand-in, in this process."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.commands import Ask
from support.logs import CATALOG
from support.upstream import Upstream, row

from openrouter_pricing.cli import run


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch, upstream: Upstream, tmp_path: Path) -> None:
    """The command line asks the stand-in, and no habit of the machine colours what it prints."""
    for name in ("FORCE_COLOR", "NO_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("OPENROUTER_PRICING_BASE_URL", upstream.url)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def ask(capsys: pytest.CaptureFixture[str]) -> Ask:
    """Runs a command in this process: status, stdout, stderr."""

    def command(*args: str) -> tuple[int, str, str]:
        status = run(args)
        out, err = capsys.readouterr()
        return status, out, err

    return command


@pytest.fixture
def stored_prices(_environment: None, tmp_path: Path) -> None:
    """Stored prices lie where the command is run."""
    (tmp_path / "prices").write_bytes(CATALOG.dumps())


@pytest.fixture
def audit(stored_prices: None, ask: Ask) -> Ask:
    """Runs an audit at the stored prices in this process: status, stdout, stderr."""
    return lambda *args: ask("audit", *args, "--catalog", "prices")


@pytest.fixture
def several(upstream: Upstream) -> None:
    """A list with one of everything."""
    upstream.say(
        row("b/dear", name="zeta", context_length=10, pricing={"prompt": "0.00006", "completion": "0.00006"}),
        row("c/router", name="eta", context_length=None, pricing={"prompt": "-1", "completion": "-1"}),
        row("a/cheap", name="Alpha", context_length=30, pricing={"prompt": "0.0000001", "completion": "0"}),
        row(
            "d/embed",
            name="beta",
            context_length=20,
            architecture={"input_modalities": ["text"], "output_modalities": ["embeddings"]},
            supported_parameters=[],
            pricing={"prompt": "0.000002", "completion": "0"},
        ),
    )
