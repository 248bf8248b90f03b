"""A clock that stands still until a test turns its hands."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from openrouter_pricing import Clock


class Hands:
    """A clock that stands still until a test turns its hands."""

    def __init__(self) -> None:
        self.seconds = 1_000_000.0
        self.wall = datetime(2026, 11, 1, 12, tzinfo=timezone.utc)
        self.chance = 0.5
        self.clock = Clock(monotonic=lambda: self.seconds, utcnow=lambda: self.wall, random=lambda: self.chance)

    def turn(self, seconds: float) -> None:
        """Let so many seconds pass."""
        self.seconds += seconds
        self.wall += timedelta(seconds=seconds)
