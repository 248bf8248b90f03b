"""Whether the backend, the upstream and the age of the prices are all right."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from datetime import datetime

import attrs

from ._base.masking import mask
from ._base.worker import Worker
from ._prices.catalog import Catalog
from .backends import open_backend
from .errors import UpstreamError
from .settings import Settings, shown

_PROBE = 5.0  # seconds to wait for the backend


def span(seconds: float) -> str:
    """A length of time for people."""
    for unit, size in (("days", 86400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * size:
            return f"{seconds // size:.0f} {unit}"
    return f"{max(seconds, 0):.0f} seconds"


def check_held(catalog: Catalog | None, source: str | None, now: datetime) -> str | None:
    """How old the prices are that are answered from without a fetch; None where there are none.

    Args:
        catalog, source: what is held.
        now: the wall clock (aware).
    """
    if catalog is None:
        return None
    age = span((now - catalog.as_of).total_seconds())
    if source == "bundled":
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


def check_upstream(options: Settings, refresh: Callable[[], Catalog]) -> tuple[bool, str]:
    """Whether prices can be fetched, by ``refresh``, and what was seen."""
    url = shown(attrs.fields(Settings).base_url, options.base_url)
    if options.offline:
        return True, f"{url} was not asked: the settings say offline"
    began = time.monotonic()
    try:
        catalog = refresh()
    except UpstreamError as error:
        return False, f"{url}: {error}"
    return True, f"{url} listed {len(catalog)} models within {time.monotonic() - began:.1f} s"
