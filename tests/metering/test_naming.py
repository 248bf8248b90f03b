"""What spend is summed by."""

from __future__ import annotations

from typing import Any

import pytest

from openrouter_pricing.metering.naming import KEYS, Namer

NOBODY: dict[str, Any] = {}


@pytest.mark.parametrize(
    ("by", "provider", "stamp", "name"),
    [
        ("model", "Acme", 0, "a/plain"),
        ("provider", "Acme", 0, "Acme"),
        ("provider", None, 0, ""),
        ("day", None, 1_786_680_756, "2026-08-14"),
        ("day", None, "2026-08-14T23:59:59-01:00", "2026-08-15"),
        ("day", None, None, ""),
        ("day", None, "yesterday", ""),
    ],
)
def test_names(by: Any, provider: str | None, stamp: object, name: str) -> None:
    """The model, the provider or the day in UTC; nothing where a line does not say."""
    assert name == Namer(by).name("a/plain", provider, stamp, NOBODY.get)


@pytest.mark.parametrize(
    ("line", "body", "name"),
    [
        ({}, {}, ""),
        ({"user": "ann"}, {}, "ann"),
        ({}, {"user": "ann"}, "ann"),
        ({"key": "one"}, {"api_key_name": "two"}, "one"),
        ({"user": "ann", "api_key_name": "web"}, {}, "web"),
        ({"key": 7, "user": ""}, {"metadata": {"user": "bob"}}, "bob"),
        ({"metadata": {"key_label": "x"}, "user": "ann"}, {}, "ann"),
        ({"metadata": "no object"}, {}, ""),
        ({"key": "x" * 300}, {}, "x" * 200),
    ],
)
def test_keys(line: dict[str, Any], body: dict[str, Any], name: str) -> None:
    """What the line says of whose call it was, then its metadata, then the response in it, then its metadata."""
    assert name == Namer("key").name("a/plain", None, None, line.get, body.get)


@pytest.mark.parametrize(
    ("key", "shown"),
    [
        ("sk-or-v1-" + "0123456789abcdef" * 4, "sk-or-v1-012...def"),
        ("Bearer sk-or-v1-" + "0123456789abcdef" * 4, "Bearer sk-or-v1-012...def"),
        ("sk-or-v1-0e6...1c9", "sk-or-v1-0e6...1c9"),
        ("sk-0123456789abcdefghij", "sk-012345678...hij"),
    ],
)
def test_a_key_itself_is_not_shown(key: str, shown: str) -> None:
    """A secret in a log reaches no report: it is shown as OpenRouter's own pages show it."""
    assert shown == Namer("key").name("a/plain", None, None, {"api_key": key}.get)


def test_what_is_asked_of_a_line() -> None:
    """The fields of keys are decoded only where they are asked for."""
    keyed = {*KEYS, "metadata"}

    assert all(keyed <= set(shape.__struct_fields__) for shape in Namer("key").shapes)
    assert all(keyed.isdisjoint(shape.__struct_fields__) for shape in Namer("day").shapes)
