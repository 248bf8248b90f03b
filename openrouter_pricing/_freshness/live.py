"""Live: prices that are kept current. Pinned: one list, for ever, in its place."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from .._base.clock import Clock
from .._base.fork import PerProcess
from .._prices.catalog import Catalog
from ..errors import PricingError
from ..settings import Settings
from . import process
from .cache import CatalogCache
from .held import Held
from .listeners import Listener, Listeners
from .plausibility import Plausibility
from .protocols import Backend, Source
from .providers import ProviderPrices
from .recorder import Observer, Recorder
from .warmer import Warmer

if TYPE_CHECKING:
    from .._prices.endpoints import Endpoints
    from .stats import Stats

#: Hands the backend to what is to be done with it, and raises what goes wrong within so many seconds.
Probe: TypeAlias = Callable[[Callable[[Any], bool], float], bool]

_T = TypeVar("_T")


class Live:
    """The prices of one ``Pricing``: the cache, the providers' prices, the warmer, and who is told of changes.

    Args:
        settings: every option.
        open_backend, open_source: make the store and the source, in each process that needs them.
        clock: time and chance.
        owns_backend, owns_source: whether they are ours to close.
        fallback: gives the list that answers when nothing else is held; None to do without.

    Attributes:
        cache: decides what a question is answered from.
        warmer: the optional thread.
        record: called with each list that is held from now on, where a history keeps them.
    """

    record: Callable[[Catalog], None] | None = None

    def __init__(
        self,
        settings: Settings,
        open_backend: Callable[[], Backend],
        open_source: Callable[[Recorder], Source],
        clock: Clock,
        *,
        owns_backend: bool,
        owns_source: bool,
        fallback: Callable[[], Catalog] | None,
    ) -> None:
        self._settings = settings
        self._shared = process.shared(settings, open_backend, clock, owned=owns_backend, observers=[])
        self._listeners = Listeners(self._shared)
        self.cache = CatalogCache(
            settings,
            self._shared,
            open_source,
            clock,
            owns_source=owns_source,
            plausibility=Plausibility(settings.l2_ttl),
            fallback=fallback,
            listener=self._tell,
        )
        self._providers = ProviderPrices(self._shared, settings, open_source, owns_source=owns_source, clock=clock)
        self.endpoints = self._providers.of
        self.warmer = Warmer(self.cache, settings.warm_interval, clock)

    def current(self) -> Held:
        """What to answer from now; see :meth:`CatalogCache.current`."""
        self._keep_warm()
        return self.cache.current()

    def at_hand(self) -> Held:
        """What to answer from at once; see :meth:`CatalogCache.at_hand`."""
        self._keep_warm()
        return self.cache.at_hand()

    def endpoints_at_hand(self, model_id: str, patience: float | None) -> Endpoints | None:
        """What the providers of a listed model ask, where it is held.

        Args:
            model_id: the model.
            patience: ask them where that is due, and wait so many seconds; None to ask nobody.

        Raises:
            CatalogUnavailableError: they were asked for, and cannot be had.
            PricingError: a ``client`` of the user's own cannot ask for endpoints.
        """
        return self._providers.at_hand(model_id, patience)

    @property
    def failing(self) -> bool:
        """Whether the last refresh failed."""
        return self.cache.failing

    def due_in(self) -> float | None:
        """Seconds until a question brings a refresh about, or until one that failed is tried again; None for never."""
        if self._settings.offline or self.cache.closed:
            return None
        return self.cache.retry_in() if self.failing else max(0.0, self._settings.l2_ttl - self.cache.age())

    def _keep_warm(self) -> None:
        if (self.warmer.wanted or self._settings.warm) and not self.cache.closed:
            self.start_warmer()

    def refresh(self, *, trusting: bool) -> Catalog:
        """Fetch now and wait; see :meth:`CatalogCache.refresh`."""
        if self._settings.offline:
            raise PricingError("the settings say offline: nothing is fetched")
        return self.cache.refresh(trusting=trusting)

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Tell ``listener`` of each new list; what is given ends that."""
        return self._listeners.add(listener)

    def _tell(self, catalog: Catalog) -> None:
        if self.record is not None:
            self.record(catalog)
        self._listeners.tell(catalog)

    def recorder(self) -> Recorder:
        """What counts in this process."""
        return self._shared.get().recorder

    def start_warmer(self) -> None:
        """Start the thread, unless it runs; without a network, nothing."""
        if self._settings.offline:
            return
        if self.cache.closed:
            raise PricingError("this Pricing is closed")
        self.warmer.start()

    def stop_warmer(self, timeout: float = 0.5) -> None:
        """Stop it, within so many seconds."""
        self.warmer.stop(timeout)

    def stored(self) -> Catalog | None:
        """What is held without a fetch, by this process or by the store."""
        self.cache.adopt_stored()
        record = self.cache.record
        return None if record is None else record.catalog

    def observe(self, observer: Observer) -> None:
        """Tell ``observer`` of what was counted, and of each count from now on, also in forked children."""
        self._shared.get().recorder.observe(observer)

    @property
    def closed(self) -> bool:
        """Whether it was closed."""
        return self.cache.closed

    @property
    def probe(self) -> Probe | None:
        """Asks the store."""
        return self._shared.get().backend.probe

    def ask(self, work: Callable[[Any], _T], otherwise: _T, timeout: float) -> _T:
        """What ``work`` answers when it is handed the store; see :meth:`GuardedBackend.ask`."""
        return self._shared.get().backend.ask(work, otherwise, timeout)

    @property
    def in_use(self) -> bool:
        """Whether this process has anything to close."""
        return self.cache.in_use

    def stats(self, answers: int) -> Stats:
        """What happened in this process so far."""
        shared, cache, held = self._shared.get(), self.cache, self.cache.held
        return shared.recorder.snapshot(
            breaker=shared.breaker.state,
            age=None if cache.record is None else cache.age(),
            source=None if held is None else held.origin.source,
            models=0 if held is None else len(held.catalog),
            l1_answers=answers,
            warmer_alive=self.warmer.alive,
        )

    def close(self, timeout: float) -> None:
        """Let go of threads, sockets and the store, within so many seconds."""
        if self.cache.closed:
            return
        until = time.monotonic() + timeout
        self.warmer.stop()
        self._providers.close()
        self._listeners.close()
        self.cache.close(until - time.monotonic())
        if (shared := self._shared.peek()) is not None:
            shared.backend.close(max(0.1, until - time.monotonic()))


class Pinned:
    """Stands in the place of live prices for one list that never changes.

    Args:
        catalog: the list.

    Attributes:
        held: what questions are answered from.
        cache: itself, as it decides what a question is answered from.
        record: never called, as nothing changes.
        failing: never, as nothing is refreshed.
        closed: whether it was closed.
    """

    probe: Probe | None = None
    failing = False
    in_use = False
    record: Callable[[Catalog], None] | None = None

    def __init__(self, catalog: Catalog) -> None:
        self.held = Held(catalog, "pinned")
        self.cache = self
        self.closed = False
        observers: list[Observer] = []
        self.recorder = PerProcess(lambda: Recorder(observers)).get

    def current(self) -> Held:
        """The same as ever."""
        return self.held

    def at_hand(self) -> Held:
        """The same as ever."""
        return self.held

    def endpoints_at_hand(self, model_id: str, patience: float | None) -> Endpoints | None:
        """None are held."""
        return None

    def due_in(self) -> float | None:
        """Never."""
        return None

    def endpoints(self, model_id: str) -> Endpoints:
        """There is nobody to ask for them.

        Raises:
            PricingError: always.
        """
        raise PricingError("these prices are pinned: there is nothing to ask for a provider's")

    def refresh(self, *, trusting: bool) -> Catalog:
        """There is nothing to refresh it from.

        Raises:
            PricingError: always.
        """
        raise PricingError("these prices are pinned: there is nothing to refresh them from")

    def listen(self, listener: Listener) -> Callable[[], None]:
        """A pinned list never changes."""
        return lambda: None

    def observe(self, observer: Observer) -> None:
        """Tell ``observer`` of what its history costs."""
        self.recorder().observe(observer)

    def start_warmer(self) -> None:
        """Nothing to keep warm."""

    def stop_warmer(self, timeout: float = 0.5) -> None:
        """Nothing to stop."""

    def ask(self, work: Callable[[Any], _T], otherwise: _T, timeout: float) -> _T:
        """There is no store to ask."""
        return otherwise

    def stored(self) -> Catalog | None:
        """The list."""
        return self.held.catalog

    def stats(self, answers: int) -> Stats:
        """How often it was asked."""
        return self.recorder().snapshot(l1_answers=answers, source="pinned", models=len(self.held.catalog))

    def close(self, timeout: float) -> None:
        """Nothing to let go of."""
        self.closed = True
