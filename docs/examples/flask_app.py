"""A Flask application that meters what each of its requests costs."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from typing import Any

from flask import Flask, Response, g, request
from openai import OpenAI

from openrouter_pricing import PricingError, Total, UnknownModelError
from openrouter_pricing.flask import FlaskPricing, current_pricing

prices = FlaskPricing()


def ask_openrouter(text: str) -> Any:
    """What a model says."""
    url = os.environ.get("OPENROUTER_URL", "https://openrouter.ai/api/v1")
    with OpenAI(base_url=url, api_key=os.environ["OPENROUTER_API_KEY"]) as client:
        said = [{"role": "user", "content": text}]
        return client.chat.completions.create(model="openai/gpt-4o-mini", messages=said)


def create_app(
    ask: Callable[[str], Any] = ask_openrouter, config: dict[str, Any] | None = None
) -> Flask:
    """``ask`` sends a text to a model and returns the client's response."""
    app = Flask(__name__)
    app.config["OPENROUTER_PRICING_MARKUP_RATE"] = "1.5"
    app.config.update(config or {})
    prices.init_app(app)

    @app.get("/estimate")
    def estimate() -> dict[str, Any]:
        asked = request.args
        cost = current_pricing.cost(
            asked["model"], int(asked["prompt"]), int(asked["completion"])
        )
        return {"cost": cost}

    @app.post("/ask")
    def answer() -> dict[str, Any]:
        cost = meter(ask(request.get_json()["text"]))
        return {"charged": str(cost.total), "receipt": cost}

    @app.after_request
    def tell(response: Response) -> Response:
        """What all calls of this request cost, where it made any."""
        spent = g.get("spent")
        if spent is not None:
            response.headers["X-Charged-USD"] = f"{spent.total:f}"
            logging.getLogger("billing").info("%s: %s", request.path, spent)
        return response

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


def meter(response: Any) -> Any:
    """What a call cost, which is added to what this request cost."""
    cost = current_pricing.cost_of(response)
    g.spent = g.get("spent", Total()) + cost
    return cost
