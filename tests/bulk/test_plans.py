"""Plans: what charge() says that each count costs."""

from __future__ import annotations

from decimal import Decimal

import pytest
from support.bulk import NIGHT, PARTS, SUNDAY, catalog

from openrouter_pricing import PricingError, Rates
from openrouter_pricing._billing import cost
from openrouter_pricing._bulk.plans import COUNTS, instant, probe, regimes

BOTH = {"prompt": "0.000001", "completion": "0.000002"}


def test_each_step_is_a_price() -> None:
    """A count inside another one costs its own price in the place of that one's; a write below the prompt, on top."""
    plan = probe("a/b", Rates.from_dict({**BOTH, **PARTS}))
    assert plan.steps["prompt_tokens"] == Decimal("0.000001")
    assert plan.steps["cached_tokens"] == Decimal("-0.0000009")
    assert plan.steps["audio_output_tokens"] == Decimal("0.000018")
    assert plan.steps["cache_write_tokens"] == Decimal("0.0000005")
    assert plan.beside == {"cache_write_tokens"}
    assert plan.items["cache_write_1h_tokens"] == "input_cache_write_1h"
    assert set(plan.items) == set(COUNTS)


def test_what_is_not_listed_is_known() -> None:
    """Counts without a price are unlisted, and parts without one keep that of the whole."""
    plan = probe("a/b", Rates.from_dict({"prompt": "0.000001", "audio": "0.000002"}))
    assert plan.unlisted == {"completion_tokens", "images", "web_searches"}
    assert plan.steps["reasoning_tokens" if "reasoning_tokens" in plan.steps else "cached_tokens"] == 0
    assert "cached_tokens" not in plan.items


def test_nothing_is_priced_on_a_row_that_sells_no_text() -> None:
    """A row that sells something else is dead."""
    assert probe("a/sells-video", catalog()["a/sells-video"].rates).dead


def test_regimes_are_told_by_thresholds_and_minutes() -> None:
    """There is a plan for each threshold and each span of the week."""
    rates = Rates.from_dict({**BOTH, "overrides": [NIGHT, SUNDAY, {"min_prompt_tokens": 10, "prompt": "1"}]})
    found = regimes("a/b", rates)
    assert found.timed
    assert found.thresholds == (10,)
    assert found.minutes == tuple(day * 1440 + minute for day in range(7) for minute in (0, 360, 1320))
    assert len(found.plans) == 2 * 21
    assert found.plans[21].steps["prompt_tokens"] == 1
    assert found.plans[1].steps["prompt_tokens"] == Decimal("0.000001")
    assert found.plans[18].steps["completion_tokens"] == Decimal("0.000001")


def test_a_price_that_is_not_listed_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A rule that makes prices up cannot be carried."""
    bill = cost.bill
    monkeypatch.setattr(cost, "bill", lambda *asked: [(item, units, price * 3) for item, units, price in bill(*asked)])
    with pytest.raises(PricingError, match=r"a/b cannot be carried to many rows: prompt is charged at 0\.000003 USD"):
        probe("a/b", Rates.from_dict(BOTH))


def test_minutes_are_of_the_week() -> None:
    """The first is Monday's."""
    assert f"{instant(24 * 60 + 61):%A %H:%M}" == "Tuesday 01:01"
