"""Lists of endpoints as OpenRouter would answer them."""

from __future__ import annotations

import json
from typing import Any

from openrouter_pricing import Fetched
from support.upstream import models, row

MODEL = "openai/gpt-4o-mini"


def path(model_id: str = MODEL) -> str:
    """Where the endpoints of a model are."""
    return f"/api/v1/models/{model_id}/endpoints"


def endpoint(provider: str, tag: str, prompt: str = "1", completion: str = "2", **fields: Any) -> dict[str, Any]:
    """One entry of a list of endpoints; ``pricing`` adds to its two prices."""
    pricing = {"prompt": prompt, "completion": completion, **fields.pop("pricing", {})}
    return {"provider_name": provider, "tag": tag, "context_length": 128000, "pricing": pricing, **fields}


def offers(*entries: Any) -> bytes:
    """The body of a list of endpoints."""
    return json.dumps({"data": {"id": MODEL, "endpoints": list(entries)}}).encode()


class Fixed:
    """A source of the test's own: one model, and the endpoints that it is told.

    Args:
        body: of the list of endpoints.
    """

    def __init__(self, body: bytes) -> None:
        self.body = body

    def fetch(self, *, etag: str | None, deadline: float) -> Fetched:
        """The model list."""
        return Fetched(200, {}, models(row(pricing={"prompt": "1", "completion": "1"})))

    def fetch_endpoints(self, model_id: str, *, etag: str | None, deadline: float) -> Fetched:
        """The endpoints."""
        return Fetched(200, {}, self.body)

    def close(self) -> None:
        """Nothing to do."""
