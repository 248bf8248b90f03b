"""The recorded data, where it is at hand."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"


def recorded_names() -> list[str]:
    """The recorded catalogues, if they are at hand."""
    return sorted(path.name for path in (SHARED / "catalogs").glob("*.json.gz"))


#: For tests of one recorded catalogue; they are skipped where none is at hand.
each_day = pytest.mark.parametrize(
    "name",
    recorded_names() or [pytest.param("", marks=pytest.mark.skip(reason="the recorded data is not at hand"))],
)


def recorded(name: str) -> dict[str, Any]:
    """One recorded model list, decoded."""
    document: dict[str, Any] = json.loads(gzip.decompress((SHARED / "catalogs" / name).read_bytes()))
    return document
