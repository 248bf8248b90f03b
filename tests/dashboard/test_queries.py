"""What a query string asks for."""

from __future__ import annotations

from datetime import datetime, timezone
from decimal import Decimal

import pytest

from openrouter_pricing import Usage
from openrouter_pricing.dashboard.queries import OwnUsage, Query
from openrouter_pricing.dashboard.refusals import Refusal


def test_own_usage() -> None:
    """Counts may be typed as people do, and the cached share is one of the prompt."""
    own = Query({"in": "2k", "out": "500", "cached": "12.5 %", "calls": "1M"}).own_usage()
    assert OwnUsage(2000, 500, Decimal("12.5"), 1_000_000) == own
    assert Usage(2000, 500, cached_tokens=250) == own.usage
    assert Usage(3, 0, cached_tokens=2) == OwnUsage(3, 0, Decimal(50), 1).usage


def test_usage_that_is_left_out() -> None:
    """Without tokens there is none; one side is enough, and calls are one when left out."""
    assert None is Query({"calls": "3", "cached": "5", "in": " "}).own_usage()
    assert OwnUsage(0, 7, Decimal(0), 1) == Query({"out": "7"}).own_usage()


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("in", "many", "no whole number"),
        ("out", "-1", "negative"),
        ("calls", "9" * 30, "above 10**18"),
        ("cached", "a bit", "no number"),
        ("cached", "101", "not between 0 and 100"),
        ("in", "1" * 300, "longer than 200"),
    ],
)
def test_a_bad_number(name: str, value: str, said: str) -> None:
    """It is refused, and named."""
    with pytest.raises(Refusal) as refused:
        Query({"in": "1", name: value}).own_usage()
    assert (400, True, True) == (
        refused.value.status,
        said in refused.value.sentences[0],
        name in str(refused.value.sentences),
    )


def test_a_choice() -> None:
    """One of them, or nothing."""
    assert ("", "a") == (Query({}).choice("x", "ab"), Query({"x": " a "}).choice("x", "ab"))
    with pytest.raises(Refusal) as refused:
        Query({"x": "c"}).choice("x", ("a", "b"))
    assert "x is wrong: “c” is none of a, b." in refused.value.sentences[0]


@pytest.mark.parametrize(
    ("value", "when"),
    [
        ("2026-08-22", datetime(2026, 8, 22, 23, 59, 59, 999999, timezone.utc)),
        ("2026-08-22T10:00:00", datetime(2026, 8, 22, 10, tzinfo=timezone.utc)),
        ("2026-08-22T10:00:00Z", datetime(2026, 8, 22, 10, tzinfo=timezone.utc)),
        ("2026-08-22T10:00:00+02:00", datetime(2026, 8, 22, 8, tzinfo=timezone.utc)),
    ],
)
def test_a_day(value: str, when: datetime) -> None:
    """A date means its end, an instant itself, in UTC where it names no zone."""
    assert when == Query({"until": value}).day("until")


@pytest.mark.parametrize("value", ["soon", "2026-13-01", "0001-01-01T00:00:00+10:00", "Z"])
def test_what_is_no_day(value: str) -> None:
    """It is refused, and named; nothing is none."""
    assert None is Query({}).day("until")
    with pytest.raises(Refusal, match="cannot be read"):
        Query({"until": value}).day("until")
