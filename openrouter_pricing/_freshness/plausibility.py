"""Plausibility: whether a new price list may be believed."""

from __future__ import annotations

from datetime import datetime, timedelta

from .._base.log import logger
from .._prices.catalog import Catalog
from .._prices.changes import moves_between
from ..errors import PayloadError
from .recorder import Recorder
from .store import Store, Suspect

_AGREEING = 3  # fetches in a row that say the same are believed, whatever they say
_MOST_NAMED = 20  # price jumps that one refresh logs by name


class Plausibility:
    """Refuses a list that lost more than half of the last ids, or whose prices moved as no real list's ever did.

    What is refused is believed once three fetches in a row, each at least ``l2_ttl`` after the one before, say the
    same. What was refused is kept in the store, so that processes which fetch once each come to believe it too.

    Args:
        apart: seconds; ``l2_ttl``.
    """

    def __init__(self, apart: float) -> None:
        self._apart = timedelta(seconds=apart)
        self._suspect: Suspect | None = None

    def judge(
        self, old: Catalog, new: Catalog, now: datetime, store: Store, recorder: Recorder, *, trusting: bool
    ) -> None:
        """Raise unless ``new`` may replace ``old``; log and count what moved more than tenfold where it may.

        Args:
            old, new: the list that is held, and the one that came.
            now: the wall clock (aware).
            store: remembers what was refused.
            recorder: counts.
            trusting: believe it at once.

        Raises:
            PayloadError: it is refused.
        """
        known = frozenset(old)
        kept = len(known.intersection(new))
        moves = moves_between(old, new)
        reason = None
        if 2 * kept < len(known):
            reason = f"it lists only {kept} of the {len(known)} models known before"
        elif 4 * len(moves.wild) > moves.priced:
            reason = f"{len(moves.wild)} of the {moves.priced} prices known before moved wildly"
        if reason is not None and not trusting:
            suspect = self._again(store.suspect() or self._suspect, new.prices_digest, old.as_of, now)
            if suspect.times < _AGREEING:
                self._suspect = suspect
                store.keep_suspect(suspect)
                recorder.count("refused_catalogs")
                raise PayloadError(f"refused a catalogue: {reason}")
        for model_id, before, after in moves.jumps[:_MOST_NAMED]:
            logger(__name__).warning("the price of %s moved more than tenfold: %s to %s", model_id, before, after)
        recorder.count("price_jumps", len(moves.jumps))

    def _again(self, last: Suspect | None, prices: str, believed: datetime, now: datetime) -> Suspect:
        """The list that is refused now, and how often it came in a row: since another one was believed."""
        if last is None or last.prices != prices or now < last.counted or last.counted < believed <= now:
            return Suspect(prices, 1, now)
        return last if now - last.counted < self._apart else Suspect(prices, last.times + 1, now)
