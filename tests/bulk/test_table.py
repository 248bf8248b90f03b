"""Table: prices as whole numbers."""

from __future__ import annotations

from decimal import Decimal

import pytest

from openrouter_pricing._bulk.plans import Plan
from openrouter_pricing._bulk.table import PRICED, Line, Table, places


@pytest.mark.parametrize(
    ("number", "taken"), [("0", 0), ("0.000", 0), ("1E+5", 0), ("100", 0), ("0.10", 1), ("1.5E-7", 8), ("-0.25", 2)]
)
def test_places_are_those_that_are_needed(number: str, taken: int) -> None:
    """Zeros at the end are none."""
    assert places(Decimal(number)) == taken


def test_a_line_has_its_own_unit() -> None:
    """Sums are whole numbers of it, and a factor makes them amounts; a rate that is too fine has a divisor."""
    plan = Plan({"prompt_tokens": Decimal("0.0000015"), "requests": Decimal("0.01")}, {})
    table = Table(
        [Line(PRICED, plan, Decimal("1.3")), Line(PRICED, Plan({}, {}), Decimal("0.00001"))], 9, rounded=False
    )
    assert table.steps["prompt_tokens"].tolist() == [15, 0]
    assert table.steps["requests"].tolist() == [100_000, 0]
    assert table.factors == [(100, 130, 1), (0, 0, 1)]
    assert Table([Line(PRICED, plan, Decimal("1.333"))], 9, rounded=False).factors == [(100, 1333, 10)]
    assert Table([Line(PRICED, plan, Decimal("1.333"))], 9, rounded=True).factors == [(100, 100, 1)]
