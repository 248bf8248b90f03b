"""The command line, in the extra ``cli``; importing it takes click and rich."""

import rich  # noqa: F401  # a pipe needs nothing of it: who lacks half of the extra is told anyway

from .main import run

__all__ = ["run"]
