"""Origin, PriceList: which price list is meant."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, NamedTuple, Protocol, TypeAlias

from .rates import Rates

#: What priced a call.
PriceSource: TypeAlias = Literal["live", "stale", "bundled", "pinned", "reported"]


class Origin(NamedTuple):
    """Which price list was applied.

    Args:
        source: "live", "stale", "bundled", "pinned", or "reported" where none was.
        as_of: when those prices were fetched (aware UTC).
        digest: SHA-256 of the rows of that list, in hexadecimal.
    """

    source: PriceSource
    as_of: datetime | None = None
    digest: str | None = None


PINNED = Origin("pinned")


class _Listed(Protocol):
    @property
    def rates(self) -> Rates: ...


class PriceList(Protocol):
    """What a cost can be replayed on: a ``Catalog``, or the ``Endpoints`` of its model."""

    @property
    def as_of(self) -> datetime: ...
    @property
    def digest(self) -> str: ...
    def __getitem__(self, name: str, /) -> _Listed: ...
