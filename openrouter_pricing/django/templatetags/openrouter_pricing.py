"""Filters for templates: ``{% load openrouter_pricing %}``."""

from __future__ import annotations

from collections.abc import Callable

from django import template

from openrouter_pricing._base import filters

register: template.Library = template.Library()


def _quiet(shown: Callable[[object], str]) -> Callable[[object], str]:
    """The filter as Django wants it: what cannot be shown is an empty text."""

    def show(value: object) -> str:
        try:
            return shown(value)
        except (TypeError, ValueError):
            return ""

    return show


register.filter("usd", _quiet(filters.usd))
register.filter("per_million", _quiet(filters.per_million))
