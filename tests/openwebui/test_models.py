"""The values of the Open WebUI module, and how they are made of rows."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from support.recorded import each_day, recorded
from support.upstream import Upstream
from support.webui import FALLBACK, KEYS, ROWS, expected, model, run

from openrouter_pricing.openwebui import (
    ModelCategory,
    PricingResponse,
)


def test_values() -> None:
    """Values compare by their fields, and have the old defaults and forms."""
    one = model("openai", 1, 3)
    assert (2.0, {}, {}, []) == (one.average_price, one.architecture, one.top_provider, one.supported_parameters)
    assert model("openai", 1, 3) == one
    named: Any = "Budget"
    assert one == model("openai", 1, 3, named)
    row = one.to_dict()
    row["architecture"]["modality"] = "changed"
    assert {} == one.architecture
    assert ["Budget", "Standard", "Fast", "Premium", "Reasoning"] == [category.value for category in ModelCategory]
    assert {
        "success": True,
        "models": [one.to_dict()],
        "last_updated": "now",
        "source": "openrouter_api",
        "error": None,
    } == PricingResponse(True, [one], "now", "openrouter_api").to_dict()


def test_nothing_was_ever_fetched(legacy: ModuleType, upstream: Upstream) -> None:
    """Without any prices the twelve rows answer, to the digit, and say why; later calls recover."""
    upstream.fail(500)
    answer = run(legacy.get_dynamic_model_pricing())
    assert ["success", "models", "last_updated", "source", "error"] == list(answer)
    assert (False, "hardcoded_fallback") == (answer["success"], answer["source"])
    assert "500" in answer["error"]
    figures = ["name", "provider", "price_per_million_input", "price_per_million_output", "context_length", "category"]
    assert FALLBACK == {model["id"]: tuple(model[key] for key in figures) for model in answer["models"]}
    assert list(FALLBACK) == [model["id"] for model in answer["models"]]
    assert [KEYS] * 12 == [list(model) for model in answer["models"]]
    upstream.say(*ROWS)
    assert "openrouter_api" == run(legacy.get_dynamic_model_pricing(force_refresh=True))["source"]


@each_day
def test_recorded_days(legacy: ModuleType, upstream: Upstream, name: str) -> None:
    """Every row of a recorded day is what the old module's rules make of it."""
    rows = recorded(name)["data"]
    upstream.say(*rows)
    models = run(legacy.get_dynamic_model_pricing())["models"]
    assert sorted(map(expected, rows), key=lambda model: (model["provider"], model["name"])) == models
    assert 100 < len(models)
