"""System checks."""

from __future__ import annotations

import io
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.test import override_settings
from support.project import FOLDER

from openrouter_pricing.django.checks import check_settings, check_shared


def ids(given: Any, *, deploy: bool = False) -> list[str]:
    """What is found, by its id."""
    with override_settings(OPENROUTER_PRICING=given):
        found = [*check_settings(), *(check_shared() if deploy else [])]
    return [(message.id or "").removeprefix("openrouter_pricing.") for message in found]


@pytest.mark.parametrize(
    "given",
    [
        {"MARKUP_RAET": 2},
        {"MARKUP_RATE": "much"},
        {"BACKEND": "carrier-pigeon://"},
        {"BACKEND": "redis://host?decode_responses=1"},
        {"BACKEND": "django://nobody"},
        {"BACKEND": "django://a/b"},
        {"HISTORY": "django://nobody"},
        {"HISTORY": "sqlite://"},
        {"HISTORY": "mysql://host/db"},
        [],
    ],
)
def test_options_that_cannot_be_read(given: Any) -> None:
    """They fail ``check`` with one message, whatever else is wrong, and also when they are checked for a deployment."""
    given = {**given, "API_KEY": "sk-or-v1-hush"} if isinstance(given, dict) else given
    assert ids(given, deploy=True) == ["E001"]
    out = io.StringIO()
    with override_settings(OPENROUTER_PRICING=given), pytest.raises(SystemCheckError) as caught:
        call_command("check", deploy=True, stdout=out, stderr=out)
    assert str(caught.value).count("(openrouter_pricing.") == 1
    assert "hush" not in str(caught.value)


@pytest.mark.parametrize(
    "given", [{}, {"BACKEND": "disk://"}, {"BACKEND": "django://database", "HISTORY": "django://"}]
)
def test_options_that_will_do(given: Any) -> None:
    """Nothing is said of them."""
    assert ids(given, deploy=True) == []


@pytest.mark.parametrize("history", ["none", "bundled://", "sqlite:////tmp/prices.db", "django://default"])
def test_histories_that_will_do(history: str) -> None:
    """Each that can be opened passes."""
    assert ids({"HISTORY": history}) == []


@pytest.mark.parametrize(
    ("alias", "found"),
    [("", ["W001"]), ("default", ["W001"]), ("nothing", ["W001"]), ("files", ["E002", "W001"]), ("database", [])],
)
def test_caches(alias: str, found: list[str]) -> None:
    """One that cannot keep a lease is an error; one that is not shared is a warning before a deployment."""
    assert ids({"BACKEND": f"django://{alias}"}, deploy=True) == found
    assert ids({"BACKEND": f"django://{alias}"}) == [each for each in found if each.startswith("E")]


@pytest.mark.parametrize("cache", [{}, {"BACKEND": "no.such.Cache"}])
def test_a_cache_that_cannot_be_imported(cache: dict[str, str]) -> None:
    """It is an option that cannot be used."""
    with override_settings(CACHES={"default": cache}):
        assert ids({"BACKEND": "django://"}) == ["E001"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("API_KEY", "sk-or-v1-hush"),
        ("WEBHOOK_SECRET", "whsec_hush"),
        ("BACKEND", "redis://:hush@host"),
        ("BACKEND", "rediss://host?ssl_password=hush"),
        ("BASE_URL", "https://me:hush@mirror.example/v1"),
        ("HISTORY", "postgresql+psycopg://me:hush@host/db"),
    ],
)
def test_secrets(name: str, value: str) -> None:
    """A secret among the options is a warning, which does not repeat it."""
    assert ids({name: value}) == ["W002"]
    with override_settings(OPENROUTER_PRICING={name: value}):
        (message,) = check_settings()
    assert f"OPENROUTER_PRICING[{name!r}]" in message.msg
    assert f"OPENROUTER_PRICING_{name}" in str(message.hint)
    assert "hush" not in str(message)


@pytest.mark.parametrize(
    "given", [{"API_KEY": None}, {"BACKEND": "redis://host:6379?db=1"}, {"HISTORY": f"sqlite:///{FOLDER}/a@b"}]
)
def test_what_is_no_secret(given: dict[str, Any]) -> None:
    """No key, and addresses without a password, are nothing to be warned of."""
    assert ids(given) == []
