"""The commands cost, models and model: what they answer."""

from __future__ import annotations

import json

import pytest
from support.commands import Ask, process
from support.upstream import Upstream, row

from openrouter_pricing import Pricing, Settings


def test_cost_as_json_is_the_dictionary_of_the_cost(ask: Ask, upstream: Upstream) -> None:
    """``--json`` prints ``Cost.to_dict()``, with money as strings, and takes every option."""
    upstream.say(row(pricing={"prompt": "1", "completion": "2", "input_cache_write": "3"}))
    status, out, err = ask(
        "cost", "openai/gpt-4o-mini", "10", "5", "--cache-write", "4", "--markup", "1.5", "--json", "--cached=1"
    )
    answer = json.loads(out)

    assert (status, err) == (0, "")
    assert (answer["raw"], answer["markup_rate"]) == ("28", "1.5")
    assert answer["total"] == "42.0"
    assert [line["item"] for line in answer["lines"]] == ["prompt", "input_cache_write", "completion"]


def test_an_unknown_model_is_named_with_near_names() -> None:
    """A misspelt model is one line with suggestions, and status 1."""
    assert process("cost", "openai/gpt4o-mini", "1000", "500") == (
        1,
        "",
        "openrouter-pricing: unknown model 'openai/gpt4o-mini'; did you mean 'openai/gpt-4o-mini'?\n",
    )


@pytest.mark.usefixtures("several")
@pytest.mark.parametrize(
    ("args", "ids"),
    [
        (("--sort", "id"), "a/cheap b/dear c/router d/embed"),
        (("--sort", "name"), "a/cheap d/embed c/router b/dear"),
        (("--sort", "price"), "a/cheap d/embed b/dear c/router"),
        (("--sort", "context"), "a/cheap d/embed b/dear c/router"),
        (("--sort", "id", "--limit", "2"), "a/cheap b/dear"),
        (("--text", "ET", "--provider", "D"), "d/embed"),
        (("--category", "budget"), "a/cheap"),
        (("--min-context", "20"), "a/cheap d/embed"),
        (("--max-prompt-price", "2"), "a/cheap d/embed"),
        (("--max-prompt-price", "1.99"), "a/cheap"),
        (("--modality", "embeddings"), "d/embed"),
        (("--modality", "text+image->text", "--limit", "1"), "b/dear"),
        (("--supports", "tools", "--supports", "temperature", "--sort", "id"), "a/cheap b/dear c/router"),
    ],
)
def test_models_takes_every_filter_and_order(ask: Ask, args: tuple[str, ...], ids: str) -> None:
    """Each filter of ``Catalog.find`` is an option; the highest price is meant per million tokens."""
    status, out, _ = ask("models", "--json", *args)
    answer = json.loads(out)

    assert (status, answer["source"]) == (0, "live")
    assert sorted(ids.split()) == sorted(model["id"] for model in answer["models"])
    if "--sort" in args:
        assert ids.split() == [model["id"] for model in answer["models"]]


@pytest.mark.usefixtures("several")
def test_no_model_that_fits_is_an_empty_answer(ask: Ask) -> None:
    """Conditions that nothing meets print nothing but a note; as JSON, an empty list."""
    assert ask("models", "--text", "nothing") == (0, "", "note: no model meets these conditions\n")
    assert json.loads(ask("models", "--text", "nothing", "--json")[1])["models"] == []


def test_model_as_json_has_the_price_list_as_strings(ask: Ask) -> None:
    """``--json`` gives the model, its prices as strings, and where they come from."""
    status, out, _ = ask("model", "openai/gpt-4o-mini", "--json")
    answer = json.loads(out)

    assert (
        status,
        answer["id"],
        answer["category"],
        answer["source"],
    ) == (0, "openai/gpt-4o-mini", "Budget", "live")
    assert answer["pricing"] == {"prompt": "1.5E-7", "completion": "6E-7", "input_cache_read": "7.5E-8"}


def test_the_command_line_and_the_sdk_agree(ask: Ask, upstream: Upstream) -> None:
    """The command prints what the SDK answers from the same store."""
    printed = json.loads(ask("cost", "openai/gpt-4o-mini", "123", "456", "--json")[1])
    with Pricing(Settings(base_url=upstream.url)) as pricing:
        assert pricing.cost("openai/gpt-4o-mini", 123, 456).to_dict() == printed
