"""Audit: what logged responses say they cost, beside what the price list says; in constant memory, whatever the log."""

from __future__ import annotations

import heapq
import json
from codecs import BOM_UTF8
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, BinaryIO, NamedTuple

from .._base import money
from .._billing.cost import Cost
from .._billing.reading import HALF
from .._history.periods import HistoryStore
from .._prices.catalog import Catalog
from ..errors import ResponseError, UnknownModelError, UnpricedUsageError, VariablePriceError
from ..pricing import Pricing
from ..settings import Settings
from .tallies import Groups, Tally

#: Bytes of the longest line that is read.
MOST_BYTES = 16 * 2**20
_KINDS = {"response": "no usage", "currency": "other currency"}  # by the field that is wrong
_NOT_DATA = (":", "event:", "id:", "retry:")  # lines of an event stream that bring nothing
_MOST_LETTERS = 200  # of a name or a reason
_FIRST = 3  # bad lines of each kind that are named

_decode = json.JSONDecoder().raw_decode  # json.loads() without its two looks for white space, a fifth of its time


class Lines:
    """The lines of a file, one at a time.

    Args:
        file: open for reading bytes.

    Attributes:
        read: bytes so far.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.read: int = 0

    def __iter__(self) -> Iterator[bytes | None]:
        """Each line; None in the place of one of more than ``MOST_BYTES``, which is skipped to its end."""
        readline = self._file.readline
        while line := readline(MOST_BYTES + 1):
            self.read += len(line)
            whole = len(line) <= MOST_BYTES or line.endswith(b"\n")
            yield line if whole else None
            while not whole:
                line = readline(MOST_BYTES)
                self.read += len(line)
                whole = not line or line.endswith(b"\n")


class BadLine(Exception):
    """A line of a log that is no response.

    Args:
        kind: what kind of reason that is.
        reason: what is wrong with it, for people.
    """

    def __init__(self, kind: str, reason: object) -> None:
        super().__init__(kind, reason)
        self.kind = kind
        self.reason = reason


def read_line(number: int, line: bytes | None) -> dict[str, Any] | None:
    """The response of a line; None where it holds none, as between the events of a stream.

    Args:
        number: its number, from 1.
        line: its bytes; None if it was too long.

    Raises:
        BadLine: it cannot be read.
    """
    if line is None:
        raise BadLine("too long", f"more than {MOST_BYTES} bytes")
    if number == 1:
        line = line.removeprefix(BOM_UTF8)
    try:
        text = str(line, "utf-8").strip()
        streamed = text[:1] != "{" and text.startswith("data:")
        if streamed:
            text = text[5:].strip()
        if text[:1] != "{" and (not text or text == "[DONE]" or text.startswith(_NOT_DATA)):
            return None
        response, end = _decode(text)
        if end < len(text):
            raise json.JSONDecodeError("Extra data", text, end)
    except (ValueError, RecursionError) as error:
        raise BadLine("not JSON", error) from error
    if not isinstance(response, dict):
        raise BadLine("not an object", type(response).__name__)
    if streamed and response.get("usage") is None and "choices" in response:
        return None  # a chunk before the last
    return response


def kind_of(error: ResponseError) -> str:
    """What kind of reason it is that a response cannot be priced for."""
    return "half a usage" if error.problem.startswith(HALF) else _KINDS.get(error.field, "bad number")


class Residual(NamedTuple):
    """What the price list does not explain of one line; USD."""

    line: int
    model: str
    reported: Decimal
    computed: Decimal
    residual: Decimal
    kind: str


class Audit:
    """Reads logged responses line by line.

    Args:
        catalog: the prices.
        worst: how many of the largest residuals are kept.
        history: the prices of then, for lines that say when they were; None to price all by ``catalog``.

    Attributes:
        exact: lines whose reported cost the price list explains to 1e-12 USD.
        residual: lines whose reported cost it does not explain.
        unreported: lines that it prices and that report no cost, or the fee on one's own key alone.
        reported: lines that report a cost and nothing that could be priced: no tokens, or a row that sells none.
        unknown: lines of models that it does not list, or lists without a price.
        bad: lines that cannot be read, by the kind of reason.
        residuals: those of ``residual`` by model and kind.
        names: those of ``unknown`` by model.
        off: USD, the sum of the sizes of all residuals, whatever their signs.
    """

    def __init__(self, catalog: Catalog, worst: int = 10, history: HistoryStore | None = None) -> None:
        self._catalog = catalog
        self._cost_of = Pricing(Settings(markup_rate=money.ONE), catalog=catalog, history=history).cost_of
        self._worst: list[tuple[Decimal, int, Residual]] = []
        self._most = worst
        self.exact: Tally = Tally()
        self.residual: Tally = Tally()
        self.unreported: Tally = Tally()
        self.unknown: Tally = Tally()
        self.reported: Tally = Tally()
        self.bad: Groups[str] = Groups()
        self.residuals: Groups[tuple[str, str]] = Groups()
        self.names: Groups[str] = Groups()
        self.off: Decimal = money.ZERO

    def add(self, number: int, line: bytes | None) -> None:
        """Count one line; a blank one is none.

        Args:
            number: its number, from 1.
            line: its bytes; None if it was too long.
        """
        try:
            response = read_line(number, line)
        except BadLine as error:
            self._count_bad(number, error.kind, error.reason)
            return
        if response is None:
            return
        try:
            cost = self._cost_of(response)
        except (UnknownModelError, VariablePriceError) as error:
            self._count_unknown(number, error.model_id, None)
        except UnpricedUsageError as error:
            self._count_bad(number, "unpriced usage", error)
        except ResponseError as error:
            if error.field == "model":
                self._count_unknown(number, "", None)
            else:
                self._count_bad(number, kind_of(error), error)
        else:
            self._count_cost(number, cost)

    def _count_cost(self, number: int, cost: Cost) -> None:
        reported, computed = cost.reported, cost.computed
        if computed is None:
            if self._tells_nothing(cost):
                self.reported.lines += 1
                self.reported.reported = money.add(self.reported.reported, cost.raw)
            else:
                self._count_unknown(number, cost.model_id, reported)
            return
        tally, kind = self.unreported, cost.residual_kind
        if reported is not None and (kind is not None or cost.residual is not None):
            tally = self.exact if kind is None else self.residual
            tally.reported = money.add(tally.reported, reported)
            if kind is not None:
                self._count_residual(number, cost.model_id, reported, computed, kind)
        tally.lines += 1
        tally.computed = money.add(tally.computed, computed)

    def _tells_nothing(self, cost: Cost) -> bool:
        """Whether a cost stands by itself: no tokens beside it, or a model that sells none."""
        if not cost.usage.prompt_tokens and not cost.usage.completion_tokens:
            return True
        return cost.model_id in self._catalog and self._catalog[cost.model_id].rates.unpriced is not None

    def _count_residual(self, number: int, model: str, reported: Decimal, computed: Decimal, kind: str) -> None:
        residual = money.subtract(reported, computed)
        size = residual.copy_abs()
        self.off = money.add(self.off, size)
        self.residuals[model, kind].count(number, residual)
        if len(self._worst) < self._most or (self._worst and size > self._worst[0][0]):
            heapq.heappush(self._worst, (size, -number, Residual(number, model, reported, computed, residual, kind)))
        if len(self._worst) > self._most:
            heapq.heappop(self._worst)

    def _count_unknown(self, number: int, name: str, reported: Decimal | None) -> None:
        self.names[name[:_MOST_LETTERS]].count(number, reported or money.ZERO)
        self.unknown.lines += 1
        self.unknown.reported = money.add(self.unknown.reported, reported or money.ZERO)

    def _count_bad(self, number: int, kind: str, reason: object) -> None:
        group = self.bad[kind]
        group.count(number)
        if len(group.reasons) < _FIRST:
            group.reasons.append((number, str(reason)[:_MOST_LETTERS]))

    @property
    def priced(self) -> int:
        """How many lines the price list could say the cost of."""
        return self.exact.lines + self.residual.lines + self.unreported.lines

    @property
    def total(self) -> Tally:
        """All lines, and all that was reported and computed."""
        tallies = (self.exact, self.residual, self.unreported, self.reported, self.unknown)
        return Tally(
            sum(tally.lines for tally in tallies) + sum(group.lines for group in self.bad.values()),
            money.total([tally.reported for tally in tallies]),
            money.total([tally.computed for tally in tallies]),
        )

    @property
    def difference(self) -> Decimal:
        """USD, reported minus computed over the lines that have both."""
        return money.add(self.exact.residual, self.residual.residual)

    def worst(self) -> list[Residual]:
        """The largest residuals, whatever their signs; the largest first."""
        return [found for _, _, found in sorted(self._worst, reverse=True)]

    def why(self, name: str) -> str:
        """Why a model is unknown."""
        if not name:
            return "no model is named"
        return "its price is variable" if name in self._catalog else "not listed"

    def report(self) -> dict[str, Any]:
        """Everything, JSON-ready; money as strings."""
        total = self.total
        usd = {
            "reported": total.reported,
            "computed": total.computed,
            "residual": self.difference,
            "residual_sizes": self.off,
            "unreported": self.unreported.computed,
            "unknown": self.unknown.reported,
        }
        return {
            "lines": total.lines,
            "priced": self.priced,
            "exact": self.exact.lines,
            "residual": self.residual.lines,
            "unreported": self.unreported.lines,
            "reported": self.reported.lines,
            "unknown": self.unknown.lines,
            "bad": sum(group.lines for group in self.bad.values()),
            "usd": {name: money.text(amount) for name, amount in usd.items()},
            "residuals": [
                {"model": model, "kind": kind, **group.to_dict()} for (model, kind), group in self.residuals.largest()
            ],
            "other_residuals": self.residuals.others.to_dict(),
            "worst": [
                {
                    **found._asdict(),
                    "reported": money.text(found.reported),
                    "computed": money.text(found.computed),
                    "residual": money.text(found.residual),
                }
                for found in self.worst()
            ],
            "unknown_models": [
                {"model": name, "why": self.why(name), "first_line": group.first, **group.to_dict()}
                for name, group in self.names.largest()
            ],
            "other_unknown": self.names.others.to_dict(),
            "bad_lines": [
                {
                    "kind": kind,
                    "lines": group.lines,
                    "first": [{"line": number, "reason": reason} for number, reason in group.reasons],
                }
                for kind, group in self.bad.largest()
            ],
        }
