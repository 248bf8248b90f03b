"""Fast: counts the lines that nearly every line of a log is like, in a fraction of the time."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal
from functools import partial
from operator import add
from typing import Any

from msgspec import DecodeError
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
from .plans import Found, Lists, Plan, Unlisted, plan_of
from .shapes import ChatUsage, Given, Made, Parts
from .sums import Sum
from .tallies import Group, Tally

_LONG = 4_300  # digits of a number that Python reads no more; no line that is shorter holds one
_DIGITS = b"0123456789"
_EVENT = b"data: {"  # how nearly every line of an event stream begins
_LAST = 253_402_300_800  # seconds since the epoch: the year 10000
_SURE = 9e-13  # USD; below 10 USD floats are off by less than what is left to 1e-12: by some 1e-14
_LEAST, _MOST = 1e-40, 1e39  # USD; what is outside may be no amount
_MOST_PLANS = 20_000
_GIVEN, _MADE = Given(), Made()
_parts = Decoder(Parts).decode


class Fast:
    """Counts lines whose shape it knows, to the same tallies as reading them any other way.

    Only what cannot be mistaken is read here: one usage, with counts and a cost that are numbers, parts that are no
    more than their whole, and nothing that tools ran. The rest is for whoever called, and so is the first line of each
    model: from what that costs the :class:`Plan` of all that follow is made.

    Args:
        counted: where lines are counted.
        ids: which responses were counted already.
        namer: names what lines are summed by.
        summed: whether they are.
        lists: which list prices a call.
        listed: gives the row that a call was priced by.
        otherwise: takes the number and the bytes of a line that has to be read another way.
    """

    def __init__(
        self,
        counted: Counted,
        ids: Ids,
        namer: Namer,
        summed: bool,
        lists: Lists,
        listed: Callable[[Cost], Model],
        otherwise: Callable[[int, bytes | None], None],
    ) -> None:
        self._namer, self._summed = namer, summed
        self._lists = lists
        self._listed = listed
        self._otherwise = otherwise
        self._decoders: tuple[Callable[[bytes], Any], ...] = tuple(Decoder(shape).decode for shape in namer.shapes)
        self._plans: dict[Any, Found] = {}
        self._kept = 0
        self._wanted: tuple[Any, int] | None = None
        self._exact, self._residual = Sum(), Sum()
        self._spent: dict[str, tuple[Group, Sum]] = {}
        self.count_into(counted, ids)

    def count_into(self, counted: Counted, ids: Ids) -> None:
        """Count into other ones from now on; what was counted before must be settled."""
        self._counted = counted
        self._add_id = ids.add

    def add(self, lines: Iterable[tuple[int, bytes | None]]) -> int:
        """Count lines; the number of the last one, or 0.

        Args:
            lines: their numbers, and their bytes; None for one that was too long.
        """
        number = 0
        decode, spare = self._decoders
        otherwise, find, add_id = self._otherwise, self._plans.get, self._add_id
        since, summed = self._lists.since, self._summed
        add_exact, duplicates, other_day = self._exact.add, self._counted.duplicates, self._counted.other_day
        for number, line in lines:
            self._wanted = None
            if line is None:
                otherwise(number, line)
                continue
            text = line
            if line[:1] != b"{" and line.startswith(_EVENT):
                text = line[6:]
            if (len(text) > _LONG or not text.isascii()) and not _is_sound(text):
                otherwise(number, line)
                continue
            try:
                said = decode(text)
            except (DecodeError, RecursionError):
                try:
                    said = spare(text)
                except (DecodeError, RecursionError):
                    otherwise(number, line)
                    continue
                decode, spare = spare, decode
            usage = said.usage
            hour = 0
            if type(usage) is ChatUsage:
                prompt, completion, total = usage.prompt_tokens, usage.completion_tokens, usage.total_tokens
                given, made = usage.prompt_tokens_details or _GIVEN, usage.completion_tokens_details or _MADE
                ran = usage.server_tool_use_details
            else:
                prompt, completion, total = usage.input_tokens, usage.output_tokens, usage.total_tokens
                given, made = usage.input_tokens_details or _GIVEN, usage.output_tokens_details or _MADE
                ran = usage.server_tool_use_details
            cached, written = given.cached_tokens or 0, given.cache_write_tokens or 0
            if type(usage) is not ChatUsage and not usage.is_response:
                if not usage.is_messages:
                    otherwise(number, line)
                    continue
                cached, written, hour = usage.beside
                prompt += cached + written
                ran = usage.server_tool_use
            reasoning = made.reasoning_tokens or 0
            heard, seen = given.audio_tokens or 0, given.image_tokens or 0
            spoken, drawn = made.audio_tokens or 0, made.image_tokens or 0
            cost, details = usage.cost, usage.cost_details
            fee, upstream = None, None if details is None else details.upstream_inference_cost
            if usage.is_byok is not False or upstream is not None:
                own_key = _own_key(said, upstream)
                if own_key is None:
                    otherwise(number, line)
                    continue
                if own_key:
                    fee, cost = cost, cost + upstream
            created = said.created
            if created is None:
                created = self._lists.stamped(said.created_at)
            if (
                not (prompt or completion)
                or cached + written + heard + seen > prompt
                or reasoning + spoken + drawn > completion
                or (reasoning and total == prompt + completion + reasoning)
                or (ran and any(ran.values()))
                or not 0 < created < _LAST
                or not (cost is None or _LEAST < cost < _MOST or not cost)
                or said.object == "batch"
            ):
                otherwise(number, line)
                continue
            key: Any = said.model
            tier = usage.service_tier or said.service_tier
            if tier is not None:
                key = key, cost is None, tier, said.provider or said.provider_name
            elif cost is None:
                key = key, ""
            if created < since:
                key = key, self._lists.at(created)
            plan = find(key)
            while plan is not None and not plan.low < prompt <= plan.high:
                plan = plan.next
            if plan is None:
                self._wanted = key, prompt
                otherwise(number, line)
                continue
            name = said.id or said.generation_id
            if name and type(name) is str and not add_id(name):
                duplicates.count(number)
                continue
            if type(plan) is Unlisted:
                self._count_unlisted(number, plan, said, fee)
                continue
            if not plan.since <= created <= plan.until:
                other_day.lines += 1
                other_day.first = other_day.first or number
            more = written or heard or seen or spoken or drawn
            if cost is None:
                sums = plan.unreported
            else:
                one, other, request, read, thought = plan.factors
                whole = one * prompt + other * completion + request
                left = cost - whole - read * cached - thought * reasoning
                if more:
                    left -= plan.rare((written, hour, heard, seen, spoken, drawn))
                if -_SURE < left < _SURE and whole < 10 and cost < 10:
                    sums = plan.exact
                    if fee is None:
                        add_exact(cost)
                    else:
                        add_exact(fee)
                        add_exact(upstream)
                else:
                    parts = cached, reasoning, written, hour, heard, seen, spoken, drawn
                    sums = self._count_off(number, text, plan, said, fee, plan.computed(prompt, completion, parts))
            sums[0] += 1
            sums[1] += prompt
            sums[2] += completion
            sums[3] += cached
            sums[4] += reasoning
            if more:
                sums[5:] = map(add, sums[5:], (written, hour, heard, seen, spoken, drawn))
            if summed:
                parts = cached, reasoning, written, hour, heard, seen, spoken, drawn
                usd = plan.computed(prompt, completion, parts) if cost is None else None
                self._spend(number, plan.model_id, said, fee, usd)
        self._decoders = decode, spare
        return number

    def _count_off(self, number: int, line: bytes, plan: Plan, said: Any, fee: Any, computed: Decimal) -> list[int]:
        """Count what a line reports, if floats cannot say that it is exact; the sums that its counts belong to."""
        usage, details = said.usage, said.usage.cost_details
        reported, upstream, parts = _reported(usage, fee), None, None
        if details is not None:
            taken = details.upstream_inference_cost
            upstream = None if taken is None else money.read(taken, "upstream_inference_cost")
            if type(taken) is not float or taken != usage.cost:
                parts = read_parts(partial(getattr, _parts(line).usage.cost_details))
        facts = CallFacts(
            at=instant(said.created or said.created_at),
            provider=said.provider or said.provider_name,
            service_tier=usage.service_tier or said.service_tier,
            byok=fee is not None,
            upstream=upstream,
            more=NOTHING_MORE if parts is None else Particulars(parts=parts),
        )
        kind = residual_kind(reported, computed, plan.origin, facts)
        if kind is None:
            self._exact.add_exactly(reported)
            return plan.exact
        self._residual.add_exactly(reported)
        self._counted.count_residual(number, plan.model_id, reported, computed, kind)
        return plan.residual

    def _count_unlisted(self, number: int, plan: Unlisted, said: Any, fee: Any) -> None:
        reported = None if said.usage.cost is None else _reported(said.usage, fee)
        if plan.stands_alone and reported is not None:
            self._counted.reported.add(Tally(1, reported))
        else:
            self._counted.count_unknown(number, plan.model_id, reported)
        if self._summed and reported is not None:
            self._spend(number, plan.model_id, said, fee, None)

    def _spend(self, number: int, model_id: str, said: Any, fee: Any, computed: Decimal | None) -> None:
        """Sum what a line reports, or what was computed in the place of that."""
        stamp, ask = said.created or said.created_at, partial(getattr, said)
        name = self._namer.name(model_id, said.provider or said.provider_name, stamp, ask)
        found = self._spent.get(name)
        if found is None:
            group = self._counted.spend[name]
            found = group, Sum()
            if group is self._counted.spend.others:
                group.count(number, _reported(said.usage, fee) if computed is None else computed)
                return
            self._spent[name] = found
        group, total = found
        group.lines += 1
        group.first = group.first or number
        if computed is not None:
            total.add_exactly(computed)
        elif fee is None:
            total.add(said.usage.cost)
        else:
            total.add_exactly(_reported(said.usage, fee))

    def learn(self, cost: Cost) -> None:
        """Make a plan of what the line cost that was just looked at, if there should be one.

        Args:
            cost: what reading it another way gave.
        """
        if self._wanted is not None:
            key, prompt = self._wanted
            self._keep(key, plan_of(cost, self._listed(cost), prompt, self._plans.get(key)))

    def learn_unlisted(self, model_id: str, *, stands_alone: bool) -> None:
        """Know from now on that the model of the line that was just looked at has no price."""
        if self._wanted is not None:
            self._keep(self._wanted[0], Unlisted(model_id, stands_alone=stands_alone))

    def _keep(self, key: Any, plan: Found | None) -> None:
        if plan is None:
            return
        if self._kept >= _MOST_PLANS:
            self.settle()
            self._plans.clear()
            self._kept = 0
            plan.next = None
        self._kept += 1
        self._plans[key] = plan

    def settle(self) -> None:
        """Price what was counted, and add it all up."""
        counted = self._counted
        for plan in self._plans.values():
            each: Found | None = plan
            while each is not None:
                if type(each) is Plan:
                    each.settle(counted.exact, counted.residual, counted.unreported)
                each = each.next
        for tally, total in ((counted.exact, self._exact), (counted.residual, self._residual)):
            tally.reported = money.add(tally.reported, total.take())
        for group, spent in self._spent.values():
            group.usd = money.add(group.usd, spent.take())
        self._spent.clear()


def _own_key(said: Any, upstream: float | None) -> bool | None:
    """Whether a call ran on one's own key; None where that is in doubt, or an amount is not there that this takes."""
    usage = said.usage
    cost, flag = usage.cost, said.is_byok if usage.is_byok is None else usage.is_byok
    if flag is None and (said.openrouter_metadata is not None or upstream not in (None, cost)):
        return None
    if upstream is not None and not _is_amount(upstream):
        return None
    if flag and (upstream is None or cost is None or not _is_amount(cost)):
        return None
    return bool(flag)


def _is_amount(usd: float) -> bool:
    return _LEAST < usd < _MOST or not usd


def _reported(usage: Any, fee: float | None) -> Decimal:
    """USD, what a usage reports: the cost, or the fee and what the provider took."""
    cost = money.read(usage.cost, "cost")
    if fee is None:
        return cost
    return money.add(cost, money.read(usage.cost_details.upstream_inference_cost, "upstream_inference_cost"))


def _is_sound(line: bytes) -> bool:
    """Whether Python's own JSON would read what msgspec passes over: letters in UTF-8, and no endless numbers."""
    try:
        str(line, "utf-8")
    except UnicodeDecodeError:
        return False
    met = line[_LONG - 1 :: _LONG]  # of an endless number one digit at least
    return len(met.translate(None, _DIGITS)) == len(met) or len(line) - len(line.translate(None, _DIGITS)) <= _LONG
