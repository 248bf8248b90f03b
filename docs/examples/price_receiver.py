"""A Flask application that is told when prices change."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Flask, request
from standardwebhooks import Webhook, WebhookVerificationError


def create_app(secret: str, changed: Callable[[dict[str, Any]], object]) -> Flask:
    """``changed`` is called with each event, once."""
    app = Flask(__name__)
    verifier = Webhook(secret)
    seen: set[str] = set()  # with more than one process: a table with a unique column

    @app.post("/prices")
    def prices() -> tuple[str, int]:
        try:
            event = verifier.verify(request.get_data(), dict(request.headers))
        except (WebhookVerificationError, ValueError):
            return "", 401
        if event["id"] not in seen:
            changed(event)
            seen.add(event["id"])
        return "", 204

    return app
