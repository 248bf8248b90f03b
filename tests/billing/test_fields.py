"""Fields of a dictionary or an object."""

from __future__ import annotations

from collections import UserDict
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest

from openrouter_pricing import ResponseError
from openrouter_pricing._billing import fields

NOON = datetime(2026, 11, 1, 12, tzinfo=timezone.utc)


@pytest.mark.parametrize(
    "holder", [{"cost": 1}, UserDict(cost=1), SimpleNamespace(cost=1)], ids=lambda it: type(it).__name__
)
def test_whatever_holds_fields_is_asked_alike(holder: object) -> None:
    """A dictionary, another mapping and an object answer alike, with None for what they do not have."""
    ask = fields.asking(holder)
    assert (1, None) == (ask("cost"), ask("usage"))


@pytest.mark.parametrize(("value", "count"), [(None, 0), (7, 7), (7.0, 7), (Decimal(7), 7)])
def test_counts(value: Any, count: int) -> None:
    """A count may be missing, and be any whole number."""
    assert count == fields.clean(value, "n")


@pytest.mark.parametrize(
    ("bad", "problem"),
    [
        (-1, "must not be negative: -1"),
        (-5.0, "must not be negative: -5"),
        (Decimal(-5), "must not be negative: -5"),
        (-1e300, "must not be negative"),
        (Decimal("-1e300"), "must not be negative"),
        (10**19, "must be from 0 to 10**18"),
        (1e19, "must be from 0 to 10**18"),
        (Decimal("1e300"), "must be from 0 to 10**18"),
        (Decimal("1e999999"), "is not a whole number: '1E+999999'"),
        (1.5, "is not a whole number: '1.5'"),
        (-0.5, "is not a whole number: '-0.5'"),
        (float("nan"), "is not a whole number: 'nan'"),
        ("7" * 100, f"is not a whole number: {'7' * 40!r}"),
        (True, "is not a whole number: 'True'"),
        ([7], "is not a whole number: a list"),
    ],
    ids=str,
)
def test_what_is_no_count_is_named(bad: Any, problem: str) -> None:
    """What is no whole number from 0 up, or an absurd one, is an error that names the field."""
    with pytest.raises(ResponseError) as caught:
        fields.clean(bad, "n")
    assert ("n", problem) == (caught.value.field, caught.value.problem)


@pytest.mark.parametrize("most", [10**18, float(10**18), Decimal(10**18)])
def test_the_largest_count(most: Any) -> None:
    """10**18 is a count, whichever number says it."""
    assert 10**18 == fields.clean(most, "n")


@pytest.mark.parametrize(
    ("value", "usd"), [(None, None), (0.1, Decimal("0.1")), ("1e-7", Decimal("1E-7")), (2, Decimal(2))]
)
def test_amounts(value: Any, usd: Decimal | int | None) -> None:
    """An amount may be missing, and is the decimal that it prints."""
    assert usd == fields.amount(value, "cost")


@pytest.mark.parametrize("bad", [-0.1, "dear", True, float("inf")])
def test_what_is_no_amount_is_named(bad: Any) -> None:
    """What is no amount from 0 up is an error that names the field."""
    with pytest.raises(ValueError, match=r"\bcost:? (is|must)"):
        fields.amount(bad, "cost")


@pytest.mark.parametrize(
    ("stamp", "instant"),
    [
        (NOON.timestamp(), NOON),
        ("2026-11-01T12:00:00Z", NOON),
        ("2026-11-01T13:00:00+01:00", NOON),
        (NOON.astimezone(timezone(timedelta(hours=1))), NOON),
        (NOON.replace(tzinfo=None), NOON),
        ("noon", None),
        (1e300, None),
        (True, None),
        (None, None),
    ],
)
def test_instants(stamp: Any, instant: datetime | None) -> None:
    """Seconds since the epoch, ISO 8601 and datetimes are instants in UTC; anything else is none."""
    assert instant == fields.instant(stamp)


def test_other_currencies_are_refused() -> None:
    """Amounts in another currency than USD are an error, whoever of the holders says so."""
    fields.check_currency({"currency": "usd"}.get, {}.get)
    with pytest.raises(ValueError, match=r"currency:? must be USD, not 'EUR'"):
        fields.check_currency({}.get, {"currency": "EUR"}.get)
