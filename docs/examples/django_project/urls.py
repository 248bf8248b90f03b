"""Addresses: an estimate, a billed call, and the prices for those of the staff."""

from billed import views
from django.contrib import admin
from django.contrib.admin.views.decorators import staff_member_required
from django.urls import path

from openrouter_pricing.django.views import dashboard_view

prices = staff_member_required(dashboard_view(auth="host"))

urlpatterns = [
    path("estimate", views.estimate),
    path("ask", views.ask),
    path("admin/", admin.site.urls),
    path("prices/", prices),
    path("prices/<path:page>", prices),
]
