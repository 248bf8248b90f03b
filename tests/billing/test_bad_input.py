"""Counts and rates that cannot be what they stand for: clear errors, and nothing is priced."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from support.pinned import pinned
from support.upstream import row

from openrouter_pricing import (
    UnknownModelError,
    Usage,
    VariablePriceError,
)

AS_OF = datetime(2026, 11, 2, tzinfo=timezone.utc)

GEMINI = {
    "prompt": "0.0000003",
    "completion": "0.0000025",
    "image": "0.0000003",
    "audio": "0.000001",
    "internal_reasoning": "0.0000025",
    "input_cache_read": "0.00000003",
    "input_cache_write": "0.00000008333333333333334",
}


@pytest.mark.parametrize(
    ("bad", "kind"),
    [
        ("NaN", ValueError), (float("nan"), ValueError), (float("inf"), ValueError), (Decimal("-Infinity"), ValueError),
        (-1, ValueError), ("-0.5", ValueError), ("a third", ValueError), ("", ValueError), ("1e99", ValueError),
        (True, TypeError), ([1], TypeError), (b"1", TypeError),
    ],
)  # fmt: skip
def test_a_markup_that_cannot_be_read(bad: Any, kind: type[Exception]) -> None:
    """A bad markup raises and names itself, before and after the model's prices are at hand."""
    pricing = pinned(row())
    for _ in range(2):
        with pytest.raises(kind, match=r"^markup_rate "):
            pricing.cost("openai/gpt-4o-mini", 1, 1, markup_rate=bad)
        pricing.cost("openai/gpt-4o-mini", 1, 1)


@pytest.mark.parametrize("rate", [Decimal("1.5"), "1.5", 1.5])
def test_a_markup_in_any_type(rate: Any) -> None:
    """A markup is read as the decimal that it prints."""
    cost = pinned(row()).cost("openai/gpt-4o-mini", 1000, 500, markup_rate=rate)

    assert (Decimal("0.00045"), Decimal("0.000675"), Decimal("1.5")) == (cost.raw, cost.total, cost.markup_rate)


@pytest.mark.parametrize(
    ("bad", "kind", "words"),
    [
        (datetime(2026, 1, 1), ValueError, "at must be an aware datetime"),  # noqa: DTZ001
        ("2026-01-01", TypeError, "at must be a datetime, not str"),
        (0, TypeError, "at must be a datetime, not int"),
    ],
)
def test_an_instant_that_cannot_be_read(bad: Any, kind: type[Exception], words: str) -> None:
    """A naive or foreign ``at`` is refused, also where no price depends on it."""
    with pytest.raises(kind, match=f"^{words}"):
        pinned(row()).cost("openai/gpt-4o-mini", 1, 1, at=bad)


def test_an_instant_in_any_time_zone() -> None:
    """The time zone of ``at`` does not matter, its instant does."""
    listed = {**GEMINI, "overrides": [{"utc_start": 0, "utc_end": 100, "prompt": "0.0000001"}]}
    pricing = pinned(row("a/b", pricing=listed))
    tokyo = AS_OF.astimezone(timezone(timedelta(hours=9)))

    assert Decimal(1) == pricing.cost("a/b", 10**7, at=tokyo).raw
    assert Decimal(3) == pricing.cost("a/b", 10**7, at=tokyo + timedelta(hours=1)).raw


def test_an_unknown_model_is_an_error_with_suggestions() -> None:
    """Nothing unlisted is priced, and near names are offered."""
    with pytest.raises(UnknownModelError, match="did you mean 'openai/gpt-4o-mini'") as caught:
        pinned(row()).cost("openai/gpt4o-mini", 1, 1)

    assert ("openai/gpt-4o-mini",) == caught.value.suggestions


def test_a_router_is_an_error() -> None:
    """A router's cost is not computed, however often it is asked for."""
    pricing = pinned(row("openrouter/auto", pricing={"prompt": "-1", "completion": "-1"}))
    for _ in range(2):
        with pytest.raises(VariablePriceError, match="openrouter/auto"):
            pricing.cost("openrouter/auto", 1, 1)


@pytest.mark.parametrize(
    "arguments",
    [{"prompts": 1}, {"usage": Usage(1), "prompt_tokens": 1}, {"usage": {"prompt_tokens": 1}}, {"usage": 5}],
)
def test_wrong_arguments_are_refused(arguments: dict[str, Any]) -> None:
    """Unknown keywords, two sources of counts, and a usage of another type raise TypeError."""
    with pytest.raises(TypeError, match=r"usage|prompts"):
        pinned(row()).cost("openai/gpt-4o-mini", **arguments)


@pytest.mark.parametrize("bad", [None, 5, b"openai/gpt-4o-mini", 1.5])
def test_a_model_that_is_no_string(bad: Any) -> None:
    """The model is a string."""
    with pytest.raises(TypeError, match=r"^model must be a string"):
        pinned(row()).cost(bad, 1, 1)


@pytest.mark.parametrize("bad", [[], {}])
def test_a_model_that_cannot_be_hashed(bad: Any) -> None:
    """A list for a model is refused by name, too."""
    with pytest.raises(TypeError, match=r"^model must be a string"):
        pinned(row()).cost(bad, 1, 1)
