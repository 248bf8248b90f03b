"""Parquet: sums in a file that other tools read, through pyarrow."""

from __future__ import annotations

import io
from collections.abc import Sequence
from decimal import Decimal
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import click

from .._base import money
from .upkeep import write


def check_parquet() -> None:
    """Whether there is what writes such files.

    Raises:
        click.ClickException: there is not; it says what to install.
    """
    if find_spec("pyarrow") is None:
        raise click.ClickException("--parquet needs an extra; get it with: pip install 'openrouter-pricing[frames]'")


def write_parquet(path: Path, name: str, rows: Sequence[tuple[str, int, Decimal]]) -> None:
    """Write sums, whole or not at all; amounts as decimals with as many places as they need.

    Args:
        path: the file.
        name: of the first column.
        rows: a name, lines and USD each.

    Raises:
        click.ClickException: it cannot be written.
    """
    arrow: Any = import_module("pyarrow")
    names, lines, amounts = ([row[place] for row in rows] for place in range(3))
    columns = [
        arrow.array(names, arrow.string()),
        arrow.array(lines, arrow.int64()),
        arrow.array([*amounts, money.ZERO]).slice(0, len(rows)),  # no amount at all has no type
    ]
    written = io.BytesIO()
    import_module("pyarrow.parquet").write_table(arrow.table(columns, [name, "lines", "usd"]), written)
    write(path, written.getvalue())
