"""The snapshot that the package carries, for when there is nothing better."""

from __future__ import annotations

import os
import zlib
from typing import Any

from .._base.log import logger
from .._prices.catalog import Catalog
from ..errors import CatalogUnavailableError, PayloadError

_GZIP = 31  # what zlib calls that format
_kept: list[bytes] = []


def keep_at_hand() -> None:
    """Read the file, 24 KB, while files can be opened: who needs the snapshot may have no descriptor left."""
    if not _kept:
        loader: Any = __spec__.loader  # which knows the way into a zip file too
        try:
            _kept.append(loader.get_data(os.path.join(os.path.dirname(__file__), "snapshot.gz")))
        except OSError:
            return  # whoever asks for it is told


def load_bundled() -> Catalog:
    """The bundled catalogue; logs one warning, as its prices may be out of date.

    Raises:
        CatalogUnavailableError: the installation is broken.
    """
    keep_at_hand()
    try:
        catalog = Catalog.loads(zlib.decompress(_kept[0] if _kept else b"", _GZIP))
    except (zlib.error, PayloadError) as error:
        raise CatalogUnavailableError("the bundled snapshot is missing or damaged: install the package anew") from error
    logger(__name__).warning(
        "no live prices are at hand: answering from the bundled snapshot of %s",
        catalog.as_of.date(),
        extra={"as_of": catalog.as_of.isoformat()},
    )
    return catalog
