"""What writes a figure of the fault suite."""

from __future__ import annotations

from collections.abc import Callable

#: Called with a row and its figure.
Figure = Callable[[str, str], None]
