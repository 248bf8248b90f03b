"""Plans: what calls of one model cost, as factors that stand for the billing rules wherever those are linear."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from operator import add
from typing import NamedTuple, TypeAlias

from .._base import money
from .._billing.bill import unpriced
from .._billing.call import days_of
from .._billing.cost import Cost, charge
from .._billing.fields import instant
from .._billing.usage import Usage
from .._history.past import REACH
from .._prices.model import Model
from .._prices.origin import Origin
from .._prices.rates import Rates
from .shapes import Counts
from .tallies import Tally

#: Counts that are parts of another one, in the order in which a plan takes them; but for the first three they are rare.
PARTS = (
    "cached_tokens", "reasoning_tokens", "cache_write_tokens", "cache_write_1h_tokens", "audio_tokens", "image_tokens",
    "audio_output_tokens", "image_output_tokens",
)  # fmt: skip
_COUNTS = ("prompt_tokens", "completion_tokens", *PARTS)
_ALL = Usage(**dict.fromkeys(_COUNTS, 1))
_WRITE, _HOUR = PARTS.index("cache_write_tokens"), PARTS.index("cache_write_1h_tokens")
_BOTH = {"prompt_tokens": 1, "completion_tokens": 1}
#: What ``charge()`` is asked for: nothing, each whole, both, and both with each part.
_ASKED = (
    Usage(), Usage(prompt_tokens=1), Usage(completion_tokens=1), Usage(**_BOTH),
    *(Usage(**_BOTH, **dict.fromkeys(PARTS[_WRITE : place + 1] if place == _HOUR else [part], 1))
      for place, part in enumerate(PARTS)),
)  # fmt: skip
#: More than any prompt.
MOST_TOKENS = 10**9
_MOST_HOURS = 20_000  # that are kept at hand: two years and more
_SECONDS = 3600
_Rare: TypeAlias = "tuple[float, float, float]"
_ALMOST = timedelta(hours=1, microseconds=-1)


class _Factors(NamedTuple):
    """What one of everything costs: of the prompt, of the completion, a request, and what each part adds; USD."""

    prompt: Decimal
    completion: Decimal
    request: Decimal
    parts: tuple[Decimal, ...]
    floats: tuple[float, float, float, _Rare | None]
    extra: tuple[float, ...]


def _charge(rates: Rates, usage: Usage) -> Decimal:
    computed = charge(rates, usage, reported=money.ZERO).computed
    assert computed is not None  # it is what was asked for
    return computed


def _factors(rates: Rates) -> _Factors:
    request, prompt, completion, whole, *costs = (_charge(rates, usage) for usage in _ASKED)
    wholes = [whole] * len(PARTS)
    wholes[_HOUR] = costs[_WRITE]  # writes that are kept for an hour are part of all writes
    parts = tuple(map(money.subtract, costs, wholes))
    one, other = money.subtract(prompt, request), money.subtract(completion, request)
    read, thought, write, *rare = map(float, parts)
    seldom = float(request), thought, write
    floats = float(one), float(other), read, seldom if any(seldom) else None
    return _Factors(one, other, request, parts, floats, (read, thought, write, *rare))


class Sums:
    """Lines, and the sums of their counts; attributes, as nothing else adds up as fast.

    Attributes:
        lines: how many.
        prompt, completion, cached, reasoning, written: tokens.
        rare: the other parts.
    """

    __slots__ = ("cached", "completion", "lines", "prompt", "rare", "reasoning", "written")

    def __init__(self) -> None:
        self.lines: int = 0
        self.prompt: int = 0
        self.completion: int = 0
        self.cached: int = 0
        self.reasoning: int = 0
        self.written: int = 0
        self.rare: list[int] = [0] * (len(PARTS) - 3)

    def add(self, counts: Counts) -> None:
        """Count a line."""
        cached, reasoning, written, *rare = counts.parts
        self.lines += 1
        self.prompt += counts.prompt
        self.completion += counts.completion
        self.cached += cached
        self.reasoning += reasoning
        self.written += written
        self.rare[:] = map(add, self.rare, rare)

    def usage(self) -> Usage:
        """One that takes as much as all the lines together."""
        counts = self.prompt, self.completion, self.cached, self.reasoning, self.written, *self.rare
        return Usage(**dict(zip(_COUNTS, counts, strict=True)), requests=self.lines)


class Plan:
    """What calls of a model cost within some bounds, found by asking ``charge()``.

    Within them the billing rules are linear, as long as no parts are more than their whole: a plan knows the factors,
    and the lines that it counted are priced all at once, by ``charge()`` again.

    Args:
        model_id: the model.
        rates: its rates; no overrides.
        origin: of which list.
        tokens: the prompt is of more tokens than the first number, and of no more than the second.
        twin: a plan with these very rates.

    Attributes:
        next: another plan of the same calls, for other numbers of tokens.
        low, high: the bounds of tokens.
        since, until: calls of the days that the list is of; seconds since the epoch.
        factors: what one token of the prompt and one of the completion cost, and what a cached token adds to that; then
            what a request costs, and what a token of reasoning and one that is written to the cache add, or None where
            that is nothing. As floats.
        extra: what a token of each part adds, as floats.
        exact, residual, unreported: what was counted with each result.
    """

    __slots__ = (
        "_factors", "exact", "extra", "factors", "high", "low", "model_id", "next", "origin", "rates", "residual",
        "since", "unreported", "until",
    )  # fmt: skip

    def __init__(
        self, model_id: str, rates: Rates, origin: Origin, tokens: tuple[int, int], twin: Plan | None = None
    ) -> None:
        self.model_id: str = model_id
        self.rates: Rates = rates
        self.origin: Origin = origin
        self.low: int = tokens[0]
        self.high: int = tokens[1]
        self.next: Plan | None = None
        days = days_of(origin)
        self.since: float = days[0]
        self.until: float = days[1]
        self._factors: _Factors = _factors(rates) if twin is None else twin._factors
        self.factors: tuple[float, float, float, _Rare | None] = self._factors.floats
        self.extra: tuple[float, ...] = self._factors.extra
        self.exact: Sums = Sums()
        self.residual: Sums = Sums()
        self.unreported: Sums = Sums()

    def computed(self, counts: Counts) -> Decimal:
        """USD, what a call costs; to the digit and the trailing zero what ``charge()`` says."""
        prompt, completion, parts = counts
        if parts[_HOUR]:  # whether other writes are on the bill, and their price with its zeros, factors do not tell
            return _charge(self.rates, Usage(**dict(zip(_COUNTS, (prompt, completion, *parts), strict=True))))
        one, other, request, each = self._factors[:4]
        usd = money.fma(one, prompt, money.fma(other, completion, request))
        for place, count in enumerate(parts):
            if count:
                usd = money.fma(each[place], count, usd)
        return usd

    def settle(self, exact: Tally, residual: Tally, unreported: Tally) -> None:
        """Price what was counted, and count it there; nothing of it is left here."""
        for name, tally in (("exact", exact), ("residual", residual), ("unreported", unreported)):
            sums: Sums = getattr(self, name)
            if sums.lines:
                tally.add(Tally(sums.lines, money.ZERO, _charge(self.rates, sums.usage())))
                setattr(self, name, Sums())


class Unlisted(NamedTuple):
    """A model that is not listed, or lists no price.

    Args:
        model_id: its name.
        stands_alone: what is reported of it stands by itself, as it sells no tokens.
    """

    model_id: str
    stands_alone: bool


class Lists:
    """Which list prices a call of some time; looked up once for each hour.

    Args:
        as_of: when the list held was fetched.
        at: gives the list of some time before it, always the same one; None where the one held does it best. None
            where that one prices all.

    Attributes:
        now: when a call was that does not say so; seconds since the epoch.
        since: from when on the list held prices all calls; the same.
    """

    def __init__(self, as_of: datetime, at: Callable[[datetime], object] | None) -> None:
        self.now: float = max(as_of.timestamp(), 1)
        self._at = at
        self._hours: dict[float, object] = {}
        self.since: int = -1 if at is None else math.ceil((as_of - REACH).timestamp())

    def stamped(self, stamp: int | str | None) -> float:
        """When a call was that says so in any way, in seconds since the epoch; now, where it does not."""
        if type(stamp) is int:
            return stamp
        moment = instant(stamp)
        return self.now if moment is None else moment.timestamp()

    def at(self, created: float) -> object:
        """The list of then: whatever tells it from others.

        Args:
            created: before ``since``.
        """
        assert self._at is not None  # or nothing is before
        hour = created // _SECONDS
        if hour not in self._hours:
            if len(self._hours) >= _MOST_HOURS:
                self._hours.clear()
            begin = datetime.fromtimestamp(hour * _SECONDS, timezone.utc)
            found = self._at(begin)
            self._hours[hour] = found if found is self._at(begin + _ALMOST) else self
        found = self._hours[hour]
        return self._at(datetime.fromtimestamp(created, timezone.utc)) if found is self else found


def plan_of(cost: Cost, listed: Model, prompt: int, known: dict[int, Plan]) -> Plan | None:
    """The plan of a call that was priced; None where its price depends on more than a plan knows.

    Args:
        cost: the call.
        listed: the row that it was priced by.
        prompt: its prompt tokens.
        known: plans by the identity of their rates: most lists repeat most prices of the one before.
    """
    rates = cost.rates
    if rates is None or cost.endpoint is not None or listed.rates.timed or unpriced(rates, _ALL) is not None:
        return None
    steps = [math.floor(step) for entry in listed.rates.overrides if (step := entry.min_prompt_tokens) is not None]
    tokens = (
        max((step for step in steps if step < prompt), default=-1),
        min((step for step in steps if step >= prompt), default=MOST_TOKENS),
    )
    plan = Plan(cost.model_id, rates, cost._origin, tokens, known.get(id(rates)))
    known.setdefault(id(rates), plan)
    return plan
