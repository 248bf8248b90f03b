"""A Flask application that says what its calls cost."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Flask, request

from openrouter_pricing import Pricing, PricingError, UnknownModelError


def create_app(ask: Callable[[str], Any], pricing: Pricing | None = None) -> Flask:
    """``ask`` sends a text to a model and returns the client's response."""
    app = Flask(__name__)
    prices = Pricing() if pricing is None else pricing  # one for the whole application

    @app.get("/estimate")
    def estimate() -> dict[str, Any]:
        asked = request.args
        return prices.cost(
            asked["model"], int(asked["prompt"]), int(asked["completion"])
        ).to_dict()

    @app.post("/ask")
    def answer() -> dict[str, Any]:
        cost = prices.cost_of(ask(request.get_json()["text"]))
        return {"charged": str(cost.total), "receipt": cost.to_dict()}

    @app.errorhandler(UnknownModelError)
    def unknown(error: UnknownModelError) -> tuple[dict[str, Any], int]:
        return {"error": str(error), "suggestions": list(error.suggestions)}, 404

    @app.errorhandler(PricingError)
    def unpriced(error: PricingError) -> tuple[dict[str, Any], int]:
        return {"error": str(error)}, 422

    @app.errorhandler(ValueError)
    def no_count(error: ValueError) -> tuple[dict[str, Any], int]:
        return {"error": str(error)}, 400

    return app
