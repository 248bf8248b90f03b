"""diskcache as it is without Django, until somebody asks for its cache for Django."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any

__all__ = ["import_diskcache"]

_DJANGO = "diskcache.djangocache"


def import_diskcache() -> Any:
    """The package, which would import all of Django wherever that is installed.

    That takes long, and leaves settings behind that nobody has made: gevent looks at every object when it patches a
    process, and stumbles over them. So the part for Django comes with the first question for its name. Whoever has
    imported either of them before gets what is there.
    """
    if "diskcache" in sys.modules or "django" in sys.modules:
        return import_module("diskcache")
    sys.modules[_DJANGO] = None  # type: ignore[assignment]  # to import it is an error, which diskcache expects
    try:
        found = import_module("diskcache")
    finally:
        del sys.modules[_DJANGO]
    found.__getattr__ = _late  # type: ignore[method-assign]
    return found


def _late(name: str) -> Any:
    if name == "DjangoCache":
        try:
            return import_module(_DJANGO).DjangoCache
        except Exception as error:  # as diskcache has it: Django is not there, or not set up
            raise AttributeError(f"diskcache has no DjangoCache here: {error}") from error
    raise AttributeError(f"module 'diskcache' has no attribute {name!r}")
