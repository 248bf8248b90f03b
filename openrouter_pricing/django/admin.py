"""A page in the admin: the dashboard, for those who may view prices."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.views.decorators.csrf import csrf_exempt

from .models import PriceHead
from .views import dashboard_view


class _PricesAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Shows the dashboard where a list of rows would be."""

    def get_urls(self) -> list[URLPattern]:
        """The pages of the dashboard, behind the login of the admin."""
        dashboard = dashboard_view(auth="host")

        @csrf_exempt
        def show(request: HttpRequest, page: str = "") -> HttpResponse:
            if not self.has_view_permission(request):
                raise PermissionDenied
            return dashboard(request, page)

        view = self.admin_site.admin_view(show)
        name = f"{self.opts.app_label}_{self.opts.model_name}_changelist"
        return [path("", view, name=name), path("<path:page>", view)]

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody: rows are written by what is recorded."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody, as above."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody, as above."""
        return False


admin.site.register(PriceHead, _PricesAdmin)
