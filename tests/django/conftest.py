"""A small project, whose prices come from the stand-in."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.management import call_command
from django.test import override_settings
from support.project import FOLDER
from support.upstream import Upstream

from openrouter_pricing.django import pricing


@pytest.fixture(scope="session", autouse=True)
def _migrated() -> Iterator[None]:
    """The project's database has its tables."""
    call_command("migrate", verbosity=0)
    call_command("createcachetable", verbosity=0)
    yield
    assert FOLDER.is_dir()


@pytest.fixture
def options(upstream: Upstream) -> Iterator[dict[str, Any]]:
    """What the settings of the project say of prices."""
    given = {"BASE_URL": upstream.url, "BACKEND": "memory://", "ATTEMPTS": 1}
    with override_settings(OPENROUTER_PRICING=given):
        yield given
        pricing.close()
