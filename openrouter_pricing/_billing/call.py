"""What is known of a call beside counts and rates, and what its residual is likely to be."""

from __future__ import annotations

import math
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Literal, NamedTuple, TypeAlias

from .._base import money
from .._prices.endpoints import tier_of
from .._prices.origin import Origin
from .reading import NOTHING_MORE, Particulars

#: What a residual is likely to be; see :attr:`Cost.residual_kind`.
ResidualKind: TypeAlias = Literal[
    "server_tool", "byok_fee", "cache_discount", "service_tier", "price_change", "provider", "unexplained"
]

_EXACT = Decimal("1e-12")  # USD; bills are floats, and a float of a few dollars holds no more digits
_DAY = timedelta(days=1)
_UNDATED = datetime(1970, 1, 2, tzinfo=timezone.utc)  # catalogues made without a date are of the epoch


class CallFacts(NamedTuple):
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
        more: what few responses say.
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
    more: Particulars = NOTHING_MORE

    @property
    def fee_alone(self) -> bool:
        """Whether all that was reported is OpenRouter's fee: what the provider took, nobody said."""
        return self.more.fee is not None and self.upstream is None


PLAIN = CallFacts()
BY_ARGUMENT = CallFacts(markup_rule="argument")


def residual_kind(reported: Decimal, computed: Decimal, origin: Origin, call: CallFacts) -> ResidualKind | None:
    """What ``reported - computed`` is likely to be; see :attr:`Cost.residual_kind`.

    Args:
        reported, computed: USD.
        origin: which list the prices behind ``computed`` stand in.
        call: what else is known of the call.
    """
    if _equal(reported, computed):
        return None
    upstream = reported if call.upstream is None else call.upstream
    if call.tools and (call.upstream is None or not _equal(reported, upstream)):
        return "server_tool"
    discount, parts = call.more.cache_discount, call.more.parts
    if discount and _equal(money.add(reported, discount), computed):
        return "cache_discount"
    if not call.byok and parts is not None and _equal(parts, computed):
        return "server_tool"  # the tokens cost what the list says, and a plugin's fee came on top
    if upstream is not reported and _equal(upstream, computed):
        return "byok_fee" if call.byok else "unexplained"
    if call.service_tier is not None and tier_of(call.service_tier) is not None:
        return "service_tier"
    if call.more.doubt is not None:
        return "unexplained"
    if call.provider is not None:
        return "provider"
    if call.at is None:
        return "unexplained"
    return "price_change" if another_day(call.at, origin) else "provider"


def another_day(at: datetime | None, origin: Origin) -> bool:
    """Whether prices are of another day than a call at ``at``, as far as is known of either."""
    as_of = origin.as_of
    if at is None or as_of is None or as_of <= _UNDATED:
        return False
    return as_of - at > _DAY or at - (origin.until or as_of) > _DAY


def days_of(origin: Origin) -> tuple[float, float]:
    """From when to when calls are not of another day than their prices; seconds since the epoch."""
    as_of, day = origin.as_of, _DAY.total_seconds()
    if as_of is None or as_of <= _UNDATED:
        return -math.inf, math.inf
    return as_of.timestamp() - day, (origin.until or as_of).timestamp() + day


def _equal(one: Decimal, other: Decimal) -> bool:
    return -_EXACT <= money.subtract(one, other) <= _EXACT
