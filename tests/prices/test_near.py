"""Which listed ids are suggested for a name that is not listed."""

from __future__ import annotations

import pytest
from support.upstream import row

from openrouter_pricing import Catalog, UnknownModelError

ROWS = [
    row("anthropic/claude-sonnet-4.5", canonical_slug="anthropic/claude-4.5-sonnet-20250929"),
    row("anthropic/claude-opus-4.7", canonical_slug="anthropic/claude-4.7-opus-20260416"),
    row("openai/gpt-5-mini", canonical_slug="openai/gpt-5-mini-2025-08-07"),
    row("openai/gpt-5-mini:batch", canonical_slug="openai/gpt-5-mini-2025-08-07"),
    row("openai/gpt-4o"),
    row("openai/gpt-4o-mini"),
    row("google/gemini-3.1-pro"),
    row("x/unrelated-thing"),
]
CATALOG = Catalog.from_models(ROWS)


@pytest.mark.parametrize(
    ("name", "first"),
    [
        ("gpt-5-mini-2025-08-07", "openai/gpt-5-mini"),
        ("gpt-5-mini", "openai/gpt-5-mini"),
        ("GPT-5-Mini", "openai/gpt-5-mini"),
        ("openai/gpt-5-mini-2026-01-01", "openai/gpt-5-mini"),
        ("gpt-4o-2024-11-20", "openai/gpt-4o"),
        ("gpt4o", "openai/gpt-4o"),
        ("gpt4omini", "openai/gpt-4o-mini"),
        ("openai/gpt4o", "openai/gpt-4o"),
        ("openai/gpt-4o-mni", "openai/gpt-4o-mini"),
        ("gpt-4o-latest", "openai/gpt-4o"),
        ("claude-sonnet-4-5", "anthropic/claude-sonnet-4.5"),
        ("claude-sonnet-4-5-20250929", "anthropic/claude-sonnet-4.5"),
        ("claude-4.5-sonnet-20250929", "anthropic/claude-sonnet-4.5"),
        ("anthropic/claude-opus-4-7", "anthropic/claude-opus-4.7"),
        ("anthropic.claude-opus-4-7", "anthropic/claude-opus-4.7"),
        ("us.anthropic.claude-sonnet-4-5-20250929-v1:0", "anthropic/claude-sonnet-4.5"),
        ("claude-sonnet-4-5@20250929", "anthropic/claude-sonnet-4.5"),
        ("opus", "anthropic/claude-opus-4.7"),
        ("sonnet", "anthropic/claude-sonnet-4.5"),
        ("claude", "anthropic/claude-opus-4.7"),
        ("gemini", "google/gemini-3.1-pro"),
        ("gpt-4o@preset/mine", "openai/gpt-4o"),
    ],
)
def test_the_nearest_name_comes_first(name: str, first: str) -> None:
    """Dated names, names without their author, without their marks or of a whole family find the model meant."""
    assert first == CATALOG.near(name)[0]
    with pytest.raises(UnknownModelError) as caught:
        CATALOG[name]
    assert first == caught.value.suggestions[0]


def test_a_family_is_suggested_without_its_variants_first() -> None:
    """Of a family the plain rows come before those with a suffix, each once, and no more than were asked for."""
    assert ["openai/gpt-4o", "openai/gpt-5-mini", "openai/gpt-4o-mini"] == CATALOG.near("gpt")
    assert ["openai/gpt-4o"] == CATALOG.near("gpt", limit=1) == CATALOG.near("gpt-4o", limit=1)
    assert ["anthropic/claude-opus-4.7", "anthropic/claude-sonnet-4.5"] == CATALOG.near("claude", limit=9)


@pytest.mark.parametrize("name", ["", "/", "zz", "-", "😀", "@preset/x"])
def test_nothing_is_suggested_for_nothing(name: str) -> None:
    """A name that resembles none suggests none."""
    assert [] == CATALOG.near(name)


@pytest.mark.parametrize(
    "name", ["a" * 600_000, "claude-" * 90_000, "/" * 600_000, "2" * 600_000, "gpt-4o" + "-" * 600_000]
)
def test_a_long_name_resembles_none(name: str) -> None:
    """A name longer than any listed one resembles none."""
    assert [] == CATALOG.near(name) == CATALOG.near(name[:101])
