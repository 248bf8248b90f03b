"""Listeners: who is told when prices change."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TypeAlias

from .._base.fork import PerProcess
from .._base.log import logger
from .._base.worker import Worker
from .._prices.catalog import Catalog
from .._prices.changes import CatalogChange, differences
from .process import Shared

#: Called with what changed.
Listener: TypeAlias = Callable[[CatalogChange], object]


class Listeners:
    """Tells listeners of each new price list, once, in a thread of ours, and only if a price differs.

    Args:
        shared: counts listeners that fail.
    """

    def __init__(self, shared: PerProcess[Shared]) -> None:
        self._shared = shared
        self._workers = PerProcess(lambda: Worker("openrouter-pricing-listeners"))
        self._listeners: list[Listener] = []
        self._last: Catalog | None = None
        self._closed = False

    def add(self, listener: Listener) -> Callable[[], None]:
        """Tell ``listener`` from now on; what is given ends that, as often as it is called."""
        entry = partial(listener)  # equal to itself alone, so that one that is added twice can be taken out once
        self._listeners.append(entry)

        def stop() -> None:
            if entry in self._listeners:
                self._listeners.remove(entry)

        return stop

    def tell(self, catalog: Catalog) -> None:
        """This process holds another list now."""
        if self._closed:
            return
        if not self._listeners:
            self._last = catalog
            return
        try:
            self._workers.get().submit(lambda: self._tell(catalog))
        except RuntimeError as error:  # no thread can be started
            self._failed(error)

    def close(self) -> None:
        """Tell of no list that comes from now on."""
        self._closed = True
        worker = self._workers.peek()
        if worker is not None:
            worker.close()

    def _tell(self, catalog: Catalog) -> None:
        before, self._last = self._last, catalog
        if before is not None and before.digest == catalog.digest:
            return
        changes = () if before is None else differences(before, catalog)
        if before is not None and not changes:
            return
        for listener in list(self._listeners):
            try:
                listener(CatalogChange(before, catalog, changes))
            except Exception as error:  # noqa: BLE001  # a listener may fail in any way
                self._failed(error)

    def _failed(self, error: Exception) -> None:
        self._shared.get().recorder.count("listener_errors")
        logger(__name__).error("a listener for new prices failed: %r", error, exc_info=error)
