"""The snapshot that the package carries, for when there is nothing better."""

from __future__ import annotations

import gzip
import pkgutil

from ._log import logger
from .catalog import Catalog


def load_bundled() -> Catalog:
    """The bundled catalogue; logs one warning, as its prices may be out of date."""
    data = pkgutil.get_data("openrouter_pricing.data", "snapshot.gz")
    catalog = Catalog.loads(gzip.decompress(data or b""))
    logger(__name__).warning(
        "no live prices are at hand: answering from the bundled snapshot of %s",
        catalog.as_of.date(),
        extra={"as_of": catalog.as_of.isoformat()},
    )
    return catalog
