"""The app, as Django sees it."""

from __future__ import annotations

from django.apps import AppConfig
from django.core import checks
from django.core.signals import setting_changed


class PricingConfig(AppConfig):
    """Registers checks and listens to changed settings; nothing of it asks for a price."""

    name = "openrouter_pricing.django"
    label = "openrouter_pricing"
    verbose_name: str = "OpenRouter pricing"
    default_auto_field: str = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Called once in each process, also in the one that watches files for ``runserver``."""
        from . import conf
        from .checks import check_settings, check_shared

        checks.register(check_settings)
        checks.register(check_shared, deploy=True)
        setting_changed.connect(conf.setting_changed, dispatch_uid=self.label)
