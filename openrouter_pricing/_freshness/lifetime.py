"""Lifetime: what keeps prices current while an object lives, and lets go of it in the end."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable

from ..errors import CatalogUnavailableError

TYPE_CHECKING = False
if TYPE_CHECKING:  # importing this module must cost next to nothing
    from types import TracebackType
    from typing import Any

    from typing_extensions import Self

    from .._prices.catalog import Catalog
    from .listeners import Listener
    from .live import Live, Pinned
    from .recorder import Observer
    from .stats import Stats

CLOSING = 1.8  # seconds that closing takes at most, whatever hangs


class Lifetime:
    """Holds on to live prices, or to a pinned list."""

    _live: Live | Pinned
    _answers: int

    def refresh(self, *, force: bool = False) -> Catalog:
        """Fetch now and wait for it: joins a fetch under way, ignores the back-off, obeys the circuit breaker.

        Args:
            force: believe what comes, however much of it moved.

        Raises:
            UpstreamError: what went wrong; the prices held before still answer.
            PricingError: the prices are pinned, or the settings say offline.
        """
        return self._live.refresh(trusting=force)

    def warm(self) -> None:
        """Ensure that a catalogue is held; waits for one as the first question would. Never raises for the upstream."""
        try:
            self._live.current()
        except CatalogUnavailableError:
            return

    def start_warmer(self) -> None:
        """Start the thread that refreshes prices before they are missed, unless it runs. Without a network, nothing."""
        self._live.start_warmer()

    def stop_warmer(self) -> None:
        """Stop that thread, within half a second."""
        self._live.stop_warmer()

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Tell ``listener`` of each new price list that this process comes to hold, fetched by it or by another one.

        It is called in a thread of ours, once for each list and only if a price differs from the list before, with a
        ``CatalogChange(before, after, changes)``; for the first list ``before`` is None and ``changes`` is empty. What
        it raises is counted and logged. A pinned list never changes.

        Args:
            listener: what to call.

        Returns:
            what ends it when it is called.
        """
        if not callable(listener):
            raise TypeError(f"listener must be callable, not {type(listener).__name__}")
        return self._live.listen(listener)

    def stats(self) -> Stats:
        """What happened in this process so far."""
        return self._live.stats(int(self._answers))

    def _observe(self, observer: Observer, answers: Any) -> None:
        """Tell ``observer`` of every count, so far and from now on, but of answers.

        Those are kept in ``answers`` instead of a plain number. It takes ``+= 1`` and ``int()``, so ``cost()`` counts
        as ever and need not know of it.
        """
        before, self._answers = self._answers, answers
        answers += before
        self._live.observe(observer)

    def close(self) -> None:
        """Let go of threads, sockets and the store, within two seconds; as often as you like.

        ``cost()`` still answers from what is held. A list that is being stored reaches its store.
        """
        self._live.close(CLOSING)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __del__(self, _exiting: Callable[[], bool] = sys.is_finalizing) -> None:  # kept here: modules go before us
        live = getattr(self, "_live", None)
        if live is None or _exiting():
            return  # at the end its threads stand still, and nobody can close it any more
        live.stop_warmer(timeout=0)  # or its thread would keep everything alive
        if live.in_use:
            warnings.warn(f"{self!r} was never closed", ResourceWarning, source=self, stacklevel=1)
