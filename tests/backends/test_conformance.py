"""One suite for every backend, and each satisfies the protocol."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from openrouter_pricing.backends.disk import DiskBackend
from openrouter_pricing.backends.memory import MemoryBackend
from openrouter_pricing.backends.null import NullBackend

from openrouter_pricing import Backend, open_backend
from openrouter_pricing.testing import BackendCheck, backend_checks


@pytest.mark.parametrize("check", backend_checks(), ids=lambda check: check.__name__)
@pytest.mark.parametrize("scheme", ["memory", "disk"])
def test_conformance(check: BackendCheck, scheme: str, tmp_path: Path) -> None:
    """The backends that keep something do everything that the protocol asks for."""
    check(lambda: open_backend("memory://" if scheme == "memory" else f"disk://{tmp_path}/store"))


class FiveMethods:
    """A backend with the methods of the protocol and no other."""

    def __init__(self, store: MemoryBackend) -> None:
        self.get, self.set, self.add, self.delete, self.close = (
            *(store.get, store.set, store.add, store.delete),
            lambda: None,
        )


@pytest.mark.parametrize("check", backend_checks(), ids=lambda check: check.__name__)
def test_conformance_of_five_methods(check: BackendCheck) -> None:
    """A backend without ``compare_and_delete`` passes too: it is optional."""
    store = MemoryBackend()
    check(lambda: FiveMethods(store))


@pytest.mark.parametrize("check", backend_checks(stores=False), ids=lambda check: check.__name__)
def test_conformance_of_null(check: BackendCheck) -> None:
    """The null backend keeps nothing and does everything else."""
    check(NullBackend)


def test_backends_are_backends() -> None:
    """Each built-in backend satisfies the protocol that its consumer owns."""
    kinds: list[Callable[[], object]] = [MemoryBackend, NullBackend, DiskBackend]
    assert all(isinstance(kind(), Backend) for kind in kinds)
