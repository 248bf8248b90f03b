"""The Django app: the project's prices, checks, commands, filters, and a page in the admin; the extra ``django``.

Add ``"openrouter_pricing.django"`` to ``INSTALLED_APPS``. Options come from ``OPENROUTER_PRICING`` of the settings.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .conf import prices_changed, pricing

if TYPE_CHECKING:
    from .history import DjangoHistory

__all__ = ["DjangoHistory", "prices_changed", "pricing"]


def __getattr__(name: str) -> Any:
    if name == "DjangoHistory":  # its models can be imported when all apps are
        from .history import DjangoHistory

        return DjangoHistory
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
