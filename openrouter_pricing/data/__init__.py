"""The snapshot that the package carries, for when there is nothing better."""

from __future__ import annotations

import gzip
import pkgutil

from .._base.log import logger
from .._prices.catalog import Catalog
from ..errors import CatalogUnavailableError, PayloadError


def load_bundled() -> Catalog:
    """The bundled catalogue; logs one warning, as its prices may be out of date.

    Raises:
        CatalogUnavailableError: the installation is broken.
    """
    try:
        catalog = Catalog.loads(gzip.decompress(pkgutil.get_data("openrouter_pricing.data", "snapshot.gz") or b""))
    except (OSError, EOFError, PayloadError) as error:
        raise CatalogUnavailableError("the bundled snapshot is missing or damaged: install the package anew") from error
    logger(__name__).warning(
        "no live prices are at hand: answering from the bundled snapshot of %s",
        catalog.as_of.date(),
        extra={"as_of": catalog.as_of.isoformat()},
    )
    return catalog
