"""What the command line finds out about itself: where options came from, and whether everything works."""

from __future__ import annotations

import ast
import math
import os
import secrets
import time
from datetime import datetime, timezone
from decimal import Decimal
from typing import Any

import attrs

from ._base import money
from ._base.masking import mask
from ._base.worker import Worker
from .backends import open_backend
from .cli.terminal import span
from .errors import CatalogUnavailableError, UpstreamError
from .pricing import Pricing
from .settings import Settings, variable

_PROBE = 5.0  # seconds to wait for the backend


def shown(field: attrs.Attribute[Any], value: Any) -> Any:
    """A value for JSON. A field with a ``repr`` of its own may hold a secret, which that masks."""
    if callable(field.repr):
        return ast.literal_eval(field.repr(value))
    if isinstance(value, Decimal):
        return money.text(value)
    return "unlimited" if value == math.inf else value


def came_from(option: str) -> str:
    """The environment variable that sets an option, or "default"."""
    names = [variable(option), *(["OPENROUTER_API_KEY"] if option == "api_key" else [])]
    return next((name for name in names if os.environ.get(name)), "default")


def check_held(options: Settings) -> str | None:
    """How old the prices are that would be answered from without a fetch."""
    with Pricing(attrs.evolve(options, offline=True)) as pricing:
        try:
            catalog = pricing.catalog()
        except CatalogUnavailableError:
            return None
        age = span((datetime.now(timezone.utc) - catalog.as_of).total_seconds())
        if pricing.stats().source == "bundled":
            return f"none were held before; the bundled snapshot is {age} old"
        return f"those that were held before are {age} old"


def check_backend(options: Settings) -> tuple[bool, str]:
    """Whether the backend keeps what is written, and what was seen."""
    key, value = f"doctor:{secrets.token_hex(8)}", secrets.token_bytes(8)

    def probe() -> bool:
        backend = open_backend(options.backend)
        try:
            backend.set(key, value, ttl=60)
            kept: bool = backend.get(key) == value
            backend.delete(key)
            return kept
        finally:
            backend.close()

    url = shown(attrs.fields(Settings).backend, options.backend)
    worker = Worker("openrouter-pricing-doctor")
    try:
        kept = worker.run(probe, _PROBE)
    except Exception as error:  # noqa: BLE001  # a backend may fail in any way, and that is the finding
        return False, f"{url}: {type(error).__name__}: {mask(str(error))}"
    finally:
        worker.close()
    if options.backend.lower().startswith("null:"):
        return True, f"{url} keeps nothing, as it should"
    return kept, f"{url} can be written" if kept else f"{url} did not keep what was written"


def check_upstream(options: Settings) -> tuple[bool, str]:
    """Whether prices can be fetched, and what was seen."""
    url = shown(attrs.fields(Settings).base_url, options.base_url)
    if options.offline:
        return True, f"{url} was not asked: the settings say offline"
    began = time.monotonic()
    with Pricing(options) as pricing:
        try:
            catalog = pricing.refresh()
        except UpstreamError as error:
            return False, f"{url}: {error}"
    return True, f"{url} listed {len(catalog)} models within {time.monotonic() - began:.1f} s"
