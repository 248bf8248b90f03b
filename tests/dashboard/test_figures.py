"""Figures as a page shows them."""

from __future__ import annotations

from decimal import Decimal

import pytest

from openrouter_pricing.dashboard.figures import aligned, exactly, path_of, per_million, usd


@pytest.mark.parametrize(
    ("number", "shown"), [("15", "15<i>.00</i>"), ("0.5", "0<i>.50</i>"), ("0.0375", "0<i>.0375</i>")]
)
def test_decimal_points_stand_below_one_another(number: str, shown: str) -> None:
    """A fraction has two places at least, and a mark of its own."""
    assert shown == aligned(number)


@pytest.mark.parametrize(
    ("price", "shown"),
    [
        ("0.00000015", "0<i>.15</i>"),
        ("0.0000000416666666666667", "0<i>.041667</i>"),
        ("0", '<span class="word">free</span><i></i>'),
        ("-1", '<span class="word">variable</span><i></i>'),
        ("1E-20", "0<i>.00</i>"),
    ],
)
def test_a_price_per_million(price: str, shown: str) -> None:
    """Six places at most; what is no number is a word."""
    assert shown == per_million(Decimal(price))
    assert '<span class="word none">\u2013</span><i></i>' == per_million(None)


def test_an_exact_price() -> None:
    """All digits, in the unit that the price is one of."""
    assert ("0<i>.0416666666666667</i>", "million tokens") == exactly(
        "prompt", Decimal("0.0000000416666666666667"), None
    )
    assert ("0<i>.005</i>", "request") == exactly("request", Decimal("0.005"), None)
    assert ('<span class="word">variable</span>', "") == exactly("prompt", Decimal(-1), None)


@pytest.mark.parametrize(
    ("amount", "shown"),
    [
        ("0", "0.00"),
        ("1234567.125", "1,234,567.13"),
        ("0.01", "0.01"),
        ("0.0045", "0.0045"),
        ("0.00000004", "below 0.000001"),
    ],
)
def test_an_amount(amount: str, shown: str) -> None:
    """Cents for what has cents, and more places for less."""
    assert shown == usd(Decimal(amount))


def test_an_id_in_an_address() -> None:
    """What ids are made of stays readable; everything else is spelt."""
    assert "~a/b:free@x" == path_of("~a/b:free@x")
    assert "a/%3F%23%3C%D0%B6%3F" == path_of("a/?#<ж\ud800")
