"""Exact decimal arithmetic, whatever the caller's context."""

from __future__ import annotations

import decimal
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from support.reference import CONTEXTS

from openrouter_pricing._base import money


@pytest.fixture(params=CONTEXTS, autouse=True)
def caller(request: pytest.FixtureRequest) -> Iterator[None]:
    """A caller's decimal context; every test of this file runs in each."""
    with decimal.localcontext(CONTEXTS[request.param]):
        yield


@pytest.mark.parametrize(
    ("given_as", "digits"),
    [
        ("0.0000000416666666666667", "4.16666666666667E-8"),
        ("0.00000000000000000000123456789012345", "1.23456789012345E-21"),
        (" 1.50 ", "1.50"),
        ("+2", "2"),
        (".5", "0.5"),
        ("5.", "5"),
        ("1e-7", "1E-7"),
        (1.3, "1.3"),
        (1e-07, "1E-7"),
        (7, "7"),
        (Decimal("12345678901234567890.123456789"), "12345678901234567890.123456789"),
        ("-1", "-1"),
        ("-0", "0"),
        (-0.0, "0"),
        ("0.000", "0"),
        ("9" * 40, "9" * 40),
    ],
)
def test_read_keeps_every_digit(given_as: Any, digits: str) -> None:
    """A price is the decimal that was written, to the last digit."""
    number = money.read(given_as, "price")

    with decimal.localcontext(decimal.Context()):
        assert digits == str(number)


@pytest.mark.parametrize(
    "bad",
    [
        "", "x", "1,5", "NaN", "Infinity", "-inf", "0x10", "1_000", "٣", "1" * 61, "9" * 10_000, "0." + "1" * 10_000,
        "1e40", "1e999", "1e-61", 10**40, 10**60, float("nan"), float("inf"), 1e300,
        Decimal("NaN"), Decimal("sNaN"), Decimal("-Infinity"), Decimal("1E+999999"), Decimal("1E-999999"),
    ],
    ids=lambda bad: str(type(bad).__name__),
)  # fmt: skip
def test_read_refuses_what_is_no_finite_number_of_a_sane_size(bad: Any) -> None:
    """Anything unreadable, endless or absurdly large raises a short ValueError that names the argument."""
    with pytest.raises(ValueError, match=r"^price ") as caught:
        money.read(bad, "price")

    assert len(str(caught.value)) < 150


@settings(deadline=None, max_examples=50)
@given(number=st.floats(-9e39, 9e39, allow_subnormal=False).filter(lambda number: not 0 < abs(number) < 1e-40))
@example(number=1e-40)
@example(number=9.999999999999999e38)
@example(number=1e39)
def test_a_float_is_the_decimal_that_it_prints(number: float) -> None:
    """Every float of a sane size is read as its shortest text says, never as the binary fraction behind it."""
    with decimal.localcontext(decimal.Context(prec=400)):
        assert Decimal(repr(number)) == money.read(number, "price")


@pytest.mark.parametrize("sign", [1, -1])
def test_read_refuses_an_integer_too_long_to_print(sign: int) -> None:
    """An integer that Python refuses to print is refused like any other of its size."""
    with pytest.raises(ValueError, match=r"^price .*an integer of more than 60 digits"):
        money.read(sign * 10**10_000, "price")


@pytest.mark.parametrize("bad", [True, False, None, b"1", [1], {"a": 1}, 1j])
def test_read_refuses_other_types(bad: Any) -> None:
    """What is no number at all raises a TypeError that names the argument and the type."""
    with pytest.raises(TypeError, match=f"^price must be a Decimal, int, str or float, not {type(bad).__name__}$"):
        money.read(bad, "price")


@pytest.mark.parametrize("good", [0, 1, 10**18])
def test_count_takes_whole_numbers(good: int) -> None:
    """A count is a whole number from 0 to 10**18."""
    assert good == money.count(good, "n")


def test_count_takes_whatever_is_an_integer() -> None:
    """An integer of another library, which says so by ``__index__``, becomes an int."""

    class Foreign:
        def __index__(self) -> int:
            return 7

    counted = money.count(Foreign(), "n")

    assert (7, int) == (counted, type(counted))


@pytest.mark.parametrize("bad", [True, False, 1.0, float("nan"), "1", None, Decimal(1), [1]])
def test_count_refuses_what_is_no_integer(bad: Any) -> None:
    """Booleans, floats and strings are no counts."""
    with pytest.raises(TypeError, match=f"^n must be an integer, not {type(bad).__name__}$"):
        money.count(bad, "n")


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        (-1, "n must not be negative: -1"),
        (10**18 + 1, "n must be from 0 to 10"),
        pytest.param(10**10_000, "n must be", id="huge"),
    ],
)
def test_count_refuses_the_negative_and_the_absurd(bad: int, words: str) -> None:
    """A count outside its range raises a ValueError that names the argument."""
    with pytest.raises(ValueError, match=f"^{words}"):
        money.count(bad, "n")


def test_count_names_the_argument_however_negative() -> None:
    """A negative number of ten thousand digits raises a ValueError that names the argument, as any other."""
    with pytest.raises(ValueError, match=r"^n must not be negative"):
        money.count(-(10**10_000), "n")


@pytest.mark.parametrize(
    ("amount", "shown"),
    [("1.5E-7", "0.00000015"), ("1.500", "1.5"), ("100", "100"), ("1E+2", "100"), ("0", "0"), ("0E-7", "0")],
)
def test_plain_has_no_exponent(amount: str, shown: str) -> None:
    """People see neither exponents nor trailing zeros, and every digit."""
    assert shown == money.plain(Decimal(amount))


def test_text_is_the_same_in_every_context() -> None:
    """Money as a string does not depend on the caller's ``capitals``."""
    assert "4.16666666666667E-8" == money.text(Decimal("0.0000000416666666666667"))


def test_total_is_exact() -> None:
    """A sum of amounts twenty orders apart loses nothing."""
    amounts = [Decimal("12345678901234567890"), Decimal("0.00000000000000000001"), Decimal("-12345678901234567890")]

    assert Decimal("0.00000000000000000001") == money.total(amounts)
    assert Decimal(0) == money.total([])


@settings(deadline=None, max_examples=30)
@given(units=st.integers(-(10**30), 10**30), places=st.integers(0, 60))
def test_read_is_the_inverse_of_text(units: int, places: int) -> None:
    """Whatever can be read is read back from its own text, unchanged."""
    number = Decimal((int(units < 0), tuple(int(digit) for digit in str(abs(units))), -places))

    assert number == money.read(money.text(number), "price") == money.read(number, "price")
