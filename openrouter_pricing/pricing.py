"""Pricing: the facade, and the only class that most users touch."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from . import _money
from .errors import CatalogUnavailableError, PricingError, UnknownModelError, VariablePriceError

if TYPE_CHECKING:  # imported where they are first needed: importing this module must cost next to nothing
    from datetime import datetime
    from decimal import Decimal
    from types import TracebackType

    from ._clock import Clock
    from ._recorder import Recorder
    from .cache import Backend, CatalogCache, Held, Source
    from .catalog import Catalog
    from .cost import Cost
    from .model import Model
    from .settings import Settings
    from .stats import Stats
    from .usage import Usage
    from .warmer import Warmer

_MOST_NAMES = 10_000  # of models whose plain prices are kept at hand


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
    ) -> None:
        self._cache: CatalogCache | None = None
        from . import backends, cache
        from . import catalog as catalogs
        from . import settings as options
        from ._clock import Clock
        from .warmer import Warmer

        for name, value, kind in (
            ("settings", settings, options.Settings),
            ("backend", backend, cache.Backend),
            ("client", client, cache.Source),
            ("catalog", catalog, catalogs.Catalog),
            ("clock", clock, Clock),
        ):
            if value is not None and not isinstance(value, kind):
                raise TypeError(f"{name} must be a {kind.__name__}, not {type(value).__name__}")
        if catalog is not None and (backend is not None or client is not None):
            raise TypeError("catalog pins the prices: it takes no backend and no client beside it")
        settings = options.Settings.from_env() if settings is None else settings
        self._settings = settings
        self._clock = clock = Clock() if clock is None else clock
        self._monotonic = clock.monotonic
        self._markup_rate = settings.markup_rate
        self._answers = 0
        self._warmer: Warmer | None = None
        self._pinned = None if catalog is None else cache.Held(catalog, "pinned")
        if catalog is not None:
            return
        if backend is None:
            backends.find(settings.backend)
        self._cache = cache.CatalogCache(
            settings,
            _always(backend) if backend is not None else lambda: backends.open_backend(settings.backend),
            _always(client) if client is not None else lambda recorder: _http(settings, clock, recorder),
            clock,
            owns_backend=backend is None,
            owns_source=client is None,
        )
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
        markup_rate: _money.Number | None = None,
        at: datetime | None = None,
    ) -> Cost:
        """What a call costs, and what to charge for it.

        Args:
            model: an id, a canonical slug, or either with a routing suffix such as ``:nitro``.
            prompt_tokens: all input tokens.
            completion_tokens: all output tokens.
            usage: everything that was consumed, instead of the two counts.
            markup_rate: instead of the settings' one; a float is read as the decimal that it prints.
            at: the instant of the call (aware), for prices that depend on the time of day; now when left out.

        Raises:
            UnknownModelError: nothing listed has that name.
            VariablePriceError: the model is a router.
            UnpricedUsageError: the usage has a dimension that the model lists no price for.
            CatalogUnavailableError: no prices at all, and the fallback is off.
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
        rate = self._markup_rate if markup_rate is None else _read_markup(markup_rate)
        if usage is None and at is None:
            try:
                plain = held.prices.get(model)
            except TypeError:  # it cannot even be hashed: the catalogue says so by name
                plain = None
            if (
                plain is not None
                and type(prompt_tokens) is int
                and type(completion_tokens) is int
                and 0 <= prompt_tokens <= _money.MAX_COUNT
                and 0 <= completion_tokens <= _money.MAX_COUNT
            ):
                cost, rates, prompt, completion, model_id = plain
                computed = _money.fma(prompt, prompt_tokens, _money.multiply(completion, completion_tokens))
                return cost(  # type: ignore[no-any-return]
                    model_id,
                    computed,
                    None,
                    computed,
                    rate,
                    _money.multiply(computed, rate),
                    held.source,
                    held.catalog.as_of,
                    rates,
                    (prompt_tokens, completion_tokens),
                )
        return self._cost(held, model, prompt_tokens, completion_tokens, usage, rate, at)

    def _cost(
        self,
        held: Held,
        model: str,
        prompt_tokens: int,
        completion_tokens: int,
        usage: Usage | None,
        rate: Decimal,
        at: datetime | None,
    ) -> Cost:
        from ._clock import aware
        from .cost import Cost, charge
        from .usage import Usage

        if usage is None:
            usage = Usage(prompt_tokens, completion_tokens)
        elif not isinstance(usage, Usage):
            raise TypeError(f"usage must be a Usage, not {type(usage).__name__}")
        elif prompt_tokens or completion_tokens:
            raise TypeError("give either usage or prompt_tokens and completion_tokens, not both")
        when = None if at is None else aware(at, "at")
        found = held.catalog[model]
        rates = found.rates
        if when is None and rates.timed:
            when = self._clock.utcnow()
        cost = charge(
            rates,
            usage,
            rate,
            model_id=found.id,
            source=held.source,
            as_of=held.catalog.as_of,
            at=when,
        )
        simple = not rates.overrides and not rates.request and len(held.prices) < _MOST_NAMES
        if simple and rates.prompt is not None and rates.completion is not None:
            held.prices[model] = (Cost, rates, rates.prompt, rates.completion, found.id)
        return cost

    def cost_of(
        self,
        response: object,
        model: str | None = None,
        at: datetime | None = None,
        *,
        markup_rate: _money.Number | None = None,
    ) -> Cost:
        """What a call cost, by its response: what the response reports, beside what the price list says.

        Args:
            response: a body of chat completions, responses, messages or generations, complete or a stream's last
                chunk, as a dictionary or an object; or its usage alone.
            model: what to price it as, instead of the model that the response names.
            at: the instant of the call (aware), instead of the one that the response names.
            markup_rate: instead of the settings' one.

        Raises:
            TypeError, ValueError: it is no response, has no usage, or names no model while none was given.
            UnknownModelError, VariablePriceError, UnpricedUsageError: as for :meth:`cost`, unless the response
                reports its cost.
        """
        from ._clock import aware
        from .cost import Cost, charge
        from .usage import read_response

        reading = read_response(response)
        rate = self._markup_rate if markup_rate is None else _read_markup(markup_rate)
        name = reading.model if model is None else model
        when = reading.created if at is None else aware(at, "at")
        if name is None and reading.reported is None:
            raise ValueError("model must be given: the response names none")
        try:
            held = self._held()
            found = held.catalog[name or ""]
            if found.rates.timed and when is None:
                when = self._clock.utcnow()
            cost = charge(
                found.rates,
                reading.usage,
                rate,
                model_id=found.id,
                source=held.source,
                as_of=held.catalog.as_of,
                at=when,
                reported=reading.reported,
            )
        except (UnknownModelError, VariablePriceError, CatalogUnavailableError):
            if reading.reported is None:
                raise
            total = _money.multiply(reading.reported, rate)
            cost = Cost(
                name or "", None, reading.reported, reading.reported, rate, total, "reported", None, None, reading.usage
            )
        cost.provider, cost.service_tier, cost.flags = reading.provider, reading.service_tier, reading.flags
        return cost

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
        self._cache.look_within(self._settings.warm_interval)
        self._warmer.start()

    def stop_warmer(self) -> None:
        """Stop that thread, within half a second."""
        if self._warmer is not None:
            self._warmer.stop()

    def stats(self) -> Stats:
        """What happened in this process so far."""
        if self._cache is None:
            from .stats import Stats  # only who looks pays for it

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
            self._cache.close()

    def __enter__(self) -> Pricing:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __del__(self) -> None:
        cache = getattr(self, "_cache", None)
        if cache is not None and cache.in_use and self._warmer is not None:
            self._warmer.stop(timeout=0)
            warnings.warn(f"{self!r} was never closed", ResourceWarning, source=self, stacklevel=1)


def _read_markup(value: _money.Number) -> Decimal:
    rate = _money.read(value, "markup_rate")
    if rate < 0:
        raise ValueError(f"markup_rate must not be negative: {_money.plain(rate)}")
    return rate


def _always(collaborator: Any) -> Callable[..., Any]:
    return lambda *_: collaborator


def _http(settings: Settings, clock: Clock, recorder: Recorder) -> Source:
    from .client import Client  # imports requests, urllib3 and stamina, in the thread that asks

    return Client(settings, utcnow=clock.utcnow, on_retry=lambda _: recorder.count("retries"))
