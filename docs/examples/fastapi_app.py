"""A FastAPI application with the same prices: its lifespan is Starlette's."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from starlette_app import lifespan, no_count, unknown, unpriced

from openrouter_pricing import PricingError, UnknownModelError

app = FastAPI(lifespan=lifespan)
app.add_exception_handler(UnknownModelError, unknown)
app.add_exception_handler(PricingError, unpriced)
app.add_exception_handler(ValueError, no_count)


@app.get("/estimate")
async def estimate(model: str, prompt: int = 0, completion: int = 0) -> dict[str, Any]:
    """What a call would cost."""
    return app.state.pricing.cost(model, prompt, completion).to_dict()
