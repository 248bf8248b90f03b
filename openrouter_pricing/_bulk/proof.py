"""The proof: what the kernel makes of a table is what ``charge()`` says, count by count."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from datetime import datetime

import numpy as np

from .._base import money
from .._billing import cost as billing
from .._billing.call import PLAIN
from .._billing.usage import Usage
from .._prices.model import Model
from .._prices.rates import Override, Rates
from ..errors import PricingError, UnpricedUsageError
from .choice import Entry, choose
from .kernel import charged
from .literals import literals
from .plans import COUNTS, INSIDE, instant
from .rounding import round_totals, whole_numbers
from .table import BAD, LARGEST, PRICED, STATUSES, TOO_FINE, UNPRICED, Table

#: Counts at which a rule may turn: none, one, round ones, those around the sizes of windows and steps of prices.
_COUNTS = (
    *(0, 0, 0, 1, 1, 2, 3, 7, 10, 99, 100, 101, 999, 1_000, 1_001, 1_023, 1_024, 1_025, 4_096, 9_999, 10_000, 10_001),
    *(16_384, 32_000, 65_536, 99_999, 100_000, 100_001, 128_000, 199_999, 200_000, 200_001, 272_000, 272_001),
    *(999_999, 1_000_000, 1_000_001, 10_000_000, 1_000_000_000, 1_000_000_001, 10**12 + 1),
)
_SAID = (*STATUSES, "too fine")
_PARTS = tuple(name for parts in INSIDE.values() for name in parts)
_MIXED = 12  # usages of many counts for each model
_OCTAVES = 24  # sizes of which each model has one of its own


def prove(table: Table, made: Sequence[tuple[Model, Entry]], scale: int, places: int | None) -> None:
    """Compare the kernel with ``charge()`` on usages of each model.

    Args:
        table: how the kernel charges.
        made: models, and where they stand in the table.
        scale, places: of amounts, and of rounded totals.

    Raises:
        PricingError: they differ; the message names the model and the usage.
    """
    mentioned = literals(billing.charge, Rates.effective, Override.applies)
    asked: list[tuple[Model, Entry, Usage, datetime]] = [
        (model, entry, usage, at)
        for number, (model, entry) in enumerate(made)
        if not model.rates.variable
        for usage, at in _questions(entry, random.Random(number), mentioned)  # noqa: S311  # the same each time
    ]
    if not asked:
        return
    counts = {name: np.array([getattr(usage, name) for _, _, usage, _ in asked], np.int64) for name in COUNTS}
    minutes = np.array([at.weekday() * 1440 + at.hour * 60 + at.minute for *_, at in asked], np.int64)
    numbers = {id(entry): number for number, (_, entry) in enumerate(made)}
    codes = np.array([numbers[id(entry)] for _, entry, _, _ in asked], np.int64)
    entries = [entry for _, entry in made]
    lines = choose(entries, codes, counts["prompt_tokens"], minutes)
    status, raw, total = charged(table, lines, counts)
    if places is not None:
        total = round_totals(raw, [entry.rate for entry in entries], codes, scale, places, status)
    answers = zip(asked, status.tolist(), whole_numbers(raw), whole_numbers(total), strict=True)
    for (model, entry, usage, at), found, raw_found, total_found in answers:
        expected = _expected(model, entry, usage, at, scale, places)
        answer = (found, raw_found, total_found) if found == PRICED else (found, 0, 0)
        if answer != expected:
            said = f"{_SAID[expected[0]]} {expected[1:]}, not {_SAID[found]} {answer[1:]}"
            shown = ", ".join(f"{name}={count}" for name in COUNTS if (count := getattr(usage, name)))
            raise PricingError(
                f"the billing rules of {model.id} cannot be carried to many rows: {shown or 'nothing'} at "
                f"{at:%A %H:%M} is {said} (in units of 1e-{scale} USD)"
            )


def _expected(
    model: Model, entry: Entry, usage: Usage, at: datetime, scale: int, places: int | None
) -> tuple[int, int, int]:
    try:
        facts = PLAIN if places is None else PLAIN._replace(places=places)
        cost = billing.charge(model.rates, usage, entry.rate, model_id=model.id, at=at, facts=facts)
    except UnpricedUsageError:
        return UNPRICED, 0, 0
    raw, total = (money.multiply(amount, 10**scale) for amount in (cost.raw, cost.total))
    if raw != int(raw):
        return PRICED, -1, -1  # no amount of ours: it has more places than any price
    if total != int(total):
        return TOO_FINE, 0, 0
    return (BAD, 0, 0) if max(raw, total) > LARGEST else (PRICED, int(raw), int(total))


def _questions(entry: Entry, chance: random.Random, mentioned: Sequence[int]) -> Iterator[tuple[Usage, datetime]]:
    """Usages and times at which rules show.

    Args:
        entry: where prices change.
        chance: of sizes that nobody has thought of; another one for each model.
        mentioned: whole numbers in the rules.
    """
    odd = [int(2 ** (octave + chance.random())) for octave in range(_OCTAVES)]
    turns = [size for number in mentioned for size in (number - 1, number, number + 1) if size <= money.MAX_COUNT]
    sizes = [*_COUNTS, *odd, *turns]
    thresholds, minutes, _ = entry.regimes
    edges = [edge for one in thresholds for edge in (one, one + 1) if 0 <= edge <= money.MAX_COUNT] or [1_000]
    week = [each % 10_080 for minute in minutes for each in ((minute - 1, minute) if len(minutes) > 1 else (minute,))]

    def asked(at: int | None = None, **counts: int) -> tuple[Usage, datetime]:
        return Usage(**counts), instant(chance.choice(week) if at is None else at)

    yield asked(requests=0)
    yield asked()
    for prompt in edges:
        for minute in week:
            yield asked(minute, prompt_tokens=prompt, completion_tokens=chance.choice(sizes))
    swept = [*odd, *turns]
    for prompt, completion in zip(swept, chance.sample(swept, len(swept)), strict=True):
        yield asked(prompt_tokens=prompt, completion_tokens=completion)
    for name in COUNTS:
        yield asked(**{name: chance.choice(sizes)})
    for name in _PARTS:  # as much as all of it, and as one of two that want the same
        other = chance.choice([part for part in _PARTS if part != name])
        size = chance.choice(sizes) or 5
        yield asked(prompt_tokens=size, completion_tokens=size, **{name: size, other: size})
    for size in (*edges, *(chance.choice(sizes) for _ in range(_MIXED))):
        counts = {name: chance.choice(_COUNTS[:8]) if chance.random() < 0.3 else 0 for name in COUNTS[2:]}
        for name in _PARTS:
            counts[name] = chance.choice((0, 0, size // 3, size // 2 + 1, size, chance.choice(sizes)))
        yield asked(prompt_tokens=size, completion_tokens=chance.choice((size, *sizes)), **counts)
