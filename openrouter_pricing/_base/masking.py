"""Hides what may be secret in a text, before anybody reads it."""

from __future__ import annotations

import copy
import re
from typing import TypeVar

from ..errors import shortened

_WORD = re.compile(r"\S+")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_QUERY = re.compile(r"\?\S+")
_MOST_CAUSES = 8
_E = TypeVar("_E", bound=BaseException)


class Hidden(str):
    """A text that shows as another one: what the frames of an error keep, trackers of errors show."""

    __slots__ = ("_shown",)
    _shown: str

    def __new__(cls, value: str, shown: str) -> Hidden:
        made = super().__new__(cls, value)
        made._shown = shown
        return made

    def __repr__(self) -> str:
        return self._shown

    def __reduce__(self) -> tuple[type[Hidden], tuple[str, str]]:
        return Hidden, (str(self), self._shown)


class CauseError(Exception):
    """What is left of a cause whose class cannot be built anew: the name of that class, and what it said."""


def without_frames(error: _E) -> _E:
    """The error without its frames, and with causes that are told anew: same class, masked text, no frames.

    Frames keep local variables, and trackers of errors send those: the headers of a request, the URL of a proxy. Raise
    what this gives outside of any ``except``, or Python chains the old error to it, with all of its frames.
    """
    error.__cause__ = _told_anew(_cause_of(error), _MOST_CAUSES)
    error.__context__ = None
    return error.with_traceback(None)


def again(error: _E) -> _E:
    """The same error, for whoever raises what other threads raise too: each raise would add its frames to one."""
    other = copy.copy(error)
    other.__cause__ = error.__cause__
    return other


def _cause_of(error: BaseException) -> BaseException | None:
    return error.__context__ if error.__cause__ is None and not error.__suppress_context__ else error.__cause__


def _told_anew(error: BaseException | None, most: int) -> BaseException | None:
    if error is None or not most:
        return None
    told: tuple[object, ...] = (mask(str(error)),)
    if {str, int, float, type(None)}.issuperset(map(type, error.args)):
        told = tuple(mask(arg) if isinstance(arg, str) else arg for arg in error.args)
    try:
        anew: BaseException = type(error)(*told)
    except Exception:  # noqa: BLE001  # a stranger's class may want anything
        anew = CauseError(f"{type(error).__name__}: {mask(str(error))}")
    anew.__cause__ = _told_anew(_cause_of(error), most - 1)
    return anew


def mask(text: str) -> str:
    """A text with everything hidden that may be a user and password, or the query, of a URL in it; cut if it is long.

    The work is proportional to the length: each word is looked at once.
    """
    return shortened(_QUERY.sub("?***", _WORD.sub(_without_user, text)))


def _without_user(word: re.Match[str]) -> str:
    before, at, after = word[0].rpartition("@")
    if not at:
        return word[0]
    scheme = _SCHEME.match(before)
    return f"{scheme[0] if scheme else ''}***@{after}"
