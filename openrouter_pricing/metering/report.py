"""The report of an audit: everything that it found, JSON-ready."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from typing import Any

from .._base import money
from .counted import Counted


class Places:
    """Where the lines of several files stand, which are counted through.

    Attributes:
        names: the files that were begun, in their order.
    """

    def __init__(self) -> None:
        self.names: list[str] = []
        self._starts: list[int] = []

    def begin(self, name: str, start: int) -> None:
        """A file begins behind ``start`` lines."""
        self.names.append(name)
        self._starts.append(start)

    def find(self, number: int) -> tuple[str, int]:
        """The file and the number in it of a line that was counted through."""
        place = bisect_right(self._starts, number - 1) - 1
        return self.names[place], number - self._starts[place]

    def show(self, number: int) -> object:
        """A line for people: its number, with its file where there are several."""
        if len(self.names) < 2:
            return number
        name, line = self.find(number)
        return f"{name}:{line}"

    def to_dict(self, number: int) -> dict[str, Any]:
        """A line, JSON-ready."""
        if len(self.names) < 2:
            return {"line": number}
        name, line = self.find(number)
        return {"file": name, "line": line}


def report(counted: Counted, why: Callable[[str], str], by: str | None, places: Places) -> dict[str, Any]:
    """Everything; money as strings.

    Args:
        counted: what was counted.
        why: says why a model is unknown.
        by: what spend is summed by; None for nothing.
        places: where its lines stand.
    """
    total, exact, residual = counted.total, counted.exact, counted.residual
    usd = {
        "reported": total.reported,
        "computed": total.computed,
        "residual": money.add(exact.residual, residual.residual),
        "residual_sizes": counted.off,
        "unreported": counted.unreported.computed,
        "unknown": counted.unknown.reported,
    }
    return {
        "lines": total.lines,
        "priced": exact.lines + residual.lines + counted.unreported.lines,
        "exact": exact.lines,
        "residual": residual.lines,
        "unreported": counted.unreported.lines,
        "reported": counted.reported.lines,
        "unknown": counted.unknown.lines,
        "bad": sum(group.lines for group in counted.bad.values()),
        "duplicates": counted.duplicates.lines,
        "first_duplicate": places.to_dict(counted.duplicates.first) if counted.duplicates.lines else None,
        "another_day": counted.other_day.lines,
        "first_another_day": places.to_dict(counted.other_day.first) if counted.other_day.lines else None,
        "usd": {name: money.text(amount) for name, amount in usd.items()},
        "residuals": [
            {"model": model, "kind": kind, **group.to_dict()} for (model, kind), group in counted.residuals.largest()
        ],
        "other_residuals": counted.residuals.others.to_dict(),
        "worst": [
            {
                **places.to_dict(found.line),
                "model": found.model,
                "reported": money.text(found.reported),
                "computed": money.text(found.computed),
                "residual": money.text(found.residual),
                "kind": found.kind,
            }
            for found in counted.worst()
        ],
        "unknown_models": [
            {"model": name, "why": why(name), **_first(places, group.first), **group.to_dict()}
            for name, group in counted.names.largest()
        ],
        "other_unknown": counted.names.others.to_dict(),
        "bad_lines": [
            {
                "kind": kind,
                "lines": group.lines,
                "first": [{**places.to_dict(number), "reason": reason} for number, reason in group.reasons],
            }
            for kind, group in counted.bad.largest()
        ],
        **({} if by is None else _spend(counted, by)),
    }


def _first(places: Places, number: int) -> dict[str, Any]:
    return {f"first_{name}": value for name, value in places.to_dict(number).items()}


def _spend(counted: Counted, by: str) -> dict[str, Any]:
    return {
        "by": by,
        "spend": [{by: name, **group.to_dict()} for name, group in spent(counted, by)],
        "other_spend": counted.spend.others.to_dict(),
    }


def spent(counted: Counted, by: str) -> list[tuple[str, Any]]:
    """What was spent under each name: days in their order, anything else by the amount, the largest first."""
    return sorted(counted.spend.items()) if by == "day" else counted.spend.largest()
