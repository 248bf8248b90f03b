"""Held: what this process answers from."""

from __future__ import annotations

import math
from typing import Any

from .._prices.catalog import Catalog
from .._prices.origin import Origin, PriceSource


class Held:
    """What this process answers from, until its clock says to look again.

    Attributes:
        catalog: the models.
        origin: what costs say of it; its ``source`` is "live", "stale", "bundled" or "pinned".
        until: reading of the monotonic clock up to which nobody needs to look.
        prices: a drawer for whoever answers from it; kept for as long as the rows are the same.
    """

    __slots__ = ("catalog", "origin", "prices", "until")

    def __init__(self, catalog: Catalog, source: PriceSource, until: float = math.inf) -> None:
        self.catalog: Catalog = catalog
        self.origin: Origin = Origin(source, catalog.as_of, catalog.digest)
        self.until: float = until
        self.prices: dict[str, Any] = {}
