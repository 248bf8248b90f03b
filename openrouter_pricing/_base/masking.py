"""Hides what may be secret in a text, before anybody reads it."""

from __future__ import annotations

import re

from ..errors import shortened

_WORD = re.compile(r"\S+")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_QUERY = re.compile(r"\?\S+")


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
