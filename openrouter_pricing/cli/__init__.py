"""The command line, in the extra ``cli``; importing it takes click and rich."""

from .main import run

__all__ = ["run"]
