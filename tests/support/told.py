"""What the log tells of failures."""

from __future__ import annotations

import logging
from collections.abc import Iterable


def kinds_told(records: Iterable[logging.LogRecord]) -> list[str]:
    """The kinds of failures that warnings tell of, each of which is told once."""
    kinds = [str(vars(record).get("error")) for record in records if record.levelno >= logging.WARNING]
    assert len(kinds) == len(set(kinds)), f"told more than once: {kinds}"
    return kinds


def causes_told(records: Iterable[logging.LogRecord]) -> list[str]:
    """The same without the time limit, where there is another: a busy machine may take longer than it to fail."""
    kinds = kinds_told(records)
    return [kind for kind in kinds if kind != "TimeoutError"] or kinds
