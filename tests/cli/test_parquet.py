"""Sums in a file that other tools read."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from openrouter_pricing.cli.parquet import check_parquet, write_parquet


def test_nothing_is_half_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What cannot be written leaves what was there, and nothing beside it."""
    parquet = pytest.importorskip("pyarrow.parquet")
    path = tmp_path / "sums.parquet"
    write_parquet(path, "day", [("2026-08-14", 1, Decimal("0.1"))])
    monkeypatch.setattr("os.replace", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(Exception, match="No space left on device"):
        write_parquet(path, "day", [])

    assert None is check_parquet()
    assert [path] == list(tmp_path.iterdir())
    assert [Decimal("0.1")] == parquet.read_table(path)["usd"].to_pylist()
