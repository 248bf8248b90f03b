"""What the rows about metrics share."""

from __future__ import annotations

import pytest

pytest.importorskip("gunicorn")
pytest.importorskip("prometheus_client")
