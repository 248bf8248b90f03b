"""What names mean."""

from __future__ import annotations

import pytest
from support.upstream import row

from openrouter_pricing import Catalog, Pricing, Settings, UnknownModelError
from openrouter_pricing._prices.names import note_slug, resolve

CATALOG = Catalog.from_models(
    [
        row("openai/gpt-5-mini", canonical_slug="openai/gpt-5-mini-2025-08-07"),
        row("openai/gpt-5-mini:batch", canonical_slug="openai/gpt-5-mini-2025-08-07"),
        row("openai/gpt-4o"),
    ]
)


@pytest.mark.parametrize(
    ("name", "model"),
    [
        ("openai/gpt-5-mini@preset/ocr", "openai/gpt-5-mini"),
        ("openai/gpt-5-mini-2025-08-07@preset/a@preset/b", "openai/gpt-5-mini"),
        ("openai/gpt-5-mini:nitro@preset/ocr", "openai/gpt-5-mini"),
        ("openai/gpt-5-mini:batch@preset/ocr", "openai/gpt-5-mini:batch"),
        ("openai/gpt-5-mini@preset/ocr:online", "openai/gpt-5-mini"),
    ],
)
def test_a_preset_changes_no_price(name: str, model: str) -> None:
    """A model with a preset is the model, and says so."""
    assert model == Pricing(Settings(), catalog=CATALOG).cost(name, 1000).model_id


@pytest.mark.parametrize(
    "name", ["@preset/ocr", "nobody/nothing@preset/ocr", "openai/gpt-5-mini@ocr", "openai/gpt-5-mini:free@preset/x"]
)
def test_a_preset_without_a_listed_model_is_unknown(name: str) -> None:
    """A preset alone names no model, and a mark that is no preset is none."""
    with pytest.raises(UnknownModelError):
        CATALOG[name]


def test_a_name_of_suffixes_alone_is_not_taken_apart() -> None:
    """However often a suffix is repeated, a name beyond any id's length is unknown at once."""
    assert CATALOG["openai/gpt-4o" + ":nitro" * 100].id == "openai/gpt-4o"
    assert "openai/gpt-4o" + ":nitro" * 100_000 not in CATALOG


def test_an_id_goes_before_a_slug() -> None:
    """What is listed under its very name is meant, whatever else has that slug."""
    assert "a/b" == resolve("a/b", {"a/b"}, {"a/b": "a/c"}.get)
    assert "a/c" == resolve("a/b:nitro", {"a/c"}, {"a/b": "a/c"}.get)
    assert resolve("a/b", set(), {}.get) is None


@pytest.mark.parametrize(
    ("ids", "meant"),
    [
        (("a/b:free", "a/b"), "a/b"),
        (("a/b", "a/b:free"), "a/b"),
        (("a/b:free",), "a/b:free"),
        (("a/b:free", "a/b:batch"), ""),
        (("a/b:free", "a/b:batch", "a/b"), "a/b"),
        (("a/first", "a/second"), "a/first"),
        (("slug",), None),
    ],
)
def test_whom_a_slug_means(ids: tuple[str, ...], meant: str | None) -> None:
    """The row without suffix; of several with one none, as which is meant cannot be known."""
    slugs: dict[str, str] = {}
    for model_id in ids:
        note_slug(slugs, "slug", model_id)
    assert meant == slugs.get("slug")
