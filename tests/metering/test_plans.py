"""Plans: factors that give to the digit what the billing rules give."""

from __future__ import annotations

from datetime import datetime, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.recorded import each_day, recorded

from openrouter_pricing import Catalog, Pricing, Settings, Usage
from openrouter_pricing._billing.cost import Cost, charge
from openrouter_pricing._prices.origin import PINNED
from openrouter_pricing._prices.rates import PRICE_KEYS, Rates
from openrouter_pricing.metering import plans
from openrouter_pricing.metering.plans import MOST_TOKENS, PARTS, Lists, Plan, plan_of
from openrouter_pricing.metering.shapes import Counts
from openrouter_pricing.metering.tallies import Tally

NOON = datetime(2026, 8, 20, 12, tzinfo=timezone.utc)
CALLS = [
    (100, 50, (10, 10, 20, 5, 30, 40, 20, 20)),
    (100, 50, (0, 0, 0, 0, 0, 0, 0, 0)),
    (1, 0, (1, 0, 0, 0, 0, 0, 0, 0)),
    (7, 3, (0, 3, 7, 0, 0, 0, 0, 0)),
    (7, 3, (0, 3, 7, 7, 0, 0, 0, 0)),
    (0, 9, (0, 0, 0, 0, 0, 0, 0, 9)),
    (99_999_999, 12_345_678, (1_111_111, 7_654_321, 0, 0, 0, 0, 0, 0)),
]


def usage_of(prompt: int, completion: int, parts: tuple[int, ...]) -> Usage:
    """What a call consumed."""
    return Usage(prompt_tokens=prompt, completion_tokens=completion, **dict(zip(PARTS, parts, strict=True)))


def check(rates: Rates) -> None:
    """A plan says of each call what ``charge()`` says, and of all of them together their sum; zeros included."""
    plan = Plan("a/plain", rates, PINNED, (-1, MOST_TOKENS))
    total = Decimal(0)
    for prompt, completion, parts in CALLS:
        counts = Counts(prompt, completion, parts)
        expected = charge(rates, usage_of(prompt, completion, parts), reported=Decimal(0)).computed
        assert expected is not None
        assert str(expected) == str(plan.computed(counts))
        total += expected
        plan.exact.add(counts)
    exact, residual, unreported = Tally(), Tally(), Tally()
    for _ in range(2):
        plan.settle(exact, residual, unreported)
    assert (len(CALLS), str(total)) == (exact.lines, str(exact.computed))
    assert (0, 0) == (residual.lines, unreported.lines)


@each_day
def test_every_recorded_row(name: str) -> None:
    """The factors of every row that was ever recorded, with and without its overrides, are those of its bills."""
    catalog = Catalog.from_rows(recorded(name)["data"], as_of=NOON, problem=lambda _: None)
    rates = [model.rates for model in catalog.find() if not model.rates.variable]
    for listed in rates:
        for prompt in (1, 10**7):
            check(listed.effective(prompt, NOON))

    assert len(rates) > 100


PRICE = st.decimals(0, 100, places=4) | st.none() | st.just(Decimal(0))


@given(st.fixed_dictionaries(dict.fromkeys([key for key in PRICE_KEYS if key != "input_audio_cache"], PRICE)))
def test_any_rates(prices: dict[str, Decimal | None]) -> None:
    """So are those of any prices."""
    check(Rates(**prices))


@pytest.mark.parametrize(
    ("prompt", "tokens"), [(1, (-1, 10)), (10, (-1, 10)), (11, (10, 20)), (20, (10, 20)), (21, (20, 99))]
)
def test_within_which_steps(prompt: int, tokens: tuple[int, int]) -> None:
    """A plan holds between two steps of the price: above the one, and up to the other."""
    steps = [{"min_prompt_tokens": step, "prompt": str(step)} for step in (20, 10)]
    row = {"id": "a/steps", "pricing": {"prompt": "1", "completion": "1", "overrides": steps}}
    pricing = Pricing(Settings(markup_rate=1), catalog=Catalog.from_models([row]))
    plan = plan_of(pricing.cost("a/steps", prompt, 1), pricing.model("a/steps"), prompt, {})

    assert plan is not None
    assert tokens == (plan.low, min(plan.high, 99))


def test_the_factors_of_the_same_rates_are_found_once() -> None:
    """Plans of the very same rates share their factors, whatever list they are of; equal rates need not print alike."""
    cost, listed = cost_of({"prompt": "1", "completion": "1.5"}, usage={"prompt_tokens": 1, "completion_tokens": 1})
    alike, _ = cost_of({"prompt": "1.0", "completion": "1.50"}, usage={"prompt_tokens": 1, "completion_tokens": 1})
    known: dict[int, Plan] = {}
    one, again, other = (plan_of(each, listed.model("a/only"), 1, known) for each in (cost, cost, alike))
    assert one is not None
    assert again is not None
    assert other is not None

    assert one.factors is again.factors is not other.factors == one.factors
    assert ["2.5", "2.50"] == [str(plan.computed(Counts(1, 1, (0,) * 8))) for plan in (again, other)]


def cost_of(pricing: dict[str, Any], **response: Any) -> tuple[Cost, Pricing]:
    """What a response of the only model costs."""
    listed = Pricing(Settings(markup_rate=1), catalog=Catalog.from_models([{"id": "a/only", "pricing": pricing}]))
    return listed.cost_of({"model": "a/only", **response}), listed


@pytest.mark.parametrize(
    "pricing",
    [
        {"prompt": "1", "completion": "1", "overrides": [{"utc_start": 0, "utc_end": 600, "prompt": "5"}]},
        {"prompt": "1"},
    ],
)
def test_what_needs_more_than_a_plan(pricing: dict[str, Any]) -> None:
    """Prices of the hour, and rows that do not price everything, have none."""
    cost, listed = cost_of(pricing, usage={"prompt_tokens": 1, "completion_tokens": 0, "cost": 1})

    assert plan_of(cost, listed.model("a/only"), 1, {}) is None


def test_from_when_on_the_list_held_prices_all() -> None:
    """Alone it prices all calls; beside a history those from a day before it was fetched on."""
    assert Lists(NOON, None).since < 0
    assert NOON.timestamp() - 86_400 == Lists(NOON, lambda at: None).since


class Looked:
    """A history of two lists, which notes what it is asked for."""

    def __init__(self, change: datetime) -> None:
        self.asked: list[datetime] = []
        self._change = change

    def __call__(self, at: datetime) -> str:
        """The list of then."""
        self.asked.append(at)
        return "before" if at < self._change else "after"


def test_a_list_is_looked_up_once_an_hour() -> None:
    """Within an hour that has one list nobody is asked again; where two meet in it, each call asks for its own."""
    change = datetime(2026, 8, 1, 12, 30, 0, 500_000, tzinfo=timezone.utc)
    looked = Looked(change)
    lists, hour = Lists(NOON, looked), int(datetime(2026, 8, 1, 11, tzinfo=timezone.utc).timestamp())

    assert {"before"} == {lists.at(hour + second) for second in range(0, 3600, 7)}
    assert 2 == len(looked.asked)
    found = [lists.at(hour + 3600 + second) for second in (0, 1800, 1800.499999, 1800.5, 1801, 3599)]
    assert ["before"] * 3 + ["after"] * 3 == found
    assert "after" == lists.at(hour + 7200)


def test_hours_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many hours a log names, so many are kept, and the answers stay right."""
    monkeypatch.setattr(plans, "_MOST_HOURS", 3)
    looked = Looked(datetime(1970, 1, 1, 5, tzinfo=timezone.utc))
    lists = Lists(NOON, looked)

    assert ["before"] * 5 + ["after"] * 5 == [lists.at(hour * 3600) for hour in range(10)]
    assert len(lists._hours) <= 3


@pytest.mark.parametrize(
    ("stamp", "seconds"),
    [(7, 7), (0, 0), (None, NOON.timestamp()), ("soon", NOON.timestamp()), ("1970-01-01T00:00:01.5Z", 1.5)],
)
def test_when_a_call_was(stamp: int | str | None, seconds: float) -> None:
    """What says no time is of now: the list held prices it."""
    assert seconds == Lists(NOON, None).stamped(stamp)
