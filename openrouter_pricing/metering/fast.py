"""Fast: counts the lines that nearly every line of a log is like, in a fifth of the time."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from functools import partial
from operator import add
from typing import Any

from msgspec import UNSET, DecodeError
from msgspec.json import Decoder

from .._base import money
from .._billing.call import CallFacts, residual_kind
from .._billing.cost import Cost
from .._billing.fields import instant
from .._billing.reading import NOTHING_MORE, Particulars
from .._billing.reported import read_parts
from .._prices.model import Model
from .counted import Counted
from .ids import Ids
from .naming import Namer
from .plans import Plan, plan_of
from .shapes import Given, Made, Response

_LONG = 4_300  # digits of a number that Python reads no more; no line that is shorter holds one
_DIGITS = b"0123456789"
_EVENT = b"data: {"  # how nearly every line of an event stream begins
_LAST = 253_402_300_800  # seconds since the epoch: the year 10000
_SURE = 9e-13  # USD; below 10 USD floats are off by less than what is left to 1e-12: by some 1e-14
_MOST_PLANS = 20_000
_GIVEN, _MADE = Given(), Made()


class Fast:
    """Counts lines whose shape it knows, to the same tallies as reading them any other way.

    Only what cannot be mistaken is read here: one usage, with counts and a cost that are numbers, parts that are no
    more than their whole, nothing that tools ran, and no key of one's own. The rest is for whoever called, and so is
    the first line of each model: from what that costs the :class:`Plan` of all that follow is made.

    Args:
        counted: where lines are counted.
        ids: which responses were counted already.
        namer: what lines are summed by; None for nothing.
        listed: gives the row that a call was priced by.
        held_since: from when on the list held prices all calls; seconds since the epoch.
    """

    def __init__(
        self,
        counted: Counted,
        ids: Ids,
        namer: Namer | None,
        listed: Callable[[Cost], Model],
        held_since: float,
    ) -> None:
        self.count_into(counted, ids)
        self._namer = namer
        self._listed = listed
        self._held_since = held_since
        shape = Response if namer is None else namer.shape
        self._decode: Callable[[bytes], Any] = Decoder(shape).decode
        self._plans: dict[Any, list[Plan]] = {}
        self._kept = 0
        self._wanted: tuple[Any, int, float] | None = None

    def count_into(self, counted: Counted, ids: Ids) -> None:
        """Count into other ones from now on; what was counted before must be settled."""
        self._counted = counted
        self._add_id = ids.add

    def add(self, number: int, line: bytes) -> bool:
        """Count a line; False for one that has to be read another way.

        Args:
            number: its number.
            line: its bytes.
        """
        self._wanted = None
        if line[:1] != b"{":
            if not line.startswith(_EVENT):
                return False
            line = line[6:]
        if (len(line) > _LONG or not line.isascii()) and not _is_sound(line):
            return False
        try:
            said = self._decode(line)
        except (DecodeError, RecursionError):
            return False
        usage = said.usage
        prompt, completion = usage.prompt_tokens, usage.completion_tokens
        given, made = usage.prompt_tokens_details, usage.completion_tokens_details
        if prompt is UNSET:
            if not completion is given is made is UNSET:
                return False
            prompt, completion = usage.input_tokens, usage.output_tokens
            given, made = usage.input_tokens_details, usage.output_tokens_details
            if prompt is UNSET:
                return False
        elif not usage.input_tokens is usage.output_tokens is usage.input_tokens_details is UNSET or (
            usage.output_tokens_details is not UNSET
        ):
            return False
        if completion is UNSET or not (prompt or completion) or said.object == "batch":
            return False
        given, made = given or _GIVEN, made or _MADE
        cached, written = given.cached_tokens or 0, given.cache_write_tokens or 0
        audio, image = given.audio_tokens or 0, given.image_tokens or 0
        reasoning, audio_made, image_made = made.reasoning_tokens or 0, made.audio_tokens or 0, made.image_tokens or 0
        if cached + written + audio + image > prompt or reasoning + audio_made + image_made > completion:
            return False
        if reasoning and usage.total_tokens == prompt + completion + reasoning:
            return False
        ran = usage.server_tool_use_details
        if ran and any(ran.values()):
            return False
        own_key = said.is_byok if usage.is_byok is None else usage.is_byok
        if own_key or (own_key is None and said.openrouter_metadata is not None):
            return False
        cost, details = usage.cost, usage.cost_details
        if details is not None and details.upstream_inference_cost not in (None, cost):
            return False
        created: float = _LAST
        stamp = said.created or said.created_at
        if stamp is not None:
            if type(stamp) is not int:
                moment = instant(stamp)
                created = _LAST if moment is None else moment.timestamp()
            elif 0 <= stamp < _LAST:
                created = stamp
            else:
                return False
        tier = usage.service_tier or said.service_tier
        provider = said.provider or said.provider_name
        key = said.model, cost is None, *(() if tier is None else (tier, provider))
        for plan in self._plans.get(key, ()):
            low, high = plan.tokens
            since, until = plan.times
            if low < prompt <= high and since <= created < until:
                break
        else:
            self._wanted = key, prompt, created
            return False
        parts = (cached, written, audio, image, reasoning, audio_made, image_made)
        return self._count(number, plan, said, prompt, completion, parts)

    def _count(self, number: int, plan: Plan, said: Any, prompt: int, completion: int, parts: tuple[int, ...]) -> bool:
        cost = said.usage.cost
        reported: Decimal | None = None
        if cost is not None:
            if type(cost) is float and 1e-40 < cost < 1e39:
                reported = Decimal(repr(cost))
            elif not cost or (type(cost) is int and 0 < cost < 10**39):
                reported = money.read(cost, "cost")
            else:
                return False
        name = said.id or said.generation_id
        if name and type(name) is str and not self._add_id(name):
            self._counted.duplicates.count(number)
            return True
        counted = self._counted
        cached, written, audio, image, reasoning, audio_made, image_made = parts
        more_parts = written or audio or image or audio_made or image_made
        if reported is None:
            sums = plan.unreported
        else:
            one, other, request, read, write, heard, seen, thought, spoken, drawn = plan.floats
            whole = one * prompt + other * completion + request
            left = cost - whole
            left -= read * cached + thought * reasoning
            if more_parts:
                left -= write * written + heard * audio + seen * image + spoken * audio_made + drawn * image_made
            sums, tally = plan.exact, counted.exact
            if not (-_SURE < left < _SURE and whole < 10 and cost < 10):
                computed = plan.computed(prompt, completion, parts)
                details = said.usage.cost_details
                same = details is None or type(details.upstream_inference_cost) is float
                off = None if same else read_parts(partial(getattr, details))
                more = NOTHING_MORE if off is None else Particulars(parts=off)
                facts = CallFacts(
                    at=instant(said.created or said.created_at),
                    provider=said.provider or said.provider_name,
                    service_tier=said.usage.service_tier or said.service_tier,
                    more=more,
                )
                kind = residual_kind(reported, computed, plan.origin, facts)
                if kind is not None:
                    sums, tally = plan.residual, counted.residual
                    counted.count_residual(number, plan.model_id, reported, computed, kind)
            tally.reported = money.add(tally.reported, reported)
        sums[0] += 1
        sums[1] += prompt
        sums[2] += completion
        if more_parts:
            sums[3:] = map(add, sums[3:], parts)
        else:
            sums[3] += cached
            sums[7] += reasoning
        if self._namer is not None:
            spent = reported
            if spent is None:
                spent = plan.computed(prompt, completion, parts)
            provider, stamp = said.provider or said.provider_name, said.created or said.created_at
            counted.spend[self._namer.name(plan.model_id, provider, stamp, partial(getattr, said))].count(number, spent)
        return True

    def learn(self, cost: Cost) -> None:
        """Make a plan of what the line cost that was just looked at, if there should be one.

        Args:
            cost: what reading it another way gave.
        """
        if self._wanted is None:
            return
        key, prompt, created = self._wanted
        plan = plan_of(cost, self._listed(cost), prompt, created, self._held_since)
        if plan is not None:
            if self._kept >= _MOST_PLANS:
                self.settle()
                self._plans.clear()
                self._kept = 0
            self._kept += 1
            self._plans.setdefault(key, []).insert(0, plan)

    def settle(self) -> None:
        """Price what was counted."""
        counted = self._counted
        for plans in self._plans.values():
            for plan in plans:
                plan.settle(counted.exact, counted.residual, counted.unreported)


def _is_sound(line: bytes) -> bool:
    """Whether Python's own JSON would read what msgspec passes over: letters in UTF-8, and no endless numbers."""
    try:
        str(line, "utf-8")
    except UnicodeDecodeError:
        return False
    return len(line) - len(line.translate(None, _DIGITS)) <= _LONG
