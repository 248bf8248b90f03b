"""Many calls as they stand in a log: most are clean, and nearly a third are not; and what each of them costs."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from openrouter_pricing import Catalog, Pricing, UnknownModelError, UnpricedUsageError, Usage, VariablePriceError

COUNTS = (
    "prompt_tokens",
    "completion_tokens",
    "cached_tokens",
    "cache_write_tokens",
    "cache_write_1h_tokens",
    "reasoning_tokens",
    "audio_tokens",
    "audio_output_tokens",
    "image_tokens",
    "image_output_tokens",
    "images",
    "web_searches",
    "requests",
)
#: The columns that hold floats: whole ones, fractions, and not a number.
FLOATS = ("completion_tokens", "reasoning_tokens", "images")
_DIRTY = 0.3
_EDGES = (0, 1, 999, 1_000, 1_001, 32_000, 128_000, 199_999, 200_000, 200_001, 272_000, 272_001, 1_000_000)


class Priced(NamedTuple):
    """What a row of a frame should say."""

    raw: Decimal | None
    total: Decimal | None
    model: str | None
    as_of: datetime | None
    status: str


def calls(catalog: Catalog, number: int, seed: int, since: datetime, until: datetime) -> dict[str, list[Any]]:
    """Columns of calls of the models of a list, at times between two.

    Args:
        catalog: the list; some models are asked for by their slugs, and with routing suffixes.
        number: how many.
        seed: of chance.
        since, until: aware.
    """
    chance = random.Random(seed)
    ids = list(catalog)
    slugs = sorted(set(catalog.slugs().values())) or ids
    seconds = int((until - since).total_seconds())
    columns: dict[str, list[Any]] = {name: [] for name in ("model", "at", "reported", *COUNTS)}
    for _ in range(number):
        row = _clean(chance, ids, slugs) | {"at": since + timedelta(seconds=chance.randrange(seconds))}
        if chance.random() < _DIRTY:
            _soil(chance, row)
        for name, column in columns.items():
            value = row.get(name)
            column.append(float(value) if name in FLOATS and value is not None else value)
    return columns


def _clean(chance: random.Random, ids: Sequence[str], slugs: Sequence[str]) -> dict[str, Any]:
    name = chance.choice(ids) if chance.random() < 0.8 else chance.choice(slugs)
    row: dict[str, Any] = {"model": name + chance.choice(("", "", "", ":nitro")), "requests": 1}
    prompt = chance.choice((chance.randrange(4_000), chance.randrange(400_000), chance.choice(_EDGES)))
    row |= {"prompt_tokens": prompt, "completion_tokens": chance.randrange(8_000)}
    for name, whole in (("cached_tokens", prompt), ("reasoning_tokens", row["completion_tokens"])):
        row[name] = chance.randrange(whole + 1) if chance.random() < 0.3 else chance.choice((0, None))
    if chance.random() < 0.1:
        row["cache_write_tokens"] = (
            prompt - row["cached_tokens"] if row["cached_tokens"] else chance.randrange(prompt + 1)
        )
    if chance.random() < 0.05:
        row["reported"] = chance.choice((0.0, 0.00000705, chance.random() / 100))
    return row


def _soil(chance: random.Random, row: dict[str, Any]) -> None:
    """Make a call as bad as logs have them."""
    way = chance.randrange(9)
    if way == 0:
        row["model"] = chance.choice((None, "", "acme/nothing", "openai/gpt-4o-mini:free:free", "Ω/模型"))
    elif way == 1:
        row[chance.choice(("prompt_tokens", "completion_tokens"))] = None
    elif way == 2:
        row[chance.choice(COUNTS)] = chance.choice((-1, -(10**18), 10**18 + 2**20))
    elif way == 3:
        row[chance.choice(FLOATS)] = chance.choice((0.5, 1e300, math.nan, math.inf, -math.inf, -0.0, 2.0))
    elif way == 4:
        row |= {name: chance.choice((0, None, 3, 10**6)) for name in COUNTS[2:]}  # more than the whole
    elif way == 5:
        row |= {name: chance.choice((0, chance.randrange(1 + (row["prompt_tokens"] or 1)))) for name in COUNTS[2:10]}
    elif way == 6:
        row["at"] = None
    elif way == 7:
        row["reported"] = chance.choice((math.nan, -0.5, math.inf, 0.25, 1e-30))
    else:
        row |= {"prompt_tokens": chance.randrange(10**12), "completion_tokens": chance.randrange(10**9)}


def priced(pricing: Pricing, columns: Mapping[str, Sequence[Any]]) -> list[Priced]:
    """What each row costs, by asking for one after the other."""
    names = list(columns)
    rows = (dict(zip(names, row, strict=True)) for row in zip(*columns.values(), strict=True))
    rate = pricing.cost(next(iter(pricing.catalog())), 0, 0).markup_rate
    return [_priced(pricing, rate, row) for row in rows]


def _priced(pricing: Pricing, rate: Decimal, row: Mapping[str, Any]) -> Priced:
    at, name, reported = row["at"], row["model"], row["reported"]
    try:
        model = pricing.model(name or "", at=at)
    except UnknownModelError:
        model = None
    if reported is not None and not math.isnan(reported):
        if math.isinf(reported) or reported < 0 or Decimal(repr(reported)).as_tuple().exponent < -23:
            return Priced(None, None, None, None, "bad_count")
        raw, model_id = Decimal(repr(reported)), None if model is None else model.id
        as_of = None if model is None else pricing.catalog().as_of
        return Priced(raw, raw * rate, model_id, as_of, "reported")
    try:
        usage = Usage(**{name: _count(name, row[name]) for name in COUNTS})
    except (ValueError, TypeError):
        return Priced(None, None, None, None, "bad_count")
    if model is None:
        return Priced(None, None, None, None, "unknown_model")
    if model.rates.timed and at is None:
        return Priced(None, None, None, None, "no_time")
    try:
        cost = pricing.cost(name, usage=usage, at=at)
    except VariablePriceError:
        return Priced(None, None, None, None, "variable_price")
    except UnpricedUsageError:
        return Priced(None, None, None, None, "unpriced_usage")
    return Priced(cost.raw, cost.total, cost.model_id, cost.as_of, "priced")


def _count(name: str, given: float | None) -> object:
    if given is None or math.isnan(given):
        return None if name in ("prompt_tokens", "completion_tokens") else 0
    return int(given) if math.isfinite(given) and given == int(given) else given
