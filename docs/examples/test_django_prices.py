"""Tests of the Django views, with prices that never change."""

import django
import pytest
from django.conf import settings
from django.test import Client

from openrouter_pricing import Catalog, Pricing, Settings

ROWS = [
    {"id": "acme/small", "pricing": {"prompt": "0.000001", "completion": "0.000002"}},
    {"id": "acme/router", "pricing": {"prompt": "-1", "completion": "-1"}},
]

if not settings.configured:  # a project has a settings module instead
    settings.configure(ALLOWED_HOSTS=["testserver"], ROOT_URLCONF="django_prices")
    django.setup()


@pytest.fixture
def client(monkeypatch):
    """The project's client, at prices of our own."""
    pinned = Pricing(Settings(markup_rate="1.5"), catalog=Catalog.from_models(ROWS))
    monkeypatch.setattr("django_prices.pricing", pinned)
    return Client()


def test_an_estimate(client):
    """Money comes as a string, exact and marked up."""
    answer = client.get(
        "/estimate", {"model": "acme/small", "prompt": 1000, "completion": 100}
    )
    assert (answer.status_code, answer.json()["total"]) == (200, "0.0018000")


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
    answer = client.get(
        "/estimate", {"model": model, "prompt": prompt, "completion": 1}
    )
    assert answer.status_code == status
    assert answer.json()["error"]
