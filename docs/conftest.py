"""The examples run without a network and see nothing of the machine that they run on."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


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
