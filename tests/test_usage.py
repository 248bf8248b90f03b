"""Usage: counts of what was consumed."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from openrouter_pricing import Catalog, Pricing, Settings, Usage

FIELDS = [field.name for field in attrs.fields(Usage)]


def test_the_fields_and_their_defaults() -> None:
    """Nothing is consumed by default, in one request."""
    assert attrs.asdict(Usage()) == {
        "prompt_tokens": 0,
        "completion_tokens": 0,
        "cached_tokens": 0,
        "cache_write_tokens": 0,
        "cache_write_1h_tokens": 0,
        "reasoning_tokens": 0,
        "audio_tokens": 0,
        "audio_output_tokens": 0,
        "image_tokens": 0,
        "image_output_tokens": 0,
        "images": 0,
        "web_searches": 0,
        "requests": 1,
    }


@pytest.mark.parametrize("name", FIELDS)
@pytest.mark.parametrize("bad", [True, 1.0, float("nan"), "1", None, [1]])
def test_a_count_of_another_type_is_refused(name: str, bad: Any) -> None:
    """A count that is no integer raises a TypeError that names the argument."""
    with pytest.raises(TypeError, match=f"^{name} must be an integer, not {type(bad).__name__}$"):
        Usage(**{name: bad})


@pytest.mark.parametrize("name", FIELDS)
@pytest.mark.parametrize("bad", [-1, 10**18 + 1, pytest.param(10**10_000, id="huge")])
def test_a_count_out_of_range_is_refused(name: str, bad: int) -> None:
    """A negative or absurd count raises a ValueError that names the argument."""
    with pytest.raises(ValueError, match=f"^{name} must "):
        Usage(**{name: bad})


def test_unknown_and_surplus_arguments_are_refused() -> None:
    """A misspelt count never vanishes."""
    with pytest.raises(TypeError, match="prompt_token"):
        Usage(prompt_token=1)  # type: ignore[call-arg]


def test_usage_is_a_value() -> None:
    """Equal counts are equal usages, usable as keys, and nobody changes one."""
    usage = Usage(10, 5, cached_tokens=3)

    assert {usage} == {Usage(prompt_tokens=10, completion_tokens=5, cached_tokens=3)}
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        usage.prompt_tokens = 1  # type: ignore[misc]


@pytest.mark.parametrize("name", ["prompt_tokens", "completion_tokens"])
@pytest.mark.parametrize("asked_before", [False, True])
@pytest.mark.parametrize(
    ("bad", "kind"),
    [
        (-1, ValueError), (10**18 + 1, ValueError), (True, TypeError), (1.0, TypeError), (float("nan"), TypeError),
        ("1", TypeError), (None, TypeError),
    ],
)  # fmt: skip
def test_the_facade_refuses_bad_counts(name: str, asked_before: bool, bad: Any, kind: type[Exception]) -> None:
    """A bad count is refused by name, also for a model whose prices are at hand already."""
    from upstream import row

    pricing = Pricing(Settings(), catalog=Catalog.from_models([row()]))
    if asked_before:
        pricing.cost("openai/gpt-4o-mini", 1, 1)

    with pytest.raises(kind, match=f"^{name} must "):
        pricing.cost("openai/gpt-4o-mini", **{name: bad})
