"""The first migration."""

from __future__ import annotations

from django.core.management import call_command
from django.db import connection

TABLES = {"openrouter_pricing_pricehead", "openrouter_pricing_recordedprice"}


def test_back_and_forth() -> None:
    """Its tables are made, and unmade, by the project's own ``migrate``."""
    assert set(connection.introspection.table_names()) >= TABLES
    call_command("migrate", "openrouter_pricing", "zero", verbosity=0)
    assert not TABLES & set(connection.introspection.table_names())
    call_command("migrate", "openrouter_pricing", verbosity=0)
    assert set(connection.introspection.table_names()) >= TABLES
