"""The app, as Django sees it."""

from __future__ import annotations

import io
from typing import Any

import pytest
from django.apps import apps
from django.core import checks
from django.core.management import call_command
from django.core.signals import setting_changed
from django.test import override_settings
from support.upstream import Upstream

from openrouter_pricing import django as app
from openrouter_pricing.django import DjangoHistory, pricing


def test_its_name() -> None:
    """Its label is that of the package."""
    config = apps.get_app_config("openrouter_pricing")
    assert (config.name, config.verbose_name) == ("openrouter_pricing.django", "OpenRouter pricing")
    with pytest.raises(AttributeError, match="nonsense"):
        app.nonsense  # noqa: B018
    assert app.DjangoHistory is DjangoHistory


@pytest.mark.parametrize("field", ["django.db.models.AutoField", "django.db.models.BigAutoField"])
def test_no_setting_makes_a_migration(field: str) -> None:
    """Whatever key a project gives its own models, the app's migrations are complete."""
    with override_settings(DEFAULT_AUTO_FIELD=field):
        assert call_command("makemigrations", "openrouter_pricing", check=True, dry_run=True, verbosity=0) is None


def test_ready_may_run_twice(options: dict[str, Any], upstream: Upstream) -> None:
    """It registers, asks for nothing, and a second time it adds nothing."""
    config = apps.get_app_config("openrouter_pricing")
    registered = set(checks.registry.registry.get_checks(include_deployment_checks=True))
    receivers = len(setting_changed.receivers)
    config.ready()
    assert registered == set(checks.registry.registry.get_checks(include_deployment_checks=True))
    assert receivers == len(setting_changed.receivers)
    assert (upstream.requests, "_made" in vars(pricing)) == ([], False)


def test_the_project_passes_its_checks(options: dict[str, Any]) -> None:
    """All of Django's, and ours."""
    out = io.StringIO()
    call_command("check", stdout=out, stderr=out)
    assert out.getvalue() == "System check identified no issues (0 silenced).\n"
