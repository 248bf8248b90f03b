"""Tallies: lines counted and added up, by name."""

from __future__ import annotations

from decimal import Decimal

from openrouter_pricing.metering.tallies import Groups, Tally


def test_the_residual_of_a_tally() -> None:
    """Reported minus computed, exactly."""
    assert Decimal("0.1") == Tally(2, Decimal("1.1"), Decimal(1)).residual


def test_a_group_counts_its_lines() -> None:
    """Lines and amounts are added up, and the first line is remembered."""
    groups: Groups[str] = Groups()
    groups["a"].count(3, Decimal("0.5"))
    groups["a"].count(7, Decimal("-0.25"))

    assert (2, Decimal("0.25"), 3) == (groups["a"].lines, groups["a"].usd, groups["a"].first)
    assert {"lines": 2, "usd": "0.25"} == groups["a"].to_dict()


def test_names_beyond_a_thousand_are_counted_together() -> None:
    """However many names a log has, a thousand are kept."""
    groups: Groups[int] = Groups()
    for name in range(1500):
        groups[name].count(name + 1)

    assert (1000, 500) == (len(groups), groups.others.lines)


def test_the_largest_come_first() -> None:
    """Those of the most USD, whatever the sign, then those of the most lines."""
    groups: Groups[str] = Groups()
    for name, usd in (("few", "0"), ("many", "0"), ("many", "0"), ("off", "-2"), ("paid", "1")):
        groups[name].count(1, Decimal(usd))

    assert ["off", "paid", "many", "few"] == [name for name, _ in groups.largest()]
