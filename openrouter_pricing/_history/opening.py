"""Where the past prices of a ``Pricing`` come from."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING

from .._base.clock import Clock
from .._freshness.live import Live, Pinned
from ..errors import SettingsError
from ..settings import Settings
from .past import Past

if TYPE_CHECKING:  # imported when somebody asks for the past
    from .guarded import GuardedHistory
    from .periods import HistoryStore

#: The history that knows nothing, and the one that comes with the package.
NONE = "none"
BUNDLED = "bundled://"


def past_of(settings: Settings, history: HistoryStore | None, live: Live | Pinned, clock: Clock, *, own: bool) -> Past:
    """The past, which is asked for nothing yet; what keeps recordings is told of each list from now on.

    Args:
        settings: ``history`` says where it comes from.
        history: one of the user's own instead.
        live: whose past it is.
        clock: time.
        own: the prices of now are the user's own: OpenRouter's history is none of theirs.

    Raises:
        SettingsError: what the history of the settings needs is not installed.
        TypeError: ``history`` is none.
    """
    if history is not None:
        from .periods import HistoryStore

        if not isinstance(history, HistoryStore):
            raise TypeError(f"history must be a HistoryStore, not {type(history).__name__}")
    elif own or settings.history == NONE:
        return Past(None)
    elif settings.history != BUNDLED:
        check(settings.history)

    def guarded() -> GuardedHistory:
        from .bundled import BundledHistory
        from .guarded import GuardedHistory

        given = history_of(settings) if history is None and settings.history == BUNDLED else history
        inline = given if isinstance(given, BundledHistory) else None
        opened = (lambda: history_of(settings)) if given is None else (lambda: given)
        return GuardedHistory(opened, live.recorder, clock, owned=history is None, inline=inline)

    past = Past(guarded)
    if history is not None or settings.history != BUNDLED:
        live.record = past.record
    return past


def check(url: str) -> None:
    """Whether a URL names a database that can hold a history, without opening it.

    Raises:
        SettingsError: it names none, or what it needs is not installed.
    """
    scheme, _, rest = url.partition("://")
    shown = f"{scheme[:40]}://***"
    if scheme not in ("sqlite", "postgresql+psycopg") or not rest.strip("/"):
        raise SettingsError("history", shown, "sqlite:///file or postgresql+psycopg://user@host/database")
    needed = ["sqlalchemy"] if scheme == "sqlite" else ["sqlalchemy", "psycopg"]
    if missing := [name for name in needed if find_spec(name) is None]:
        accepted = f"it once {' and '.join(missing)} is there: pip install openrouter-pricing[history]"
        raise SettingsError("history", shown, accepted)


def history_of(settings: Settings) -> HistoryStore | None:
    """The history that the settings name, opened anew; None for none."""
    if settings.history == NONE:
        return None
    if settings.history == BUNDLED:
        from .bundled import BundledHistory

        return BundledHistory()
    store: Callable[[str], HistoryStore] = import_module("openrouter_pricing.history.store").SqlHistory
    return store(settings.history)
