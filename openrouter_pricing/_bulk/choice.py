"""Which line of the table prices a row: that of its model, its prompt's size and its time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .plans import Regimes

_NEVER = np.iinfo(np.int64).max  # more tokens than any prompt has


class Entry(NamedTuple):
    """What is known of a name, at some time.

    Args:
        first: the first of its lines in the table.
        regimes: where they change.
        rate: what its raw costs are multiplied by.
        model_id: the model that is priced; None where there is none.
        as_of: when its prices were fetched or recorded; None where there are none.
    """

    first: int
    regimes: Regimes
    rate: Decimal
    model_id: str | None = None
    as_of: datetime | None = None


def choose(
    entries: Sequence[Entry], codes: NDArray[np.int64], prompts: NDArray[np.int64], minutes: NDArray[np.int64] | None
) -> NDArray[np.int64]:
    """The line of each row.

    Args:
        entries: what is known of the names.
        codes: which of them each row has.
        prompts: prompt tokens.
        minutes: of the week (UTC); None where no row says, and none of the first is taken.
    """
    lines = np.array([entry.first for entry in entries], np.int64)[codes]
    several = [number for number, entry in enumerate(entries) if len(entry.regimes.plans) > 1]
    once = {
        number: entries[number].regimes.thresholds[0]
        for number in several
        if len(entries[number].regimes.plans) == 2 and not entries[number].regimes.timed
    }
    if once:  # nearly all that change do so with one size alone
        thresholds = np.full(len(entries), _NEVER)
        thresholds[[*once]] = [*once.values()]
        lines += prompts > thresholds[codes]
        several = [number for number in several if number not in once]
    if several:
        conditional = np.zeros(len(entries), np.bool_)
        conditional[several] = True
        places = np.flatnonzero(conditional[codes])
        there = codes[places]
        for number in np.unique(there).tolist():
            _, (steps, starts, _), *_ = entries[number]
            rows = places[there == number]
            # A step holds for more tokens than its threshold.
            step = np.searchsorted(np.array(steps, np.int64), prompts[rows], side="left")
            lines[rows] += step * len(starts)
            if minutes is not None:
                lines[rows] += np.searchsorted(np.array(starts, np.int64), minutes[rows], side="right") - 1
    return lines
