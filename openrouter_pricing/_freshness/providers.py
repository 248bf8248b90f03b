"""ProviderPrices: the endpoints of each model that was asked for, cached like the catalogue, each with its own age."""

from __future__ import annotations

import time
from collections.abc import Callable

from .._base.clock import Clock
from .._base.fork import PerProcess
from .._prices import wire
from .._prices.endpoints import Endpoints
from ..errors import CatalogUnavailableError, PayloadError, PricingError, StatusError, UpstreamError
from ..settings import Settings
from .cache import CatalogCache
from .held import Held
from .process import Shared, breaker
from .protocols import EndpointSource, Source
from .recorder import Recorder

_GRACE = 0.2  # seconds that closing gives refreshes under way, all together, to return their leases


class _Clients:
    """Clients for the endpoints of all models: each fetch has one to itself, and leaves it to the next one.

    So no model waits for another's fetch, and breaking off one that hangs disturbs no other.
    """

    def __init__(self, open_source: Callable[[Recorder], Source], *, owned: bool, most: int) -> None:
        self._open_source = open_source
        self._owned = owned
        self._most = most
        self._closed = False
        self._idle: PerProcess[list[Source]] = PerProcess(list)

    def take(self, recorder: Recorder) -> EndpointSource:
        """One that nobody else uses now, unless it came from outside."""
        try:
            source = self._idle.get().pop()
        except IndexError:
            source = self._open_source(recorder)
        if not isinstance(source, EndpointSource):
            raise PricingError(f"client has no fetch_endpoints(): {type(source).__name__} knows no provider's prices")
        return source

    def give_back(self, source: Source) -> None:
        """Leave it to the next fetch."""
        if self._owned and not self._closed and len(self._idle.get()) < self._most:
            self._idle.get().append(source)
        else:
            self.break_off(source)

    def break_off(self, source: Source) -> None:
        """End what is under way in it; its thread gives it back."""
        if self._owned:
            source.close()

    def close(self) -> None:
        """Keep none from now on."""
        self._closed = True
        for source in self._idle.pop() or ():
            self.break_off(source)


class _OneModel:
    """A source of the endpoints of one model."""

    def __init__(self, clients: _Clients, recorder: Recorder, model_id: str) -> None:
        self._clients = clients
        self._recorder = recorder
        self._model_id = model_id
        self._source: EndpointSource | None = None
        clients.give_back(clients.take(recorder))  # imports happen here, in the asker's thread: a fork may come

    def fetch(self, *, etag: str | None, deadline: float) -> wire.Fetched:
        source = self._source = self._clients.take(self._recorder)
        try:
            return source.fetch_endpoints(self._model_id, etag=etag, deadline=deadline)
        finally:
            self._source = None
            self._clients.give_back(source)

    def close(self) -> None:
        source = self._source
        if source is not None:
            self._clients.break_off(source)


class ProviderPrices:
    """The endpoints of the models that were asked for.

    Args:
        shared: the catalogue's counters and store, which are used here too; the circuit breaker is one of its own.
        settings: as for the catalogue. The snapshot knows no endpoints, so there is no fallback.
        open_source: makes the client.
        owns_source: whether it is ours to close.
        clock: time and chance.
    """

    def __init__(
        self,
        shared: PerProcess[Shared],
        settings: Settings,
        open_source: Callable[[Recorder], Source],
        *,
        owns_source: bool,
        clock: Clock,
    ) -> None:
        self._shared = PerProcess(lambda: shared.get()._replace(breaker=breaker(settings, clock)))
        self._settings = settings
        self._clients = _Clients(open_source, owned=owns_source, most=settings.pool_size)
        self._closed = False
        self._clock = clock
        self._caches: dict[str, CatalogCache] = {}
        self._decoded: dict[str, Endpoints] = {}

    def of(self, model_id: str) -> Endpoints:
        """The endpoints of a listed model.

        Raises:
            CatalogUnavailableError: none are held and none can be fetched.
        """
        cache = self._opened(model_id)
        held = cache.held
        if held is None or self._clock.monotonic() >= held.until:
            held = cache.current()
        return self._decode(model_id, held)

    def at_hand(self, model_id: str, patience: float | None) -> Endpoints | None:
        """The endpoints of a listed model that are held; None where there are none.

        Args:
            model_id: the model.
            patience: fetch them where that is due, and wait so many seconds; None to ask nobody.

        Raises:
            CatalogUnavailableError: they were asked for, and cannot be had.
        """
        cache = self._caches.get(model_id) if patience is None else self._opened(model_id)
        if cache is None:
            return None
        try:
            held = cache.held if patience is None else cache.at_hand(patience)
        except CatalogUnavailableError:
            if cache.failing:
                raise
            return None  # they are under way
        return None if held is None else self._decode(model_id, held)

    def _opened(self, model_id: str) -> CatalogCache:
        cache = self._caches.get(model_id)
        if cache is None:
            cache = self._caches.setdefault(model_id, self._cache(model_id))
            if self._closed:
                cache.close()
        return cache

    def _decode(self, model_id: str, held: Held) -> Endpoints:
        endpoints = self._decoded.get(model_id)
        if endpoints is None or endpoints.origin != held.origin:
            endpoints = self._decoded[model_id] = Endpoints(model_id, held.catalog, held.origin.source)
        return endpoints

    def _cache(self, model_id: str) -> CatalogCache:
        return CatalogCache(
            self._settings,
            self._shared,
            lambda recorder: _OneModel(self._clients, recorder, model_id),
            self._clock,
            url=f"{self._settings.base_url}/models/{model_id}/endpoints",
            read=wire.read_endpoints,
            answered=_is_about_it_alone,
        )

    def close(self) -> None:
        """Let go of fetches that are under way, and start no more."""
        self._closed = True
        until = time.monotonic() + _GRACE
        for cache in list(self._caches.values()):
            cache.close(max(0.0, until - time.monotonic()))
        self._clients.close()


def _is_about_it_alone(error: UpstreamError) -> bool:
    """Whether the upstream is up, but has nothing readable under this one address."""
    return isinstance(error, PayloadError) or (isinstance(error, StatusError) and error.status == 404)
