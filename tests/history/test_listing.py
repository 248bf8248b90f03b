"""What is listed, now and then, as users ask for it."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from support.recordings import DAY, FIRST, MemoryHistory, listed
from support.upstream import row

from openrouter_pricing import Catalog, Pricing, UnknownModelError

NEW = row("a/new", canonical_slug="a/new-2026", pricing={"prompt": "9"})
HELD = Catalog.from_models([*(listed(20, x="3").row("a/x").raw for _ in range(1)), NEW], as_of=FIRST + 20 * DAY)


@pytest.fixture
def pricing() -> Pricing:
    """Three lists, of which the last is held."""
    lists = listed(0, x="1", gone="5"), listed(5, x="2", gone="5"), listed(9, x="3")
    return Pricing(catalog=HELD, history=MemoryHistory(*lists))


def test_a_model_of_then(pricing: Pricing) -> None:
    """With its price of then; one that was not listed then is given as it is now."""
    assert [1, 2, 3] == [pricing.model("a/x", at=FIRST + day * DAY).rates.prompt for day in (0, 5, 20)]
    assert 5 == pricing.model("a/gone", at=FIRST).rates.prompt
    assert 9 == pricing.model("a/new", FIRST).rates.prompt
    with pytest.raises(UnknownModelError):
        pricing.model("a/gone")


def test_a_list_of_then(pricing: Pricing) -> None:
    """With every model of then, and the time of its recording."""
    then = pricing.catalog(at=FIRST + 6 * DAY)
    assert (["a/x", "a/gone"], FIRST + 5 * DAY) == (list(then), then.as_of)
    assert pricing.cost("a/x", 1, at=FIRST + 6 * DAY).digest == then.digest
    assert HELD is pricing.catalog() is pricing.catalog(at=FIRST + 20 * DAY)


def test_the_history_of_a_price(pricing: Pricing) -> None:
    """By an id that was ever listed, or another name of one that is."""
    assert [(FIRST, 1), (FIRST + 5 * DAY, 2), (FIRST + 9 * DAY, 3)] == [
        (period.since, period.rates.prompt) for period in pricing.price_history("a/x")
    ]
    assert FIRST + 9 * DAY == pricing.price_history("a/gone")[-1].until
    assert 3 == len(pricing.price_history("a/x:nitro"))
    assert () == pricing.price_history("a/new-2026")
    with pytest.raises(UnknownModelError):
        pricing.price_history("nobody/nothing")
    with pytest.raises(TypeError, match="model must be a string"):
        pricing.price_history(5)  # type: ignore[arg-type]


def test_what_changed(pricing: Pricing) -> None:
    """In a time, of all models or of one; the first list of all is no change."""

    def told(**question: Any) -> list[tuple[int, str, str]]:
        return [((change.at - FIRST).days, change.model_id, change.kind) for change in pricing.changes(**question)]

    x_5, x_9, gone = (5, "a/x", "changed"), (9, "a/x", "changed"), (9, "a/gone", "delisted")
    assert [x_5, gone, x_9] == told()
    assert [x_5] == told(until=FIRST + 8 * DAY)
    assert [gone, x_9] == told(since=FIRST + 5 * DAY)
    assert [x_9] == told(model="a/x", since=FIRST + 6 * DAY)
    assert [x_5, x_9] == told(model="a/x:nitro")
    assert [gone] == told(model="a/gone")
    assert [] == told(model="a/new")
    with pytest.raises(UnknownModelError):
        told(model="nobody/nothing")


def test_an_empty_history_knows_nothing() -> None:
    """Its questions are answered, with nothing."""
    pricing = Pricing(catalog=HELD, history=MemoryHistory())
    assert () == pricing.changes() == pricing.price_history("a/x")
    assert "pinned" == pricing.cost("a/x", 1, at=FIRST).source


@pytest.mark.parametrize("name", ["model", "catalog"])
def test_bad_times_are_named(pricing: Pricing, name: str) -> None:
    """A naive time could be any of two dozen."""
    question: Any = (lambda at: pricing.model("a/x", at)) if name == "model" else pricing.catalog
    with pytest.raises(ValueError, match=r"at must be an aware datetime"):
        question(datetime(2026, 1, 1))  # noqa: DTZ001
    with pytest.raises(TypeError, match=r"at must be a datetime, not str"):
        question("2026-01-01")


def test_bad_times_of_changes_are_named(pricing: Pricing) -> None:
    """Both ends are checked, also where there is no history."""
    with pytest.raises(ValueError, match=r"since must be an aware datetime"):
        pricing.changes(since=datetime(2026, 1, 1))  # noqa: DTZ001
    with pytest.raises(TypeError, match=r"until must be a datetime, not timedelta"):
        Pricing(catalog=HELD).changes(until=timedelta(days=7))  # type: ignore[arg-type]
    assert () == Pricing(catalog=HELD).changes(since=datetime(2026, 1, 1, tzinfo=timezone.utc))
