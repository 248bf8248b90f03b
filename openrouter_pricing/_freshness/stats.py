"""Stats: what happened so far."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import attrs


@attrs.frozen(kw_only=True)
class Stats:
    """What happened in this process so far. Counters start at 0 with the ``Pricing`` object, and anew after a fork.

    Args:
        l1_answers: questions answered from the catalogue that this process holds.
        l2_reads: catalogues read from the backend.
        l2_checks: times the backend was asked whether there is a newer catalogue.
        stale_answers: times a question that left L1 was answered with stale prices.
        bundled_answers: times a question that left L1 was answered from the bundled snapshot.
        fetches: fetches started.
        requests: HTTP requests sent, retries and further pages included.
        not_modified: fetches that the upstream answered with 304.
        failures: failed fetches by the name of their exception.
        retries: further attempts within a fetch.
        bytes_received: decoded bytes of response bodies.
        refused_catalogs: catalogues that were not believed.
        price_jumps: prices that moved more than tenfold from one believed list to the next.
        skipped_rows: rows of believed catalogues that could not be read.
        backend_errors: failed questions to the backend.
        history_errors: failed questions to the price history.
        lease_waits: times another process was fetching already.
        abandoned: fetches that outlived their deadline.
        listener_errors: listeners that raised.
        breaker: "closed", "open" or "half-open".
        age: seconds since the prices in use were fetched; None where none are held.
        source: "live", "stale", "bundled" or "pinned"; None where nothing is held.
        models: how many models are held.
        last_error: the last failure, without secrets.
        last_refresh: when the last successful fetch of this process ended (aware UTC).
        refreshes: successful fetches.
        refresh_seconds: duration of all successful fetches together.
        last_refresh_seconds: duration of the last one.
        warmer_alive: whether the warmer's thread runs.
    """

    l1_answers: int = 0
    l2_reads: int = 0
    l2_checks: int = 0
    stale_answers: int = 0
    bundled_answers: int = 0
    fetches: int = 0
    requests: int = 0
    not_modified: int = 0
    failures: dict[str, int] = attrs.field(factory=dict)
    retries: int = 0
    bytes_received: int = 0
    refused_catalogs: int = 0
    price_jumps: int = 0
    skipped_rows: int = 0
    backend_errors: int = 0
    history_errors: int = 0
    lease_waits: int = 0
    abandoned: int = 0
    listener_errors: int = 0
    breaker: str = "closed"
    age: float | None = None
    source: str | None = None
    models: int = 0
    last_error: str | None = None
    last_refresh: datetime | None = None
    refreshes: int = 0
    refresh_seconds: float = 0.0
    last_refresh_seconds: float | None = None
    warmer_alive: bool = False

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        shown = attrs.asdict(self)
        if self.last_refresh is not None:
            shown["last_refresh"] = self.last_refresh.isoformat()
        return shown
