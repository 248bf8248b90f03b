"""Literals: the numbers that rules mention."""

from __future__ import annotations

from typing import Any

from openrouter_pricing._base import money
from openrouter_pricing._billing import cost
from openrouter_pricing._bulk.literals import literals

WINDOW = 4_242


def _called(count: int, *, most: int = 77_777) -> bool:
    return count < WINDOW or count in (1, 0, most, 10**30, 5.5)


def test_numbers_are_found_wherever_they_stand() -> None:
    """In constants, defaults, closures, names, functions inside, and in what is called, however round about."""
    kept = 31_337

    def rule(count: int, least: int = 6_007) -> Any:
        return _called(count) or least > kept or [rule, True, lambda: 999_331]

    assert literals(rule) == [4_242, 6_007, 31_337, 77_777, 999_331]


def test_what_is_no_function_of_ours_has_none() -> None:
    """A class or something built in cannot be looked into, and arithmetic is no rule."""
    assert literals(len, dict, money.multiply) == []


def test_the_rules_of_today_mention_few() -> None:
    """Each is tried with every model."""
    assert len(literals(cost.charge)) < 20
