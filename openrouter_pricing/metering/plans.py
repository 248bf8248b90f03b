"""Plans: what calls of one model cost, as factors that stand for the billing rules wherever those are linear."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from math import inf

from .._base import money
from .._billing.bill import unpriced
from .._billing.cost import Cost, charge
from .._billing.usage import Usage
from .._history.past import REACH
from .._prices.model import Model
from .._prices.origin import Origin
from .._prices.rates import Rates
from .tallies import Tally

#: Counts that are parts of another one, in the order in which a plan takes them.
PARTS = (
    "cached_tokens", "cache_write_tokens", "audio_tokens", "image_tokens",
    "reasoning_tokens", "audio_output_tokens", "image_output_tokens",
)  # fmt: skip
_COUNTS = ("prompt_tokens", "completion_tokens", *PARTS)
_ALL = Usage(**dict.fromkeys(_COUNTS, 1))


class Plan:
    """What calls of a model cost within some bounds, found by asking ``charge()``.

    Within them the billing rules are linear, as long as no parts are more than their whole: a plan knows the factors,
    and the lines that it counted are priced all at once, by ``charge()`` again.

    Args:
        model_id: the model.
        rates: its rates; no overrides.
        origin: of which list.
        tokens: the prompt is of more tokens than the first number, and of no more than the second.
        times: the call was from the first instant on, and before the second; seconds since the epoch.

    Attributes:
        prompt, completion, request: what one costs; as a float, too.
        parts: what each part adds to the price of its whole, in the order of ``PARTS``; as floats, too.
        exact, residual, unreported: how many lines were counted with each result, and the sums of their counts.
    """

    __slots__ = (
        "completion", "exact", "floats", "model_id", "origin", "parts", "prompt", "rates", "request", "residual",
        "times", "tokens", "unreported",
    )  # fmt: skip

    def __init__(
        self, model_id: str, rates: Rates, origin: Origin, tokens: tuple[float, float], times: tuple[float, float]
    ) -> None:
        self.model_id: str = model_id
        self.rates: Rates = rates
        self.origin: Origin = origin
        self.tokens: tuple[float, float] = tokens
        self.times: tuple[float, float] = times
        self.request: Decimal = self._charge()
        self.prompt: Decimal = money.subtract(self._charge(prompt_tokens=1), self.request)
        self.completion: Decimal = money.subtract(self._charge(completion_tokens=1), self.request)
        whole = self._charge(prompt_tokens=1, completion_tokens=1)
        self.parts: tuple[Decimal, ...] = tuple(
            money.subtract(self._charge(prompt_tokens=1, completion_tokens=1, **{part: 1}), whole) for part in PARTS
        )
        self.floats: tuple[float, ...] = tuple(map(float, (self.prompt, self.completion, self.request, *self.parts)))
        self.exact: list[int] = [0] * (1 + len(_COUNTS))
        self.residual: list[int] = list(self.exact)
        self.unreported: list[int] = list(self.exact)

    def _charge(self, **counts: int) -> Decimal:
        computed = charge(self.rates, Usage(**counts), reported=money.ZERO).computed
        assert computed is not None  # it is what was asked for
        return computed

    def computed(self, prompt: int, completion: int, parts: tuple[int, ...]) -> Decimal:
        """USD, what a call costs; to the digit and the trailing zero what ``charge()`` says."""
        usd = money.fma(self.prompt, prompt, money.fma(self.completion, completion, self.request))
        for price, count in zip(self.parts, parts, strict=True):
            if count:
                usd = money.fma(price, count, usd)
        return usd

    def settle(self, exact: Tally, residual: Tally, unreported: Tally) -> None:
        """Price what was counted, and count it there; nothing of it is left here."""
        for mine, tally in ((self.exact, exact), (self.residual, residual), (self.unreported, unreported)):
            lines, *sums = mine
            if lines:
                counts = dict(zip(_COUNTS, sums, strict=True))
                tally.add(Tally(lines, money.ZERO, self._charge(**counts, requests=lines)))
                mine[:] = [0] * len(mine)


def plan_of(cost: Cost, listed: Model, prompt: int, created: float, held_since: float) -> Plan | None:
    """The plan of a call that was priced; None where its price depends on more than a plan knows.

    Args:
        cost: the call.
        listed: the row that it was priced by.
        prompt: its prompt tokens.
        created: when it was; seconds since the epoch.
        held_since: from when on the list held prices all calls.
    """
    origin, rates = cost._origin, cost.rates
    if rates is None or cost.endpoint is not None or listed.rates.timed or unpriced(rates, _ALL) is not None:
        return None
    since, until = held_since, inf
    if origin.source == "history" and origin.as_of is not None and origin.until is not None:
        since, until = origin.as_of.timestamp(), min(origin.until.timestamp(), held_since)
    if not since <= created < until:
        return None
    steps = [float(step) for entry in listed.rates.overrides if (step := entry.min_prompt_tokens) is not None]
    tokens = (
        max((step for step in steps if step < prompt), default=-inf),
        min((step for step in steps if step >= prompt), default=inf),
    )
    return Plan(cost.model_id, rates, origin, tokens, (since, until))


def since_when(as_of: datetime, *, alone: bool) -> float:
    """From when on calls are priced by the list held; seconds since the epoch.

    Args:
        as_of: when that list was fetched.
        alone: there is no history beside it.
    """
    return -inf if alone else as_of.timestamp() - REACH.total_seconds()
