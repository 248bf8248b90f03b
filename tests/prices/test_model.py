"""Model: one row of the list."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from support.upstream import ROW, row

from openrouter_pricing import Category, Model, Rates


def test_a_row_is_read() -> None:
    """Every field that the SDK answers with comes from its place in the row."""
    model = Model.from_dict(
        row("~openai/gpt-latest", canonical_slug="openai/gpt-9", alias_target={"slug": "openai/gpt-9", "name": "GPT 9"})
    )

    assert ("~openai/gpt-latest", "openai/gpt-9", "openai/gpt-9") == (
        model.id,
        model.canonical_slug,
        model.alias_target,
    )
    assert ("OpenAI: GPT-4o-mini", "openai", 128000) == (model.name, model.provider, model.context_length)
    assert (("text", "image"), ("text",)) == (model.input_modalities, model.output_modalities)
    assert ("tools", "temperature") == model.supported_parameters
    assert Rates.from_dict(ROW["pricing"]) == model.rates


def test_what_a_row_need_not_have() -> None:
    """An id and a pricing object are enough; lists of 2024 have little more."""
    model = Model.from_dict({"id": "gpt", "pricing": {}, "canonical_slug": None, "architecture": None})

    assert ("gpt", "gpt", "unknown", None, None) == (
        model.canonical_slug,
        model.name,
        model.provider,
        model.context_length,
        model.alias_target,
    )
    assert ((), (), ()) == (model.input_modalities, model.output_modalities, model.supported_parameters)


def test_modalities_of_older_lists() -> None:
    """The signature of early lists is taken apart where the lists are missing."""
    old = Model.from_dict(row(architecture={"modality": "text+image->text"}))

    assert (("text", "image"), ("text",)) == (old.input_modalities, old.output_modalities)


def test_raw_is_the_row_and_nobody_elses() -> None:
    """The raw row is whole, unknown fields included, and changing it changes nothing."""
    model = Model.from_dict(row(new_field={"deep": [1]}))
    model.raw["id"] = "changed"

    assert row(new_field={"deep": [1]}) == model.raw


def test_numbers_keep_their_digits_in_the_raw_row() -> None:
    """A number that no float holds as printed is kept as a string, the others as numbers."""
    listed = {"prompt": Decimal("0.12345678901234567890123"), "completion": Decimal("0.5")}

    model = Model.from_dict(row(pricing=listed))

    assert {"prompt": "0.12345678901234567890123", "completion": 0.5} == model.raw["pricing"]


def test_the_text_at_hand_is_kept() -> None:
    """A row that came as text is not written again."""
    text = json.dumps(ROW, indent=1).encode()

    assert Model.from_dict(ROW, text).raw == ROW


@pytest.mark.parametrize("outputs", [["embeddings"], ["image"], ["rerank"]])
def test_a_prompt_only_row_has_no_completion_price(outputs: list[str]) -> None:
    """The 0 that embedding rows list for a completion is a filler; a price above it is a price."""
    architecture = {"output_modalities": outputs}

    assert Model.from_dict(row(architecture=architecture, pricing={"prompt": "1", "completion": "0"})).rates == Rates(
        prompt=1
    )
    assert Model.from_dict(row(architecture=architecture, pricing={"prompt": "1", "completion": "2"})).rates == Rates(
        prompt=1, completion=2
    )
    assert Rates(prompt=1) == Model.from_dict(row(architecture=architecture, pricing={"prompt": "1"})).rates


def test_an_image_model_prices_its_image_tokens() -> None:
    """A row that gives images alone and lists a price for them prices a completion made of image tokens."""
    from openrouter_pricing import Usage
    from openrouter_pricing._billing.cost import charge

    listed = {"prompt": "0.000001", "completion": "0", "image_output": "0.00003"}
    model = Model.from_dict(row(architecture={"output_modalities": ["image"]}, pricing=listed))

    assert Decimal("0.0387") == charge(model.rates, Usage(0, 1290, image_output_tokens=1290)).raw


@pytest.mark.parametrize(
    ("prompt", "completion", "mean", "category"),
    [
        ("0", "0", "0", Category.BUDGET),
        ("0.0000009999", "0.0000009999", "0.9999", Category.BUDGET),
        ("0.000001", "0.000001", "1", Category.STANDARD),
        ("0", "0.0000099998", "4.9999", Category.STANDARD),
        ("0.000005", "0.000005", "5", Category.FAST),
        ("0", "0.0000199999", "9.99995", Category.FAST),
        ("0.00001", "0.00001", "10", Category.PREMIUM),
        ("0.00005", "0.0000499999", "49.99995", Category.PREMIUM),
        ("0.00005", "0.00005", "50", Category.REASONING),
        ("0.000002", None, "1", Category.STANDARD),
    ],
)
def test_category_by_the_mean_price(prompt: str, completion: str | None, mean: str, category: Category) -> None:
    """The mean of prompt and completion per million decides, and each limit belongs to the dearer side."""
    model = Model.from_dict(row(pricing={"prompt": prompt, "completion": completion}))

    assert (Decimal(mean), category) == (model.mean_price, model.category)


def test_a_router_has_no_category() -> None:
    """Minus one is neither a price nor cheap."""
    model = Model.from_dict(row(pricing={"prompt": "-1", "completion": "-1"}))

    assert (None, None) == (model.mean_price, model.category)


BAD = [
    (None, TypeError, "a model must be an object, not NoneType"),
    ([], TypeError, "a model must be an object, not list"),
    ({"id": None}, TypeError, "id must be a string, not NoneType"),
    ({"id": 5}, TypeError, "id must be a string, not int"),
    *(
        ({"id": name}, ValueError, "id is empty, too long or holds characters")
        for name in ("", "a b", "a\x1b[31m", "a\n", "a\u202eb", "\ud800", "x" * 301)
    ),
    *(({"canonical_slug": bad}, TypeError, "canonical_slug has the wrong type") for bad in (5, [], True)),
    *(({key: bad}, TypeError, f"{key} has") for key in ("name", "description") for bad in (5, {}, False)),
    *(({key: bad}, TypeError, f"{key} has") for key in ("created", "context_length") for bad in ("5", [], True)),
    *(({"context_length": bad}, ValueError, "context_length") for bad in (float("nan"), float("inf"), -1, 10**18 + 1)),
    *(
        ({key: bad}, TypeError, f"{key} has")
        for key in ("architecture", "top_provider", "alias_target")
        for bad in ("", [])
    ),
    ({"alias_target": {"slug": 5}}, TypeError, "alias_target.slug must be a string, not int"),
    ({"supported_parameters": "tools"}, TypeError, "supported_parameters has the wrong type"),
    ({"supported_parameters": [1]}, TypeError, "supported_parameters must be a list of strings"),
    ({"architecture": {"modality": 5}}, TypeError, "architecture.modality must be a string, not int"),
    ({"architecture": {"input_modalities": "text"}}, TypeError, "architecture.input_modalities must be a list"),
    ({"architecture": {"output_modalities": [None]}}, TypeError, "architecture.output_modalities must be a list"),
    ({"pricing": None}, TypeError, "pricing must be an object"),
    ({"pricing": []}, TypeError, "pricing must be an object"),
    ({"pricing": {"prompt": "9" * 10_000}}, ValueError, "prompt is not a readable decimal number"),
    ({"architecture": {"output_modalities": ["x"]}, "pricing": {"completion": "x"}}, ValueError, "completion is not"),
    ({"anything": {1, 2}}, TypeError, "a row may hold JSON values only, not set"),
]


def test_a_broad_row_is_not_a_deep_one() -> None:
    """Brackets beside each other, or in a string, are no nesting."""
    broad = row(x=[[]] * 100, name="[" * 100, y=json.loads("[" * 63 + "]" * 63))

    assert broad == Model.from_dict(broad).raw


@pytest.mark.parametrize(("fields", "kind", "words"), BAD, ids=range(len(BAD)))
def test_a_row_that_cannot_be_read(fields: Any, kind: type[Exception], words: str) -> None:
    """A wrong type or value in any field raises an error that names the field."""
    bad = {**ROW, **fields} if isinstance(fields, dict) else fields

    with pytest.raises(kind, match=f"^{words}"):
        Model.from_dict(bad)


@pytest.mark.parametrize(("length", "read"), [(0, 0), (1, 1), (4096.0, 4096), (10**18, 10**18), (None, None)])
def test_context_lengths(length: Any, read: int | None) -> None:
    """Any whole number of tokens up to 10**18; some rows say 0."""
    assert read == Model.from_dict({**ROW, "context_length": length, "top_provider": None}).context_length


def test_a_row_of_many_small_lists_is_read() -> None:
    """Only depth is refused, not breadth, and brackets in strings are no depth."""
    wide = {"id": "a/b", "pricing": {"prompt": "1"}, "x": [[] for _ in range(200)], "y": "[" * 200}
    assert wide == Model.from_dict(wide).raw
