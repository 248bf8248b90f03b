"""Tests of the Flask application, with prices that never change."""

import pytest
from flask_app import create_app

from openrouter_pricing import Catalog, Pricing, Settings

ROWS = [
    {"id": "acme/small", "pricing": {"prompt": "0.000001", "completion": "0.000002"}},
    {"id": "acme/router", "pricing": {"prompt": "-1", "completion": "-1"}},
]


@pytest.fixture
def client():
    """The application's client, and a model that always says the same."""
    said = {
        "model": "acme/small",
        "usage": {"prompt_tokens": 1000, "completion_tokens": 100, "cost": 0.0013},
    }
    app = create_app(lambda text: said, {"TESTING": True})
    pinned = Pricing(Settings(markup_rate="1.5"), catalog=Catalog.from_models(ROWS))
    app.extensions["openrouter_pricing"] = pinned
    return app.test_client()


def test_an_estimate(client):
    """Money comes as a string, exact and marked up; nobody was called for it."""
    answer = client.get("/estimate?model=acme/small&prompt=1000&completion=100")
    assert (answer.status_code, answer.json["cost"]["total"]) == (200, "0.0018000")
    assert "X-Charged-USD" not in answer.headers


def test_what_a_call_did_cost(client):
    """What the response reports is marked up, and the request is charged that."""
    answer = client.post("/ask", json={"text": "Say hello."})
    assert (answer.json["receipt"]["raw"], answer.json["charged"]) == (
        "0.0013",
        "0.00195",
    )
    assert answer.headers["X-Charged-USD"] == "0.00195"


@pytest.mark.parametrize(
    ("model", "prompt", "status"),
    [
        ("acme/smal", "1", 404),
        ("acme/router", "1", 422),
        ("acme/small", "-1", 400),
        ("acme/small", "many", 400),
    ],
)
def test_what_cannot_be_priced(client, model, prompt, status):
    """It is an error that says why, and never a price of 0."""
    answer = client.get(f"/estimate?model={model}&prompt={prompt}&completion=1")
    assert answer.status_code == status
    assert answer.json["error"]
