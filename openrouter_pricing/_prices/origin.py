"""Origin, PriceList: which price list is meant."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, Literal, Protocol, TypeAlias

import attrs

from .rates import Rates

#: What priced a call.
PriceSource: TypeAlias = Literal["live", "stale", "bundled", "pinned", "history", "reported"]


def _read(digest: str | Callable[[], str] | None) -> str | None:
    return digest() if callable(digest) else digest


@attrs.frozen
class Origin:
    """Which price list was applied.

    Args:
        source: "live", "stale", "bundled", "pinned", "history", or "reported" where none was.
        as_of: when those prices were fetched (aware UTC).
        digest: SHA-256 of the rows of that list, in hexadecimal; one that takes long is worked out when it is read.
        until: up to when that list is known to have stood, where a history says so.
    """

    source: PriceSource
    as_of: datetime | None = None
    _digest: str | Callable[[], str] | None = attrs.field(default=None, eq=_read)
    until: datetime | None = None

    @property
    def digest(self) -> str | None:
        """SHA-256 of the rows of that list, in hexadecimal."""
        return _read(self._digest)

    def __reduce__(self) -> tuple[Any, ...]:
        return Origin, (self.source, self.as_of, self.digest, self.until)


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
