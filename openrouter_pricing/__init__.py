"""What an OpenRouter call costs, exactly, in about a microsecond."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ._clock import Clock
    from .backends import open_backend
    from .breaker import CircuitBreaker
    from .cache import Backend, Source
    from .catalog import Catalog
    from .client import Client
    from .cost import Cost, CostLine
    from .errors import (
        CatalogUnavailableError,
        CircuitOpenError,
        PayloadError,
        PricingError,
        SettingsError,
        StatusError,
        TransportError,
        UnknownModelError,
        UnpricedUsageError,
        UpstreamError,
        VariablePriceError,
    )
    from .model import Category, Model
    from .pricing import Pricing
    from .rates import Override, Rates
    from .settings import Settings
    from .stats import Stats
    from .usage import Usage
    from .wire import Fetched

    __version__: str

__all__ = [
    "Backend",
    "Catalog",
    "CatalogUnavailableError",
    "Category",
    "CircuitBreaker",
    "CircuitOpenError",
    "Client",
    "Clock",
    "Cost",
    "CostLine",
    "Fetched",
    "Model",
    "Override",
    "PayloadError",
    "Pricing",
    "PricingError",
    "Rates",
    "Settings",
    "SettingsError",
    "Source",
    "Stats",
    "StatusError",
    "TransportError",
    "UnknownModelError",
    "UnpricedUsageError",
    "UpstreamError",
    "Usage",
    "VariablePriceError",
    "open_backend",
]


#: Where each name lives; it is imported when it is first asked for (PEP 562).
_HOMES = {
    "_clock": ("Clock",),
    "backends": ("open_backend",),
    "breaker": ("CircuitBreaker",),
    "cache": ("Backend", "Source"),
    "catalog": ("Catalog",),
    "client": ("Client",),
    "cost": ("Cost", "CostLine"),
    "errors": tuple(name for name in __all__ if name.endswith("Error")),
    "model": ("Category", "Model"),
    "pricing": ("Pricing",),
    "rates": ("Override", "Rates"),
    "settings": ("Settings",),
    "stats": ("Stats",),
    "usage": ("Usage",),
    "wire": ("Fetched",),
}


def __getattr__(name: str) -> Any:
    for module, names in _HOMES.items():
        if name in names:
            value = getattr(import_module(f"{__name__}.{module}"), name)
            globals()[name] = value
            return value
    if name == "__version__":
        from importlib.metadata import version

        return version("openrouter-pricing")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
