"""The conformance suite, run on a backend of one's own."""

import pytest
from sqlite_backend import SqliteBackend

from openrouter_pricing.testing import backend_checks


@pytest.mark.parametrize("check", backend_checks(), ids=lambda check: check.__name__)
def test_backend(check, tmp_path):
    """The backend does what the package relies on."""
    check(lambda: SqliteBackend(tmp_path / "prices.db"))
