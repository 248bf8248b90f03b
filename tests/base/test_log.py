"""Loggers of a package in a host that may not have configured logging."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

CODE = """
import sys
from openrouter_pricing._base.log import logger
print("logging" in sys.modules)
for name in ("one", "two"):
    logger(f"openrouter_pricing.{name}").error("it failed")
import logging
print([type(handler).__name__ for handler in logging.getLogger("openrouter_pricing").handlers])
logging.basicConfig(format="%(name)s: %(message)s", stream=sys.stdout)
logger("openrouter_pricing.one").error("it failed again")
"""


def test_a_host_that_configured_nothing_sees_nothing() -> None:
    """``logging`` is imported with the first logger; messages reach no stderr, and a host that wants them."""
    done = subprocess.run(
        [sys.executable, "-c", CODE], capture_output=True, text=True, check=True, cwd=Path(__file__).parent
    )
    assert ("False\n['NullHandler']\nopenrouter_pricing.one: it failed again\n", "") == (done.stdout, done.stderr)


WITHOUT_FILES = """
import resource
import sys
from openrouter_pricing._base.log import logger
limit = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (3, limit[1]))
logger("openrouter_pricing.one").error("it failed", extra={})
resource.setrlimit(resource.RLIMIT_NOFILE, limit)
import logging
logging.basicConfig(format="%(name)s: %(message)s", stream=sys.stdout)
logger("openrouter_pricing.one").error("it failed again")
"""


def test_a_host_without_a_descriptor_left() -> None:
    """What cannot be logged is not: it is no error. Later messages are there again."""
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_FILES], capture_output=True, text=True, check=True, cwd=Path(__file__).parent
    )
    assert ("openrouter_pricing.one: it failed again\n", "") == (done.stdout, done.stderr)
