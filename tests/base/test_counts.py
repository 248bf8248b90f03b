"""Counts as people type them."""

from __future__ import annotations

import pytest

from openrouter_pricing._base.counts import read_count


@pytest.mark.parametrize(
    ("typed", "number"), [("1000", 1000), ("1,000", 1000), ("1_000", 1000), ("1k", 1000), ("1.5M", 1_500_000), ("0", 0)]
)
def test_a_count(typed: str, number: int) -> None:
    """Thousands may be grouped, and k and M are short for them."""
    assert number == read_count(typed)


@pytest.mark.parametrize(
    ("typed", "said"),
    [("-1", "negative"), ("one", "no whole number"), ("1.0001k", "no whole number"), ("1,00", "no whole number")],
)
def test_what_is_no_count(typed: str, said: str) -> None:
    """What is wrong with it is said."""
    assert said in str(read_count(typed))


def test_a_count_of_any_length() -> None:
    """More digits than anything has are above all that counts."""
    assert read_count("9" * 5000) == 10**18 + 1
    assert str(read_count("x" * 5000)).startswith("'" + "x" * 40 + "...'")
