"""What an OpenRouter call costs, exactly, in about a microsecond."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ._clock import Clock
    from .backends import open_backend
    from .breaker import CircuitBreaker
    from .catalog import Catalog
    from .client import Client
    from .cost import Cost, CostLine, PriceRange
    from .endpoints import Endpoint, Endpoints
    from .errors import (
        CatalogUnavailableError,
        CircuitOpenError,
        PayloadError,
        PricingError,
        SettingsError,
        StatusError,
        TransportError,
        UnknownModelError,
        UnknownProviderError,
        UnpricedUsageError,
        UpstreamError,
        VariablePriceError,
    )
    from .markup import Markup
    from .model import Category, Model
    from .origin import PriceList
    from .pricing import Pricing
    from .protocols import Backend, EndpointSource, Source
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
    "Endpoint",
    "EndpointSource",
    "Endpoints",
    "Fetched",
    "Markup",
    "Model",
    "Override",
    "PayloadError",
    "PriceList",
    "PriceRange",
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
    "UnknownProviderError",
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
    "catalog": ("Catalog",),
    "client": ("Client",),
    "cost": ("Cost", "CostLine", "PriceRange"),
    "endpoints": ("Endpoint", "Endpoints"),
    "errors": tuple(name for name in __all__ if name.endswith("Error")),
    "markup": ("Markup",),
    "model": ("Category", "Model"),
    "origin": ("PriceList",),
    "pricing": ("Pricing",),
    "protocols": ("Backend", "EndpointSource", "Source"),
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
