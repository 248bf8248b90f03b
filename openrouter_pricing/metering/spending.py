"""Spending: what lines cost, summed by name."""

from __future__ import annotations

from decimal import Decimal
from functools import partial
from typing import Any

from .._base import money
from .amounts import reported_of
from .naming import Namer
from .sums import Sum
from .tallies import Group, Groups


class Spending:
    """Sums what lines of known shapes cost.

    Args:
        namer: names what they are summed by.
        groups: where the sums go.
    """

    def __init__(self, namer: Namer, groups: Groups[str]) -> None:
        self._namer = namer
        self._groups = groups
        self._sums: dict[str, tuple[Group, Sum]] = {}

    def add(self, number: int, model_id: str, said: Any, own_key: bool, computed: Decimal | None = None) -> None:
        """Sum what a line reports, or what was computed in the place of that.

        Args:
            number: its number.
            model_id: what it was priced as.
            said: what it says.
            own_key: whether the call ran on one's own key.
            computed: USD; None for what it reports.
        """
        stamp, ask = said.created or said.created_at, partial(getattr, said)
        name = self._namer.name(model_id, said.provider or said.provider_name, stamp, ask)
        if name not in self._sums:
            group = self._groups[name]
            if group is self._groups.others:
                group.count(number, reported_of(said.usage, own_key) if computed is None else computed)
                return
            self._sums[name] = group, Sum()
        group, total = self._sums[name]
        group.note(number)
        if computed is not None:
            total.add(computed)
        elif own_key:
            total.add(reported_of(said.usage, own_key))
        else:
            total.floats.append(said.usage.cost)

    def fold(self) -> None:
        """Add up what was reported: it takes no more space than some lines do."""
        for _, total in self._sums.values():
            total.fold()

    def settle(self, groups: Groups[str]) -> None:
        """Hand all sums to the groups, and sum for other ones from now on."""
        for group, total in self._sums.values():
            group.usd = money.add(group.usd, total.take())
        self._sums.clear()
        self._groups = groups
