"""A Starlette application that says what its calls cost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from openrouter_pricing import Pricing, PricingError, UnknownModelError


@asynccontextmanager
async def lifespan(app: Starlette) -> AsyncIterator[None]:
    """Prices are there before the first request, and are kept fresh by a thread."""
    pricing = Pricing()
    await asyncio.to_thread(pricing.warm)  # the one wait for the network
    pricing.start_warmer()
    app.state.pricing = pricing
    yield
    await asyncio.to_thread(pricing.close)


async def estimate(request: Request) -> JSONResponse:
    """What a call would cost: ``cost()`` is asked on the loop, and waits for nobody."""
    asked = request.query_params
    cost = request.app.state.pricing.cost(
        asked.get("model", ""),
        int(asked.get("prompt", 0)),
        int(asked.get("completion", 0)),
    )
    return JSONResponse(cost.to_dict())


async def unknown(request: Request, error: Exception) -> JSONResponse:
    """Near names, where nobody lists the model."""
    assert isinstance(error, UnknownModelError)
    near = list(error.suggestions)
    return JSONResponse({"error": str(error), "suggestions": near}, 404)


async def unpriced(request: Request, error: Exception) -> JSONResponse:
    """Why it cannot be priced."""
    return JSONResponse({"error": str(error)}, 422)


async def no_count(request: Request, error: Exception) -> JSONResponse:
    """Why that is no count."""
    return JSONResponse({"error": str(error)}, 400)


app = Starlette(
    lifespan=lifespan,
    routes=[Route("/estimate", estimate)],
    exception_handlers={
        UnknownModelError: unknown,
        PricingError: unpriced,
        ValueError: no_count,
    },
)
