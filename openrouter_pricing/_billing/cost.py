"""Cost: rates times usage times markup, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

import attrs

from .._base import money
from .._base.money import read_rate
from .._prices.origin import PINNED, Origin, PriceList, PriceSource
from .._prices.rates import Override, Rates
from ..errors import UnpricedUsageError, VariablePriceError
from .bill import bill, unpriced
from .call import PLAIN, CallFacts, ResidualKind, another_day, residual_kind
from .markup import marked_up, read_places
from .total import Billed
from .usage import Usage


class CostLine(NamedTuple):
    """One line of a bill.

    Args:
        item: the price key that was applied.
        quantity: units (tokens, images, requests or searches).
        unit_price: USD per unit.
        amount: USD; quantity times unit_price, exactly.
    """

    item: str
    quantity: int
    unit_price: Decimal
    amount: Decimal


@attrs.define
class Cost(Billed):
    """What one call costs. Treat it as a value: nothing changes it after it was made.

    ``str()`` is for people; ``format(cost, ".4f")`` formats ``total``; costs add up to a :class:`Total`.

    Args:
        model_id: the id that was priced, after aliases were resolved.
        computed: USD, what the price list says; None where nothing listed could say it.
        reported: USD, what the response says it cost; None where it says nothing.
        raw: USD, what the call costs you: ``reported`` where there is one, else ``computed``. Where OpenRouter's fee on
            one's own key is all that was reported, the sum of both.
        markup_rate: what ``raw`` is multiplied by.
        total: USD, what to charge: ``raw`` times ``markup_rate``, rounded where the markup policy says so.
        rates: the rates that were applied, overrides already chosen; None where no price list was used.
    """

    model_id: str
    computed: Decimal | None
    reported: Decimal | None
    raw: Decimal
    markup_rate: Decimal
    total: Decimal
    rates: Rates | None = attrs.field(repr=False)
    _usage: Usage | tuple[int, int] = attrs.field(repr=False, eq=False)
    _origin: Origin
    _facts: CallFacts = PLAIN

    def __hash__(self) -> int:
        return hash((self.model_id, self.raw, self.total))

    def __str__(self) -> str:
        raw, rate = money.plain(self.raw), money.plain(self.markup_rate)
        return f"{money.plain(self.total)} USD ({raw} x {rate}) {self.model_id}".rstrip()

    @property
    def usage(self) -> Usage:
        """What was consumed."""
        counts = self._usage
        return Usage(*counts) if isinstance(counts, tuple) else counts

    @property
    def source(self) -> PriceSource:
        """What priced it: "live", "stale", "bundled", "pinned", "history" or "reported"."""
        return self._origin.source

    @property
    def as_of(self) -> datetime | None:
        """When the prices were fetched, or recorded (aware UTC); None where no price list was used."""
        return self._origin.as_of

    @property
    def digest(self) -> str | None:
        """SHA-256 of the price list, as :attr:`Catalog.digest` gives it; None where no price list was used."""
        return self._origin.digest

    @property
    def at(self) -> datetime | None:
        """The instant of the call (aware UTC); None where nobody said it and no price depends on it."""
        return self._facts.at

    @property
    def provider(self) -> str | None:
        """Who served it, or whose prices were asked for; None where nothing says so."""
        return self._facts.provider

    @property
    def endpoint(self) -> str | None:
        """Tag of the provider's endpoint whose rates were applied; None for the model's own rates."""
        return self._facts.endpoint

    @property
    def service_tier(self) -> str | None:
        """The tier it was served at or asked for, where somebody says so."""
        return self._facts.service_tier

    @property
    def flags(self) -> tuple[str, ...]:
        """What the reader should know, for people: odd counts, a tier without a price, another day's prices."""
        at, as_of = self.at, self.as_of
        if self.raw == self.reported or not another_day(at, self._origin):
            return self._facts.flags
        return (*self._facts.flags, f"priced by the list of {as_of:%Y-%m-%d}, not of the call's day ({at:%Y-%m-%d})")

    @property
    def byok_fee(self) -> Decimal | None:
        """USD, OpenRouter's fee for a call on one's own provider key, within ``raw``; None without one."""
        return self._facts.more.fee

    @property
    def markup_rule(self) -> str:
        """Where ``markup_rate`` comes from.

        "settings", "argument" (given with the question), or what a :class:`Markup` chose: "rate", "rule",
        "model openai/gpt-4o", "provider openai", "category Premium".
        """
        return self._facts.markup_rule

    @property
    def overrides(self) -> tuple[Override, ...]:
        """The conditional prices that were applied, in listed order."""
        applied = [entry for rates, _ in self._bills for entry in rates.applied]
        return tuple(entry for place, entry in enumerate(applied) if entry not in applied[:place])

    @property
    def lines(self) -> tuple[CostLine, ...]:
        """The bill in lines, those that amount to nothing left out; they add up to ``computed``."""
        return tuple(
            [
                CostLine(item, quantity, price, amount)
                for rates, usage in self._bills
                for item, quantity, price in bill(rates, usage)
                if (amount := money.multiply(price, quantity))
            ]
        )

    @property
    def _bills(self) -> Sequence[tuple[Rates, Usage | tuple[int, int]]]:
        """The rates and the usage of each pass of the model: of the one, nearly always."""
        if self.rates is None:
            return ()
        if passes := self._facts.more.passes:
            return [(self.rates.effective(usage.prompt_tokens, self.at), usage) for usage in passes]
        return ((self.rates, self._usage),)

    @property
    def residual(self) -> Decimal | None:
        """USD that the price list does not explain: ``reported`` minus ``computed``.

        None where one is missing, and where ``reported`` is OpenRouter's fee alone: nothing can be compared then.
        """
        if self.reported is None or self.computed is None or self._facts.fee_alone:
            return None
        return money.subtract(self.reported, self.computed)

    @property
    def residual_kind(self) -> ResidualKind | None:
        """What the residual is likely to be; None where there is none beyond 1e-12 USD.

        * "server_tool": OpenRouter's own tools and plugins bill amounts that no price list carries;
        * "byok_fee": OpenRouter's fee for a call on one's own key;
        * "cache_discount": what caching took off or put on, as a generation says;
        * "service_tier": it was served at another tier than the listed one;
        * "price_change": the tokens cost something else, and the prices are of another day than the call;
        * "provider": the tokens cost something else: another provider's price;
        * "unexplained": an amount that the response does not explain.
        """
        if self.reported is None or self.computed is None or self._facts.fee_alone:
            return None
        return residual_kind(self.reported, self.computed, self._origin, self._facts)

    def reprice(self, markup_rate: money.Number, *, places: int | None = None) -> Cost:
        """The same call at another markup rate, whether its cost was reported or computed.

        Args:
            markup_rate: what ``raw`` is multiplied by.
            places: decimal places that the total is rounded to, half up; not at all when left out.

        Raises:
            ValueError, TypeError: a bad number; the message names the argument.
        """
        rate, places = read_rate(markup_rate, "markup_rate"), read_places(places)
        facts = self._facts._replace(markup_rule="argument", places=places)
        return attrs.evolve(self, markup_rate=rate, total=marked_up(self.raw, rate, places), facts=facts)

    def replay(self, catalog: PriceList) -> Cost:
        """The same call priced again on a stored price list: on the one of ``digest``, with the same figures.

        Args:
            catalog: a ``Catalog``; for a cost at a provider's prices the model's ``Endpoints``. One with another digest
                answers what the call would have cost there, and the result says so.

        Raises:
            UnknownModelError, UnknownProviderError: it does not list what was priced.
            VariablePriceError, UnpricedUsageError: it lists it without the prices that this takes.
            ValueError: the prices there depend on the time of the call, which is not known.
        """
        if self.rates is None:
            return self
        same = catalog.digest == self.digest
        return charge(
            catalog[self.endpoint or self.model_id].rates,
            self.usage,
            self.markup_rate,
            model_id=self.model_id,
            origin=self._origin if same else Origin("pinned", catalog.as_of, catalog.digest),
            reported=None if self._facts.fee_alone else self.reported,
            facts=self._facts,
        )

    def to_dict(self) -> dict[str, Any]:
        """A receipt, JSON-ready; money as strings, times in ISO 8601, and those counts that are not 0."""
        residual = self.residual
        return {
            "model_id": self.model_id,
            "total": money.text(self.total),
            "raw": money.text(self.raw),
            "markup_rate": money.text(self.markup_rate),
            "markup_rule": self.markup_rule,
            "places": self._facts.places,
            "computed": None if self.computed is None else money.text(self.computed),
            "reported": None if self.reported is None else money.text(self.reported),
            **({} if self.byok_fee is None else {"byok_fee": money.text(self.byok_fee)}),
            "residual": None if residual is None else money.text(residual),
            "residual_kind": self.residual_kind,
            "source": self.source,
            "as_of": None if self.as_of is None else self.as_of.isoformat(),
            "catalog_digest": self.digest,
            "at": None if self.at is None else self.at.isoformat(),
            "provider": self.provider,
            "endpoint": self.endpoint,
            "service_tier": self.service_tier,
            "flags": list(self.flags),
            "overrides": [entry.to_dict() for entry in self.overrides],
            "usage": _counts(self.usage),
            **({"passes": list(map(_counts, self._facts.more.passes))} if self._facts.more.passes else {}),
            "lines": [
                {
                    "item": line.item,
                    "quantity": line.quantity,
                    "unit_price": money.text(line.unit_price),
                    "amount": money.text(line.amount),
                }
                for line in self.lines
            ],
        }


def _counts(usage: Usage) -> dict[str, int]:
    return {name: count for name, count in attrs.asdict(usage).items() if count}


class PriceRange(NamedTuple):
    """What a request can cost before it is sent.

    Args:
        min: at the cheapest provider's prices.
        list: at the model's own prices.
        max: at the dearest provider's prices.
    """

    min: Cost
    list: Cost
    max: Cost


def settled(model_id: str, reported: Decimal, usage: Usage, markup_rate: Decimal, facts: CallFacts) -> Cost:
    """The cost of a call that no price list explains, by what its response reports.

    Args:
        model_id: the name that the response gives, or "".
        reported: USD.
        usage: what was consumed.
        markup_rate: what the reported cost is multiplied by.
        facts: what else is known of the call.
    """
    total = marked_up(reported, markup_rate, facts.places)
    origin = Origin("reported")
    return Cost(model_id, None, reported, reported, markup_rate, total, None, usage, origin, facts)


def charge(
    rates: Rates,
    usage: Usage | tuple[int, int],
    markup_rate: Decimal = money.ONE,
    *,
    model_id: str = "",
    origin: Origin = PINNED,
    at: datetime | None = None,
    reported: Decimal | None = None,
    facts: CallFacts = PLAIN,
) -> Cost:
    """Price ``usage`` at ``rates``; pass by pass where the model took several, each with its own price steps.

    Args:
        rates: the whole price list; the overrides that hold for this usage at the call's instant are chosen here.
        usage: what was consumed; prompt and completion tokens alone may be given as two counts.
        markup_rate: what the raw cost is multiplied by.
        model_id, origin: put on the result as they are.
        at: the instant of the call (aware), needed only where prices depend on it.
        reported: USD, what the response says it cost. It is what the call cost, and dimensions without a price then
            stay out of ``computed``: they show up in ``residual``.
        facts: what else is known of the call.

    Raises:
        VariablePriceError: a price is negative.
        UnpricedUsageError: the usage has a dimension that is not priced, and no reported cost settles it.
        ValueError: prices depend on the instant of the call, and it is not known.
    """
    if rates.variable:
        raise VariablePriceError(model_id)
    if at is not None:
        facts = facts._replace(at=at)
    computed, applied = money.ZERO, rates
    passes, fee = facts.more.passes, facts.more.fee
    for each in passes or (usage,):
        prompt_tokens = each[0] if isinstance(each, tuple) else each.prompt_tokens
        applied = rates.effective(prompt_tokens, facts.at) if rates.overrides else rates
        if reported is None and (missing := unpriced(applied, each)) is not None:
            raise UnpricedUsageError(model_id, *missing)
        for _, quantity, unit_price in bill(applied, each):
            computed = money.fma(unit_price, quantity, computed)
    if passes:
        applied = rates  # each has its own
    raw = computed if reported is None else reported
    if fee is not None and reported is None and facts.upstream is None:
        # OpenRouter's fee is all that was reported; what the provider took is what its price list says.
        raw, reported = money.add(computed, fee), fee
    places = facts.places
    total = money.multiply(raw, markup_rate) if places is None else marked_up(raw, markup_rate, places)
    return Cost(model_id, computed, reported, raw, markup_rate, total, applied, usage, origin, facts)
