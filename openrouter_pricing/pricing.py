"""Pricing: the facade, and the only class that most users touch."""

from __future__ import annotations

from collections.abc import Callable

from ._base.money import fma, multiply, read_rate
from ._history.listing import Listing

TYPE_CHECKING = False
if TYPE_CHECKING:  # imported where they are first needed: importing this module must cost next to nothing
    from datetime import datetime
    from typing import Any

    from ._base import money
    from ._base.clock import Clock
    from ._billing.cost import Cost, PriceRange
    from ._billing.markup import Markup
    from ._billing.reading import Reading
    from ._billing.stream import StreamCost
    from ._billing.usage import Usage
    from ._freshness.live import Live, Pinned
    from ._freshness.protocols import Backend, Source
    from ._freshness.recorder import Recorder
    from ._history.periods import HistoryStore
    from ._prices.catalog import Catalog
    from ._prices.endpoints import Endpoints
    from ._quote import PlainPrice
    from .health import Health
    from .settings import Settings

_new = object.__new__


class Pricing(Listing):
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
        history: where past prices come from instead of ``settings.history``, and are recorded; it stays yours to close.
            A ``catalog`` or a ``client`` of yours has no other one.

    Raises:
        SettingsError: an environment variable cannot be read, or the backend's URL names none.
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
        history: HistoryStore | None = None,
    ) -> None:
        from . import backends, data
        from . import settings as options
        from ._base.clock import Clock
        from ._billing.call import BY_ARGUMENT
        from ._billing.markup import Markup
        from ._freshness import protocols
        from ._freshness.live import Live, Pinned
        from ._history.opening import past_of
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
        self._client = client
        self._answers = 0
        self._live: Live | Pinned
        if catalog is not None:
            self._live = Pinned(catalog)
        else:
            if backend is None:
                backends.check(settings.backend)
            if settings.fallback:
                data.keep_at_hand()
            self._live = Live(
                settings,
                _always(backend) if backend is not None else lambda: backends.open_backend(settings.backend),
                _always(client) if client is not None else lambda recorder: _http(settings, clock, recorder),
                clock,
                owns_backend=backend is None,
                owns_source=client is None,
                fallback=_bundled if settings.fallback else None,
            )
        self._cache = self._live.cache
        own = catalog is not None or client is not None
        self._past = past_of(settings, history, self._live, clock, own=own)
        self._quoter = Quoter(settings.markup_rate, markup, self._live.endpoints, clock.utcnow, self._past.at)

    def __repr__(self) -> str:
        return "<Pricing of a pinned catalogue>" if self._live.probe is None else f"<Pricing with {self._settings!r}>"

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
        service_tier: str | None = None,
    ) -> Cost:
        """What a call costs, and what to charge for it.

        Args:
            model: an id, a canonical slug, or either with a routing suffix such as ``:nitro`` or a preset.
            prompt_tokens: all input tokens.
            completion_tokens: all output tokens.
            usage: everything that was consumed, instead of the two counts.
            markup_rate: instead of the policy's or the settings' one; a float is read as the decimal that it prints.
            at: the instant of the call (aware), for prices that depend on the time of day; now when left out.
            provider: price it as served by this one: the tag of an endpoint ("deepinfra/fp8"), or a provider's slug or
                name.
            service_tier: price it as served at this one ("flex", "priority", "batch"); the standard one when left out.

        Raises:
            UnknownProviderError: no endpoint of the model is that provider's, or several at different prices are.
            UnknownModelError: nothing listed has that name.
            VariablePriceError: the model is a router.
            UnpricedUsageError: the usage has a dimension that the model lists no price for, or nobody sells the tier.
            CatalogUnavailableError: no prices at all, and the fallback is off; or none of the provider's.
            ValueError, TypeError: a bad number; the message names the argument.
        """
        held = self._cache.held
        if held is None or self._monotonic() >= held.until:
            held = self._live.current()
        self._answers += 1
        if usage is None and at is None and provider is None and service_tier is None:
            plain: PlainPrice | None
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
        return self._quoter.cost(
            held, model, prompt_tokens, completion_tokens, usage, markup_rate, at, provider, service_tier
        )

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
            ResponseError: it has neither usage nor cost, half a usage, something in it that looks like usage and cannot
                be read, or no model while none was given. It is a ValueError too.
            TypeError: it is no response at all.
            UnknownModelError, UnknownProviderError, VariablePriceError, UnpricedUsageError, CatalogUnavailableError: as
                for :meth:`cost`, unless the response reports its cost.
        """
        return self._quoter.cost_of(self._held, response, model, markup_rate, at, provider)

    def stream(self, model: str | None = None) -> StreamCost:
        """A meter for one streamed response: feed it what arrives, and ask it for the cost at the end.

        Args:
            model: what to price it as, instead of the model that the stream names.
        """
        from ._billing.stream import StreamCost

        def price(
            reading: Reading, at: datetime | None, provider: str | None, markup_rate: money.Number | None
        ) -> Cost:
            return self._quoter.cost_of_reading(self._held, reading, model, markup_rate, at, provider)

        return StreamCost(price)

    def generation(
        self, generation_id: str, *, markup_rate: money.Number | None = None, deadline: float | None = None
    ) -> Cost:
        """What a generation cost, by OpenRouter's own record of it: for streams that were cut off or cancelled.

        It is asked for over HTTP, with the API key, and again while it is not there yet.
        https://openrouter.ai/docs/api/api-reference/generations/get-generation

        Args:
            generation_id: the ``id`` of the response ("gen-…").
            markup_rate: instead of the policy's or the settings' one.
            deadline: seconds for all of it; the settings' one when left out.

        Raises:
            UpstreamError: there is no such generation, or it cannot be had.
            PricingError: the prices are pinned, the settings say offline or hold no key, or a ``client`` of yours
                cannot ask for generations.
            ValueError, TypeError: ``generation_id`` is no such id.
        """
        from ._http.generation import generation

        pinned = self._live.probe is None
        body = generation(self._client, self._settings, self._clock, generation_id, deadline, pinned=pinned)
        return self.cost_of(body, markup_rate=markup_rate)

    def price_range(
        self,
        model: str,
        usage: Usage,
        *,
        markup_rate: money.Number | None = None,
        at: datetime | None = None,
        service_tier: str | None = None,
    ) -> PriceRange:
        """What a request can cost before it is sent, whichever provider serves it.

        Args:
            model: as for :meth:`cost`.
            usage: what it will consume.
            markup_rate, at: as for :meth:`cost`.
            service_tier: the one tier that the range is of; the standard one when left out.

        Returns:
            The costs ``min`` and ``max`` at the cheapest and the dearest provider's prices for this very usage, and
            ``list`` at the model's own (those of its ``:batch`` row for a batch). Endpoints that sell another service
            tier, and those that do not price what the usage holds, are left out.

        Raises:
            as for :meth:`cost`, and as for :meth:`endpoints`.
        """
        return self._quoter.price_range(self._held(), model, usage, markup_rate, at, service_tier)

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

    def health(self) -> Health:
        """Whether the store, OpenRouter and the age of the prices are all right; asks both, and waits for them.

        At most 5 s for the store and ``deadline`` for OpenRouter. :meth:`stats` says what is known without asking.
        """
        from . import health

        held, probe = self._live.stored(), self._live.probe
        if probe is None:
            return health.of_pinned(self._live.current().catalog)
        return health.examine(self._settings, probe, held, _bundled, self.refresh, self._clock.utcnow())


def _always(collaborator: Any) -> Callable[..., Any]:
    return lambda *_: collaborator


def _bundled() -> Catalog:
    from . import data

    return data.load_bundled()


def _http(settings: Settings, clock: Clock, recorder: Recorder) -> Source:
    from ._http.client import Client  # imports requests, urllib3 and stamina, in the thread that asks

    on_retry, on_request = (lambda _: recorder.count("retries")), (lambda: recorder.count("requests"))
    return Client(settings, utcnow=clock.utcnow, on_retry=on_retry, on_request=on_request)
