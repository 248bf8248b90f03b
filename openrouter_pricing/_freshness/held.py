"""Held: what this process answers from. Pinned: one list, for ever."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from .._prices.catalog import Catalog
from .._prices.origin import Origin, PriceSource
from ..errors import PricingError

if TYPE_CHECKING:
    from .stats import Stats


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


class Pinned:
    """Stands in a cache's place for one list that never changes.

    Args:
        catalog: the list.

    Attributes:
        held: what questions are answered from.
    """

    def __init__(self, catalog: Catalog) -> None:
        self.held = Held(catalog, "pinned")
        self.closed = False
        self.in_use = False

    def current(self) -> Held:
        """The same as ever."""
        return self.held

    def refresh(self, *, trusting: bool = False) -> Catalog:
        """There is nothing to refresh it from.

        Raises:
            PricingError: always.
        """
        raise PricingError("these prices are pinned: there is nothing to refresh them from")

    def stats(self, **more: Any) -> Stats:
        """What the caller counts, and no more."""
        from .stats import Stats  # only who looks pays for it

        return Stats(source="pinned", models=len(self.held.catalog), **more)

    def close(self) -> None:
        """Nothing to let go of."""
