"""Stores for catalogues: bytes under string keys, named by URL. A backend needs no import from the package."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

from openrouter_pricing.errors import SettingsError

from . import redis_url

__all__ = ["open_backend"]

#: Entry points of this group are named after a scheme and give a callable that takes the whole URL.
_GROUP = "openrouter_pricing.backends"
_MARKS = "@?#"  # where one of these stands, a password may stand before or behind it
#: The module and the class of each scheme of ours.
_BUILT_IN = {
    "disk": ("disk", "DiskBackend"),
    "django": ("django", "DjangoBackend"),
    "memory": ("memory", "MemoryBackend"),
    "null": ("null", "NullBackend"),
    **dict.fromkeys(redis_url.SCHEMES, ("redis", "RedisBackend")),
}


def open_backend(url: str) -> Any:
    """The backend that a URL names. Its module is imported now; it touches nothing until it is asked.

    Args:
        url: ``memory://``, ``disk://``, ``disk:///directory``, ``null://``, ``redis://host``, ``valkey://host`` and
            their kin, ``django://alias``, or a scheme that an installed package registers in the entry-point group
            ``openrouter_pricing.backends``.

    Raises:
        SettingsError: no such scheme, or a URL that the scheme cannot read.
    """
    backend, failure = _tried(lambda url: find(url)(url), url)
    if failure is None:
        return backend
    del url  # this frame stays with the error, and trackers of errors send its variables
    raise failure


def check(url: str) -> None:
    """Say what is wrong with a URL, as far as that can be told without opening, or importing, anything.

    Raises:
        SettingsError: no such scheme, or a URL of a Redis, a Valkey or a cache of Django that holds what it may not.
    """
    work = open_backend if _scheme(url) == "django" else find  # that one touches and imports nothing
    _, failure = _tried(redis_url.check if _scheme(url) in redis_url.SCHEMES else work, url)
    if failure is not None:
        del url  # as above
        raise failure


def _tried(work: Callable[[str], Any], url: str) -> tuple[Any, SettingsError | None]:
    """What ``work`` makes of a URL, or an error that keeps no frame with the URL in it."""
    try:
        return work(url), None
    except SettingsError as error:
        return None, SettingsError(*error.args)
    except ValueError as error:
        accepted = _accepted(str(error))
        failure = SettingsError("backend", repr(_hide(url)), accepted)
        failure.__cause__ = ValueError(accepted)  # without its frames, which keep the URL
        return None, failure


def find(url: str) -> Callable[[str], Any]:
    """What opens a URL, without opening it and, for the built-in schemes, without importing it.

    Raises:
        SettingsError: no such scheme.
    """
    scheme = _scheme(url)
    if scheme in _BUILT_IN:
        module, name = _BUILT_IN[scheme]
        return lambda url: getattr(import_module(f"{__name__}.{module}"), name).from_url(url)
    from importlib import metadata  # slow to import, and only strangers' schemes need it

    registered = metadata.entry_points(group=_GROUP)
    for entry in registered:
        if entry.name == scheme:
            opener: Callable[[str], Any] = entry.load()
            return opener
    known = ", ".join(f"{name}://" for name in sorted({*_BUILT_IN, *registered.names}))
    url = _hide(url)
    scheme = url.partition("://")[0]
    raise SettingsError("backend", repr(url), f"a URL of one of {known}")


def _scheme(url: str) -> str:
    return url.partition("://")[0].lower()


def _accepted(told: str) -> str:
    """What a scheme says of a URL, unless it quotes what may be a password."""
    return "a URL that this scheme can read" if any(mark in told for mark in _MARKS) else told


def _hide(url: str) -> str:
    """A URL for people; only its scheme where a password may stand in it."""
    if not any(mark in url for mark in _MARKS):
        return url
    scheme, found, _ = url.partition("://")
    return f"{scheme}://***" if found and not any(mark in scheme for mark in _MARKS) else "***"
