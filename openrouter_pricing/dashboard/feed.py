"""The feed of changes: what became cheaper, dearer, new, or went, day by day, the latest first."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import groupby
from typing import TYPE_CHECKING

import attrs

from .._base import money
from .._history.periods import EARLIEST, LATEST, RecordedChange
from .._prices.changes import Move
from .._prices.words import conditions_words, unit_price
from .figures import shortened
from .queries import Query

if TYPE_CHECKING:
    from ..pricing import Pricing

#: How far back a feed may look, and what that is called.
SPANS = {"7d": "7 days", "30d": "30 days", "90d": "90 days", "365d": "a year", "all": "everything"}
#: What may have happened, and what that is called.
KINDS = {"changed": "Price changed", "listed": "New", "delisted": "Gone"}
MOST = 300  # changes on one page
_MINUS = "\u2212"
_OF_OVERRIDE = re.compile(r"(\w+) of override (\d+) ")


@attrs.frozen
class Moved:
    """One price that is another one now.

    Args:
        name: which price.
        before, after: USD, or in a word.
        unit: per what.
        change: by how much, in words.
        trend: "up", "down", or nothing.
    """

    name: str
    before: str
    after: str
    unit: str
    change: str
    trend: str


@attrs.frozen
class Item:
    """What happened to one model.

    Args:
        model_id: the model.
        kind: "listed", "delisted" or "changed".
        at: when that was first seen.
        moves: its prices.
    """

    model_id: str
    kind: str
    at: datetime
    moves: tuple[Moved, ...]

    @property
    def word(self) -> str:
        """What happened, in a word."""
        trends = {move.trend for move in self.moves} - {""}
        if self.kind != "changed":
            return KINDS[self.kind]
        return {"up": "Dearer", "down": "Cheaper"}[trends.pop()] if len(trends) == 1 else "Changed"

    @property
    def look(self) -> str:
        """What that looks like: "up", "down", "listed", "delisted" or "changed"."""
        return {"Dearer": "up", "Cheaper": "down"}.get(self.word, self.kind)


@attrs.frozen
class Reach:
    """From when to when a history knows anything."""

    since: datetime
    until: datetime


def reach(pricing: Pricing) -> Reach | None:
    """How far the history goes; None where there is none."""
    history = pricing._past.history
    first = None if history is None else history.as_of(EARLIEST)
    last = None if history is None else history.as_of(LATEST)
    return None if first is None or last is None else Reach(first.as_of, max(last.as_of, last.until))


@attrs.frozen
class Asked:
    """What a feed is asked for.

    Args:
        model: words that the id holds, all of them.
        kind: what happened; anything where it is empty.
        span: how far back it looks.
        until: up to when; to the end of the history where it is left out.
    """

    model: str
    kind: str
    span: str
    until: datetime | None

    @classmethod
    def read(cls, query: Query) -> Asked:
        """Read a query string.

        Raises:
            Refusal: something in it cannot be read.
        """
        span = query.choice("since", tuple(SPANS)) or "30d"
        return cls(query.text("model"), query.choice("kind", tuple(KINDS)), span, query.day("until"))

    def window(self, known: Reach) -> Reach:
        """From when to when it looks."""
        until = known.until if self.until is None else min(self.until, known.until)
        if self.span == "all":
            return Reach(known.since, until)
        try:
            return Reach(max(known.since, until - timedelta(days=int(self.span[:-1]))), until)
        except OverflowError:  # in the first days of the calendar
            return Reach(known.since, until)


class Feed:
    """The changes that were looked at last: the page of one filter is mostly followed by that of another."""

    def __init__(self) -> None:
        self._looked: tuple[object, tuple[RecordedChange, ...]] = (None, ())

    def find(self, pricing: Pricing, known: Reach, asked: Asked) -> list[RecordedChange]:
        """What is asked for, the latest first."""
        window = asked.window(known)
        key, changes = self._looked
        if key != (known, window):
            changes = pricing.changes(since=window.since, until=window.until)
            self._looked = (known, window), changes
        words = asked.model.lower().split()
        return [
            change
            for change in reversed(changes)
            if (not asked.kind or change.kind == asked.kind) and all(word in change.model_id.lower() for word in words)
        ]


def days(changes: Iterable[RecordedChange]) -> list[tuple[str, list[Item]]]:
    """Changes by their day (UTC)."""
    shown = ((f"{change.at:%Y-%m-%d}", item(change)) for change in changes)
    return [(day, [each for _, each in group]) for day, group in groupby(shown, key=lambda pair: pair[0])]


def item(change: RecordedChange) -> Item:
    """A change as a page shows it."""
    return Item(change.model_id, change.kind, change.at, tuple(_moved(change, move) for move in change.moves))


def _moved(change: RecordedChange, move: Move) -> Moved:
    key, name = move.key, move.key
    if (found := _OF_OVERRIDE.match(move.key)) is not None:
        key, place = found[1], int(found[2])
        rates = change.before if move.after is None else change.after
        assert rates is not None  # the price stands in it
        name = f"{key} {conditions_words(rates.overrides[place])}"
    is_variable = any(price is not None and price < 0 for price in (move.before, move.after))
    before, unit_before = _words(change, key, move.before, is_before=True)
    after, unit_after = _words(change, key, move.after, is_before=False)
    unit, trend = unit_after or unit_before, ""
    if change.kind == "changed" and not is_variable:
        trend = "up" if (move.after or money.ZERO) > (move.before or money.ZERO) else "down"
    return Moved(name.replace("_", " "), before, after, unit, _change(move.ratio if trend else None), trend)


def _words(change: RecordedChange, key: str, price: Decimal | None, *, is_before: bool) -> tuple[str, str]:
    rates = change.before if is_before else change.after
    usd, unit = unit_price(key, price, None if rates is None else rates.prompt)
    if not unit:
        return ("nothing" if price is None else usd), ""
    return shortened(Decimal(usd)), unit


def _change(ratio: Decimal | None) -> str:
    """By how much: in per cent, or how many times where it is a multiple."""
    if ratio is None:
        return ""
    if ratio >= 3:
        return f"\u00d7 {money.round_half_up(ratio, 1)}"
    per_cent = money.multiply(money.subtract(ratio, money.ONE), Decimal(100))
    rounded = money.round_half_up(per_cent, 0 if abs(per_cent) >= 1 else 1)
    return f"{'+' if rounded > 0 else _MINUS}{abs(rounded)} %"
