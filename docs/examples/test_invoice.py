"""Tests of that application, with prices that never change."""

import pytest
from invoice import invoice_line

from openrouter_pricing import Catalog, Pricing, Settings

MODELS = [
    {"id": "acme/small", "pricing": {"prompt": "0.000001", "completion": "0.000002"}},
    {"id": "acme/large", "pricing": {"prompt": "0.00001", "completion": "0.00003"}},
]


@pytest.fixture
def pricing():
    """Two models at prices of our own; no network, no files, no threads."""
    return Pricing(Settings(markup_rate="1.5"), catalog=Catalog.from_models(MODELS))


def test_a_line_shows_the_marked_up_price(pricing):
    """1000 tokens in and 500 out cost 0.002 USD, and half of that on top."""
    assert invoice_line(pricing, "acme/small", 1000, 500) == "acme/small: 0.003000 USD"


def test_an_unknown_model_is_not_free(pricing):
    """A model that is not listed is never shown with a price."""
    assert invoice_line(pricing, "acme/new", 1000, 500) == "acme/new: price on request"
