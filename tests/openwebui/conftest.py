"""The module of one line, in front of an upstream; a repository of the test's own; the clock that the caches see."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from support.upstream import Upstream
from support.waiting import PATIENCE
from support.webui import ROWS, CacheClock, Fixed

from openrouter_pricing import openwebui
from openrouter_pricing.openwebui import cache as caches
from openrouter_pricing.openwebui import metrics


@pytest.fixture
def legacy(upstream: Upstream, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """``open_webui.utils.openrouter_models``, a module of one line, in front of an upstream that lists eight models."""
    upstream.say(*ROWS, etag='"one"')
    patient = dict.fromkeys(("CONNECT_TIMEOUT", "READ_TIMEOUT", "DEADLINE"), str(PATIENCE))
    options = {"BASE_URL": upstream.url, "BACKEND": "memory://", "ATTEMPTS": "1", **patient}
    for name, value in options.items():
        monkeypatch.setenv(f"OPENROUTER_PRICING_{name}", value)
    package = tmp_path / "open_webui" / "utils"
    package.mkdir(parents=True)
    for folder in (package.parent, package):
        (folder / "__init__.py").touch()
    (package / "openrouter_models.py").write_text("from openrouter_pricing.openwebui import *  # noqa\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    module = importlib.import_module("open_webui.utils.openrouter_models")
    yield module
    openwebui._SHARED.close()
    openwebui._SHARED._models = ("", [])
    openwebui.metrics._operations.clear()
    for name in [name for name in sys.modules if name.startswith("open_webui")]:
        del sys.modules[name]


@pytest.fixture
def cache_clock(monkeypatch: pytest.MonkeyPatch) -> CacheClock:
    """A clock that is turned by hand."""
    clock = CacheClock()
    monkeypatch.setattr(caches, "time", clock)
    metrics._operations.clear()
    return clock


@pytest.fixture
def fixed() -> Fixed:
    """A repository that answers from memory."""
    return Fixed()
