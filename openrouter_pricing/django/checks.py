"""System checks: whether the options can be read, and whether they will do."""

from __future__ import annotations

import re
from typing import Any

from django.conf import settings
from django.core.cache.backends.base import BaseCache
from django.core.cache.backends.dummy import DummyCache
from django.core.cache.backends.filebased import FileBasedCache
from django.core.cache.backends.locmem import LocMemCache
from django.core.checks import CheckMessage, Error, Warning
from django.utils.module_loading import import_string

from .. import backends
from .._history.opening import BUNDLED, NONE
from .._history.opening import check as check_history
from ..errors import SettingsError
from . import conf

_SECRET = ("API_KEY", "WEBHOOK_URL", "WEBHOOK_SECRET")
_PASSWORD = re.compile(r"://[^/?#]*:[^/?#]+@|[?&]\w*password=")
_NOT_SHARED = (LocMemCache, DummyCache, FileBasedCache)


def check_settings(app_configs: Any = None, **_: Any) -> list[CheckMessage]:
    """E001: the options cannot be read; E002: a cache that cannot keep a lease; W002: a secret among them."""
    try:
        cache = _cache()
    except SettingsError as error:
        return [Error(str(error), hint=f"See {conf.NAME} in the settings.", id="openrouter_pricing.E001")]
    found: list[CheckMessage] = []
    if cache is not None and cache.add in (FileBasedCache.add, BaseCache.add):
        found.append(
            Error(
                f"{cache.__name__} cannot add a value atomically, so several processes would fetch at once.",
                hint="Name another cache in BACKEND, or leave it out: disk:// is shared by the processes of a host.",
                id="openrouter_pricing.E002",
            )
        )
    found += [
        Warning(
            f"{conf.NAME}[{name!r}] holds a secret, which pages and reports that show settings may show, too.",
            hint=f"Leave it out and set the environment variable OPENROUTER_PRICING_{name}.",
            id="openrouter_pricing.W002",
        )
        for name, value in conf.given().items()
        if value and (name in _SECRET or (isinstance(value, str) and _PASSWORD.search(value)))
    ]
    return found


def check_shared(app_configs: Any = None, **_: Any) -> list[CheckMessage]:
    """W001: a cache that other processes, or other hosts, do not share."""
    try:
        cache = _cache()
    except SettingsError:
        return []  # E001 tells
    if cache is None or not issubclass(cache, _NOT_SHARED):
        return []
    return [
        Warning(
            f"{cache.__name__} is not shared by the processes of all hosts: each would fetch for itself.",
            hint="Name a cache on a server in BACKEND, or leave it out: disk:// is shared by the processes of a host.",
            id="openrouter_pricing.W001",
        )
    ]


def _cache() -> type[BaseCache] | None:
    """The class of the cache that prices are kept in; None where they are kept elsewhere.

    Raises:
        SettingsError: an option cannot be read, or names what is not there.
    """
    options = conf.read()
    backends.check(options.backend)
    if options.history not in (NONE, BUNDLED):
        check_history(options.history)
    scheme, _, alias = options.history.partition("://")
    if scheme == "django" and (alias or "default") not in settings.DATABASES:
        raise SettingsError("HISTORY", f"'django://{alias}'", f"the alias of one of {_names(settings.DATABASES)}")
    scheme, _, alias = options.backend.partition("://")
    if scheme.lower() != "django":
        return None
    if (alias or "default") not in settings.CACHES:
        raise SettingsError("BACKEND", f"'django://{alias}'", f"the alias of one of {_names(settings.CACHES)}")
    try:
        found: type[BaseCache] = import_string(settings.CACHES[alias or "default"]["BACKEND"])
    except (ImportError, KeyError) as error:
        raise SettingsError("BACKEND", f"'django://{alias}'", "a cache whose class can be imported") from error
    return found


def _names(aliases: Any) -> str:
    return ", ".join(sorted(aliases))
