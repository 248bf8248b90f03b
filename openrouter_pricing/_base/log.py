"""Logging without importing ``logging`` before there is something to say: it is a third of this package's import."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import logging


def logger(module: str) -> logging.Logger:
    """The logger of a module; nothing reaches stderr in a host that has not configured logging.

    Where no file can be opened to import ``logging`` from, it keeps silent: the answer matters more.
    """
    try:
        return _logger(module)
    except OSError:
        silent: Any = _Silent()
        return silent  # type: ignore[no-any-return]


@cache
def _logger(module: str) -> logging.Logger:
    import logging

    root = logging.getLogger("openrouter_pricing")
    if not root.handlers:
        root.addHandler(logging.NullHandler())
    return logging.getLogger(module)


class _Silent:
    def __getattr__(self, name: str) -> Any:
        return lambda *_, **__: None
