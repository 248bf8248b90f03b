"""PriceBook: every price as a line of the kernel's table, proved against ``charge()`` before it is used."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from .._base import money
from .._billing.markup import Markup
from .._history.recalled import PastList
from .._prices.model import Model
from .._prices.rates import Rates
from ..errors import UnknownModelError
from .choice import Entry
from .plans import COUNTS, Plan, Regimes, regimes
from .prices import Prices, read_prices
from .proof import prove
from .table import DIGITS, PRICED, UNKNOWN, VARIABLE, Line, Table, places
from .timeline import Timeline

_ALWAYS = Regimes((), (0,), (Plan({}, {}),))
_ANY_CALL = ("prompt_tokens", "completion_tokens", "requests")  # the counts of any call
_MOST_NAMES = 100_000  # that are kept at hand


class PriceBook:
    """Prices for many rows at once. Make it once and use it often: making it takes a second or two.

    What each count costs is found by asking the same function that prices single calls, and what the book makes of
    it is compared with that function's answers, model by model, before it is used. It may be shared by threads, and
    pickled. It keeps the list that was held when it was made.

    Args:
        prices: a ``Pricing``, a ``Catalog``, or a history.
        markup_rate: what raw costs are multiplied by, instead of the Pricing's own; of a catalogue or a history 1.
        markup: a policy, instead of the Pricing's own. One with a ``rule`` cannot be carried.
        scale: decimal places of the amounts, 1 to 37.

    Raises:
        PricingError: a billing rule cannot be carried to many rows; the message names the model.
        ValueError, TypeError: an argument cannot be read, or a price takes more decimal places than ``scale``; the
            message names it.
    """

    def __init__(
        self,
        prices: object,
        *,
        markup_rate: money.Number | None = None,
        markup: Markup | None = None,
        scale: int = 24,
    ) -> None:
        if not 0 < money.count(scale, "scale") < DIGITS:
            raise ValueError(f"scale must be from 1 to {DIGITS - 1}: {scale}")
        self.scale: int = scale
        self._prices: Prices = read_prices(prices, markup_rate, markup)
        self._lines: list[Line] = [Line(status, _ALWAYS.plans[0], money.ONE) for status in (UNKNOWN, VARIABLE)]
        # A missing name is asked for with every batch.
        self._entries: dict[str, Entry] = {"": Entry(0, _ALWAYS, self._prices.rate_of("", None))}
        self._made: dict[str, tuple[tuple[Rates, Entry], ...]] = {}
        self._start()
        catalog = self._prices.catalog
        self._enter(map(catalog.__getitem__, catalog))
        self._entries.update({name: self._of(catalog[name], catalog.as_of) for name in catalog})

    def _start(self) -> None:
        """Make what does not come along in a pickle."""
        store = self._prices.store
        self._timeline = None if store is None else Timeline(store, self._prices.catalog)
        self._past: dict[tuple[int, str], Entry] = {}
        self._lock = threading.RLock()
        self._tables: dict[tuple[int, frozenset[str]], Table] = {}

    def __getstate__(self) -> dict[str, Any]:
        with self._lock:
            kept = {name: getattr(self, name) for name in ("scale", "_prices", "_lines", "_made")}
            return {**kept, "_entries": dict(self._entries)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._start()

    def __repr__(self) -> str:
        return f"<PriceBook as of {self._prices.catalog.as_of.isoformat()}>"

    @property
    def places(self) -> int | None:
        """Decimal places that totals are rounded to; None where they are not."""
        asked = self._prices.markup.places
        return None if asked is None or asked >= self.scale else asked

    @property
    def unit(self) -> Decimal:
        """USD of the last decimal place of an amount."""
        return Decimal((0, (1,), -self.scale))

    def table(self, names: Iterable[str] = COUNTS) -> Table:
        """What the kernel looks things up in, for frames with these counts; of now, as it grows with what is asked."""
        lines, used = self._lines, frozenset(names)
        key = len(lines), used
        table = self._tables.get(key)
        if table is None:
            table = Table(lines, self.scale, used, rounded=self.places is not None)
            with self._lock:
                self._tables = {known: made for known, made in self._tables.items() if known[0] == len(self._lines)}
                self._tables[key] = table
        return table

    @property
    def timeline(self) -> Timeline | None:
        """The lists of all times; None where there is one alone."""
        return self._timeline

    @property
    def dated(self) -> bool:
        """Whether rows without a time have prices."""
        return self._prices.dated

    def listed(self) -> list[tuple[str, Entry]]:
        """Every id of the list held, and what is known of it."""
        return [(name, self._entries[name]) for name in self._prices.catalog]

    def entries(self, asked: Sequence[tuple[int, str | None]]) -> list[Entry]:
        """What is known of names, each at the list of its place in the timeline.

        Raises:
            PricingError, ValueError: as for the book, of prices that were not met before.
        """
        known = [
            self._past.get((place, name or "")) if place else self._entries.get(name or "") for place, name in asked
        ]
        met = [entry for entry in known if entry is not None]
        if len(met) == len(known):
            return met
        with self._lock:
            lists = [None] if self._timeline is None else self._timeline.lists
            found = [self._known(lists[place], place, name) for place, name in asked]
            self._enter(model for model, _ in found if isinstance(model, Model))
            return [
                self._keep(place, name, model, as_of)
                for (place, name), (model, as_of) in zip(asked, found, strict=True)
            ]

    def _known(
        self, listed: PastList | None, place: int, name: str | None
    ) -> tuple[Entry | Model | None, datetime | None]:
        """The entry of a name, or the model that one is to be made of; None where nothing has that name."""
        if name is None:
            return None, None
        if listed is not None:
            if (entry := self._past.get((place, name))) is not None:
                return entry, None
            if (model := listed.get(name)) is not None:
                return model, listed.recorded.as_of
        if (entry := self._entries.get(name)) is not None:
            return entry, None
        try:
            return self._prices.catalog[name], self._prices.catalog.as_of
        except UnknownModelError:
            return None, None

    def _keep(self, place: int, name: str | None, found: Entry | Model | None, as_of: datetime | None) -> Entry:
        if found is None:
            return Entry(0, _ALWAYS, self._prices.rate_of(name or "", None))
        entry = found if isinstance(found, Entry) else self._of(found, as_of)
        assert name is not None  # what has none is not found
        if place and len(self._past) < _MOST_NAMES:
            self._past[place, name] = entry
        elif not place and len(self._entries) < _MOST_NAMES:
            self._entries[name] = entry
        return entry

    def _of(self, model: Model, as_of: datetime | None) -> Entry:
        entry = _same(self._made, model, self._prices.rate_of(model.id, model))
        assert entry is not None  # it was entered
        return entry._replace(as_of=as_of)

    def _enter(self, models: Iterable[Model]) -> None:
        """Make and prove the lines of models that were not met before at these prices."""
        lines, made, new = list(self._lines), dict(self._made), []
        for model in models:
            rate = self._prices.rate_of(model.id, model)
            if _same(made, model, rate) is not None:
                continue
            if model.rates.variable:
                entry = Entry(1, _ALWAYS, rate, model.id)
            else:
                found = regimes(model.id, model.rates)
                entry = Entry(len(lines), found, rate, model.id)
                for plan in found.plans:
                    check_scale(model.id, plan, self.scale, money.ONE if self.places is not None else rate)
                    lines.append(Line(PRICED, plan, rate, model.id))
            made[model.id] = (*made.get(model.id, ()), (model.rates, entry))
            new.append((model, entry))
        if new:
            prove(Table(lines, self.scale, rounded=self.places is not None), new, self.scale, self.places)
            self._made, self._lines = made, lines


def _same(made: Mapping[str, tuple[tuple[Rates, Entry], ...]], model: Model, rate: Decimal) -> Entry | None:
    """What was made of the same model at the same prices."""
    for rates, entry in made.get(model.id, ()):
        if entry.rate == rate and rates == model.rates and rates.unpriced == model.rates.unpriced:
            return entry
    return None


def check_scale(model_id: str, plan: Plan, scale: int, rate: Decimal) -> None:
    """Refuse prices that have no room, and a markup that leaves none for what any call consumes.

    Raises:
        ValueError: one takes more decimal places than there are.
    """
    for name, step in plan.steps.items():
        if (taken := places(step)) > scale:
            raise ValueError(f"scale is {scale}, and the price of {name} takes {taken} decimal places with {model_id}")
        if name in _ANY_CALL and (taken := places(money.multiply(step, rate))) > scale:
            raise ValueError(
                f"scale is {scale}, and the price of {name} takes {taken} decimal places with {model_id} and its "
                "markup: give a larger scale, or a markup that has places"
            )
