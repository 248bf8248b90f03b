"""Fast: counts the lines that nearly every line of a log is like, in a fraction of the time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from operator import mul
from typing import Any

from msgspec import DecodeError
from msgspec.json import Decoder

from .._base import money
from .._billing.call import CallFacts, residual_kind
from .._billing.cost import Cost
from .._billing.fields import instant
from .._billing.reading import NOTHING_MORE, Particulars
from .._prices.model import Model
from .amounts import is_own_key, parts_of, reported_of
from .counted import Counted
from .ids import Ids
from .lines import LONG, Block
from .loose import LooseDetails, decode_loosely
from .naming import Namer
from .plans import Lists, Plan, Unlisted, plan_of
from .shapes import Counts, Parts
from .spending import Spending
from .sums import Sum
from .tallies import Tally

_DIGITS = b"0123456789"
_EVENT = b"data: {"  # how nearly every line of an event stream begins
_LAST = 253_402_300_800  # seconds since the epoch: the year 10000
_SURE = 9e-13  # USD; below 10 USD floats are off by less than what is left to 1e-12: by some 1e-14
_MOST_PLANS = 40_000
_MANY = 10_000  # lines after which what they counted is added up
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
        self._summed = summed
        self._spending = Spending(namer, counted.spend)
        self._lists = lists
        self._listed = listed
        self._otherwise = otherwise
        self._decoders: list[Callable[[bytes], Any]] = [Decoder(shape).decode for shape in namer.shapes]
        self._decode = self._decoders.pop(0)
        if not namer.by_key:  # which may stand around the response
            self._decoders.append(decode_loosely)
        self._plans: dict[Any, Plan] = {}
        self._unlisted: dict[Any, Unlisted] = {}
        self._known: dict[int, Plan] = {}
        self._kept = self._waiting = 0
        self._streamed = False
        self._wanted: tuple[Any, int] | None = None
        self._exact, self._residual = Sum(), Sum()
        self.count_into(counted, ids)

    def count_into(self, counted: Counted, ids: Ids) -> None:
        """Count into other ones from now on; what was counted before must be settled."""
        self._counted, self._ids = counted, ids
        self._spending.settle(counted.spend)

    def add(self, blocks: Iterable[Block]) -> int:
        """Count lines; the number of the last one, or 0."""
        last = 0
        for first, lines, simple in blocks:
            self._add(first, lines, simple)
            last = first + len(lines) - 1
            self._waiting += len(lines)
            if self._waiting >= _MANY:
                self._fold()
        return last

    def _add(self, first: int, lines: Sequence[Any], simple: bool) -> None:  # noqa: PLR0915  # no calls: they cost
        ids, noted, streamed = self._ids, 0, self._streamed
        ids.hold(len(lines))
        decode, find, any_shape = self._decode, self._plans.get, self._add_any_shape
        digest, table, last, new = ids.digest, ids.table, ids.last, ids.new
        since, now, list_at = self._lists.since, self._lists.now, self._lists.at
        exact, duplicates, other_day = self._exact.floats, self._counted.duplicates, self._counted.other_day
        spend = self._spending.add if self._summed else None
        for number, line in enumerate(lines, first):
            if not simple and (line is None or ((len(line) > LONG or not line.isascii()) and not _is_sound(line))):
                self._otherwise(number, line)
                continue
            text = line[6:] if streamed and line.startswith(_EVENT) else line
            try:
                said = decode(text)
            except (DecodeError, RecursionError):
                any_shape(number, line, text)
                continue
            usage, created = said.usage, said.created or said.created_at or now
            prompt, completion, cost = usage.prompt_tokens, usage.completion_tokens, usage.cost
            given, made = usage.prompt_tokens_details, usage.completion_tokens_details
            reasoning = 0 if made is None else made.reasoning_tokens or 0
            if given is None:
                cached = written = 0
            else:
                cached, written = given.cached_tokens or 0, given.cache_write_tokens or 0
            plan = find(said.model if created >= since else (said.model, list_at(created)))
            while plan is not None and not plan.low < prompt <= plan.high:
                plan = plan.next
            if (
                plan is None
                or (usage.is_byok is not False and is_own_key(said) is not False)
                or cached + written > prompt
                or reasoning > completion
                or (reasoning and usage.total_tokens == prompt + completion + reasoning)
            ):
                any_shape(number, line, text)
                continue
            name = said.id
            if name:
                mark = digest(name) or 1
                slot = mark & last
                while (found := table[slot]) and found != mark:
                    slot = (slot + 1) & last
                if found:
                    duplicates.note(number)
                    continue
                table[slot] = mark
                noted += 1
                if new is not None:
                    new.append(mark)
            if not plan.since <= created <= plan.until:
                other_day.note(number)
            one, other, read, rare = plan.factors
            whole = one * prompt + other * completion
            left = cost - whole - read * cached
            if rare is not None:
                request, thought, wrote = rare
                left -= request + thought * reasoning + wrote * written
            if whole < 10.0 and -_SURE < left < _SURE:
                exact.append(cost)
                sums = plan.exact
                sums.lines += 1
                sums.prompt += prompt
                sums.completion += completion
                sums.cached += cached
                sums.reasoning += reasoning
                sums.written += written
            else:
                counts = Counts(prompt, completion, (cached, reasoning, written, 0, 0, 0, 0, 0))
                self._count_off(number, text, plan, said, False, counts)
            if spend is not None:
                spend(number, plan.model_id, said, False)
        ids.let_go(len(lines) - noted)

    def _add_any_shape(self, number: int, line: bytes, text: bytes) -> None:
        """Count a line of any shape that is known."""
        if text is line and line.startswith(_EVENT):
            self._streamed = True  # from now on it is looked for in every line
            text = line[6:]
        said = self._read(text)
        counts = None if said is None else said.usage.counts()
        own_key = None if counts is None else is_own_key(said)
        created = 0 if said is None else said.created or self._lists.stamped(said.created_at)
        if counts is None or own_key is None or not 0 < created < _LAST or said.object == "batch":
            self._otherwise(number, line)
            return
        cost, tier = said.usage.cost, said.usage.service_tier or said.service_tier
        key: Any = said.model
        if tier is not None:
            key = key, cost is None, tier, said.provider or said.provider_name
        elif cost is None:
            key = key, ""
        if created < self._lists.since:
            key = key, self._lists.at(created)
        plan = self._plans.get(key)
        while plan is not None and not plan.low < counts.prompt <= plan.high:
            plan = plan.next
        found = self._unlisted.get(key) if plan is None else plan
        if found is None:
            self._wanted = key, counts.prompt
            self._otherwise(number, line)
            self._wanted = None
            return
        name = said.id or said.generation_id
        if name and type(name) is str and not self._ids.add(name):
            self._counted.duplicates.note(number)
        elif isinstance(found, Plan):
            self._count(number, text, found, said, counts, own_key, created)
        else:
            self._count_unlisted(number, found, said, own_key)

    def _count(
        self, number: int, text: bytes, plan: Plan, said: Any, counts: Counts, own_key: bool, created: float
    ) -> None:
        usage, usd = said.usage, None
        if not plan.since <= created <= plan.until:
            self._counted.other_day.note(number)
        if usage.cost is None:
            plan.unreported.add(counts)
            if self._summed:
                usd = plan.computed(counts)
        else:
            cost = usage.cost + usage.cost_details.upstream_inference_cost if own_key else usage.cost
            one, other, _, rare = plan.factors
            whole = one * counts.prompt + other * counts.completion
            left = cost - whole - sum(map(mul, plan.extra, counts.parts)) - (0 if rare is None else rare[0])
            if -_SURE < left < _SURE and whole < 10 and cost < 10:
                plan.exact.add(counts)
                self._exact.floats.append(usage.cost)
                if own_key:
                    self._exact.floats.append(usage.cost_details.upstream_inference_cost)
            else:
                self._count_off(number, text, plan, said, own_key, counts)
        if self._summed:
            self._spending.add(number, plan.model_id, said, own_key, usd)

    def _read(self, text: bytes) -> Any:
        """What a line says, in the shape that fits; the one that fitted last is tried first."""
        for place, decode in enumerate(self._decoders):
            try:
                said = decode(text)
            except (DecodeError, RecursionError):
                continue
            if place:
                self._decoders.insert(0, self._decoders.pop(place))
            return said
        return None

    def _count_off(self, number: int, line: bytes, plan: Plan, said: Any, own_key: bool, counts: Counts) -> None:
        """Count what a line reports, if floats cannot say that it is exact."""
        usage, details = said.usage, said.usage.cost_details
        computed = plan.computed(counts)
        reported, upstream, parts = reported_of(usage, own_key), None, None
        if details is not None:
            taken = details.upstream_inference_cost
            upstream = None if taken is None else money.read(taken, "upstream_inference_cost")
            if type(taken) is not float or taken != usage.cost:
                said_parts = details if isinstance(details, LooseDetails) else _parts(line).usage.cost_details
                parts = parts_of(said_parts, computed)
        facts = CallFacts(
            at=instant(said.created or said.created_at),
            provider=said.provider or said.provider_name,
            service_tier=usage.service_tier or said.service_tier,
            byok=own_key,
            upstream=upstream,
            more=NOTHING_MORE if parts is None else Particulars(parts=parts),
        )
        kind = residual_kind(reported, computed, plan.origin, facts)
        if kind is None:
            plan.exact.add(counts)
            self._exact.add(reported)
        else:
            plan.residual.add(counts)
            self._residual.add(reported)
            self._counted.count_residual(number, plan.model_id, reported, computed, kind)

    def _count_unlisted(self, number: int, plan: Unlisted, said: Any, own_key: bool) -> None:
        reported = None if said.usage.cost is None else reported_of(said.usage, own_key)
        if plan.stands_alone and reported is not None:
            self._counted.reported.add(Tally(1, reported))
        else:
            self._counted.count_unknown(number, plan.model_id, reported)
        if self._summed and reported is not None:
            self._spending.add(number, plan.model_id, said, own_key)

    def learn(self, cost: Cost) -> None:
        """Make a plan of what the line cost that was just looked at, if there should be one.

        Args:
            cost: what reading it another way gave.
        """
        if self._wanted is not None:
            key, prompt = self._wanted
            plan = plan_of(cost, self._listed(cost), prompt, self._known)
            if plan is not None:
                self._make_room()
                plan.next = self._plans.get(key)
                self._plans[key] = plan

    def learn_unlisted(self, model_id: str, *, stands_alone: bool) -> None:
        """Know from now on that the model of the line that was just looked at has no price."""
        if self._wanted is not None:
            self._make_room()
            self._unlisted[self._wanted[0]] = Unlisted(model_id, stands_alone)

    def _make_room(self) -> None:
        self._kept += 1
        if self._kept > _MOST_PLANS:
            self.settle()
            self._plans.clear()
            self._unlisted.clear()
            self._known.clear()
            self._kept = 1

    def _all_plans(self) -> Iterator[Plan]:
        for first in self._plans.values():
            plan: Plan | None = first
            while plan is not None:
                yield plan
                plan = plan.next

    def _fold(self) -> None:
        """Add up what was reported: it takes no more space than some lines do."""
        self._waiting = 0
        self._spending.fold()
        self._exact.fold()

    def settle(self) -> None:
        """Price what was counted, and add it all up."""
        counted = self._counted
        for plan in self._all_plans():
            plan.settle(counted.exact, counted.residual, counted.unreported)
        for tally, total in ((counted.exact, self._exact), (counted.residual, self._residual)):
            tally.reported = money.add(tally.reported, total.take())
        self._spending.settle(counted.spend)


def _is_sound(line: bytes) -> bool:
    """Whether Python's own JSON would read what msgspec passes over: letters in UTF-8, and no endless numbers."""
    try:
        str(line, "utf-8")
    except UnicodeDecodeError:
        return False
    met = line[LONG - 1 :: LONG]  # of an endless number one digit at least
    return len(met.translate(None, _DIGITS)) == len(met) or len(line) - len(line.translate(None, _DIGITS)) <= LONG
