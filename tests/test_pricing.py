"""The facade: what users call."""

from __future__ import annotations

import gc
import warnings
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
from openrouter_pricing.backends.memory import MemoryBackend
from support.pinned import AS_OF, ROWS
from support.upstream import Answer, Upstream, row, steady

from openrouter_pricing import (
    Catalog,
    Pricing,
    PricingError,
    Settings,
    Usage,
)

Make = Callable[..., Pricing]


def test_the_five_lines(pinned: Pricing) -> None:
    """A question answers with the marked-up total and everything behind it."""
    cost = pinned.cost("openai/gpt-4o-mini", 1000, 500)
    assert cost.total == Decimal("0.000585")
    assert cost.raw == cost.computed == Decimal("0.00045")
    assert cost.markup_rate == Decimal("1.3")
    assert [(line.item, line.quantity, line.unit_price, line.amount) for line in cost.lines] == [
        ("prompt", 1000, Decimal("1.5E-7"), Decimal("0.00015")),
        ("completion", 500, Decimal("6E-7"), Decimal("0.0003")),
    ]
    assert (cost.model_id, cost.source, cost.as_of) == ("openai/gpt-4o-mini", "pinned", AS_OF)
    assert (cost.reported, cost.residual) == (None, None)
    assert cost.usage == Usage(1000, 500)


@pytest.mark.parametrize("rate", ["1.5", Decimal("1.5"), 1.5])
def test_markup_of_a_call(pinned: Pricing, rate: Any) -> None:
    """A call may have a markup of its own; a float is read as the decimal that it prints."""
    assert pinned.cost("openai/gpt-4o-mini", 1000, 500, markup_rate=rate).total == Decimal("0.000675")
    assert pinned.cost("openai/gpt-4o-mini", 10, markup_rate=0.1).markup_rate == Decimal("0.1")


@pytest.mark.parametrize("bad", ["NaN", "inf", float("nan"), float("inf"), -1, "-0.1", "x", ""])
def test_unreadable_markup_values(pinned: Pricing, bad: Any) -> None:
    """A markup that is no number from 0 up is a ValueError that names it."""
    with pytest.raises(ValueError, match="markup_rate"):
        pinned.cost("openai/gpt-4o-mini", 1, markup_rate=bad)


@pytest.mark.parametrize("bad", [True, [], b"1"])
def test_markup_of_a_wrong_kind(pinned: Pricing, bad: Any) -> None:
    """A markup that is not a number at all is a TypeError that names it."""
    with pytest.raises(TypeError, match="markup_rate"):
        pinned.cost("openai/gpt-4o-mini", 1, markup_rate=bad)


@pytest.mark.parametrize("warm_up", [False, True])
@pytest.mark.parametrize("name", ["prompt_tokens", "completion_tokens"])
@pytest.mark.parametrize("bad", [-1, True, 1.5, float("nan"), "1", None, 10**18 + 1])
def test_bad_counts(pinned: Pricing, name: str, bad: Any, warm_up: bool) -> None:
    """A bad token count is an error that names the argument, on the short way and on the long one."""
    if warm_up:
        pinned.cost("openai/gpt-4o-mini", 1)
    with pytest.raises((TypeError, ValueError), match=name):
        pinned.cost("openai/gpt-4o-mini", **{name: bad})


def test_counts_that_are_integers_in_disguise(pinned: Pricing) -> None:
    """What Python itself takes as an index (numpy's integers, say) is a count."""

    class Index:
        def __index__(self) -> int:
            return 1000

    assert pinned.cost("openai/gpt-4o-mini", Index()).raw == Decimal("0.00015")  # type: ignore[arg-type]


def test_bad_arguments(pinned: Pricing) -> None:
    """Unknown keywords, both ways of giving counts, and foreign kinds are type errors."""
    with pytest.raises(TypeError, match="prompt_token"):
        pinned.cost("openai/gpt-4o-mini", prompt_token=1)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="either usage"):
        pinned.cost("openai/gpt-4o-mini", 1, usage=Usage(1))
    with pytest.raises(TypeError, match="usage must be a Usage"):
        pinned.cost("openai/gpt-4o-mini", usage={"prompt_tokens": 1})  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="model must be a string"):
        pinned.cost(None, 1)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"unhashable|model must be a string"):
        pinned.cost([], 1)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="at must be an aware datetime"):
        pinned.cost("openai/gpt-4o-mini", 1, at=datetime(2026, 1, 1))  # noqa: DTZ001
    with pytest.raises(TypeError, match="at must be a datetime"):
        pinned.cost("openai/gpt-4o-mini", 1, at="now")  # type: ignore[arg-type]


def test_looking_around(pinned: Pricing) -> None:
    """The facade gives single models, and the whole catalogue."""
    assert pinned.model("openai/gpt-4o-mini:nitro").id == "openai/gpt-4o-mini"
    assert list(pinned.catalog()) == [fields["id"] for fields in ROWS]


def test_pinned(pinned: Pricing) -> None:
    """Pinned prices have no network: nothing to refresh, to warm or to close."""
    with pytest.raises(PricingError, match="pinned"):
        pinned.refresh()
    pinned.warm()
    pinned.start_warmer()
    pinned.stop_warmer()
    pinned.cost("openai/gpt-4o-mini")
    stats = pinned.stats()
    assert (stats.source, stats.models, stats.l1_answers, stats.warmer_alive) == ("pinned", 5, 1, False)
    with pinned:
        pass
    assert pinned.cost("openai/gpt-4o-mini", 1000).raw == Decimal("0.00015")
    assert "pinned" in repr(pinned)


def test_collaborators_are_checked() -> None:
    """A collaborator of a wrong kind, an unknown one, and one that a pinned catalogue has no use for are refused."""
    catalog = Catalog.from_models(ROWS)
    for name in ("settings", "backend", "client", "catalog", "clock"):
        with pytest.raises(TypeError, match=name):
            Pricing(**{name: object()})
    with pytest.raises(TypeError):
        Pricing(markup=2)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="pins"):
        Pricing(catalog=catalog, backend=MemoryBackend())


def test_settings_come_from_the_environment(upstream: Upstream, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without arguments everything is read from the environment."""
    monkeypatch.setenv("OPENROUTER_PRICING_BASE_URL", upstream.url)
    monkeypatch.setenv("OPENROUTER_PRICING_MARKUP_RATE", "2")
    with Pricing() as pricing:
        cost = pricing.cost("openai/gpt-4o-mini", 1000, 500)
    assert (cost.source, cost.total) == ("live", Decimal("0.0009"))


def test_a_forgotten_object_warns(make_pricing: Make, upstream: Upstream) -> None:
    """An object that is collected while it holds resources says so; one that holds none does not."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        Pricing(Settings(base_url=upstream.url, backend="null://"))
        gc.collect()
        assert [w for w in caught if w.category is ResourceWarning] == []
        used = Pricing(Settings(base_url=upstream.url, backend="null://", api_key="sk-secret"))
        used.cost("openai/gpt-4o-mini")
        del used
        gc.collect()
        [warning] = [w for w in caught if "never closed" in str(w.message)]
    assert warning.category is ResourceWarning
    assert "sk-secret" not in str(warning.message)


def test_names_are_resolved_before_they_are_kept(make_pricing: Make, upstream: Upstream) -> None:
    """A price change reaches names that were asked for before."""
    upstream.answer = Answer(steady())
    pricing = make_pricing()
    assert pricing.cost("openai/gpt-4o-mini:floor", 1).raw == Decimal("1.5E-7")
    assert pricing.cost("openai/gpt-4o-mini:floor", 1).model_id == "openai/gpt-4o-mini"
    upstream.answer = Answer(steady(row(pricing={"prompt": "3", "completion": "1"})))
    pricing.refresh()
    assert pricing.cost("openai/gpt-4o-mini:floor", 1).raw == 3
