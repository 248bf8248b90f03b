"""Refresher: one refresh from lease to store."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from .._base.clock import Clock
from .._base.log import logger
from .._prices import wire
from .._prices.catalog import Catalog
from ..errors import PayloadError, TransportError, UpstreamError
from ..settings import Settings, scrub
from .flight import Flight, Landing
from .plausibility import Plausibility
from .protocols import Source
from .recorder import Recorder
from .store import Head, Record, Store


class Reader(Protocol):
    """Makes a price list of an answer."""

    def __call__(self, fetched: wire.Fetched, as_of: datetime, last: Catalog | None) -> tuple[Catalog, list[str]]:
        """The list, with what was wrong with the rows left out.

        Args:
            fetched: the answer.
            as_of: when it was fetched (aware).
            last: the list that is held; its row stays where the answer's disagree.

        Raises:
            PayloadError: it is none.
        """
        ...


# Seconds between looks at what another process, which holds the lease, has stored: at first, growing by, at most. All
# the processes of a fleet may wait at once, and for longer where the upstream hangs.
_POLL, _POLL_GROWS, _POLL_MAX = 0.05, 1.5, 0.5
_MOST_ETAG = 1024  # bytes


class Refresher:
    """Fetches a catalogue once for all processes that share a store, and stores it if it is believed.

    Args:
        open_source: makes the source; called with the first refresh, and anew after a stuck one.
        owns_source: whether the source is closed here.
        store: the second tier.
        read: what an answer means.
        plausibility: judges what came; None to believe everything that can be read.
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
        if self._source is None:
            self._source = self._open_source(self._recorder)

    def drop(self) -> None:
        """Let go of the source, also from a fetch that hangs in it."""
        source, self._source = self._source, None
        if source is not None and self._owns_source:
            source.close()

    def run(self, flight: Flight, record: Record | None) -> Landing:
        """One refresh: what to hold from now on, and how to store it.

        Args:
            flight: its deadline, and whether it was asked for.
            record: what is held now.

        Raises:
            UpstreamError: there is nothing new to be had, or it was not believed.
        """
        before = self._store.head()
        token = self._store.lease(self._settings.deadline, before)
        pause = _POLL
        if token is None:
            self._recorder.count("lease_waits")
        while token is None:  # another process fetches; what it stores is as good
            if self._store.head() != before:
                break
            left = flight.until - self._clock.monotonic()
            if left <= 0 or flight.done.wait(min(pause, left)):
                raise TransportError("another process held the lease and stored nothing within the deadline")
            # A dead holder's lease may run out just before our own time does.
            pause = _POLL if left < 2 * _POLL_MAX else min(_POLL_GROWS * pause, _POLL_MAX)
            token = self._store.lease(self._settings.deadline, before)
            if token is not None:
                flight.extend(self._clock.monotonic() + self._settings.deadline)
        newer: Record | None = None
        try:
            # A holder may have stored and gone between the first look and the lease: that is as good as a fetch.
            if not flight.asked or self._store.head() != before:
                newer = self._store.newer(record)
                if newer is not None and self._clock.monotonic() - newer.fetched > self._settings.l2_ttl:
                    newer = None
            brought = self._fetch(flight, record) if newer is None else newer
        except BaseException as error:
            self._release(token)
            if isinstance(error, UpstreamError):
                error.args = tuple(scrub(arg, self._settings) if isinstance(arg, str) else arg for arg in error.args)
            raise

        def finish(accepted: bool) -> None:
            try:
                if accepted and newer is None:
                    self._store.save(brought.catalog, brought.head)
            finally:
                self._release(token)

        return Landing(brought, finish)

    def _release(self, token: str | None) -> None:
        if token is not None:
            self._store.release(token)

    def _fetch(self, flight: Flight, record: Record | None) -> Record:
        fetched = self._ask(flight, None if record is None else record.head.etag)
        now = self._clock.utcnow()
        if fetched.status == 304 and record is not None:
            self._recorder.count("not_modified")
            catalog, etag = record.catalog.dated(now), record.head.etag
        else:
            catalog, etag = self._believed(fetched, now, flight, record), _kept(fetched.header("ETag"))
        if flight.done.is_set():
            raise TransportError("the answer came after the deadline")
        return Record(catalog, Head(now, catalog.digest, etag), self._clock.monotonic())

    def _ask(self, flight: Flight, etag: str | None) -> wire.Fetched:
        """What the source answers; once more without the ETag where one was sent and it failed."""
        source = self._source
        if source is None:
            raise TransportError("closed in the middle of a refresh")
        left = max(0.001, flight.until - self._clock.monotonic())
        try:
            fetched = source.fetch(etag=etag, deadline=left)
            wire.check_status(fetched, self._clock.utcnow())
            if fetched.status == 304 and etag is None:
                raise PayloadError("upstream answered 304 to a question without an ETag")
        except UpstreamError:
            if etag is None or flight.done.is_set() or self._clock.monotonic() >= flight.until:
                raise
        else:
            return fetched
        return self._ask(flight, None)

    def _believed(self, fetched: wire.Fetched, now: datetime, flight: Flight, record: Record | None) -> Catalog:
        """The catalogue of an answer, if it may be held.

        Raises:
            PayloadError: it is none, or is refused.
        """
        self._recorder.count("bytes_received", len(fetched.body) + sum(map(len, fetched.pages)))
        last = None if record is None else record.catalog
        catalog, problems = self._read(fetched, now, last)
        if self._plausibility is not None and last is not None and catalog.digest != last.digest:
            self._plausibility.judge(last, catalog, now, self._store, self._recorder, trusting=flight.trusting)
        self._recorder.count("skipped_rows", catalog.skipped)
        if problems:
            first = scrub(problems[0], self._settings)
            message = "left out %d unreadable rows; the first: %s"
            if 10 * catalog.skipped > len(catalog) + catalog.skipped:
                message = "left out %d unreadable rows, more than a tenth of the list; the first: %s"
            logger(__name__).warning(message, catalog.skipped, first)
        return catalog


def _kept(etag: str | None) -> str | None:
    """An ETag that may be sent back: of printable ASCII, and short."""
    return etag if etag and len(etag) <= _MOST_ETAG and etag.isascii() and etag.isprintable() else None
