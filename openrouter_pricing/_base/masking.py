"""Hides what may be secret in a text, before anybody reads it."""

from __future__ import annotations

import re

_CREDENTIALS = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*://)?\S*@")
_QUERY = re.compile(r"\?\S+")


def mask(text: str) -> str:
    """A text with everything hidden that may be a user and password, or the query, of a URL in it."""
    return _QUERY.sub("?***", _CREDENTIALS.sub(lambda found: f"{found[1] or ''}***@", text))
