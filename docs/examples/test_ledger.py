"""Tests of the ledger, with prices that never change."""

from decimal import Decimal

import pytest
from ledger import Ledger

from openrouter_pricing import Catalog, Pricing, Settings, Total

ROWS = [{"id": "acme/small", "pricing": {"prompt": "0.0000001", "completion": "0"}}]


@pytest.fixture
def cost():
    """One token: too little for a float to add up ten of."""
    pricing = Pricing(Settings(markup_rate=1), catalog=Catalog.from_models(ROWS))
    return pricing.cost("acme/small", 1)


def test_what_a_customer_owes(cost, tmp_path):
    """The sum is exact, and of that customer's calls alone."""
    ledger = Ledger(tmp_path / "receipts.db")
    for number in range(10):
        ledger.add(f"gen-{number}", "ann", cost)
    ledger.add("gen-10", "bob", cost)
    assert ledger.owed("ann") == Total(Decimal("0.000001"), Decimal("0.000001"), 10)


def test_a_response_is_charged_once(cost, tmp_path):
    """Telling of it again, after a retry say, changes nothing."""
    ledger = Ledger(tmp_path / "receipts.db")
    assert [ledger.add("gen-1", "ann", cost) for _ in range(2)] == [True, False]
    assert ledger.owed("ann").count == 1
