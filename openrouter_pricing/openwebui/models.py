"""The legacy Open WebUI API's values: models with float prices per million tokens, and its twelve fallback rows."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

#: A JSON object.
Json: TypeAlias = "dict[str, Any]"


class ModelCategory(enum.Enum):
    """How dear a model is, by the mean of its two prices in USD per million tokens: below 1, 5, 10, 50, or above."""

    BUDGET = "Budget"
    STANDARD = "Standard"
    FAST = "Fast"
    PREMIUM = "Premium"
    REASONING = "Reasoning"


_LIMITS = (
    (1.0, ModelCategory.BUDGET),
    (5.0, ModelCategory.STANDARD),
    (10.0, ModelCategory.FAST),
    (50.0, ModelCategory.PREMIUM),
)


@dataclass
class ModelPricing:
    """One model.

    Args:
        id: what requests name it by.
        name: for people.
        provider: the part of the id before the slash, in title case; "Unknown" without one.
        price_per_million_input: USD per million prompt tokens; -1000000.0 for a router model.
        price_per_million_output: USD per million completion tokens; -1000000.0 for a router model.
        context_length: tokens.
        category: how dear it is; its name will do.
        description, created, architecture, top_provider, per_request_limits, supported_parameters: as listed.
    """

    id: str
    name: str
    provider: str
    price_per_million_input: float
    price_per_million_output: float
    context_length: int
    category: ModelCategory
    description: str = ""
    created: int = 0
    architecture: Json | None = None
    top_provider: Json | None = None
    per_request_limits: Json | None = None
    supported_parameters: list[str] | None = None

    def __post_init__(self) -> None:
        self.category = ModelCategory(self.category)
        self.architecture = self.architecture or {}
        self.top_provider = self.top_provider or {}
        self.supported_parameters = self.supported_parameters or []

    @property
    def average_price(self) -> float:
        """Mean of the two prices, USD per million tokens."""
        return (self.price_per_million_input + self.price_per_million_output) / 2

    def to_dict(self) -> Json:
        """JSON-ready, and the caller's own, with all that is nested in it."""
        return {**_fresh(vars(self)), "category": self.category.value}

    def __deepcopy__(self, memo: dict[int, Any]) -> ModelPricing:
        # By hand, as hundreds of them are copied for an answer: several times as fast as what `copy` does by itself.
        twin = object.__new__(type(self))
        vars(twin).update(_fresh(vars(self)))
        return twin

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> ModelPricing:
        """A model of a row of OpenRouter's list.

        Raises:
            ValueError, TypeError: a price is not a number.
        """
        model_id, pricing = row["id"], row.get("pricing") or {}
        given, made = (float(pricing.get(key) or 0) * 1_000_000 for key in ("prompt", "completion"))
        return cls(
            id=model_id,
            name=row.get("name") or model_id,
            provider=model_id.split("/")[0].title() if "/" in model_id else "Unknown",
            price_per_million_input=given,
            price_per_million_output=made,
            context_length=row.get("context_length") or 0,
            category=_category((given + made) / 2),
            description=row.get("description") or "",
            created=row.get("created") or 0,
            architecture=row.get("architecture"),
            top_provider=row.get("top_provider"),
            per_request_limits=row.get("per_request_limits"),
            supported_parameters=row.get("supported_parameters"),
        )


def _category(mean: float) -> ModelCategory:
    return next((category for limit, category in _LIMITS if mean < limit), ModelCategory.REASONING)


@dataclass
class PricingResponse:
    """What the pricing calls answer.

    Args:
        success: whether the prices come from OpenRouter, now or before.
        models: sorted by provider and name.
        last_updated: when the prices were fetched, ISO 8601.
        source: "openrouter_api", "cache_fallback" or "hardcoded_fallback".
        error: what went wrong, for people; None where nothing did.
    """

    success: bool
    models: list[ModelPricing]
    last_updated: str
    source: str
    error: str | None = None

    def to_dict(self) -> Json:
        """JSON-ready, and the caller's own, with all that is nested in it."""
        return {**vars(self), "models": [model.to_dict() for model in self.models]}


def read_name(value: object, name: str) -> str:
    """A name as callers give it: a string, or one of the categories.

    Raises:
        TypeError: it is neither; the message names the argument.
    """
    if isinstance(value, ModelCategory):
        value = value.value
    if not isinstance(value, str):
        raise TypeError(f"{name} must be a string, not {type(value).__name__}")
    return value


def _fresh(value: Any) -> Any:
    """A copy of JSON that shares nothing with it."""
    if isinstance(value, dict):
        return {key: _fresh(inner) for key, inner in value.items()}
    return [_fresh(inner) for inner in value] if isinstance(value, list) else value


def own_list(answer: Json) -> Json:
    """An answer for one more of the callers that ask at the same time: its own list, of rows that they share.

    Rows of their own for a hundred callers are so many objects that the garbage collector would hold the event loop up.
    """
    return {**answer, "models": list(answer["models"])}


_ROWS: tuple[tuple[str, str, str, float, float, int, ModelCategory], ...] = (
    ("anthropic/claude-sonnet-4", "Claude Sonnet 4", "Anthropic", 8.0, 24.0, 1_000_000, ModelCategory.PREMIUM),
    ("google/gemini-2.5-flash", "Gemini 2.5 Flash", "Google", 1.5, 6.0, 2_000_000, ModelCategory.FAST),
    ("google/gemini-2.5-pro", "Gemini 2.5 Pro", "Google", 3.0, 12.0, 2_000_000, ModelCategory.PREMIUM),
    ("deepseek/deepseek-chat-v3-0324", "DeepSeek Chat v3", "DeepSeek", 0.14, 0.28, 128_000, ModelCategory.BUDGET),
    ("anthropic/claude-3.7-sonnet", "Claude 3.7 Sonnet", "Anthropic", 6.0, 18.0, 200_000, ModelCategory.PREMIUM),
    ("anthropic/claude-3.5-haiku", "Claude 3.5 Haiku", "Anthropic", 0.5, 2.0, 200_000, ModelCategory.STANDARD),
    ("openai/gpt-4o", "GPT-4 Omni", "OpenAI", 10.0, 30.0, 128_000, ModelCategory.PREMIUM),
    ("openai/gpt-4o-mini", "GPT-4 Omni Mini", "OpenAI", 0.15, 0.6, 128_000, ModelCategory.BUDGET),
    ("openai/gpt-3.5-turbo", "GPT-3.5 Turbo", "OpenAI", 3.0, 12.0, 16_385, ModelCategory.STANDARD),
    (
        "google/gemini-flash-1.5-exp",
        "Gemini Flash 1.5 Experimental",
        "Google",
        0.0,
        0.0,
        1_000_000,
        ModelCategory.BUDGET,
    ),
    ("openai/o1-preview", "O1 Preview", "OpenAI", 60.0, 240.0, 128_000, ModelCategory.REASONING),
    ("openai/gpt-4", "GPT-4", "OpenAI", 5.0, 15.0, 128_000, ModelCategory.STANDARD),
)
FALLBACK_IDS = tuple(row[0] for row in _ROWS)


def fallback_models() -> list[ModelPricing]:
    """The twelve rows that answer where nothing was ever fetched."""
    return [ModelPricing(*row) for row in _ROWS]


def fallback_model(model_id: str) -> ModelPricing | None:
    """The fallback row of a model, or None."""
    return next((model for model in fallback_models() if model.id == model_id), None)
