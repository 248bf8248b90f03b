"""Lists over time: where they are kept, and who is told when prices change."""

from __future__ import annotations

from importlib import import_module

TYPE_CHECKING = False  # type checkers read it as true
if TYPE_CHECKING:
    from typing import Any

    from .._history.bundled import BundledHistory
    from .._history.periods import HistoryStore, PricePeriod, RecordedChange, RecordedList, RecordedPeriod
    from .alerts import Notifier
    from .courier import NotifierStats
    from .store import SqlHistory
    from .webhook import Slack, Webhook

__all__ = [
    "BundledHistory",
    "HistoryStore",
    "Notifier",
    "NotifierStats",
    "PricePeriod",
    "RecordedChange",
    "RecordedList",
    "RecordedPeriod",
    "Slack",
    "SqlHistory",
    "Webhook",
]

#: Where each name lives; it is imported when it is first asked for (PEP 562).
_HOMES = {
    ".._history.bundled": ("BundledHistory",),
    ".._history.periods": ("HistoryStore", "PricePeriod", "RecordedChange", "RecordedList", "RecordedPeriod"),
    ".alerts": ("Notifier",),
    ".courier": ("NotifierStats",),
    ".store": ("SqlHistory",),
    ".webhook": ("Slack", "Webhook"),
}


def __getattr__(name: str) -> Any:
    for module, names in _HOMES.items():
        if name in names:
            value = getattr(import_module(module, __name__), name)
            globals()[name] = value
            return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
