"""Refresher: one refresh from lease to store."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TypeAlias

from .._base.clock import Clock
from .._base.log import logger
from .._prices import wire
from .._prices.catalog import Catalog
from ..errors import PayloadError, TransportError, UpstreamError
from ..settings import Settings, scrub
from .flight import Flight
from .protocols import Source
from .recorder import Recorder
from .store import Head, Record, Store

#: Makes a price list of an answer that was fetched at an instant, with what was wrong with the rows left out.
Reader: TypeAlias = Callable[[wire.Fetched, datetime], tuple[Catalog, list[str]]]

_POLL = 0.05  # seconds between looks at what another process, which holds the lease, has stored
_AGREEING = 3  # fetches in a row that say the same are believed, whatever they say


class Plausibility:
    """Refuses a catalogue that lost more than half of the last ids, until three in a row agree."""

    def __init__(self) -> None:
        self._refused: frozenset[str] | None = None
        self._times = 0

    def check(self, old: Catalog | None, new: Catalog) -> None:
        """Raise unless ``new`` may replace ``old``.

        Raises:
            PayloadError: it is refused.
        """
        ids = frozenset(new)
        known = frozenset(old or ())
        if 2 * len(ids & known) >= len(known):
            self._refused = None
            return
        self._times = self._times + 1 if ids == self._refused else 1
        self._refused = ids
        if self._times >= _AGREEING:
            self._refused = None
            return
        raise PayloadError(
            f"refused a catalogue that lists only {len(ids & known)} of the {len(known)} models known before"
        )


class Refresher:
    """Fetches a catalogue once for all processes that share a store, and stores it if it is believed.

    Args:
        open_source: makes the source; called with the first refresh, and anew after a stuck one.
        owns_source: whether the source is closed here.
        store: the second tier.
        read: what an answer means.
        plausibility: what was refused so far; None to believe everything that can be read.
        settings: the deadline and ``l2_ttl`` are used.
        clock: time.
        recorder: counts.
    """

    def __init__(
        self,
        open_source: Callable[[Recorder], Source],
        *,
        owns_source: bool,
        store: Store,
        read: Reader,
        plausibility: Plausibility | None,
        settings: Settings,
        clock: Clock,
        recorder: Recorder,
    ) -> None:
        self._open_source = open_source
        self._owns_source = owns_source
        self._store = store
        self._read = read
        self._plausibility = plausibility
        self._settings = settings
        self._clock = clock
        self._recorder = recorder
        self._source: Source | None = None

    def prepare(self) -> None:
        """Make the source. Whatever a refresh imports is imported here: in its thread, a fork could tear it."""
        import random  # noqa: F401

        if self._source is None:
            self._source = self._open_source(self._recorder)

    def drop(self) -> None:
        """Let go of the source, also from a fetch that hangs in it."""
        source, self._source = self._source, None
        if source is not None and self._owns_source:
            source.close()

    def run(self, flight: Flight, record: Record | None) -> Record:
        """One refresh: what to hold from now on.

        Args:
            flight: its deadline, and whether it was asked for.
            record: what is held now.

        Raises:
            UpstreamError: there is nothing new to be had, or it was not believed.
        """
        before = self._store.head()
        token = self._store.lease(self._settings.deadline)
        waited = token is None
        if waited:
            self._recorder.count("lease_waits")
        while token is None:  # another process fetches; what it stores is as good
            if self._store.head() != before:
                break
            if self._clock.monotonic() >= flight.until or flight.done.wait(_POLL):
                raise TransportError("another process held the lease and stored nothing within the deadline")
            token = self._store.lease(self._settings.deadline)
            if token is not None:
                flight.extend(self._clock.monotonic() + self._settings.deadline)
        try:
            if not flight.force or (waited and self._store.head() != before):
                newer = self._store.newer(record)
                if newer is not None and self._clock.monotonic() - newer.fetched <= self._settings.l2_ttl:
                    return newer
            return self._fetch(flight, record)
        except UpstreamError as error:
            error.args = tuple(scrub(arg, self._settings) if isinstance(arg, str) else arg for arg in error.args)
            raise
        finally:
            if token is not None:
                self._store.release(token)

    def _fetch(self, flight: Flight, record: Record | None) -> Record:
        source = self._source
        if source is None:
            raise TransportError("closed in the middle of a refresh")
        etag = None if record is None else record.head.etag
        left = max(0.001, flight.until - self._clock.monotonic())
        fetched = source.fetch(etag=etag, deadline=left)
        now = self._clock.utcnow()
        wire.check_status(fetched, now)
        if fetched.status == 304:
            if record is None:
                raise PayloadError("upstream answered 304 to a question without an ETag")
            self._recorder.count("not_modified")
            catalog = record.catalog.dated(now)
        else:
            self._recorder.count("bytes_received", len(fetched.body) + sum(map(len, fetched.pages)))
            catalog, problems = self._read(fetched, now)
            if self._plausibility is not None:
                try:
                    self._plausibility.check(None if record is None else record.catalog, catalog)
                except PayloadError:
                    self._recorder.count("refused_catalogs")
                    raise
            self._recorder.count("skipped_rows", catalog.skipped)
            if problems:
                first = scrub(problems[0], self._settings)
                logger(__name__).warning("left out %d unreadable rows; the first: %s", catalog.skipped, first)
            etag = fetched.header("ETag")
        head = Head(now, catalog.digest, etag)
        if flight.done.is_set():
            raise TransportError("the answer came after the deadline")
        self._store.save(catalog, head)
        return Record(catalog, head, self._clock.monotonic())
