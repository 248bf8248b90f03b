"""The suite for backends can fail."""

from __future__ import annotations

import pytest
from openrouter_pricing.backends.memory import MemoryBackend
from openrouter_pricing.backends.null import NullBackend

from openrouter_pricing.testing import BackendCheck, backend_checks


def test_conformance_suite_can_fail() -> None:
    """A backend that forgets, grants every lease or deletes nothing does not pass."""

    class Careless(NullBackend):
        def set(self, key: str, value: bytes, *, ttl: float | None = None) -> None:
            """Forget it."""

    failed = []
    for check in backend_checks():
        try:
            check(Careless)
        except AssertionError:
            failed.append(check.__name__)
    assert failed == [
        "bytes_stay_bytes",
        "keys_are_apart",
        "the_last_set_wins",
        "values_expire",
        "add_is_granted_once",
        "add_is_atomic",
        "only_what_is_equal_is_deleted",
        "deleting_what_is_equal_is_atomic",
        "only_bytes_are_kept",
    ]


@pytest.mark.parametrize(
    "check", [c for c in backend_checks() if c.__name__ in ("values_expire", "add_is_granted_once")]
)
def test_conformance_suite_notices_values_that_never_expire(
    check: BackendCheck, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A backend whose clock stands still is caught by the checks of expiry."""
    readings = iter(range(0, 10_000, 3))
    monkeypatch.setattr("openrouter_pricing.testing.time.monotonic", lambda: next(readings))
    with pytest.raises(AssertionError, match="outlived"):
        check(lambda: MemoryBackend(monotonic=lambda: 0.0))
