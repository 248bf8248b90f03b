"""Logging without importing ``logging`` before there is something to say: it is a third of this package's import."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import logging


@cache
def logger(module: str) -> logging.Logger:
    """The logger of a module; nothing reaches stderr in a host that has not configured logging."""
    import logging

    root = logging.getLogger("openrouter_pricing")
    if not root.handlers:
        root.addHandler(logging.NullHandler())
    return logging.getLogger(module)
