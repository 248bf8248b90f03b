"""Pricing: the facade, and the only class that most users touch."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ._base.money import fma, multiply, read_rate
from .errors import CatalogUnavailableError, PricingError

if TYPE_CHECKING:  # imported where they are first needed: importing this module must cost next to nothing
    from datetime import datetime
    from types import TracebackType

    from ._base import money
    from ._base.clock import Clock
    from ._billing.cost import Cost, PriceRange
    from ._billing.markup import Markup
    from ._billing.usage import Usage
    from ._freshness.cache import CatalogCache
    from ._freshness.held import Held
    from ._freshness.protocols import Backend, Source
    from ._freshness.providers import ProviderPrices
    from ._freshness.recorder import Recorder
    from ._freshness.stats import Stats
    from ._freshness.warmer import Warmer
    from ._prices.catalog import Catalog
    from ._prices.endpoints import Endpoints
    from ._prices.model import Model
    from .settings import Settings

_new = object.__new__


class Pricing:
    """Knows what an OpenRouter call costs.

    Nothing happens until it is asked: no socket, no file, no thread. It may be shared by threads, and made before a
    fork. Close it, or use it as a context manager, when it is no longer needed.

    Args:
        settings: every option; read from the environment when left out.
        backend: a store of yours instead of ``settings.backend``; it stays yours to close.
        client: a source of yours instead of HTTP to ``settings.base_url``; it stays yours to close.
        catalog: answer from this one alone, with no cache and no network; the way to test your own code.
        clock: all the time and chance there is.
        markup: a policy that says more than ``settings.markup_rate`` does.

    Raises:
        SettingsError: an environment variable cannot be read, or the backend's scheme is unknown.
        TypeError: an argument of the wrong kind, or an unknown one.
    """

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        backend: Backend | None = None,
        client: Source | None = None,
        catalog: Catalog | None = None,
        clock: Clock | None = None,
        markup: Markup | None = None,
    ) -> None:
        self._cache: CatalogCache | None = None
        from . import backends
        from . import settings as options
        from ._base.clock import Clock
        from ._billing.call import BY_ARGUMENT
        from ._billing.markup import Markup
        from ._freshness import cache, protocols
        from ._freshness.held import Held
        from ._freshness.providers import ProviderPrices
        from ._freshness.warmer import Warmer
        from ._prices import catalog as catalogs
        from ._quote import Quoter

        for name, value, kind in (
            ("settings", settings, options.Settings),
            ("backend", backend, protocols.Backend),
            ("client", client, protocols.Source),
            ("catalog", catalog, catalogs.Catalog),
            ("clock", clock, Clock),
            ("markup", markup, Markup),
        ):
            if value is not None and not isinstance(value, kind):
                raise TypeError(f"{name} must be a {kind.__name__}, not {type(value).__name__}")
        if catalog is not None and (backend is not None or client is not None):
            raise TypeError("catalog pins the prices: it takes no backend and no client beside it")
        settings = options.Settings.from_env() if settings is None else settings
        self._settings = settings
        self._clock = clock = Clock() if clock is None else clock
        self._monotonic = clock.monotonic
        self._by_argument = BY_ARGUMENT
        markup = Markup() if markup is None else markup
        self._quoter = Quoter(settings.markup_rate, markup, _no_endpoints, clock.utcnow)
        self._providers: ProviderPrices | None = None
        self._answers = 0
        self._warmer: Warmer | None = None
        self._pinned = None if catalog is None else Held(catalog, "pinned")
        if catalog is not None:
            return
        if backend is None:
            backends.find(settings.backend)
        owned = client is None
        open_source = _always(client) if not owned else lambda recorder: _http(settings, clock, recorder)
        self._cache = cache.CatalogCache(
            settings,
            _always(backend) if backend is not None else lambda: backends.open_backend(settings.backend),
            open_source,
            clock,
            owns_backend=backend is None,
            owns_source=owned,
            fallback=_bundled if settings.fallback else None,
        )
        self._providers = ProviderPrices(self._cache, settings, open_source, owns_source=owned, clock=clock)
        self._quoter = Quoter(settings.markup_rate, markup, self._providers.of, clock.utcnow)
        self._warmer = Warmer(self._cache, settings.warm_interval, clock)

    def __repr__(self) -> str:
        return "<Pricing of a pinned catalogue>" if self._cache is None else f"<Pricing with {self._settings!r}>"

    # -- questions -------------------------------------------------------------------------------------------------

    def cost(
        self,
        model: str,
        prompt_tokens: int = 0,
        completion_tokens: int = 0,
        *,
        usage: Usage | None = None,
        markup_rate: money.Number | None = None,
        at: datetime | None = None,
        provider: str | None = None,
    ) -> Cost:
        """What a call costs, and what to charge for it.

        Args:
            model: an id, a canonical slug, or either with a routing suffix such as ``:nitro``.
            prompt_tokens: all input tokens.
            completion_tokens: all output tokens.
            usage: everything that was consumed, instead of the two counts.
            markup_rate: instead of the policy's or the settings' one; a float is read as the decimal that it prints.
            at: the instant of the call (aware), for prices that depend on the time of day; now when left out.
            provider: price it as served by this one: the tag of an endpoint ("deepinfra/fp8") or a provider's name.

        Raises:
            UnknownProviderError: no endpoint of the model is that provider's, or several at different prices are.
            UnknownModelError: nothing listed has that name.
            VariablePriceError: the model is a router.
            UnpricedUsageError: the usage has a dimension that the model lists no price for.
            CatalogUnavailableError: no prices at all, and the fallback is off; or none of the provider's.
            ValueError, TypeError: a bad number; the message names the argument.
        """
        held = self._pinned
        if held is None:
            cache = self._cache
            assert cache is not None
            held = cache.held
            if held is None or self._monotonic() >= held.until:
                held = self._look()
        self._answers += 1
        if usage is None and at is None and provider is None:
            try:
                plain = held.prices[model]
            except (KeyError, TypeError):  # not asked for before; or not even hashable, which the catalogue tells
                plain = None
            if (
                plain is not None
                and type(prompt_tokens) is int
                and type(completion_tokens) is int
                and 0 <= prompt_tokens <= 1_000_000_000  # all counts that occur; the longer way takes larger ones
                and 0 <= completion_tokens <= 1_000_000_000
            ):
                cost, rates, prompt, completion, model_id, rate, facts = plain
                if markup_rate is not None:
                    rate, facts = read_rate(markup_rate, "markup_rate"), self._by_argument
                computed = fma(prompt, prompt_tokens, multiply(completion, completion_tokens))
                # Filled slot by slot: calling the class takes half as long again as all of the arithmetic above.
                made: Cost = _new(cost)
                made.model_id = model_id
                made.computed = made.raw = computed
                made.reported = None
                made.markup_rate = rate
                made.total = multiply(computed, rate)
                made.rates = rates
                made._usage = prompt_tokens, completion_tokens
                made._origin = held.origin
                made._facts = facts
                return made
        return self._quoter.cost(held, model, prompt_tokens, completion_tokens, usage, markup_rate, at, provider)

    def cost_of(
        self,
        response: object,
        model: str | None = None,
        at: datetime | None = None,
        *,
        provider: str | None = None,
        markup_rate: money.Number | None = None,
    ) -> Cost:
        """What a call cost, by its response: what the response reports, beside what the price list says.

        Args:
            response: a body of chat completions, responses, messages or generations, complete or a stream's last
                chunk, as a dictionary or an object; or its usage alone.
            model: what to price it as, instead of the model that the response names.
            at: the instant of the call (aware), instead of the one that the response names.
            provider: compute it at this provider's prices (see :meth:`endpoints`), instead of the model's own.
            markup_rate: instead of the policy's or the settings' one.

        Raises:
            TypeError, ValueError: it is no response, has no usage, or names no model while none was given.
            UnknownModelError, UnknownProviderError, VariablePriceError, UnpricedUsageError, CatalogUnavailableError: as
                for :meth:`cost`, unless the response reports its cost.
        """
        return self._quoter.cost_of(self._held, response, model, markup_rate, at, provider)

    def price_range(
        self, model: str, usage: Usage, *, markup_rate: money.Number | None = None, at: datetime | None = None
    ) -> PriceRange:
        """What a request can cost before it is sent, whichever provider serves it.

        Args:
            model: as for :meth:`cost`.
            usage: what it will consume.
            markup_rate, at: as for :meth:`cost`.

        Returns:
            The costs ``min`` and ``max`` at the cheapest and the dearest provider's prices for this very usage, and
            ``list`` at the model's own. Endpoints that sell another service tier, and those that do not price what the
            usage holds, are left out.

        Raises:
            as for :meth:`cost`, and as for :meth:`endpoints`.
        """
        return self._quoter.price_range(self._held(), model, usage, markup_rate, at)

    def endpoints(self, model: str) -> Endpoints:
        """What each provider of a model asks for it; cached like the catalogue, and as old as its own last fetch.

        https://openrouter.ai/docs/api/api-reference/endpoints/list-endpoints

        Args:
            model: as for :meth:`cost`.

        Raises:
            UnknownModelError: nothing listed has that name.
            CatalogUnavailableError: none are held and none can be fetched; its cause says why.
            PricingError: the prices are pinned, or come from a ``client`` that cannot ask for endpoints.
        """
        return self._quoter.endpoints(self._held().catalog[model].id)

    def model(self, model: str) -> Model:
        """The model of an id, a canonical slug, or either with a routing suffix.

        Raises:
            UnknownModelError: nothing listed has that name.
            CatalogUnavailableError: no prices at all, and the fallback is off.
        """
        return self._held().catalog[model]

    def catalog(self) -> Catalog:
        """Every model that is listed now.

        Raises:
            CatalogUnavailableError: there is none, and the fallback is off.
        """
        return self._held().catalog

    def _held(self) -> Held:
        held = self._pinned
        if held is None:
            cache = self._cache
            assert cache is not None
            held = cache.held
            if held is None or self._monotonic() >= held.until:
                held = self._look()
        return held

    def _look(self) -> Held:
        """Off the hot path: this process's time without looking is up, or it was just forked."""
        cache, warmer = self._cache, self._warmer
        assert cache is not None
        assert warmer is not None
        if (warmer.wanted or self._settings.warm) and not cache.closed and not warmer.alive:
            self.start_warmer()
        return cache.current()

    # -- freshness -------------------------------------------------------------------------------------------------

    def refresh(self) -> Catalog:
        """Fetch now and wait for it: joins a fetch under way, ignores the back-off, obeys the circuit breaker.

        Raises:
            UpstreamError: what went wrong; the prices held before still answer.
            PricingError: the prices are pinned, or the settings say offline.
        """
        if self._cache is None:
            raise PricingError("these prices are pinned: there is nothing to refresh them from")
        if self._settings.offline:
            raise PricingError("the settings say offline: nothing is fetched")
        return self._cache.refresh()

    def warm(self) -> None:
        """Ensure that a catalogue is held; waits for one as the first question would. Never raises for the upstream."""
        try:
            self._held()
        except CatalogUnavailableError:
            return

    def start_warmer(self) -> None:
        """Start the thread that refreshes prices before they are missed, unless it runs. Without a network, nothing."""
        if self._cache is None or self._warmer is None or self._settings.offline:
            return
        if self._cache.closed:
            raise PricingError("this Pricing is closed")
        self._cache.cap_l1_ttl(self._settings.warm_interval)
        self._warmer.start()

    def stop_warmer(self) -> None:
        """Stop that thread, within half a second."""
        if self._warmer is not None:
            self._warmer.stop()

    def stats(self) -> Stats:
        """What happened in this process so far."""
        if self._cache is None:
            from ._freshness.stats import Stats  # only who looks pays for it

            assert self._pinned is not None
            return Stats(l1_answers=self._answers, source="pinned", models=len(self._pinned.catalog))
        return self._cache.stats(l1_answers=self._answers, warmer_alive=self._warmer is not None and self._warmer.alive)

    # -- the end ---------------------------------------------------------------------------------------------------

    def close(self) -> None:
        """Let go of threads, sockets and the store, within two seconds; as often as you like.

        ``cost()`` still answers from what is held.
        """
        if self._cache is not None:
            self.stop_warmer()
            assert self._providers is not None
            self._providers.close()
            self._cache.close()

    def __enter__(self) -> Pricing:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __del__(self, _exiting: Callable[[], bool] = sys.is_finalizing) -> None:  # kept here: modules go before us
        cache, warmer = getattr(self, "_cache", None), getattr(self, "_warmer", None)
        running = not _exiting()  # else all threads stand still, and nobody could close it any more
        if running and warmer is not None:
            warmer.stop(timeout=0)  # or its thread would keep everything alive
        if running and cache is not None and cache.in_use:
            warnings.warn(f"{self!r} was never closed", ResourceWarning, source=self, stacklevel=1)


def _no_endpoints(model_id: str) -> Endpoints:
    raise PricingError("these prices are pinned: there is nothing to ask for a provider's")


def _always(collaborator: Any) -> Callable[..., Any]:
    return lambda *_: collaborator


def _bundled() -> Catalog:
    from .data import load_bundled

    return load_bundled()


def _http(settings: Settings, clock: Clock, recorder: Recorder) -> Source:
    from ._http.client import Client  # imports requests, urllib3 and stamina, in the thread that asks

    return Client(settings, utcnow=clock.utcnow, on_retry=lambda _: recorder.count("retries"))
