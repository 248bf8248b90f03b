"""The Open WebUI module: what it lists, by the rules of the old module, and repositories of the test's own."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from openrouter_pricing.openwebui import ModelCategory, ModelPricing, ModelPricingRepository, RepositoryError
from support.upstream import row

_T = TypeVar("_T")

ROWS = [
    row("openai/gpt-4o-mini", name="GPT-4o-mini", description="Small.", per_request_limits={"prompt_tokens": "9"}),
    row("openai/dear", name="Dear", pricing={"prompt": "0.00006", "completion": "0.00024"}),
    row("anthropic/claude-sonnet-4", name="Sonnet", pricing={"prompt": "0.000003", "completion": "0.000015"}),
    row("a/fast", name="Fast", pricing={"prompt": "0.000005", "completion": "0.000005"}, top_provider={"x": 1}),
    row("a/standard", name="Standard", pricing={"prompt": "0.000001", "completion": "0.000001"}),
    row("a/embed", name="Embed", pricing={"prompt": "0.0000001"}, context_length=None, supported_parameters=None),
    row("openrouter/auto", name="Auto", pricing={"prompt": "-1", "completion": "-1"}),
    row("alone", name=None, pricing={"prompt": "0.00000015", "completion": "0"}),
]
FALLBACK = {
    "anthropic/claude-sonnet-4": ("Claude Sonnet 4", "Anthropic", 8, 24, 1000000, "Premium"),
    "google/gemini-2.5-flash": ("Gemini 2.5 Flash", "Google", 1.5, 6, 2000000, "Fast"),
    "google/gemini-2.5-pro": ("Gemini 2.5 Pro", "Google", 3, 12, 2000000, "Premium"),
    "deepseek/deepseek-chat-v3-0324": ("DeepSeek Chat v3", "DeepSeek", 0.14, 0.28, 128000, "Budget"),
    "anthropic/claude-3.7-sonnet": ("Claude 3.7 Sonnet", "Anthropic", 6, 18, 200000, "Premium"),
    "anthropic/claude-3.5-haiku": ("Claude 3.5 Haiku", "Anthropic", 0.5, 2, 200000, "Standard"),
    "openai/gpt-4o": ("GPT-4 Omni", "OpenAI", 10, 30, 128000, "Premium"),
    "openai/gpt-4o-mini": ("GPT-4 Omni Mini", "OpenAI", 0.15, 0.6, 128000, "Budget"),
    "openai/gpt-3.5-turbo": ("GPT-3.5 Turbo", "OpenAI", 3, 12, 16385, "Standard"),
    "google/gemini-flash-1.5-exp": ("Gemini Flash 1.5 Experimental", "Google", 0, 0, 1000000, "Budget"),
    "openai/o1-preview": ("O1 Preview", "OpenAI", 60, 240, 128000, "Reasoning"),
    "openai/gpt-4": ("GPT-4", "OpenAI", 5, 15, 128000, "Standard"),
}
KEYS = [
    "id",
    "name",
    "provider",
    "price_per_million_input",
    "price_per_million_output",
    "context_length",
    "category",
    "description",
    "created",
    "architecture",
    "top_provider",
    "per_request_limits",
    "supported_parameters",
]


def expected(listed: dict[str, Any]) -> dict[str, Any]:
    """A row as the API gives it, by the rules of the old module, computed anew."""
    given, made = (float(listed["pricing"].get(key, "0")) * 1_000_000 for key in ("prompt", "completion"))
    mean = (given + made) / 2
    category = "Reasoning"
    for limit, name in ((50, "Premium"), (10, "Fast"), (5, "Standard"), (1, "Budget")):
        category = name if mean < limit else category
    return {
        "id": listed["id"],
        "name": listed["name"] or listed["id"],
        "provider": listed["id"].split("/")[0].title() if "/" in listed["id"] else "Unknown",
        "price_per_million_input": given,
        "price_per_million_output": made,
        "context_length": listed["context_length"] or 0,
        "category": category,
        "description": listed.get("description", ""),
        "created": listed["created"],
        "architecture": listed["architecture"],
        "top_provider": listed.get("top_provider", {}),
        "per_request_limits": listed.get("per_request_limits"),
        "supported_parameters": listed.get("supported_parameters") or [],
    }


EXPECTED = sorted(map(expected, ROWS), key=lambda model: (model["provider"], model["name"]))


def run(coroutine: Coroutine[Any, Any, _T]) -> _T:
    """What a coroutine gives, in a loop of its own."""
    return asyncio.run(coroutine)


def model(name: str, given: float, made: float, category: ModelCategory = ModelCategory.BUDGET) -> ModelPricing:
    """One model, by its id and prices."""
    return ModelPricing(f"{name}/x", name, name.title(), given, made, 1000, category)


MODELS = [
    model("dear", 60, 240, ModelCategory.REASONING),
    model("cheap", 0.1, 0.3),
    model("openai", 0.15, 0.6),
    ModelPricing("openai/gpt-4o", "GPT", "Openai", 2.5, 10, 128000, ModelCategory.FAST),
]


class Fixed(ModelPricingRepository):
    """A repository that answers from memory, or fails."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.models = MODELS
        self.fails = False
        self.error: Exception = RepositoryError("down")
        self.gate: asyncio.Event | None = None

    async def _ask(self, what: str) -> None:
        self.asked.append(what)
        await (asyncio.sleep(0) if self.gate is None else self.gate.wait())
        if self.fails:
            raise self.error

    async def fetch_all_models(self) -> list[ModelPricing]:
        await self._ask("all")
        return self.models

    async def fetch_model_by_id(self, model_id: str) -> ModelPricing | None:
        await self._ask(model_id)
        return next((one for one in self.models if one.id == model_id), None)

    async def health_check(self) -> bool:
        await self._ask("health")
        return True


class CacheClock:
    """The monotonic clock that the caches see."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.readings = 0

    def monotonic(self) -> float:
        self.readings += 1
        return self.now
