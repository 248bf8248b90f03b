"""Comparison: what logged usage would have cost at other models; in constant memory, whatever the log."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import attrs

from .._base import money
from .._billing.reading import Reading
from .._billing.responses import read_response
from .._billing.usage import Usage
from .._prices.catalog import Catalog
from ..errors import PricingError, ResponseError, UnpricedUsageError, VariablePriceError
from ..pricing import Pricing
from ..settings import Settings
from .audit import kind_of
from .lines import BadLine, read_line
from .tallies import Groups

_MOST_LETTERS = 200  # of a reason


@attrs.define
class Candidate:
    """What the log would have cost at one model.

    Args:
        model_id: the model.
        lines: those that it prices.
        raw: USD, what they would have cost.
        compared: USD, the same of those lines alone whose own cost is known.
        logged: USD, what these did cost.
        unpriced: lines that hold what it lists no price for.
        reason: why the first of them has none.
    """

    model_id: str
    lines: int = 0
    raw: Decimal = money.ZERO
    compared: Decimal = money.ZERO
    logged: Decimal = money.ZERO
    unpriced: int = 0
    reason: str | None = None

    @property
    def against(self) -> Decimal | None:
        """How many times their own cost the same lines would have cost, to 28 digits; None where that is nothing."""
        return money.quotient(self.compared, self.logged) if self.logged else None

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready; money as strings."""
        against = self.against
        return {
            "model": self.model_id,
            "lines": self.lines,
            "raw": money.text(self.raw),
            "compared": money.text(self.compared),
            "logged": money.text(self.logged),
            "against_logged": None if against is None else money.text(against),
            "unpriced": self.unpriced,
            "reason": self.reason,
        }


class Comparison:
    """Reads logged responses line by line, and prices the usage of each at other models.

    A line costs what :meth:`Pricing.cost_of` says that it did cost: what it reports, else what its own model lists. At
    the others it costs what they list for the same counts at the same time, caching included where they price it. What
    OpenRouter's own tools and plugins billed has no price at another model, and is in the cost of the log alone.

    Args:
        catalog: the prices.
        models: those to compare with.

    Attributes:
        candidates: one of each model, in the order in which they were given.
        lines: those whose usage can be read.
        priced: those of them whose own cost is known.
        raw: USD, what these did cost.
        bad: lines that cannot be read, by the kind of reason.

    Raises:
        UnknownModelError: a model is not listed.
        VariablePriceError: its price is that of whichever model it routes to.
        UnpricedUsageError: it sells something else than tokens.
    """

    def __init__(self, catalog: Catalog, models: Sequence[str]) -> None:
        self._pricing = Pricing(Settings(markup_rate=money.ONE), catalog=catalog)
        found = {found.id: found for found in map(catalog.__getitem__, models)}
        for model in found.values():
            if model.rates.variable:
                raise VariablePriceError(model.id)
            if model.rates.unpriced is not None:
                raise UnpricedUsageError(model.id, "usage", model.rates.unpriced)
        self._answering = {name for name, model in found.items() if model.rates.completion is not None}
        self.candidates: list[Candidate] = list(map(Candidate, found))
        self.lines: int = 0
        self.priced: int = 0
        self.raw: Decimal = money.ZERO
        self.bad: Groups[str] = Groups()

    def add(self, number: int, line: bytes | None) -> None:
        """Count one line; a blank one is none.

        Args:
            number: its number, from 1.
            line: its bytes; None if it was too long.
        """
        try:
            response = read_line(number, line)
            if response is not None:
                self._count(response, _readable(response))
        except BadLine as error:
            self.bad[error.kind].count(number, reason=error.reason)
        except ResponseError as error:
            self.bad[kind_of(error)].count(number, reason=error)

    def _count(self, response: dict[str, Any], reading: Reading) -> None:
        logged: Decimal | None = None
        try:
            logged = self._pricing.cost_of(response).raw
        except PricingError:
            pass  # nobody knows what it did cost: at the others it has a price all the same
        else:
            self.priced += 1
            self.raw = money.add(self.raw, logged)
        self.lines += 1
        for candidate in self.candidates:
            try:
                raw = self._at(candidate.model_id, reading)
            except UnpricedUsageError as error:
                candidate.unpriced += 1
                candidate.reason = candidate.reason or error.reason[:_MOST_LETTERS]
                continue
            candidate.lines += 1
            candidate.raw = money.add(candidate.raw, raw)
            if logged is not None:
                candidate.compared = money.add(candidate.compared, raw)
                candidate.logged = money.add(candidate.logged, logged)

    def _at(self, model_id: str, reading: Reading) -> Decimal:
        """USD at another model; pass by pass where its own took several.

        Raises:
            UnpricedUsageError: it lists no price for what was consumed.
        """
        more = reading.more
        if more.doubt is not None and model_id in self._answering:
            raise UnpricedUsageError(model_id, "completion_tokens", " ".join(more.doubt))
        cost = self._pricing.cost
        return money.total(
            [cost(model_id, usage=usage, at=reading.created).raw for usage in more.passes or (_native(reading),)]
        )

    def cheapest(self) -> list[Candidate]:
        """The candidates, the cheapest first; those that could not price every line come last."""
        return sorted(self.candidates, key=lambda each: (each.unpriced, each.raw))

    def report(self) -> dict[str, Any]:
        """Everything, JSON-ready; money as strings."""
        return {
            "lines": self.lines,
            "priced": self.priced,
            "raw": money.text(self.raw),
            "bad": sum(group.lines for group in self.bad.values()),
            "models": [candidate.to_dict() for candidate in self.cheapest()],
            "bad_lines": [
                {
                    "kind": kind,
                    "lines": group.lines,
                    "first": [{"line": number, "reason": reason} for number, reason in group.reasons],
                }
                for kind, group in self.bad.largest()
            ],
        }


def _readable(response: dict[str, Any]) -> Reading:
    """What a response says, if its tokens are counted.

    Raises:
        ResponseError: they are not, or not all of them.
    """
    reading = read_response(response)
    if reading.more.doubt is not None and not reading.more.one_sided:
        raise ResponseError(*reading.more.doubt)
    if not reading.more.counted:
        raise ResponseError("response", "counts no tokens, so that nothing can be priced at another model")
    return reading


def _native(reading: Reading) -> Usage:
    """The usage without the searches that OpenRouter ran itself, which another model would not bill either."""
    searches = reading.more.searches
    if not searches:
        return reading.usage
    return attrs.evolve(reading.usage, web_searches=reading.usage.web_searches - searches)
