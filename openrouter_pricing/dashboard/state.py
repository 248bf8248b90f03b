"""State: what is known of the prices without asking anybody, and what that means in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

from .._prices.catalog import Catalog
from ..errors import CatalogUnavailableError
from ..health import span

if TYPE_CHECKING:
    from .._freshness.held import Held
    from .._freshness.stats import Stats
    from ..pricing import Pricing

#: What each mood is called.
_WORDS = {
    "fresh": "Fresh",
    "stale": "Stale",
    "bundled": "Bundled",
    "failing": "Failing",
    "pinned": "Pinned",
    "none": "No prices",
}
_ADVICE = {
    "fresh": "",
    "stale": "They answer all the same, and are refreshed behind the answers.",
    "bundled": "They came with the package. Fetch the prices of today with the button below.",
    "bundled offline": "They came with the package, and the settings say offline: nothing newer is fetched.",
    "failing": "Questions are answered from these all the same, and OpenRouter is asked again by itself.",
    "pinned": "This list was handed in, and nothing changes it.",
    "none": "Nothing could be fetched, nothing is stored, and the snapshot of the package is switched off: every "
    "question for a cost is an error. See that OpenRouter can be reached, or set OPENROUTER_PRICING_FALLBACK=true.",
}


@attrs.frozen
class State:
    """What is known just now.

    Args:
        held: what questions are answered from; None where there is nothing.
        stats: what happened in this process.
        failing: whether the last refresh failed.
        due_in: seconds until the next refresh; None where there is none.
        offline: whether the settings say so.
        age: seconds since the prices were fetched, or made; None where there are none.
    """

    held: Held | None
    stats: Stats
    failing: bool
    due_in: float | None
    offline: bool
    age: float | None

    @classmethod
    def of(cls, pricing: Pricing) -> State:
        """Look at a ``Pricing``; a fetch that is due runs behind, and nobody waits for it."""
        live = pricing._live
        held: Held | None
        try:
            held = live.at_hand()
        except CatalogUnavailableError:
            held = None
        stats, age = pricing.stats(), None
        if held is not None:
            kept = stats.age if held.origin.source in ("live", "stale") else None
            age = (pricing._clock.utcnow() - held.catalog.as_of).total_seconds() if kept is None else kept
        return cls(held, stats, live.failing, live.due_in(), pricing._settings.offline, age)

    @property
    def catalog(self) -> Catalog:
        """The list; an empty one where there is none."""
        return _EMPTY if self.held is None else self.held.catalog

    @property
    def mood(self) -> str:
        """ "fresh", "stale", "bundled", "failing", "pinned" or "none"."""
        if self.held is None:
            return "none"
        if self.failing:
            return "failing"
        source = self.held.origin.source
        return "fresh" if source == "live" else source

    @property
    def word(self) -> str:
        """The mood, for people."""
        return _WORDS[self.mood]

    @property
    def old(self) -> str:
        """How old the prices are; nothing where there are none."""
        return "" if self.age is None else span(self.age)

    @property
    def summary(self) -> str:
        """What is held, in one sentence."""
        if self.held is None:
            return "No prices are at hand."
        return f"{len(self.catalog):,} models, {self.old} old."

    @property
    def advice(self) -> str:
        """What that means, and what to do."""
        return _ADVICE["bundled offline" if self.mood == "bundled" and self.offline else self.mood]

    @property
    def next_refresh(self) -> str:
        """When prices are fetched next."""
        if self.due_in is None:
            return "never"
        if self.failing:
            return f"tried again in {span(self.due_in)}" if self.due_in else "tried again with the next question"
        return f"in {span(self.due_in)}" if self.due_in else "due now"

    @property
    def memory_hits(self) -> float | None:
        """Share of the questions that were answered without a look at the store; None before the first one."""
        return _share(self.stats.l1_answers - self.stats.l2_checks, self.stats.l1_answers)

    @property
    def store_hits(self) -> float | None:
        """Share of the lists that this process took from the store instead of OpenRouter; None before the first one."""
        return _share(self.stats.l2_reads, self.stats.l2_reads + self.stats.fetches)

    @property
    def troubles(self) -> list[tuple[str, str]]:
        """What went wrong in this process, each with what was seen."""
        stats = self.stats
        found = [("Last error of a refresh", stats.last_error)] if stats.last_error else []
        counts = {
            **{f"Failed fetches, {kind}": count for kind, count in stats.failures.items()},
            "Lists that were not believed": stats.refused_catalogs,
            "Rows that could not be read": stats.skipped_rows,
            "Failed questions to the store": stats.backend_errors,
            "Failed questions to the price history": stats.history_errors,
            "Listeners that raised": stats.listener_errors,
        }
        return [*found, *((name, f"{count:,}") for name, count in counts.items() if count)]

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready; what ``/healthz`` says."""
        return {
            "ok": self.held is not None,
            "state": self.mood,
            "source": None if self.held is None else self.held.origin.source,
            "as_of": None if self.held is None else self.catalog.as_of.isoformat(),
            "age_seconds": None if self.age is None else round(self.age, 1),
            "models": len(self.catalog),
            "next_refresh_seconds": None if self.due_in is None else round(self.due_in, 1),
            "breaker": self.stats.breaker,
            "last_error": self.stats.last_error,
        }


_EMPTY = Catalog.from_models([])


def _share(part: int, whole: int) -> float | None:
    return max(0, part) / whole if whole else None
