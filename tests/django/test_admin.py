"""What the admin may do with prices."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.test import RequestFactory

from openrouter_pricing.django.models import PriceHead


def test_nobody_changes_rows() -> None:
    """They are written by what is recorded."""
    page, request = admin.site._registry[PriceHead], RequestFactory().get("/")
    allowed: list[Any] = [page.has_add_permission(request), page.has_change_permission(request)]
    assert [*allowed, page.has_delete_permission(request, None)] == [False] * 3
