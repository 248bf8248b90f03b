"""Results: what a run found, as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

#: Others' speed changes with their releases and moods; what is held to a baseline is measured against floors alone.
PEERS = ("genai-prices", "litellm", "openrouter", "tokencost")


class Result(NamedTuple):
    """One figure.

    Args:
        name: what was measured.
        other: what it was measured against.
        ratio: by how much more it takes; less than 1 is faster or smaller.
        goal: the most that the ratio should be; None where it is only shown.
        seconds: of the subject, the median; bytes where it is about memory.
        other_seconds: of the other one.
    """

    name: str
    other: str
    ratio: float
    goal: float | None
    seconds: float
    other_seconds: float

    @property
    def key(self) -> str:
        """What tells it from the others."""
        return f"{self.name} / {self.other}"

    @property
    def met(self) -> bool:
        """Whether the goal, if there is one, is met."""
        return self.goal is None or self.ratio <= self.goal


class Skipped(NamedTuple):
    """A figure that cannot be taken here.

    Args:
        name: what would be measured.
        other: what it would be measured against.
        why: what is missing.
    """

    name: str
    other: str
    why: str

    @property
    def key(self) -> str:
        """What tells it from the others."""
        return f"{self.name} / {self.other}"


def load(document: dict[str, Any]) -> list[Result]:
    """The results of a stored run."""
    return [Result(**row) for row in document["results"]]


def worse(results: list[Result], baseline: dict[str, float], tolerance: float = 1.5) -> list[str]:
    """What got worse than in the baseline by more than the tolerance, in words; ratios alone are compared."""
    return [
        f"{result.key}: {result.ratio:.3g}, and {baseline[result.key]:.3g} in the baseline"
        for result in results
        if result.key in baseline and result.other not in PEERS and result.ratio > tolerance * baseline[result.key]
    ]


def better(results: list[Result], again: list[Result]) -> list[Result]:
    """Of each figure of two runs the smaller one."""
    ratios = {result.key: result for result in again}
    return [min(result, ratios.get(result.key, result), key=lambda found: found.ratio) for result in results]


def missing(results: list[Result], baseline: dict[str, float], skipped: Sequence[Skipped] = ()) -> list[str]:
    """The keys of the baseline that were not measured: a figure that nobody takes would hide what got worse."""
    return sorted(baseline.keys() - {result.key for result in results} - {row.key for row in skipped})
