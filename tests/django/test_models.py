"""The tables of a price history."""

from __future__ import annotations

from openrouter_pricing.django.models import PriceHead, RecordedPrice


def test_a_permission_to_view_alone() -> None:
    """Nobody can be given leave to change what was recorded."""
    assert (PriceHead._meta.default_permissions, RecordedPrice._meta.default_permissions) == (("view",), ())
    assert [constraint.name for constraint in RecordedPrice._meta.constraints] == ["openrouter_pricing_one_change"]
