"""Listing: what is listed, now and at some time before."""

from __future__ import annotations

import time

from .._freshness.lifetime import CLOSING, Lifetime

TYPE_CHECKING = False
if TYPE_CHECKING:  # importing this module must cost next to nothing
    from collections.abc import Callable
    from datetime import datetime

    from .._freshness.held import Held
    from .._prices.catalog import Catalog
    from .._prices.model import Model
    from .past import Past
    from .periods import PricePeriod, RecordedChange


class Listing(Lifetime):
    """Answers what is listed, and what was."""

    _past: Past
    _monotonic: Callable[[], float]

    def model(self, model: str, at: datetime | None = None) -> Model:
        """The model of an id, a canonical slug, or either with a routing suffix.

        Args:
            model: its name.
            at: as it was listed then (aware), instead of now; as it is listed now where no history says.

        Raises:
            UnknownModelError: nothing listed has that name.
            CatalogUnavailableError: no prices at all, and the fallback is off.
            ValueError, TypeError: ``at`` is no aware datetime.
        """
        held = self._held()
        past = None if at is None else self._past.at(held, _aware(at, "at"))
        found = None if past is None else past.get(model)
        return held.catalog[model] if found is None else found

    def catalog(self, at: datetime | None = None) -> Catalog:
        """Every model that is listed now, or was listed then.

        Args:
            at: as listed then (aware). The list of the nearest time answers where no history reaches that far; its
                ``as_of`` says of when it is. Its ``digest`` is that of ids and recorded prices, as costs name it.

        Raises:
            CatalogUnavailableError: there is none, and the fallback is off.
            ValueError, TypeError: ``at`` is no aware datetime.
        """
        held = self._held()
        past = None if at is None else self._past.at(held, _aware(at, "at"))
        return held.catalog if past is None else past.whole()

    def price_history(self, model: str) -> tuple[PricePeriod, ...]:
        """For how long a model had which prices, oldest first, as the history says; empty where it knows nothing.

        Periods that follow one another and differ in nothing that is charged are one.

        Args:
            model: an id that was ever listed, or a name as for :meth:`model`.

        Raises:
            UnknownModelError: nothing listed or recorded has that name.
            CatalogUnavailableError: as for :meth:`model`.
        """
        from .periods import price_periods

        history = self._past.history
        found = () if history is None or not isinstance(model, str) else history.periods(model)
        if not found:
            model_id = self._held().catalog[model].id
            found = () if history is None else history.periods(model_id)
        return price_periods(found)

    def changes(
        self, *, since: datetime | None = None, until: datetime | None = None, model: str | None = None
    ) -> tuple[RecordedChange, ...]:
        """What the history saw change, oldest first; its first list is no change.

        Args:
            since: only what changed after that (aware); everything when left out.
            until: only what changed up to then (aware).
            model: of this one alone, named as for :meth:`price_history`.

        Raises:
            UnknownModelError, CatalogUnavailableError: as for :meth:`price_history`.
            ValueError, TypeError: a bad instant; the message names the argument.
        """
        from .periods import EARLIEST, LATEST, recorded_changes

        after = EARLIEST if since is None else _aware(since, "since")
        last = LATEST if until is None else _aware(until, "until")
        history = self._past.history
        if history is None or (first := history.as_of(EARLIEST)) is None:
            return ()
        if model is not None and not history.periods(model):
            model = self._held().catalog[model].id
        after = max(after, first.as_of)
        return recorded_changes(history.periods(model, since=after, until=last), after, last)

    def close(self) -> None:
        """Let go of threads, sockets, the store and the history, within two seconds; as often as you like.

        ``cost()`` still answers from what is held. A list that is being stored reaches its store.
        """
        until = time.monotonic() + CLOSING
        super().close()
        self._past.close(until - time.monotonic())

    def _held(self) -> Held:
        held = self._live.cache.held
        if held is None or self._monotonic() >= held.until:
            held = self._live.current()
        return held


def _aware(at: datetime, name: str) -> datetime:
    from .._base.clock import aware

    return aware(at, name)
