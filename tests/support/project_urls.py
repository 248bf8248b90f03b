"""The addresses of the small Django project."""

from __future__ import annotations

from datetime import datetime, timezone

from django.contrib import admin
from django.http import HttpRequest, JsonResponse
from django.urls import include, path

from openrouter_pricing.django import pricing
from openrouter_pricing.django.views import dashboard_urls


def cost(request: HttpRequest) -> JsonResponse:
    """What a call costs."""
    return JsonResponse(pricing.cost(request.GET["model"], 1000, 500).to_dict())


async def async_cost(request: HttpRequest) -> JsonResponse:
    """The same, now and then, on the event loop."""
    costs = [
        pricing.cost(request.GET["model"], 1000, at=at) for at in (None, datetime(2025, 1, 1, tzinfo=timezone.utc))
    ]
    return JsonResponse({"sources": [cost.source for cost in costs]})


urlpatterns = [
    path("cost", cost),
    path("async-cost", async_cost),
    path("admin/", admin.site.urls),
    path("prices/", include(dashboard_urls(auth="token"))),
]
