"""Whether the backend, the upstream and the age of the prices are all right."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

import attrs

from ._base.masking import mask
from ._prices.catalog import Catalog
from .errors import CatalogUnavailableError, UpstreamError
from .settings import Settings, shown

if TYPE_CHECKING:
    from ._freshness.live import Probe

_PROBE = 5.0  # seconds to wait for the backend


def span(seconds: float) -> str:
    """A length of time for people."""
    for unit, size in (("days", 86400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * size:
            return f"{seconds // size:.0f} {unit}"
    return f"{max(seconds, 0):.0f} seconds"


class Check(NamedTuple):
    """One thing that was looked at.

    Args:
        name: "backend", "upstream" or "prices".
        ok: whether it is all right.
        finding: what was seen, for people; holds no secret.
    """

    name: str
    ok: bool
    finding: str


@attrs.frozen
class Health:
    """What was looked at.

    Args:
        checks: each with what was seen.
    """

    checks: tuple[Check, ...]

    @property
    def ok(self) -> bool:
        """Whether everything is all right."""
        return all(check.ok for check in self.checks)

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {"ok": self.ok, "checks": [check._asdict() for check in self.checks]}


def examine(
    settings: Settings,
    probe: Probe,
    held: Catalog | None,
    bundled: Callable[[], Catalog],
    refresh: Callable[[], Catalog],
    now: datetime,
) -> Health:
    """Look at the backend, the upstream and the prices.

    Args:
        settings: what is shown of them holds no secret.
        probe: asks the backend.
        held: the prices that were held before.
        bundled: the snapshot.
        refresh: asks the upstream.
        now: the wall clock (aware).
    """
    backend, upstream = check_backend(settings, probe), check_upstream(settings, refresh)
    finding = _age(settings, held, bundled, now)
    if finding is None:
        return Health(
            (backend, upstream, Check("prices", upstream.ok, "none were held before, and the fallback is off"))
        )
    return Health((backend, upstream, Check("prices", True, finding)))


def of_pinned(catalog: Catalog) -> Health:
    """A pinned list is all right for ever."""
    return Health((Check("prices", True, f"{len(catalog)} models are pinned"),))


def _age(settings: Settings, held: Catalog | None, bundled: Callable[[], Catalog], now: datetime) -> str | None:
    """How old the prices are that are answered from without a fetch; None where there are none."""
    if held is not None:
        return f"those that were held before are {span((now - held.as_of).total_seconds())} old"
    if not settings.fallback:
        return None
    try:
        snapshot = bundled()
    except CatalogUnavailableError:
        return None
    return f"none were held before; the bundled snapshot is {span((now - snapshot.as_of).total_seconds())} old"


def check_backend(settings: Settings, probe: Probe) -> Check:
    """Whether the backend keeps what is written."""
    key, value = f"doctor:{secrets.token_hex(8)}", secrets.token_bytes(8)

    def keeps(backend: Any) -> bool:
        backend.set(key, value, ttl=60)
        kept: bool = backend.get(key) == value
        backend.delete(key)
        return kept

    url = shown(attrs.fields(Settings).backend, settings.backend)
    try:
        kept = probe(keeps, _PROBE)
    except Exception as error:  # noqa: BLE001  # a backend may fail in any way, and that is the finding
        return Check("backend", False, f"{url}: {type(error).__name__}: {mask(str(error))}")
    if settings.backend.lower().startswith("null:"):
        return Check("backend", True, f"{url} keeps nothing, as it should")
    return Check("backend", kept, f"{url} can be written" if kept else f"{url} did not keep what was written")


def check_upstream(settings: Settings, refresh: Callable[[], Catalog]) -> Check:
    """Whether prices can be fetched."""
    url = shown(attrs.fields(Settings).base_url, settings.base_url)
    if settings.offline:
        return Check("upstream", True, f"{url} was not asked: the settings say offline")
    began = time.monotonic()
    try:
        catalog = refresh()
    except UpstreamError as error:
        return Check("upstream", False, f"{url}: {error}")
    return Check("upstream", True, f"{url} listed {len(catalog)} models within {time.monotonic() - began:.1f} s")
