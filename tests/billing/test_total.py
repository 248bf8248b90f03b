"""Costs for people, in sums and as values."""

from __future__ import annotations

import copy
import json
import pickle
from decimal import Decimal, localcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openrouter_pricing import Catalog, Cost, Pricing, Settings, Total, Usage

ROWS = [
    {"id": "openai/gpt-4o-mini", "pricing": {"prompt": "0.00000015", "completion": "0.0000006"}},
    {"id": "a/steps", "pricing": {"prompt": "1", "overrides": [{"min_prompt_tokens": 10, "prompt": "2"}]}},
]
PRICING = Pricing(Settings(), catalog=Catalog.from_models(ROWS))


def test_in_words() -> None:
    """The total first, what it is made of, and the model; a cost without a model ends there."""
    assert "0.000585 USD (0.00045 x 1.3) openai/gpt-4o-mini" == str(PRICING.cost("openai/gpt-4o-mini", 1000, 500))
    unnamed = PRICING.cost_of({"prompt_tokens": 1, "completion_tokens": 1, "cost": 0.5})
    assert "0.65 USD (0.5 x 1.3)" == str(unnamed) == f"{unnamed}"


@pytest.mark.parametrize(
    ("specification", "one", "two"),
    [
        (".4f", "0.0006", "0.0012"),
        (".7f", "0.0005850", "0.0011700"),
        (">10.6f", "  0.000585", "  0.001170"),
        ("", "0.000585 USD (0.00045 x 1.3) openai/gpt-4o-mini", "0.00117 USD (0.0009 raw, 2 calls)"),
    ],
)
def test_formatted(specification: str, one: str, two: str) -> None:
    """A specification is for the total; without one it is the words."""
    cost = PRICING.cost("openai/gpt-4o-mini", 1000, 500)
    assert (one, two) == (format(cost, specification), format(cost + cost, specification))
    with pytest.raises(ValueError, match="format"):
        format(cost, "nonsense")


def test_for_programmers() -> None:
    """What is shown of a cost is what it is, without the price list and the usage that it comes from."""
    shown = repr(PRICING.cost("openai/gpt-4o-mini", 1000, 500))
    assert shown.startswith("Cost(model_id='openai/gpt-4o-mini', computed=Decimal('0.00045000'), reported=None, raw=")
    assert not any(word in shown for word in ("Rates(", "rates=", "usage="))


def test_values() -> None:
    """Equal costs hash alike, whichever way they were asked for; copies are equal."""
    cost = PRICING.cost("openai/gpt-4o-mini", 1000, 500)
    same = PRICING.cost("openai/gpt-4o-mini", usage=Usage(1000, 500))
    stepped = PRICING.cost("a/steps", 11)
    assert {cost, same} == {cost}
    assert 3 == len({cost, stepped, PRICING.cost("a/steps", 1)})
    for one in (cost, stepped):
        for other in (copy.copy(one), copy.deepcopy(one), pickle.loads(pickle.dumps(one))):
            assert (one, hash(one), str(one), one.lines) == (other, hash(other), str(other), other.lines)


def test_sums() -> None:
    """Costs, totals and nothing add up; anything else does not."""
    costs = [PRICING.cost("openai/gpt-4o-mini", 1000, 500) for _ in range(3)]
    total = Total(Decimal("0.00135"), Decimal("0.001755"), 3)
    assert (
        total == sum(costs) == sum(costs, Total()) == costs[0] + (costs[1] + costs[2]) == costs[0] + costs[1] + costs[2]
    )
    assert Total(total.raw, total.total, 6) != total + total == sum([total, *costs])
    assert (Total(costs[0].raw, costs[0].total, 1), 0) == (sum(costs[:1]), sum([]))
    assert "0.001755 USD (0.00135 raw, 3 calls)" == str(total) == f"{total}"
    assert "0.000585 USD (0.00045 raw, 1 call)" == str(sum(costs[:1]))
    assert {"raw": "0.00135", "total": "0.001755", "count": 3} == json.loads(json.dumps(total.to_dict()))
    assert {total} == {total, sum(costs)}
    for wrong in (1, 0.5, "0", None, Decimal(0), False):
        with pytest.raises(TypeError):
            wrong + costs[0]  # type: ignore[operator]
        with pytest.raises(TypeError):
            costs[0] + wrong  # type: ignore[operator]


@given(st.lists(st.tuples(st.integers(0, 10**18), st.integers(0, 10**18)), min_size=1, max_size=20))
def test_sums_are_exact(counts: list[tuple[int, int]]) -> None:
    """Whatever the caller's decimal context, in any order."""
    costs: list[Cost] = [PRICING.cost("openai/gpt-4o-mini", *pair) for pair in counts]
    with localcontext() as context:
        context.prec = 3
        total = sum(costs)
        again = sum(reversed(costs))
    prompt, completion = (sum(side) for side in zip(*counts, strict=True))
    raw = PRICING.cost("openai/gpt-4o-mini", usage=Usage(0)).raw
    with localcontext() as context:
        context.prec = 100
        raw += prompt * Decimal("0.00000015") + completion * Decimal("0.0000006")
        assert total == again == Total(raw, raw * Decimal("1.3"), len(counts))
