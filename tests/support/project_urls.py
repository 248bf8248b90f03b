"""The addresses of the small Django project."""

from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest, JsonResponse
from django.urls import include, path

from openrouter_pricing.django import pricing
from openrouter_pricing.django.views import dashboard_urls


def cost(request: HttpRequest) -> JsonResponse:
    """What a call costs."""
    return JsonResponse(pricing.cost(request.GET["model"], 1000, 500).to_dict())


urlpatterns = [
    path("cost", cost),
    path("admin/", admin.site.urls),
    path("prices/", include(dashboard_urls(auth="token"))),
]
