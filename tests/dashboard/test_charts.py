"""Step charts of what a model cost."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from support.pages import at

from openrouter_pricing import Rates
from openrouter_pricing._history.periods import PricePeriod
from openrouter_pricing.dashboard.charts import Line, panels

NOW = at(730)  # the first recording is at the left edge


def period(since: int, until: int | None, **prices: str) -> PricePeriod:
    """What stood from one day to another."""
    return PricePeriod(at(since), None if until is None else at(until), Rates(**prices))


def test_steps() -> None:
    """A line for each period, and a step where one follows another; a gap where nothing was listed."""
    steps = [
        period(0, 73, prompt="0.000001"),
        period(73, 146, prompt="0.000002"),
        period(365, None, prompt="0.000002"),
    ]
    (panel,) = panels(steps, NOW)
    assert "Prompt, USD per million tokens" == panel.name
    assert (
        Line("0.00%", "72.0", "10.00%", "72.0"),
        Line("10.00%", "72.0", "10.00%", "26.0"),
        Line("10.00%", "26.0", "20.00%", "26.0"),
        Line("50.00%", "26.0", "100.00%", "26.0"),
    ) == panel.lines
    assert ("2", "2") == (panel.most, panel.last)
    assert "1 on 2026-08-01, then 2 changes; between 1 and 2; last 2." in panel.words


@pytest.mark.parametrize(
    ("price", "most"),
    [("0.00000015", "0.15"), ("0.0000006", "0.75"), ("0.000015", "15"), ("0.0000025", "3"), ("0.000009", "10")],
)
def test_the_upper_edge_is_a_round_number(price: str, most: str) -> None:
    """And no less than the highest price."""
    assert most == panels([period(700, None, prompt=price)], NOW)[0].most


def test_what_was_before_is_cut() -> None:
    """What began earlier begins at the edge; what ended earlier is not shown."""
    early = PricePeriod(at(-400), at(-1), Rates(prompt="9"))
    long = PricePeriod(at(-1), None, Rates(prompt="0.000001"))
    (panel,) = panels([early, long], NOW)
    assert (("0.00%", "100.00%"), "1") == ((panel.lines[0].x1, panel.lines[0].x2), panel.most)


def test_what_has_no_number_is_a_gap() -> None:
    """A variable price is none that can be drawn; one of nothing lies on the ground."""
    steps = [
        period(0, 10, prompt="-1"),
        period(10, 20, prompt="0"),
        period(20, 30, prompt="0.000001"),
        period(30, None),
    ]
    (panel,) = panels(steps, NOW)
    assert ["118.0", "118.0", "26.0"] == [line.y1 for line in panel.lines]
    assert [] == panels([period(0, None, prompt="-1", completion="0")], NOW)
    assert [] == panels([], NOW)


def test_two_prices_at_most() -> None:
    """The ones that matter most, each in its unit."""
    found: Any = panels([period(0, None, image="0.01", web_search="0.02", request="0.005")], NOW)
    assert ["Request, USD per request", "Image, USD per image"] == [panel.name for panel in found]


def test_labels_of_the_time_axis() -> None:
    """January and July, and none that an edge would cut."""
    ticks = panels([period(700, None, prompt="1")], NOW)[0].ticks
    assert ["2027", "July", "2028", "July"] == [tick.label for tick in ticks]
    assert ["2027", "July", "2028"] == [
        tick.label for tick in panels([period(0, None, prompt="1")], NOW - timedelta(days=28))[0].ticks
    ]
