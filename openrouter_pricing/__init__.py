"""What an OpenRouter call costs, exactly, in about a microsecond."""

from __future__ import annotations

from importlib import import_module

TYPE_CHECKING = False  # type checkers read it as true; importing typing would take half as long as all the rest
if TYPE_CHECKING:
    from typing import Any

    from ._base.clock import Clock
    from ._billing.cost import Cost, CostLine, PriceRange
    from ._billing.markup import Markup
    from ._billing.stream import StreamCost
    from ._billing.total import Total
    from ._billing.usage import Usage
    from ._freshness.breaker import CircuitBreaker
    from ._freshness.protocols import Backend, EndpointSource, Source
    from ._freshness.stats import Stats
    from ._http.client import Client
    from ._prices.catalog import Catalog
    from ._prices.changes import CatalogChange, Move, PriceChange
    from ._prices.endpoints import Endpoint, Endpoints
    from ._prices.model import Category, Model
    from ._prices.origin import PriceList
    from ._prices.rates import Override, Rates
    from ._prices.wire import Fetched
    from .backends import open_backend
    from .errors import (
        CatalogUnavailableError,
        CircuitOpenError,
        PayloadError,
        PricingError,
        ResponseError,
        SettingsError,
        StatusError,
        TransportError,
        UnknownModelError,
        UnknownProviderError,
        UnpricedUsageError,
        UpstreamError,
        VariablePriceError,
    )
    from .health import Check, Health
    from .pricing import Pricing
    from .settings import Settings

    __version__: str

__all__ = [
    "Backend",
    "Catalog",
    "CatalogChange",
    "CatalogUnavailableError",
    "Category",
    "Check",
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
    "Health",
    "Markup",
    "Model",
    "Move",
    "Override",
    "PayloadError",
    "PriceChange",
    "PriceList",
    "PriceRange",
    "Pricing",
    "PricingError",
    "Rates",
    "ResponseError",
    "Settings",
    "SettingsError",
    "Source",
    "Stats",
    "StatusError",
    "StreamCost",
    "Total",
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
    "_base.clock": ("Clock",),
    "_billing.cost": ("Cost", "CostLine", "PriceRange"),
    "_billing.markup": ("Markup",),
    "_billing.stream": ("StreamCost",),
    "_billing.total": ("Total",),
    "_billing.usage": ("Usage",),
    "_freshness.breaker": ("CircuitBreaker",),
    "_freshness.protocols": ("Backend", "EndpointSource", "Source"),
    "_freshness.stats": ("Stats",),
    "_http.client": ("Client",),
    "_prices.catalog": ("Catalog",),
    "_prices.changes": ("CatalogChange", "Move", "PriceChange"),
    "_prices.endpoints": ("Endpoint", "Endpoints"),
    "_prices.model": ("Category", "Model"),
    "_prices.origin": ("PriceList",),
    "_prices.rates": ("Override", "Rates"),
    "_prices.wire": ("Fetched",),
    "backends": ("open_backend",),
    "errors": tuple(name for name in __all__ if name.endswith("Error")),
    "health": ("Check", "Health"),
    "pricing": ("Pricing",),
    "settings": ("Settings",),
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
