"""What stands on a receipt beside counts and rates, and what a residual is likely to be."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol, TypeAlias

import attrs

from . import _money
from .rates import Rates

if TYPE_CHECKING:
    from .cost import Cost

#: What priced a call.
PriceSource: TypeAlias = Literal["live", "stale", "bundled", "pinned", "reported"]

#: What a residual is likely to be; see :attr:`Cost.residual_kind`.
ResidualKind: TypeAlias = Literal["server_tool", "byok_fee", "service_tier", "price_change", "provider", "unexplained"]

_EXACT = Decimal("1e-12")  # USD; bills are floats, and a float of a few dollars holds no more digits
_DAY = timedelta(days=1)
_UNDATED = datetime(1970, 1, 2, tzinfo=timezone.utc)  # catalogues made without a date are of the epoch
_MOST_PLACES = 60


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


class Details(NamedTuple):
    """What is known of a call beside its counts and its rates.

    Args:
        markup_rule: where the markup rate comes from; see :attr:`Cost.markup_rule`.
        places: decimal places that the total was rounded to; None where it was not.
        at: the instant of the call (aware UTC), where it is known.
        endpoint: tag of the endpoint whose rates were applied; None for the model's own.
        provider: who served it.
        service_tier: the tier it was served at.
        flags: what was wrong with the response's counts.
        byok: whether it ran on one's own provider key.
        upstream: USD, what the provider took, by the response.
        tools: whether a server-side tool or search ran.
    """

    markup_rule: str = "settings"
    places: int | None = None
    at: datetime | None = None
    endpoint: str | None = None
    provider: str | None = None
    service_tier: str | None = None
    flags: tuple[str, ...] = ()
    byok: bool = False
    upstream: Decimal | None = None
    tools: bool = False


PLAIN = Details()
BY_ARGUMENT = Details(markup_rule="argument")
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


def residual_kind(reported: Decimal, computed: Decimal, as_of: datetime | None, call: Details) -> ResidualKind | None:
    """What ``reported - computed`` is likely to be; see :attr:`Cost.residual_kind`.

    Args:
        reported, computed: USD.
        as_of: when the prices behind ``computed`` were fetched.
        call: what else is known of the call.
    """
    if _equal(reported, computed):
        return None
    upstream = reported if call.upstream is None else call.upstream
    if call.tools and (call.upstream is None or not _equal(reported, upstream)):
        return "server_tool"
    if _equal(upstream, computed):
        return "byok_fee" if call.byok else "unexplained"
    if call.service_tier not in (None, "default", "auto", "standard"):
        return "service_tier"
    if call.at is not None and as_of is not None and as_of > _UNDATED and abs(call.at - as_of) > _DAY:
        return "price_change"
    return "provider"


def _equal(one: Decimal, other: Decimal) -> bool:
    return -_EXACT <= _money.subtract(one, other) <= _EXACT


def read_places(value: int | None) -> int | None:
    """Decimal places to round to, 0 to 60, or None.

    Raises:
        ValueError, TypeError: it is no such number.
    """
    if value is not None and _money.count(value, "places") > _MOST_PLACES:
        raise ValueError(f"places must be from 0 to {_MOST_PLACES}: {value}")
    return value


def marked_up(raw: Decimal, rate: Decimal, places: int | None) -> Decimal:
    """USD to charge: ``raw`` times ``rate``, exactly, or rounded half up to ``places``."""
    total = _money.multiply(raw, rate)
    return total if places is None else _money.round_half_up(total, places)


def receipt(cost: Cost) -> dict[str, Any]:
    """A receipt of ``cost``, JSON-ready."""
    residual = cost.residual
    return {
        "model_id": cost.model_id,
        "total": _money.text(cost.total),
        "raw": _money.text(cost.raw),
        "markup_rate": _money.text(cost.markup_rate),
        "markup_rule": cost.markup_rule,
        "places": cost._details.places,
        "computed": None if cost.computed is None else _money.text(cost.computed),
        "reported": None if cost.reported is None else _money.text(cost.reported),
        "residual": None if residual is None else _money.text(residual),
        "residual_kind": cost.residual_kind,
        "source": cost.source,
        "as_of": None if cost.as_of is None else cost.as_of.isoformat(),
        "catalog_digest": cost.digest,
        "at": None if cost.at is None else cost.at.isoformat(),
        "provider": cost.provider,
        "endpoint": cost.endpoint,
        "service_tier": cost.service_tier,
        "flags": list(cost.flags),
        "overrides": [entry.to_dict() for entry in cost.overrides],
        "usage": {name: count for name, count in attrs.asdict(cost.usage).items() if count},
        "lines": [
            {
                "item": line.item,
                "quantity": line.quantity,
                "unit_price": _money.text(line.unit_price),
                "amount": _money.text(line.amount),
            }
            for line in cost.lines
        ],
    }
