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


def read(name: str) -> bytes:
    """One of the files beside this one.

    Raises:
        OSError: it cannot be read.
    """
    loader: Any = __spec__.loader  # which knows the way into a zip file too
    content: bytes = loader.get_data(os.path.join(os.path.dirname(__file__), name))
    return content


def keep_at_hand() -> None:
    """Read the file, 15 KB, while files can be opened: who needs the snapshot may have no descriptor left."""
    if not _kept:
        try:
            _kept.append(read("snapshot.gz"))
        except OSError:
            return  # whoever asks for it is told


def read_bundled() -> Catalog:
    """The bundled catalogue.

    Raises:
        CatalogUnavailableError: the installation is broken.
    """
    keep_at_hand()
    try:
        return Catalog.loads(zlib.decompress(_kept[0] if _kept else b"", _GZIP))
    except (zlib.error, PayloadError) as error:
        raise CatalogUnavailableError("the bundled snapshot is missing or damaged: install the package anew") from error


def load_bundled() -> Catalog:
    """The same, to answer from; logs one warning, as its prices may be out of date.

    Raises:
        CatalogUnavailableError: as for :func:`read_bundled`.
    """
    catalog = read_bundled()
    logger(__name__).warning(
        "no live prices are at hand: answering from the bundled snapshot of %s",
        catalog.as_of.date(),
        extra={"as_of": catalog.as_of.isoformat()},
    )
    return catalog
