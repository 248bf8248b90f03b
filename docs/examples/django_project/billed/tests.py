"""Tests of the API, with prices that never change: ``manage.py test``."""

from types import SimpleNamespace
from unittest import mock

from django.test import TestCase

from openrouter_pricing import Catalog, Pricing, Settings

from .models import Charge, Customer

ROWS = [
    {"id": "acme/small", "pricing": {"prompt": "0.000001", "completion": "0.000002"}},
    {"id": "acme/router", "pricing": {"prompt": "-1", "completion": "-1"}},
]
USAGE = {"prompt_tokens": 1000, "completion_tokens": 100, "cost": 0.0013}
CHOICE = SimpleNamespace(message=SimpleNamespace(content="Hello!"))
SAID = SimpleNamespace(id="gen-1", model="acme/small", usage=USAGE, choices=[CHOICE])


class TheApi(TestCase):
    """At pinned prices, and with a model that always says the same."""

    def setUp(self):
        """Put them in place."""
        pinned = Pricing(Settings(markup_rate="1.5"), catalog=Catalog.from_models(ROWS))
        for name, value in (("pricing", pinned), ("call", lambda text: SAID)):
            patch = mock.patch(f"billed.views.{name}", value)
            patch.start()
            self.addCleanup(patch.stop)

    def test_an_estimate(self):
        """Money comes as a string, exact and marked up."""
        asked = {"model": "acme/small", "prompt": 1000, "completion": 100}
        answer = self.client.get("/estimate", asked)
        assert answer.json()["total"] == "0.0018000"

    def test_what_cannot_be_priced(self):
        """It is an error that says why, and never a price of 0."""
        for model, prompt, status in [
            ("acme/smal", 1, 404),
            ("acme/router", 1, 422),
            ("acme/small", -1, 400),
            ("acme/small", "many", 400),
        ]:
            answer = self.client.get("/estimate", {"model": model, "prompt": prompt})
            assert answer.status_code == status

    def test_a_call_is_charged_once(self):
        """However often its response is told."""
        Customer.objects.create(name="Ann", key="k-1")
        for _ in range(2):
            answer = self.client.post(
                "/ask",
                {"text": "Hello"},
                "application/json",
                headers={"authorization": "Bearer k-1"},
            )
            assert answer.json()["charged"] == "0.001950000000"
        assert Charge.objects.get().receipt["raw"] == "0.0013"

    def test_nobody_is_let_in(self):
        """Without a key nothing is asked, and nobody is charged."""
        answer = self.client.post("/ask", {"text": "Hello"}, "application/json")
        assert (answer.status_code, Charge.objects.count()) == (401, 0)
