"""Audit: what logged responses say they cost, beside what the price list says; in bounded memory, whatever the log."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from .._base import money
from .._billing.call import another_day
from .._billing.cost import Cost
from .._billing.reading import HALF
from .._billing.responses import body_of
from .._history.periods import HistoryStore
from .._prices.catalog import Catalog
from .._prices.model import Model
from ..errors import ResponseError, UnknownModelError, UnpricedUsageError, VariablePriceError
from ..pricing import Pricing
from ..settings import Settings
from .counted import Counted, Residual
from .fast import Fast
from .ids import Ids
from .lines import BadLine, Block, read_line
from .naming import By, Namer
from .plans import Lists
from .report import Places, report
from .tallies import Group, Groups, Tally

_KINDS = {"response": "no usage", "currency": "other currency"}  # by the field that is wrong


def kind_of(error: ResponseError) -> str:
    """What kind of reason it is that a response cannot be priced for."""
    return "half a usage" if error.problem.startswith(HALF) else _KINDS.get(error.field, "bad number")


class Audit:
    """Reads logged responses line by line.

    A response whose ``id`` was counted before is a duplicate: it is told, and in no tally. Each id takes some 16 bytes.

    Args:
        catalog: the prices.
        worst: how many of the largest residuals are kept.
        history: the prices of then, for lines that say when they were; None to price all by ``catalog``.
        by: what spend is summed by, beside the tallies: "model", "day" (in UTC), "provider" or "key"; None for nothing.
        digest: makes the digests of ids; one that is the same in all processes where audits are added up.
    """

    def __init__(
        self,
        catalog: Catalog,
        worst: int = 10,
        history: HistoryStore | None = None,
        *,
        by: By | None = None,
        digest: Callable[[str], int] = hash,
    ) -> None:
        self._catalog = catalog
        self._pricing = Pricing(Settings(markup_rate=money.ONE), catalog=catalog, history=history)
        self._cost_of = self._pricing.cost_of
        self._worst, self._digest = worst, digest
        self._namer = Namer(by)
        self.by: By | None = by
        self._counted, self._ids = Counted(worst), Ids(digest)
        lists = Lists(catalog.as_of, None if history is None else self._list_of)
        self._fast = Fast(self._counted, self._ids, self._namer, by is not None, lists, self._listed, self._add_any)

    def _list_of(self, at: datetime) -> object:
        return self._pricing._past.at(self._pricing._held(), at)

    def _listed(self, cost: Cost) -> Model:
        return self._pricing.model(cost.model_id, at=cost.at if cost.source == "history" else None)

    def add(self, number: int, line: bytes | None) -> None:
        """Count one line; a blank one is none.

        Args:
            number: its number, from 1.
            line: its bytes; None if it was too long.
        """
        self._fast.add((Block(number, [line]),))

    def add_all(self, blocks: Iterable[Block]) -> int:
        """Count lines, as ``add`` does one; the number of the last, or 0."""
        return self._fast.add(blocks)

    def _add_any(self, number: int, line: bytes | None) -> None:
        try:
            response = read_line(number, line)
        except BadLine as error:
            self._counted.bad[error.kind].count(number, reason=error.reason)
        else:
            if response is not None:
                self._add_response(number, response)

    def _add_response(self, number: int, response: dict[str, Any]) -> None:
        cost: Cost | None = None
        name = ""
        try:
            cost = self._cost_of(response)
        except (UnknownModelError, VariablePriceError) as error:
            name = error.model_id
        except UnpricedUsageError as error:
            self._counted.bad["unpriced usage"].count(number, reason=error)
            return
        except ResponseError as error:
            if error.field != "model":
                self._counted.bad[kind_of(error)].count(number, reason=error)
                return
        except ValueError as error:  # counts that are all right, and whose sum is not
            self._counted.bad["bad number"].count(number, reason=error)
            return
        body = body_of(response)
        called = body("id") or body("generation_id")
        if called and isinstance(called, str) and not self._ids.add(called):
            self._counted.duplicates.note(number)
        elif cost is None:
            self._counted.count_unknown(number, name, None)
            self._fast.learn_unlisted(name, stands_alone=False)
        else:
            self._count_cost(number, cost)
            if self.by is not None:
                stamp = body("created") or body("created_at")
                spent = self._namer.name(cost.model_id, cost.provider, stamp, response.get, body)
                self._counted.spend[spent].count(number, cost.raw)
            if cost.computed is None:
                self._fast.learn_unlisted(cost.model_id, stands_alone=self._tells_nothing(cost))
            else:
                self._fast.learn(cost)
                if another_day(cost.at, cost._origin):
                    self._counted.other_day.note(number)

    def _count_cost(self, number: int, cost: Cost) -> None:
        counted, reported, computed = self._counted, cost.reported, cost.computed
        if computed is None:
            if self._tells_nothing(cost):
                counted.reported.add(Tally(1, cost.raw))
            else:
                counted.count_unknown(number, cost.model_id, reported)
            return
        kind = cost.residual_kind
        if reported is None or (kind is None and cost.residual is None):
            counted.unreported.add(Tally(1, computed=computed))
        elif kind is None:
            counted.exact.add(Tally(1, reported, computed))
        else:
            counted.residual.add(Tally(1, reported, computed))
            counted.count_residual(number, cost.model_id, reported, computed, kind)

    def _tells_nothing(self, cost: Cost) -> bool:
        """Whether a cost stands by itself: no tokens beside it, or a model that sells none."""
        if not cost.usage.prompt_tokens and not cost.usage.completion_tokens:
            return True
        return cost.model_id in self._catalog and self._catalog[cost.model_id].rates.unpriced is not None

    def begin_anew(self) -> None:
        """Forget everything that was counted, and the ids; what was learnt of models is known on."""
        self._fast.settle()
        self._ids = Ids(self._digest)
        self._ids.take()  # from now on those that are new are noted
        self._count_anew()

    def hand_out(self) -> tuple[Counted, array[int]]:
        """What was counted since it began anew, or since the last time, and the ids that were new; all are known on."""
        found = self.counted, self._ids.take()
        self._count_anew()
        return found

    def _count_anew(self) -> None:
        self._counted = Counted(self._worst)
        self._fast.count_into(self._counted, self._ids)

    def include(self, counted: Counted, digests: Sequence[int], offset: int) -> bool:
        """Count what was counted elsewhere of lines that follow, if that is what counting line by line would give.

        Args:
            counted: the tallies.
            digests: of the ids.
            offset: how much further on the lines stand than their numbers say.

        Returns:
            Whether it is; if not, nothing was counted.
        """
        if not (self._counted.fits(counted) and self._ids.add_new(digests)):
            return False
        self._counted.add(counted, offset)
        return True

    @property
    def counted(self) -> Counted:
        """Everything that was counted so far."""
        self._fast.settle()
        return self._counted

    @property
    def exact(self) -> Tally:
        """Lines whose reported cost the price list explains to 1e-12 USD."""
        return self.counted.exact

    @property
    def residual(self) -> Tally:
        """Lines whose reported cost it does not explain."""
        return self.counted.residual

    @property
    def unreported(self) -> Tally:
        """Lines that it prices and that report no cost, or the fee on one's own key alone."""
        return self.counted.unreported

    @property
    def reported(self) -> Tally:
        """Lines that report a cost and nothing that could be priced: no tokens, or a row that sells none."""
        return self._counted.reported

    @property
    def unknown(self) -> Tally:
        """Lines of models that it does not list, or lists without a price."""
        return self._counted.unknown

    @property
    def duplicates(self) -> Group:
        """Lines whose response was counted before, by its id; they are in no tally."""
        return self._counted.duplicates

    @property
    def other_day(self) -> Group:
        """Lines of a call that the list of another day priced; they are in their tallies all the same."""
        return self._counted.other_day

    @property
    def bad(self) -> Groups[str]:
        """Lines that cannot be read, by the kind of reason."""
        return self._counted.bad

    @property
    def residuals(self) -> Groups[tuple[str, str]]:
        """Those of ``residual`` by model and kind."""
        return self._counted.residuals

    @property
    def names(self) -> Groups[str]:
        """Those of ``unknown`` by model."""
        return self._counted.names

    @property
    def off(self) -> Decimal:
        """USD, the sum of the sizes of all residuals, whatever their signs."""
        return self._counted.off

    @property
    def priced(self) -> int:
        """How many lines the price list could say the cost of."""
        return self.exact.lines + self.residual.lines + self.unreported.lines

    @property
    def total(self) -> Tally:
        """All lines, and all that was reported and computed."""
        return self.counted.total

    @property
    def difference(self) -> Decimal:
        """USD, reported minus computed over the lines that have both."""
        return money.add(self.exact.residual, self.residual.residual)

    def worst(self) -> list[Residual]:
        """The largest residuals, whatever their signs; the largest first."""
        return self._counted.worst()

    def why(self, name: str) -> str:
        """Why a model is unknown."""
        if not name:
            return "no model is named"
        return "its price is variable" if name in self._catalog else "not listed"

    def report(self, places: Places | None = None) -> dict[str, Any]:
        """Everything, JSON-ready; money as strings.

        Args:
            places: where the lines stand, if they are of several files.
        """
        return report(self.counted, self.why, self.by, Places() if places is None else places)
