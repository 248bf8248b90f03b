"""What a residual is likely to be, by what else is known of the call."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from decimal import Decimal

import pytest

from openrouter_pricing._billing.call import CallFacts, another_day, residual_kind
from openrouter_pricing._prices.origin import Origin

LISTED = datetime(2026, 11, 1, tzinfo=timezone.utc)
LATER = LISTED + timedelta(days=2)


@pytest.mark.parametrize(
    ("reported", "facts", "kind"),
    [
        ("3", {"tools": True, "service_tier": "flex"}, None),
        ("3.000000000001", {}, None),
        ("3.5", {"tools": True, "service_tier": "flex"}, "server_tool"),
        ("3.5", {"byok": True, "upstream": Decimal(3)}, "byok_fee"),
        ("3.5", {"upstream": Decimal(3)}, "unexplained"),
        ("3.5", {"service_tier": "flex", "at": LATER}, "service_tier"),
        ("3.5", {"service_tier": "default", "at": LATER}, "price_change"),
        ("3.5", {"at": LISTED}, "provider"),
    ],
)
def test_the_first_kind_that_fits_is_told(reported: str, facts: dict[str, object], kind: str | None) -> None:
    """Of all that could explain a residual, what is known for certain goes before what is likely."""
    assert kind == residual_kind(Decimal(reported), Decimal(3), Origin("live", LISTED), CallFacts(**facts))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("as_of", "told"),
    [
        (LATER, True),
        (LISTED + timedelta(days=1, microseconds=1), True),
        (LISTED + timedelta(days=1), False),
        (LISTED - timedelta(days=1), False),
        (datetime(1970, 1, 2, 0, 0, 1, tzinfo=timezone.utc), True),
        (datetime(1970, 1, 2, tzinfo=timezone.utc), False),
        (datetime(1970, 1, 1, tzinfo=timezone.utc), False),
        (None, False),
    ],
)
def test_another_day(as_of: datetime | None, told: bool) -> None:
    """Prices are of another day where more than a day lies between; a list of the epoch is one without a date."""
    assert told is another_day(LISTED, Origin("live", as_of))
    assert not another_day(None, Origin("live", as_of))


def test_a_list_that_stood_for_long_is_of_each_day() -> None:
    """A history knows until when a list stood: a call within, or a day after it, is of no other day."""
    stood = Origin("history", LISTED, until=LISTED + timedelta(days=9))
    assert not another_day(LISTED + timedelta(days=10), stood)
    assert another_day(LISTED + timedelta(days=10, seconds=1), stood)
    assert another_day(LISTED - timedelta(days=1, seconds=1), stood)
    assert "provider" == residual_kind(Decimal("3.5"), Decimal(3), stood, CallFacts(at=LATER))
