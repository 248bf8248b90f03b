"""diskcache without Django."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

#: What a program does with diskcache, and what it says in the end.
PROGRAMS = {
    "a store alone imports no Django": """
import sys
from openrouter_pricing import Pricing, Settings
with Pricing(Settings(offline=True)) as pricing:
    pricing.cost("openai/gpt-4o-mini", 1)
assert "diskcache" in sys.modules
print("django" in sys.modules)
""",
    "its cache for Django is there when it is asked for": """
from openrouter_pricing.backends import disk
from diskcache import DjangoCache
from django.core.cache.backends.base import BaseCache
assert disk.diskcache.DjangoCache is DjangoCache
print(not issubclass(DjangoCache, BaseCache))
""",
    "without Django it is not there": """
import sys
sys.modules["django.core"] = None
from openrouter_pricing.backends.disk import diskcache
assert not hasattr(diskcache, "Nonsense")
print(hasattr(diskcache, "DjangoCache"))
""",
    "a project of Django gets it as it is": """
import django
from openrouter_pricing.backends.disk import diskcache
print("DjangoCache" not in vars(diskcache))
""",
    "what was imported before stays": """
import diskcache as before
from openrouter_pricing.backends.disk import diskcache
assert before is diskcache
print("DjangoCache" not in vars(diskcache))
""",
}


@pytest.mark.parametrize("program", PROGRAMS)
def test_who_imports_django(program: str, tmp_path: Path) -> None:
    """The disk store does not, and takes nothing away from those who do."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", PROGRAMS[program]],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (0, "False\n", "") == (done.returncode, done.stdout, done.stderr)
