"""The prices of a project, and the settings that they are made from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from django.conf import settings
from django.dispatch import Signal
from django.utils.functional import LazyObject, empty

from ..backends.django import given_back
from ..errors import SettingsError
from ..pricing import Pricing
from ..settings import Settings, over_environment

if TYPE_CHECKING:
    from .._prices.changes import CatalogChange

#: The name of the options in the settings of a project.
NAME = "OPENROUTER_PRICING"

#: Sent with ``change``, a ``CatalogChange``, when this process comes to hold a list with other prices than the one
#: before. The sender is the class ``Pricing``; receivers run in a thread of ours.
prices_changed: Signal = Signal()


def given() -> Mapping[str, Any]:
    """What the settings of the project say.

    Raises:
        SettingsError: that is no dictionary of names.
    """
    options = getattr(settings, NAME, {})
    if not isinstance(options, Mapping) or not all(isinstance(name, str) for name in options):
        raise SettingsError(
            NAME, f"a {type(options).__name__}", 'a dictionary of options, such as {"MARKUP_RATE": "1.5"}'
        )
    return options


def read() -> Settings:
    """The options: those of the project, and of the environment where it says nothing.

    Raises:
        SettingsError: one of them cannot be read, or is none.
    """
    return over_environment(given(), prefix="")


def _make() -> Pricing:
    made = Pricing(read())
    made.listen(_tell)
    return made


def _tell(change: CatalogChange) -> None:
    if change.before is None:
        return
    with given_back():
        prices_changed.send_robust(Pricing, change=change)


class _ProjectPricing(LazyObject):  # type: ignore[type-arg]
    """The project's ``Pricing``, made when it is first asked for anything."""

    def _setup(self) -> None:
        # Of two threads that come first both make one, and one of them is thrown away: nothing has begun in it.
        self._wrapped = self.__dict__.setdefault("_made", _make())

    def forget(self) -> None:
        """Make it anew when it is next asked; the one of before still answers whoever holds it."""
        made = self.__dict__.pop("_made", None)
        self._wrapped = empty
        if made is not None:
            made.close()


_lazy = _ProjectPricing()
#: The prices of the project.
pricing: Pricing = cast(Pricing, _lazy)


def setting_changed(*, setting: str, **_: Any) -> None:
    """A test has put other settings in place."""
    if setting == NAME:
        _lazy.forget()
