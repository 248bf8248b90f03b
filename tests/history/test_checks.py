"""The checks that strangers run on their histories."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.recordings import MemoryHistory

from openrouter_pricing._prices.catalog import Catalog
from openrouter_pricing.testing import HistoryCheck, history_checks


@pytest.mark.parametrize("check", history_checks(), ids=lambda check: check.__name__)
def test_sqlite_passes(check: HistoryCheck, tmp_path: Path) -> None:
    """A history in a file behaves as the protocol says."""
    store = pytest.importorskip("openrouter_pricing.history.store")
    assert check.__doc__
    check(lambda: store.SqlHistory(f"sqlite:///{tmp_path}/prices.db"))


def test_a_history_that_does_not_behave_is_found() -> None:
    """One that records whatever it is told, whenever it was, fails where it should."""

    class Loose(MemoryHistory):
        def record(self, catalog: Catalog) -> tuple[()]:
            self.lists.append(catalog)
            return ()

    failed = []
    for check in history_checks():
        try:
            shared = Loose()
            check(lambda: shared)  # noqa: B023
        except AssertionError:
            failed.append(check.__name__)
    assert {"what_changes_is_told", "a_list_that_is_older_is_refused"} <= set(failed)
    assert "it_is_a_history" not in failed
